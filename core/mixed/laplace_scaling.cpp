#include <cmath>

#include "linalg/parallel.hpp"
#include "mixed/laplace_fit.hpp"
#include "mixed/laplace_rows.hpp"

namespace tanada {
namespace {

struct Moments {
  Vector mean, rms, low, high;
};

Moments column_moments(const RowMatrix& X) {
  const auto q = X.cols();
  std::vector<Moments> part(kMaxChunks);
  parallel_chunks(X.rows(), kRowGrain, [&](int chunk, std::size_t begin, std::size_t end) {
    Moments& s = part[chunk];
    s.mean.setZero(q), s.rms.setZero(q), s.low = X.row(begin).transpose(), s.high = s.low;
    for (std::size_t i = begin; i < end; ++i)
      for (Eigen::Index j = 0; j < q; ++j) {
        const double x = X(i, j);
        s.mean[j] += x, s.low[j] = std::min(s.low[j], x), s.high[j] = std::max(s.high[j], x);
      }
  });
  Moments out;
  out.mean.setZero(q), out.rms.setZero(q), out.low = X.row(0).transpose(), out.high = out.low;
  for (const auto& s : part) {
    if (!s.mean.size()) continue;
    out.mean += s.mean, out.low = out.low.cwiseMin(s.low), out.high = out.high.cwiseMax(s.high);
  }
  out.mean /= static_cast<double>(X.rows());
  return out;
}

}  // namespace

Scaling::Scaling(std::vector<PredictorDesign>& designs, int beta_count) : T_(Matrix::Identity(beta_count, beta_count)) {
  for (std::size_t a = 0; a < designs.size(); ++a) {
    PredictorDesign& d = designs[a];
    const int q = static_cast<int>(d.X.cols());
    if (q == 0 || d.X.rows() == 0) continue;
    bool shared = false;
    for (std::size_t b = 0; b < designs.size(); ++b)
      if (b != a && designs[b].X.cols() > 0 && designs[b].first < d.first + q && d.first < designs[b].first + designs[b].X.cols()) shared = true;
    if (shared) continue;
    Moments s = column_moments(d.X);
    int constant = -1;
    for (int j = 0; j < q && constant < 0; ++j)
      if (s.low[j] == s.high[j] && s.low[j] != 0.0) constant = j;
    if (q == 1 && constant == 0 && d.X(0, 0) == 1.0) continue;
    Vector centre = Vector::Zero(q), scale = Vector::Ones(q), square = Vector::Zero(q);
    if (constant >= 0) centre = s.mean, centre[constant] = 0.0;
    std::vector<Vector> part(kMaxChunks, Vector::Zero(q));
    parallel_chunks(d.X.rows(), kRowGrain, [&](int chunk, std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) part[chunk].array() += (d.X.row(i).transpose() - centre).array().square();
    });
    for (const auto& v : part) square += v;
    for (int j = 0; j < q; ++j) {
      const double rms = std::sqrt(square[j] / static_cast<double>(d.X.rows()));
      if (j != constant && rms > 0 && std::isfinite(rms)) scale[j] = rms;
    }
    parallel_chunks(d.X.rows(), kRowGrain, [&](int, std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) d.X.row(i) = ((d.X.row(i).transpose() - centre).array() / scale.array()).matrix().transpose();
    });
    for (int j = 0; j < q; ++j) {
      T_(d.first + j, d.first + j) = 1.0 / scale[j];
      if (constant >= 0 && j != constant) T_(d.first + constant, d.first + j) = -centre[j] / (scale[j] * s.low[constant]);
    }
  }
}

Vector Scaling::outward(const Vector& psi) const {
  Vector out = psi;
  out.head(T_.rows()) = T_ * psi.head(T_.rows());
  return out;
}

Vector Scaling::inward(const Vector& psi) const {
  Vector out = psi;
  if (T_.rows() > 0) out.head(T_.rows()) = T_.partialPivLu().solve(psi.head(T_.rows()));
  return out;
}

Vector Scaling::gradient_outward(const Vector& g) const {  // T^-T g
  Vector out = g;
  if (T_.rows() > 0) out.head(T_.rows()) = Matrix(T_.transpose()).partialPivLu().solve(g.head(T_.rows()));
  return out;
}

Vector Scaling::gradient_inward(const Vector& g) const {
  Vector out = g;
  out.head(T_.rows()) = T_.transpose() * g.head(T_.rows());
  return out;
}

Matrix Scaling::hessian_outward(const Matrix& H) const {
  const auto p = T_.rows(), d = H.rows();
  if (p == 0) return H;
  Matrix S = Matrix::Identity(d, d);
  S.topLeftCorner(p, p) = T_.inverse();
  // parameters held at a bound (never coefficients) have rows of NaN, which stay so and must not spread
  Matrix out = S.transpose() * H.array().isNaN().select(0.0, H).matrix() * S;
  for (Eigen::Index j = p; j < d; ++j)
    if (std::isnan(H(j, j))) out.row(j).setConstant(H(j, j)), out.col(j).setConstant(H(j, j));
  return out;
}

}  // namespace tanada
