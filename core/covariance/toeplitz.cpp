// Toeplitz: one correlation a lag, "toep" with a standard deviation an effect, "homtoep" with one for all.
//
// Parametrised by the partial autocorrelations, each theta / sqrt(1 + theta^2): any values give a positive definite matrix, and every positive
// definite Toeplitz correlation matrix is reached once (Barndorff-Nielsen & Schou 1973). The Durbin-Levinson recursion turns them into
// autocorrelations; its derivatives are carried along.
#include <cmath>

#include "covariance/kinds.hpp"

namespace tanada {

namespace {

class Toeplitz : public Correlated {
 public:
  Toeplitz(int k, bool homogeneous) : Correlated(k, homogeneous, k - 1) {}

 protected:
  std::vector<ThetaInfo> shape_info() const override {
    std::vector<ThetaInfo> out;
    for (int lag = 1; lag < k_; ++lag)
      out.push_back({"partial autocorrelation of lag " + std::to_string(lag) + ", theta / sqrt(1 + theta^2)", 0.0, -100.0, 100.0, false});
    return out;
  }
  bool correlation(const double* psi, Matrix& R) const override {
    const Vector r = autocorrelations(psi, nullptr);
    for (int c = 0; c < k_; ++c)
      for (int row = c; row < k_; ++row) R(row, c) = r[row - c];
    return true;
  }
  void contract(const double* psi, const Matrix& dR, double* gradient) const override {
    Matrix jacobian;  // (k, k - 1): d r_lag / d psi
    autocorrelations(psi, &jacobian);
    for (int lag = 1; lag < k_; ++lag) {
      const double s = 2.0 * dR.diagonal(-lag).sum();
      for (int p = 0; p < k_ - 1; ++p) gradient[p] += s * jacobian(lag, p);
    }
  }

 private:
  // r_0 = 1, r_1, ..., r_{k-1}; a_j are the coefficients of the best linear predictor of the current order, v its error variance.
  Vector autocorrelations(const double* psi, Matrix* jacobian) const {
    const int q = k_ - 1;
    Vector r = Vector::Zero(k_), a = Vector::Zero(k_), previous(k_);
    Matrix dr = Matrix::Zero(q, k_), da = Matrix::Zero(q, k_), dprevious(q, k_);
    Vector dv = Vector::Zero(q);
    double v = 1.0;
    r[0] = 1.0;
    for (int n = 1; n < k_; ++n) {
      const double p = correlation_of(psi[n - 1]), slope = correlation_slope(psi[n - 1]);
      r[n] = p * v;
      if (jacobian) dr.col(n) = p * dv, dr(n - 1, n) += slope * v;
      for (int j = 1; j < n; ++j) {
        r[n] += a[j] * r[n - j];
        if (jacobian) dr.col(n) += da.col(j) * r[n - j] + a[j] * dr.col(n - j);
      }
      previous = a;
      if (jacobian) dprevious = da;
      for (int j = 1; j < n; ++j) {
        a[j] = previous[j] - p * previous[n - j];
        if (jacobian) da.col(j) = dprevious.col(j) - p * dprevious.col(n - j), da(n - 1, j) -= slope * previous[n - j];
      }
      a[n] = p;
      if (jacobian) {
        da.col(n).setZero();
        da(n - 1, n) = slope;
        dv *= 1.0 - p * p;
        dv[n - 1] -= 2.0 * p * slope * v;
      }
      v *= 1.0 - p * p;
    }
    if (jacobian) *jacobian = dr.transpose();
    return r;
  }
};

}  // namespace

std::unique_ptr<Structure> make_toep(const StructureSpec& s) { return std::make_unique<Toeplitz>(s.k, s.kind == "homtoep"); }

}  // namespace tanada
