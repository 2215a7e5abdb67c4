// Accumulation and factorisation; products and inverses are in random_system_products.cpp.
#include "linalg/random_system.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "linalg/parallel.hpp"
#include "linalg/small.hpp"

namespace tanada {

using Eigen::Map;

RandomSystem::RandomSystem(const RandomPattern& pattern) : pattern_(&pattern) {
  const int F = pattern.factors();
  if (F == 0) return;
  k0_ = pattern.factor(0).k, L0_ = pattern.factor(0).levels;
  A00_.assign(std::size_t(L0_) * k0_ * k0_, 0.0);
  M00_.resize(A00_.size());
  lambda_.resize(F);
  for (int f = 0; f < F; ++f) lambda_[f] = Matrix::Zero(pattern.factor(f).k, pattern.factor(f).k);
  Adiag_.resize(F);
  if (F > 1) {
    const std::size_t total = static_cast<std::size_t>(pattern.width_start()[L0_]);
    B_.assign(total * k0_, 0.0);
    H_.resize(B_.size());
    W_.resize(B_.size());
    rest_column_.reserve(total);
    for (std::size_t s = 0; s < pattern.partner_level().size(); ++s) {
      const int f = pattern.partner_factor()[s];
      const auto first = pattern.rest_index(f, pattern.partner_level()[s]);
      for (int a = 0; a < pattern.factor(f).k; ++a) rest_column_.push_back(static_cast<std::int32_t>(first + a));
    }
    for (int f = 1; f < F; ++f) Adiag_[f].assign(std::size_t(pattern.factor(f).levels) * pattern.factor(f).k * pattern.factor(f).k, 0.0);
    for (const auto& p : pattern.pairs())
      Apair_.emplace_back(p.a.size() * pattern.factor(p.f).k * pattern.factor(p.g).k, 0.0);
  }
  schur_ = std::make_unique<Schur>(pattern);
}

std::size_t RandomSystem::level_grain() const {
  const std::size_t per_level = std::max<std::size_t>(1, pattern_->rows() / std::max(L0_, 1)) * k0_ * k0_;
  return std::max<std::size_t>(1, 4096 / std::max<std::size_t>(per_level, 1));
}

void RandomSystem::accumulate(const double* D, int m) {
  with_size(k0_, [&](auto K) { accumulate_levels<decltype(K)::value>(D, m); });
  if (pattern_->factors() > 1) accumulate_rest(D, m);
}

template <int K> void RandomSystem::accumulate_levels(const double* D, int m) {
  const FactorBlock& f0 = pattern_->factor(0);
  const int k = K == Eigen::Dynamic ? k0_ : K, F = pattern_->factors(), m2 = m * (m + 1) / 2;
  parallel_chunks(L0_, level_grain(), [&](int, std::size_t begin, std::size_t end) {
    for (std::size_t l = begin; l < end; ++l) {
      double* A = A00_.data() + l * k * k;
      std::fill(A, A + k * k, 0.0);
      double* B = F > 1 ? row_block(B_, static_cast<int>(l)) : nullptr;
      if (F > 1) std::fill(B, B + std::size_t(width(static_cast<int>(l))) * k, 0.0);
      for (auto i = pattern_->level_start()[l]; i < pattern_->level_start()[l + 1]; ++i) {
        const double* z = f0.Z.data() + i * k;
        const double* d = D + i * m2;
        if (m == 1) {
          for (int a = 0; a < k; ++a) {
            if (z[a] == 0.0) continue;
            const double s = d[0] * z[a];
            for (int b = 0; b <= a; ++b) A[a + b * k] += s * z[b];
          }
        } else {
          for (int a = 0; a < k; ++a) {
            if (z[a] == 0.0) continue;
            for (int b = 0; b <= a; ++b) A[a + b * k] += d[packed(f0.predictor[a], f0.predictor[b], m)] * z[a] * z[b];
          }
        }
        for (int f = 1; f < F; ++f) {
          const FactorBlock& g = pattern_->factor(f);
          const double* y = g.Z.data() + i * g.k;
          double* to = B + std::size_t(pattern_->row_column(i, f)) * k;
          for (int b = 0; b < g.k; ++b) {
            if (y[b] == 0.0) continue;
            for (int a = 0; a < k; ++a) to[a + b * k] += d[m == 1 ? 0 : packed(f0.predictor[a], g.predictor[b], m)] * z[a] * y[b];
          }
        }
      }
      for (int a = 0; a < k; ++a)
        for (int b = 0; b < a; ++b) A[b + a * k] = A[a + b * k];
    }
  });
}

void RandomSystem::accumulate_rest(const double* D, int m) {
  const int F = pattern_->factors(), m2 = m * (m + 1) / 2;
  const std::size_t n = pattern_->rows();
  const int jobs = F - 1 + static_cast<int>(pattern_->pairs().size());
  const std::size_t grain = n < kSerialRows ? jobs : 1;  // waking a thread costs more than a small job
  parallel_chunks(jobs, grain, [&](int, std::size_t begin, std::size_t end) {
    for (std::size_t job = begin; job < end; ++job) {
      if (job < std::size_t(F - 1)) {
        const int f = static_cast<int>(job) + 1;
        const FactorBlock& g = pattern_->factor(f);
        auto& A = Adiag_[f];
        std::fill(A.begin(), A.end(), 0.0);
        for (std::size_t i = 0; i < n; ++i) {
          const double* z = g.Z.data() + i * g.k;
          double* to = A.data() + std::size_t(g.codes[i]) * g.k * g.k;
          for (int a = 0; a < g.k; ++a) {
            if (z[a] == 0.0) continue;
            for (int b = 0; b < g.k; ++b)
              to[a + b * g.k] += D[i * m2 + (m == 1 ? 0 : packed(g.predictor[a], g.predictor[b], m))] * z[a] * z[b];
          }
        }
      } else {
        const std::size_t s = job - (F - 1);
        const PairBlock& p = pattern_->pairs()[s];
        const FactorBlock &f = pattern_->factor(p.f), &g = pattern_->factor(p.g);
        auto& A = Apair_[s];
        std::fill(A.begin(), A.end(), 0.0);
        for (std::size_t i = 0; i < n; ++i) {
          double* to = A.data() + std::size_t(p.row_slot[i]) * f.k * g.k;
          for (int a = 0; a < f.k; ++a)
            for (int b = 0; b < g.k; ++b)
              to[a + b * f.k] += D[i * m2 + (m == 1 ? 0 : packed(f.predictor[a], g.predictor[b], m))] * f.Z[i * f.k + a] * g.Z[i * g.k + b];
        }
      }
    }
  });
}

bool RandomSystem::factor(const Templates& lambda) {
  for (std::size_t f = 0; f < lambda.size(); ++f) lambda_[f] = lambda[f].triangularView<Eigen::Lower>();
  logdet_ = 0.0;
  if (pattern_->factors() == 0) return true;
  if (!with_size(k0_, [&](auto K) { return factor_levels<decltype(K)::value>(); })) return false;
  return pattern_->factors() == 1 || factor_rest();
}

template <int K> bool RandomSystem::factor_levels() {
  const int k = K == Eigen::Dynamic ? k0_ : K;
  const double prior = pattern_->factor(0).penalised ? 1.0 : 0.0;
  const bool has_rest = pattern_->factors() > 1;
  const double* L = lambda_[0].data();
  std::atomic<bool> good{true};
  double part[kMaxChunks] = {};
  parallel_chunks(L0_, level_grain(), [&](int chunk, std::size_t begin, std::size_t end) {
    double log_sum = 0.0;
    std::vector<double> AL(std::size_t(k) * k);
    for (std::size_t l = begin; l < end && good; ++l) {
      double* M = M00_.data() + l * k * k;
      std::fill(AL.begin(), AL.end(), 0.0);
      std::fill(M, M + k * k, 0.0);
      small::add_ab(A00_.data() + l * k * k, L, AL.data(), k, k, k);
      small::add_atb(L, AL.data(), M, k, k, k);
      for (int a = 0; a < k; ++a) M[a + a * k] += prior;
      if (!small::cholesky(M, k)) {
        good = false;
        break;
      }
      double product = 1.0;
      for (int a = 0; a < k; ++a) product *= M[a + a * k];
      if (product > 1e-290 && product < 1e290)
        log_sum += std::log(product);
      else
        for (int a = 0; a < k; ++a) log_sum += std::log(M[a + a * k]);
      if (has_rest) scale_row_block(static_cast<int>(l), k, M);
    }
    part[chunk] = 2.0 * log_sum;
  });
  for (double p : part) logdet_ += p;
  return good && std::isfinite(logdet_);
}

// H = R^-1 Lambda_0' A_0r Lambda_r and W = R^-T H for the row block of level l.
void RandomSystem::scale_row_block(int l, int k, const double* R) {
  const int w = width(l);
  const double *L = lambda_[0].data(), *B = row_block(B_, l);
  double *H = row_block(H_, l), *W = row_block(W_, l);
  std::fill(W, W + std::size_t(w) * k, 0.0);
  small::add_atb(L, B, W, k, k, w);
  for (auto s = pattern_->partner_start()[l]; s < pattern_->partner_start()[l + 1]; ++s) {
    const int f = pattern_->partner_factor()[s], kf = pattern_->factor(f).k;
    const std::size_t at = std::size_t(pattern_->partner_column()[s]) * k;
    std::fill(H + at, H + at + std::size_t(k) * kf, 0.0);
    small::add_ab(W + at, lambda_[f].data(), H + at, k, kf, kf);
  }
  small::solve_lower(R, H, k, w);
  std::copy(H, H + std::size_t(w) * k, W);
  small::solve_lower_t(R, W, k, w);
}

bool RandomSystem::factor_rest() {
  schur_->set_zero();
  for (int f = 1; f < pattern_->factors(); ++f) {
    const FactorBlock& g = pattern_->factor(f);
    for (int l = 0; l < g.levels; ++l) {
      Map<const Matrix> A(Adiag_[f].data() + std::size_t(l) * g.k * g.k, g.k, g.k);
      Matrix M = lambda_[f].transpose() * A * lambda_[f];
      if (g.penalised) M.diagonal().array() += 1.0;
      const auto at = pattern_->rest_index(f, l);
      for (int c = 0; c < g.k; ++c)
        for (int r = c; r < g.k; ++r) *schur_->at(at + r, at + c) = M(r, c);
    }
  }
  for (std::size_t s = 0; s < Apair_.size(); ++s) {
    const PairBlock& p = pattern_->pairs()[s];
    const int kf = pattern_->factor(p.f).k, kg = pattern_->factor(p.g).k;
    for (std::size_t j = 0; j < p.a.size(); ++j) {
      Map<const Matrix> A(Apair_[s].data() + j * kf * kg, kf, kg);
      const Matrix M = lambda_[p.f].transpose() * A * lambda_[p.g];
      const auto rf = pattern_->rest_index(p.f, p.a[j]), rg = pattern_->rest_index(p.g, p.b[j]);
      for (int a = 0; a < kf; ++a)
        for (int b = 0; b < kg; ++b) *schur_->at(rg + b, rf + a) = M(a, b);
    }
  }
  subtract_levels();
  if (!schur_->factor()) return false;
  logdet_ += schur_->logdet();
  return true;
}

// S -= H'H over levels. Chunks own ranges of columns of S (of about equal area of the triangle), so no sums are shared.
void RandomSystem::subtract_levels() {
  const double q = static_cast<double>(schur_->size());
  const std::size_t work = static_cast<std::size_t>(pattern_->width_start()[L0_]);
  const int pieces = work > 20000 ? 8 : 1;
  parallel_chunks(pieces, 1, [&](int, std::size_t begin, std::size_t end) {
    auto border = [&](std::size_t p) { return static_cast<std::int32_t>(q * (1.0 - std::sqrt(1.0 - double(p) / pieces))); };
    const std::int32_t first = border(begin), last = end == std::size_t(pieces) ? static_cast<std::int32_t>(q) : border(end);
    for (int l = 0; l < L0_; ++l) {
      const int w = width(l);
      const std::int32_t* index = rest_column_.data() + pattern_->width_start()[l];
      const double* H = row_block(H_, l);
      int c = static_cast<int>(std::lower_bound(index, index + w, first) - index);
      for (; c < w && index[c] < last; ++c) {
        const double* hc = H + std::size_t(c) * k0_;
        if (schur_->dense()) {
          double* column = schur_->at(index[c], index[c]) - index[c];
          if (k0_ == 1) {
            for (int r = c; r < w; ++r) column[index[r]] -= H[r] * hc[0];
            continue;
          }
          for (int r = c; r < w; ++r) {
            const double* hr = H + std::size_t(r) * k0_;
            double s = 0.0;
            for (int a = 0; a < k0_; ++a) s += hr[a] * hc[a];
            column[index[r]] -= s;
          }
        } else {
          for (int r = c; r < w; ++r) {
            const double* hr = H + std::size_t(r) * k0_;
            double s = 0.0;
            for (int a = 0; a < k0_; ++a) s += hr[a] * hc[a];
            *schur_->at(index[r], index[c]) -= s;
          }
        }
      }
    }
  });
}

}  // namespace tanada
