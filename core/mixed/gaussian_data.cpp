// Construction of GaussianModel: standardised columns and cross-products, the only code that reads the rows.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "linalg/parallel.hpp"
#include "mixed/gaussian.hpp"

namespace tanada {
namespace {
constexpr std::size_t kGrain = 1 << 13;
}

GaussianModel::GaussianModel(const GaussianInput& in) : n_(in.n), p_(in.p) {
  pattern_ = std::make_unique<RandomPattern>(in.n, in.factors, in.terms);
  system_ = std::make_unique<RandomSystem>(*pattern_);
  terms_ = std::make_unique<RandomTerms>(*pattern_, in.structures);
  if (in.weights) {
    row_weights_.assign(in.weights, in.weights + n_);
    for (double w : row_weights_) {
      if (!(w > 0) || !std::isfinite(w)) throw std::invalid_argument("weights must be positive and finite");
      sum_log_w_ += std::log(w);
    }
  }
  if (pattern_->factors() > 0) {
    std::vector<double> sorted(n_, 1.0);
    if (in.weights)
      for (std::size_t i = 0; i < n_; ++i) sorted[i] = row_weights_[pattern_->order()[i]];
    system_->accumulate(sorted.data(), 1);
  }
  standardise_columns(in);
  R_.resize(pattern_->effects(), p_ + 1);
  accumulate(in.y, in.X, true);
}

// Scales are powers of two, so that they cost no rounding.
void GaussianModel::standardise_columns(const GaussianInput& in) {
  centre_ = Vector::Zero(p_);
  scale_ = inverse_scale_ = Vector::Ones(p_);
  if (p_ == 0) return;
  std::vector<Vector> sum(kMaxChunks, Vector::Zero(p_)), lowest(kMaxChunks), highest(kMaxChunks);
  parallel_chunks(n_, kGrain, [&](int c, std::size_t begin, std::size_t end) {
    lowest[c] = highest[c] = Eigen::Map<const Vector>(in.X + begin * p_, p_);
    for (std::size_t i = begin; i < end; ++i) {
      const Eigen::Map<const Vector> x(in.X + i * p_, p_);
      sum[c] += x;
      lowest[c] = lowest[c].cwiseMin(x);
      highest[c] = highest[c].cwiseMax(x);
    }
  });
  for (int c = 1; c < chunk_count(n_, kGrain); ++c) {
    sum[0] += sum[c];
    lowest[0] = lowest[0].cwiseMin(lowest[c]), highest[0] = highest[0].cwiseMax(highest[c]);
  }
  const Vector mean = sum[0] / static_cast<double>(n_);
  for (int j = 0; j < p_ && constant_ < 0; ++j)
    if (lowest[0][j] == highest[0][j] && lowest[0][j] != 0.0) constant_ = j;
  for (int j = 0; j < p_; ++j) {
    if (j == constant_) {
      scale_[j] = lowest[0][j];
      inverse_scale_[j] = 1.0 / scale_[j];
      continue;
    }
    if (constant_ >= 0) centre_[j] = mean[j];
    const double reach = std::max(std::abs(highest[0][j] - centre_[j]), std::abs(lowest[0][j] - centre_[j]));
    if (reach > 0 && std::isfinite(reach)) scale_[j] = std::exp2(std::round(std::log2(reach)));
    inverse_scale_[j] = 1.0 / scale_[j];
  }
}

void GaussianModel::set_response(const double* y, const double* X) { accumulate(y, X, false); }

// beta0 = least squares of y on X~, residual = y - X~ beta0, and their cross-products. Reads the rows in the caller's order.
void GaussianModel::least_squares(const double* y, const double* X, bool with_design, std::vector<double>& residual) {
  const int p = p_;
  double mean = 0.0;
  for (std::size_t i = 0; i < n_; ++i) mean += y[i];
  mean = constant_ >= 0 ? mean / static_cast<double>(n_) : 0.0;
  auto weight = [&](std::size_t i) { return row_weights_.empty() ? 1.0 : row_weights_[i]; };
  std::vector<Matrix> xx(kMaxChunks, Matrix::Zero(p, p));
  std::vector<Vector> xy(kMaxChunks, Vector::Zero(p));
  parallel_chunks(n_, kGrain, [&](int c, std::size_t begin, std::size_t end) {
    std::vector<double> x(p);
    double* A = xx[c].data();
    for (std::size_t i = begin; i < end; ++i) {
      column(X, i, x.data());
      const double w = weight(i), wy = w * (y[i] - mean);
      for (int a = 0; a < p; ++a) {
        xy[c][a] += x[a] * wy;
        if (!with_design) continue;
        const double s = w * x[a];
        for (int b = 0; b <= a; ++b) A[a + b * p] += s * x[b];
      }
    }
  });
  for (int c = 1; c < kMaxChunks; ++c) xx[0] += xx[c], xy[0] += xy[c];
  if (with_design) {
    XX_ = xx[0].selfadjointView<Eigen::Lower>();
    XX_chol_ = XX_;
    if (p > 0 && !cholesky_inplace(XX_chol_)) throw std::invalid_argument("the columns of X are linearly dependent");
  }
  beta0_ = xy[0];
  if (p > 0) {
    XX_chol_.triangularView<Eigen::Lower>().solveInPlace(beta0_);
    XX_chol_.triangularView<Eigen::Lower>().transpose().solveInPlace(beta0_);
  }
  residual.resize(n_);
  double yy[kMaxChunks] = {};
  for (auto& v : xy) v.setZero();
  parallel_chunks(n_, kGrain, [&](int c, std::size_t begin, std::size_t end) {
    std::vector<double> x(p);
    for (std::size_t i = begin; i < end; ++i) {
      column(X, i, x.data());
      double e = y[i] - mean;
      for (int a = 0; a < p; ++a) e -= x[a] * beta0_[a];
      residual[i] = e;
      const double we = weight(i) * e;
      yy[c] += we * e;
      for (int a = 0; a < p; ++a) xy[c][a] += x[a] * we;
    }
  });
  for (int c = 1; c < kMaxChunks; ++c) xy[0] += xy[c], yy[0] += yy[c];
  Xy_ = xy[0], yy_ = yy[0];
  if (constant_ >= 0) beta0_[constant_] += mean;
}

// Z'W[X~ y~]: by level of the eliminated factor, row by row for the others (only the last column when the design is known).
void GaussianModel::accumulate(const double* y, const double* X, bool with_design) {
  std::vector<double> residual;
  least_squares(y, X, with_design, residual);
  if (pattern_->factors() == 0) return;
  const int p = p_, first = with_design ? 0 : p;
  const auto& order = pattern_->order();
  if (with_design)
    R_.setZero();
  else
    R_.col(p).setZero();
  auto add = [&](std::size_t i, const FactorBlock& f, const double* x) {
    const double w = row_weights_.empty() ? 1.0 : row_weights_[order[i]], wr = w * residual[order[i]];
    const double* z = f.Z.data() + i * f.k;
    double* to = R_.data() + (f.offset + Eigen::Index(f.codes[i]) * f.k) * (p + 1);
    for (int a = 0; a < f.k; ++a, to += p + 1) {
      if (z[a] == 0.0) continue;
      const double s = w * z[a];
      for (int j = first; j < p; ++j) to[j] += s * x[j];
      to[p] += z[a] * wr;
    }
  };
  const FactorBlock& f0 = pattern_->factor(0);
  parallel_chunks(f0.levels, std::max<std::size_t>(1, kGrain * f0.levels / n_), [&](int, std::size_t begin, std::size_t end) {
    std::vector<double> x(p);
    for (auto i = pattern_->level_start()[begin]; i < pattern_->level_start()[end]; ++i) {
      if (with_design) column(X, order[i], x.data());
      add(i, f0, x.data());
    }
  });
  parallel_chunks(pattern_->factors() - 1, 1, [&](int, std::size_t begin, std::size_t end) {
    std::vector<double> x(p);
    for (std::size_t j = begin; j < end; ++j)
      for (std::size_t i = 0; i < n_; ++i) {
        if (with_design) column(X, order[i], x.data());
        add(i, pattern_->factor(static_cast<int>(j) + 1), x.data());
      }
  });
}

Vector GaussianModel::to_user(const Vector& beta) const {
  Vector out = beta.cwiseProduct(inverse_scale_);
  if (constant_ >= 0) {
    double shift = 0.0;
    for (int j = 0; j < p_; ++j)
      if (j != constant_) shift += out[j] * centre_[j];
    out[constant_] -= shift * inverse_scale_[constant_];
  }
  return out;
}

Matrix GaussianModel::to_user(const Matrix& K) const {
  Matrix T = inverse_scale_.asDiagonal();  // beta = T beta~
  if (constant_ >= 0)
    for (int j = 0; j < p_; ++j)
      if (j != constant_) T(constant_, j) = -centre_[j] * inverse_scale_[j] * inverse_scale_[constant_];
  return T * K * T.transpose();
}

// A rough start for theta: method of moments for the terms with a scale of their own, 1 elsewhere. For a grouping
// factor, the mean square of the shrunken level means of the residual against its residual variance.
Vector GaussianModel::moment_start() const {
  const auto info = terms_->info();
  Vector theta(static_cast<Eigen::Index>(info.size()));
  for (std::size_t j = 0; j < info.size(); ++j) theta[j] = info[j].start;
  const double total = yy_ / static_cast<double>(n_);
  if (!(total > 0)) return theta;
  for (int t = 0; t < terms_->terms(); ++t) {
    const TermPlace& at = pattern_->term(t);
    const FactorBlock& f = pattern_->factor(at.factor);
    const auto& A = system_->diagonal(at.factor);
    for (int a = 0; a < at.k; ++a) {
      double numerator = 0.0, denominator = 0.0;
      const int c = at.offset + a;
      for (int l = 0; l < f.levels; ++l) {
        const double z2 = A[(std::size_t(l) * f.k + c) * f.k + c];
        const double s = R_(f.offset + Eigen::Index(l) * f.k + c, p_);
        if (z2 > 0) numerator += s * s / z2, denominator += z2;
      }
      // E[sum s^2 / z2] = sigma^2 L + sigma_b^2 sum z2 when other effects are ignored
      const double variance = denominator > 0 ? (numerator - total * f.levels) / denominator : 0.0;
      // share of the variance of y, so that the limits hold whatever the units of the effect's column
      const double square = denominator > 0 ? denominator / static_cast<double>(n_) : 1.0, share = variance * square;
      const double ratio = std::sqrt(std::clamp(share / std::max(total - share, 0.1 * total), 1e-3, 1e4) / square);
      if (terms_->structure(t).parameters() == at.k * (at.k + 1) / 2 || terms_->structure(t).parameters() == at.k) {
        int j = terms_->theta_start(t);
        const bool diagonal = terms_->structure(t).parameters() == at.k;
        j += diagonal ? a : a * at.k - a * (a - 1) / 2;
        if (info[j].lower == 0.0) theta[j] = ratio;
      }
    }
  }
  return theta;
}

}  // namespace tanada
