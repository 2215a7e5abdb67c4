// Solves, products, the selected inverse and what is read off it.
#include <algorithm>

#include "linalg/parallel.hpp"
#include "linalg/random_system.hpp"
#include "linalg/small.hpp"

namespace tanada {

using Eigen::Map;

template <int K> void RandomSystem::solve_levels(RowMatrix& rhs) const {
  const int k = K == Eigen::Dynamic ? k0_ : K, c = static_cast<int>(rhs.cols());
  const double* rest = rhs.data() + std::size_t(L0_) * k * c;
  const bool has_rest = pattern_->factors() > 1;
  parallel_chunks(L0_, level_grain(), [&](int, std::size_t begin, std::size_t end) {
    for (std::size_t l = begin; l < end; ++l) {
      double* x = rhs.data() + l * k * c;
      small::solve_rows(M00_.data() + l * k * k, x, k, c);
      if (!has_rest) continue;
      const std::int32_t* index = rest_column_.data() + pattern_->width_start()[l];
      const double* W = row_block(W_, static_cast<int>(l));
      const int w = width(static_cast<int>(l));
      for (int j = 0; j < w; ++j)
        for (int a = 0; a < k; ++a)
          for (int t = 0; t < c; ++t) x[a * c + t] -= W[std::size_t(j) * k + a] * rest[std::size_t(index[j]) * c + t];
    }
  });
}

void RandomSystem::solve(RowMatrix& rhs) const {
  if (pattern_->factors() == 0) return;
  const bool has_rest = pattern_->factors() > 1;
  const Eigen::Index at_rest = Eigen::Index(L0_) * k0_;
  if (has_rest) {  // rest -= W' rhs_0
    for (int l = 0; l < L0_; ++l) {
      const std::int32_t* index = rest_column_.data() + pattern_->width_start()[l];
      const double* W = row_block(W_, l);
      for (int j = 0; j < width(l); ++j)
        for (int a = 0; a < k0_; ++a) rhs.row(at_rest + index[j]) -= W[std::size_t(j) * k0_ + a] * rhs.row(Eigen::Index(l) * k0_ + a);
    }
    schur_->solve(rhs.bottomRows(schur_->size()));
  }
  with_size(k0_, [&](auto K) { solve_levels<decltype(K)::value>(rhs); });
}

void RandomSystem::apply_lambda(RowMatrix& x) const {
  for (int f = 0; f < pattern_->factors(); ++f) {
    const FactorBlock& b = pattern_->factor(f);
    if (b.k == 1) {
      x.middleRows(b.offset, b.levels) *= lambda_[f](0, 0);
      continue;
    }
    parallel_chunks(b.levels, 2048, [&](int, std::size_t begin, std::size_t end) {
      for (std::size_t l = begin; l < end; ++l) {
        auto rows = x.middleRows(b.offset + Eigen::Index(l) * b.k, b.k);
        rows = (lambda_[f].triangularView<Eigen::Lower>() * rows.eval()).eval();
      }
    });
  }
}

void RandomSystem::apply_lambda_t(RowMatrix& x) const {
  for (int f = 0; f < pattern_->factors(); ++f) {
    const FactorBlock& b = pattern_->factor(f);
    if (b.k == 1) {
      x.middleRows(b.offset, b.levels) *= lambda_[f](0, 0);
      continue;
    }
    parallel_chunks(b.levels, 2048, [&](int, std::size_t begin, std::size_t end) {
      for (std::size_t l = begin; l < end; ++l) {
        auto rows = x.middleRows(b.offset + Eigen::Index(l) * b.k, b.k);
        rows = (lambda_[f].transpose().triangularView<Eigen::Upper>() * rows.eval()).eval();
      }
    });
  }
}

void RandomSystem::multiply(const RowMatrix& x, RowMatrix& out) const {
  out.setZero(x.rows(), x.cols());
  const int F = pattern_->factors();
  if (F == 0) return;
  const Eigen::Index at_rest = Eigen::Index(L0_) * k0_;
  parallel_chunks(L0_, level_grain(), [&](int, std::size_t begin, std::size_t end) {
    for (std::size_t l = begin; l < end; ++l) {
      auto y = out.middleRows(Eigen::Index(l) * k0_, k0_);
      const double* A = A00_.data() + l * k0_ * k0_;
      for (int b = 0; b < k0_; ++b)
        for (int a = 0; a < k0_; ++a) y.row(a) += A[a + b * k0_] * x.row(Eigen::Index(l) * k0_ + b);
      if (F == 1) continue;
      const std::int32_t* index = rest_column_.data() + pattern_->width_start()[l];
      const double* B = row_block(B_, static_cast<int>(l));
      for (int j = 0; j < width(static_cast<int>(l)); ++j)
        for (int a = 0; a < k0_; ++a) y.row(a) += B[std::size_t(j) * k0_ + a] * x.row(at_rest + index[j]);
    }
  });
  if (F == 1) return;
  for (int l = 0; l < L0_; ++l) {
    const std::int32_t* index = rest_column_.data() + pattern_->width_start()[l];
    const double* B = row_block(B_, l);
    for (int j = 0; j < width(l); ++j)
      for (int a = 0; a < k0_; ++a) out.row(at_rest + index[j]) += B[std::size_t(j) * k0_ + a] * x.row(Eigen::Index(l) * k0_ + a);
  }
  for (int f = 1; f < F; ++f) {
    const FactorBlock& g = pattern_->factor(f);
    for (int l = 0; l < g.levels; ++l) {
      Map<const Matrix> A(Adiag_[f].data() + std::size_t(l) * g.k * g.k, g.k, g.k);
      out.middleRows(g.offset + Eigen::Index(l) * g.k, g.k).noalias() += A * x.middleRows(g.offset + Eigen::Index(l) * g.k, g.k);
    }
  }
  for (std::size_t s = 0; s < Apair_.size(); ++s) {
    const PairBlock& p = pattern_->pairs()[s];
    const FactorBlock &f = pattern_->factor(p.f), &g = pattern_->factor(p.g);
    for (std::size_t j = 0; j < p.a.size(); ++j) {
      Map<const Matrix> A(Apair_[s].data() + j * f.k * g.k, f.k, g.k);
      const auto rf = f.offset + Eigen::Index(p.a[j]) * f.k, rg = g.offset + Eigen::Index(p.b[j]) * g.k;
      out.middleRows(rf, f.k).noalias() += A * x.middleRows(rg, g.k);
      out.middleRows(rg, g.k).noalias() += A.transpose() * x.middleRows(rf, f.k);
    }
  }
}

// V_lr = -W S^-1, V_ll = M_00^-1 + W S^-1 W', all on the pattern of level l.
template <int K> void RandomSystem::inverse_levels() {
  const int k = K == Eigen::Dynamic ? k0_ : K;
  const bool has_rest = pattern_->factors() > 1;
  parallel_chunks(L0_, level_grain(), [&](int, std::size_t begin, std::size_t end) {
    std::vector<double> I(std::size_t(k) * k), S;
    for (std::size_t l = begin; l < end; ++l) {
      double* V = V00_.data() + l * k * k;
      std::fill(I.begin(), I.end(), 0.0);
      for (int a = 0; a < k; ++a) I[a + a * k] = 1.0;
      small::solve_lower(M00_.data() + l * k * k, I.data(), k, k);
      std::fill(V, V + k * k, 0.0);
      small::add_atb(I.data(), I.data(), V, k, k, k);
      if (!has_rest) continue;
      const int w = width(static_cast<int>(l));
      const std::int32_t* index = rest_column_.data() + pattern_->width_start()[l];
      const double* W = row_block(W_, static_cast<int>(l));
      double* VB = row_block(VB_, static_cast<int>(l));
      std::fill(VB, VB + std::size_t(w) * k, 0.0);
      if (schur_->dense() && w == schur_->size()) {  // every column is met: index counts from 0
        small::add_ab(W, schur_->inverse_matrix().data(), VB, k, w, w, -1.0);
        small::add_abt(VB, W, V, k, w, k, -1.0);
        continue;
      }
      S.resize(std::size_t(w) * w);
      for (int c = 0; c < w; ++c)
        for (int r = c; r < w; ++r) S[r + std::size_t(c) * w] = S[c + std::size_t(r) * w] = schur_->inverse(index[r], index[c]);
      small::add_ab(W, S.data(), VB, k, w, w, -1.0);
      small::add_abt(VB, W, V, k, w, k, -1.0);
    }
  });
}

void RandomSystem::selected_inverse() {
  if (pattern_->factors() == 0) return;
  V00_.resize(M00_.size());
  VB_.resize(B_.size());
  if (pattern_->factors() > 1) schur_->invert();
  with_size(k0_, [&](auto K) { inverse_levels<decltype(K)::value>(); });
}

template <int K> void RandomSystem::traces_levels(Templates& T) const {
  const int k = K == Eigen::Dynamic ? k0_ : K, F = pattern_->factors();
  int widest = k;
  for (int f = 1; f < F; ++f) widest = std::max(widest, pattern_->factor(f).k);
  std::vector<Templates> part(kMaxChunks);
  parallel_chunks(L0_, level_grain(), [&](int chunk, std::size_t begin, std::size_t end) {
    Templates& P = part[chunk];
    P.resize(F);
    for (int f = 0; f < F; ++f) P[f] = Matrix::Zero(T[f].rows(), T[f].cols());
    const double* L = lambda_[0].data();
    std::vector<double> buffer(std::size_t(widest) * widest);
    for (std::size_t l = begin; l < end; ++l) {
      std::fill(buffer.begin(), buffer.begin() + k * k, 0.0);
      small::add_ab(L, V00_.data() + l * k * k, buffer.data(), k, k, k);
      small::add_ab(A00_.data() + l * k * k, buffer.data(), P[0].data(), k, k, k);
      if (F == 1) continue;
      const double *B = row_block(B_, static_cast<int>(l)), *VB = row_block(VB_, static_cast<int>(l));
      for (auto s = pattern_->partner_start()[l]; s < pattern_->partner_start()[l + 1]; ++s) {
        const int f = pattern_->partner_factor()[s], kf = pattern_->factor(f).k, c = pattern_->partner_column()[s];
        if (K == 1 && kf == 1) {
          const double product = B[c] * VB[c];
          P[0](0, 0) += product * lambda_[f](0, 0);
          P[f](0, 0) += product * L[0];
          continue;
        }
        const double *b = B + std::size_t(c) * k, *v = VB + std::size_t(c) * k;
        std::fill(buffer.begin(), buffer.begin() + k * kf, 0.0);
        small::add_ab(b, lambda_[f].data(), buffer.data(), k, kf, kf);
        small::add_abt(buffer.data(), v, P[0].data(), k, kf, k);
        std::fill(buffer.begin(), buffer.begin() + k * kf, 0.0);
        small::add_ab(L, v, buffer.data(), k, k, kf);
        small::add_atb(b, buffer.data(), P[f].data(), kf, k, kf);
      }
    }
  });
  for (const auto& P : part)
    for (std::size_t f = 0; f < P.size(); ++f) T[f] += P[f];
}

void RandomSystem::traces(Templates& T) const {
  T.resize(pattern_->factors());
  for (int f = 0; f < pattern_->factors(); ++f) T[f] = Matrix::Zero(pattern_->factor(f).k, pattern_->factor(f).k);
  if (pattern_->factors() == 0) return;
  with_size(k0_, [&](auto K) { traces_levels<decltype(K)::value>(T); });
  if (pattern_->factors() > 1) traces_rest(T);
}

void RandomSystem::traces_rest(Templates& T) const {
  Matrix V;
  for (int f = 1; f < pattern_->factors(); ++f) {
    const FactorBlock& g = pattern_->factor(f);
    V.resize(g.k, g.k);
    for (int l = 0; l < g.levels; ++l) {
      Map<const Matrix> A(Adiag_[f].data() + std::size_t(l) * g.k * g.k, g.k, g.k);
      const auto at = pattern_->rest_index(f, l);
      for (int a = 0; a < g.k; ++a)
        for (int b = 0; b < g.k; ++b) V(a, b) = schur_->inverse(at + a, at + b);
      T[f].noalias() += A * lambda_[f] * V;
    }
  }
  for (std::size_t s = 0; s < Apair_.size(); ++s) {
    const PairBlock& p = pattern_->pairs()[s];
    const int kf = pattern_->factor(p.f).k, kg = pattern_->factor(p.g).k;
    V.resize(kf, kg);
    for (std::size_t j = 0; j < p.a.size(); ++j) {
      Map<const Matrix> A(Apair_[s].data() + j * kf * kg, kf, kg);
      const auto rf = pattern_->rest_index(p.f, p.a[j]), rg = pattern_->rest_index(p.g, p.b[j]);
      for (int a = 0; a < kf; ++a)
        for (int b = 0; b < kg; ++b) V(a, b) = schur_->inverse(rf + a, rg + b);
      T[p.f].noalias() += A * lambda_[p.g] * V.transpose();
      T[p.g].noalias() += A.transpose() * lambda_[p.f] * V;
    }
  }
}

}  // namespace tanada
