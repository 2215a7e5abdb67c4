// What the engines need row by row: effects on the predictors, their adjoint, and the variances of the predictors given the data.
#include <algorithm>

#include "linalg/parallel.hpp"
#include "linalg/random_system.hpp"

namespace tanada {

using Eigen::Map;

void RandomSystem::add_effects(const Vector& b, double* eta, int m) const {
  const int F = pattern_->factors();
  parallel_chunks(pattern_->rows(), 1 << 14, [&](int, std::size_t begin, std::size_t end) {
    for (int f = 0; f < F; ++f) {
      const FactorBlock& g = pattern_->factor(f);
      const double* base = b.data() + g.offset;
      for (std::size_t i = begin; i < end; ++i) {
        const double* z = g.Z.data() + i * g.k;
        const double* u = base + std::size_t(g.codes[i]) * g.k;
        for (int a = 0; a < g.k; ++a) eta[i * m + g.predictor[a]] += z[a] * u[a];
      }
    }
  });
}

void RandomSystem::adjoint(const double* t, int m, Vector& out) const {
  out.setZero(pattern_->effects());
  const int F = pattern_->factors();
  if (F == 0) return;
  const FactorBlock& f0 = pattern_->factor(0);
  parallel_chunks(L0_, level_grain(), [&](int, std::size_t begin, std::size_t end) {
    for (std::size_t l = begin; l < end; ++l) {
      double* to = out.data() + l * k0_;
      for (auto i = pattern_->level_start()[l]; i < pattern_->level_start()[l + 1]; ++i)
        for (int a = 0; a < k0_; ++a) to[a] += f0.Z[i * k0_ + a] * t[i * m + f0.predictor[a]];
    }
  });
  parallel_chunks(F - 1, pattern_->rows() < kSerialRows ? F : 1, [&](int, std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j) {
      const FactorBlock& g = pattern_->factor(static_cast<int>(j) + 1);
      for (std::size_t i = 0; i < pattern_->rows(); ++i) {
        double* to = out.data() + g.offset + std::size_t(g.codes[i]) * g.k;
        for (int a = 0; a < g.k; ++a) to[a] += g.Z[i * g.k + a] * t[i * m + g.predictor[a]];
      }
    }
  });
}

namespace {

// One predictor, one effect per factor: the variance of a row is a double sum over its factors.
void scalar_variances(const RandomPattern& pattern, const Schur& schur, const Templates& lambda, const std::vector<double>& V00,
                      const std::vector<double>& VB, std::size_t grain, double* out) {
  const int F = pattern.factors();
  const auto& start = pattern.level_start();
  parallel_chunks(pattern.factor(0).levels, grain, [&](int, std::size_t begin, std::size_t end) {
    std::vector<double> z(F);
    std::vector<Eigen::Index> at(F);
    for (std::size_t l = begin; l < end; ++l) {
      const double* vb = VB.data() + pattern.width_start()[l];
      for (auto i = start[l]; i < start[l + 1]; ++i) {
        for (int f = 0; f < F; ++f) {
          const FactorBlock& g = pattern.factor(f);
          z[f] = g.Z[i] * lambda[f](0, 0);
          if (f > 0) at[f] = pattern.rest_index(f, g.codes[i]);
        }
        double s = z[0] * z[0] * V00[l];
        for (int f = 1; f < F; ++f) {
          if (z[f] == 0.0) continue;
          double t = 2.0 * z[0] * vb[pattern.row_column(i, f)] + z[f] * schur.inverse(at[f], at[f]);
          for (int e = f + 1; e < F; ++e)
            if (z[e] != 0.0) t += 2.0 * z[e] * schur.inverse(at[f], at[e]);
          s += z[f] * t;
        }
        out[i] = s;
      }
    }
  });
}

}  // namespace

void RandomSystem::row_variances(double* out, int m) const {
  const std::size_t total = pattern_->rows() * (m * (m + 1) / 2);
  std::fill(out, out + total, 0.0);
  if (pattern_->factors() == 0) return;
  bool scalar = m == 1;
  for (int f = 0; f < pattern_->factors(); ++f) scalar = scalar && pattern_->factor(f).k == 1;
  if (scalar) return scalar_variances(*pattern_, *schur_, lambda_, V00_, VB_, level_grain(), out);
  with_size(k0_, [&](auto K) { variances_rows<decltype(K)::value>(out, m); });
}

// Works on the effects of a row taken together: y = Lambda' z (all factors), variance = y' V y with V on the pattern.
template <int K> void RandomSystem::variances_rows(double* out, int m) const {
  using Block = Eigen::Matrix<double, K, K>;
  const int k = K == Eigen::Dynamic ? k0_ : K, F = pattern_->factors(), m2 = m * (m + 1) / 2;
  const FactorBlock& f0 = pattern_->factor(0);
  int kmax = k;
  for (int f = 1; f < F; ++f) kmax = std::max(kmax, pattern_->factor(f).k);
  parallel_chunks(L0_, level_grain(), [&](int, std::size_t begin, std::size_t end) {
    const Block L = lambda_[0];
    Block V(k, k);
    Matrix S(kmax, kmax);
    auto add = [&](double* h, const FactorBlock& f, const double* zf, const FactorBlock& g, const double* zg, auto&& block, double twice) {
      for (int a = 0; a < f.k; ++a) {
        if (zf[a] == 0.0) continue;
        for (int b = 0; b < g.k; ++b) {
          const double v = zf[a] * zg[b] * block(a, b);
          const int pa = f.predictor[a], pb = g.predictor[b];
          // an off-diagonal factor pair stands for (f, g) and (g, f): both fall on the packed entry when predictors agree
          h[packed(pa, pb, m)] += pa == pb ? twice * v : (twice == 2.0 ? v : 0.5 * v);
        }
      }
    };
    for (std::size_t l = begin; l < end; ++l) {
      V.noalias() = L.lazyProduct(Block(Map<const Block>(V00_.data() + l * k * k, k, k).lazyProduct(L.transpose())));
      for (auto i = pattern_->level_start()[l]; i < pattern_->level_start()[l + 1]; ++i) {
        double* h = out + i * m2;
        const double* z0 = f0.Z.data() + i * k;
        if (m == 1) {
          double s = 0.0;
          for (int b = 0; b < k; ++b) {
            if (z0[b] == 0.0) continue;
            for (int a = 0; a < k; ++a) s += z0[a] * V(a, b) * z0[b];
          }
          h[0] += s;
        } else {
          add(h, f0, z0, f0, z0, V, 1.0);
        }
        for (int f = 1; f < F; ++f) {
          const FactorBlock& g = pattern_->factor(f);
          const double* zg = g.Z.data() + i * g.k;
          Map<const Eigen::Matrix<double, K, Eigen::Dynamic>> VB(
              row_block(VB_, static_cast<int>(l)) + std::size_t(pattern_->row_column(i, f)) * k, k, g.k);
          auto SB = S.topLeftCorner(k, g.k);
          SB.noalias() = L * VB * lambda_[f].transpose();
          add(h, f0, z0, g, zg, SB, 2.0);
          const auto at = pattern_->rest_index(f, g.codes[i]);
          auto SD = S.topLeftCorner(g.k, g.k);
          for (int a = 0; a < g.k; ++a)
            for (int b = 0; b < g.k; ++b) SD(a, b) = schur_->inverse(at + a, at + b);
          SD = (lambda_[f] * SD.eval() * lambda_[f].transpose()).eval();
          add(h, g, zg, g, zg, SD, 1.0);
          for (int e = f + 1; e < F; ++e) {
            const FactorBlock& o = pattern_->factor(e);
            const auto to = pattern_->rest_index(e, o.codes[i]);
            auto SO = S.topLeftCorner(g.k, o.k);
            for (int a = 0; a < g.k; ++a)
              for (int b = 0; b < o.k; ++b) SO(a, b) = schur_->inverse(at + a, to + b);
            SO = (lambda_[f] * SO.eval() * lambda_[e].transpose()).eval();
            add(h, g, zg, o, o.Z.data() + i * o.k, SO, 2.0);
          }
        }
      }
    }
  });
}

std::vector<double> RandomSystem::conditional_variances(int f) const {
  const FactorBlock& g = pattern_->factor(f);
  std::vector<double> out(std::size_t(g.levels) * g.k * g.k);
  Matrix V(g.k, g.k);
  for (int l = 0; l < g.levels; ++l) {
    if (f == 0) {
      V = Map<const Matrix>(V00_.data() + std::size_t(l) * g.k * g.k, g.k, g.k);
    } else {
      const auto at = pattern_->rest_index(f, l);
      for (int a = 0; a < g.k; ++a)
        for (int b = 0; b < g.k; ++b) V(a, b) = schur_->inverse(at + a, at + b);
    }
    Map<Matrix>(out.data() + std::size_t(l) * g.k * g.k, g.k, g.k) = lambda_[f] * V * lambda_[f].transpose();
  }
  return out;
}

}  // namespace tanada
