#include "covariance/correlation.hpp"

#include <cmath>

namespace tanada {

// Conditional standard deviations below this leave too few digits in the factor: such correlation matrices count as singular.
constexpr double kLeastPivot = 5e-6;

double correlation_of(double theta) { return theta / std::sqrt(1.0 + theta * theta); }
double correlation_slope(double theta) { return std::pow(1.0 + theta * theta, -1.5); }

std::vector<ThetaInfo> Correlated::info() const {
  const double inf = std::numeric_limits<double>::infinity();
  std::vector<ThetaInfo> out;
  for (int j = 0; j < sds_; ++j) out.push_back({sds_ == 1 ? "sd" : "sd(" + std::to_string(j + 1) + ")", 1.0, 0.0, inf, sds_ == 1});
  if (shapes_ > 0)
    for (ThetaInfo& t : shape_info()) out.push_back(std::move(t));
  return out;
}

bool Correlated::correlation_factor(const double* psi, Matrix& C) const {
  const Eigen::Map<const Vector> at(psi, shapes_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (last_psi_.size() == shapes_ && last_factor_.rows() == k_ && last_psi_ == at) return C = last_factor_, true;
  }
  if (!new_factor(psi, C)) return false;
  const std::lock_guard<std::mutex> lock(mutex_);
  last_psi_ = at, last_factor_ = C;
  return true;
}

bool Correlated::new_factor(const double* psi, Matrix& C) const {
  C.setZero(k_, k_);
  if (k_ == 1) return C(0, 0) = 1.0, true;
  if (!correlation(psi, C) || !C.allFinite()) return false;
  if (!cholesky_inplace(C)) return false;
  if (C.diagonal().minCoeff() < kLeastPivot) return false;
  C.triangularView<Eigen::StrictlyUpper>().setZero();
  return true;
}

bool Correlated::factor(const double* theta, Eigen::Ref<Matrix> L) const {
  Matrix C;
  if (!correlation_factor(theta + sds_, C)) return false;
  for (int c = 0; c < k_; ++c)
    for (int r = 0; r < k_; ++r) L(r, c) = sd(theta, r) * C(r, c);
  return true;
}

void Correlated::pullback(const double* theta, const Eigen::Ref<const Matrix>& dL, double* gradient) const {
  Matrix C;
  if (!correlation_factor(theta + sds_, C)) return;
  Matrix dC = Matrix::Zero(k_, k_);
  for (int c = 0; c < k_; ++c)
    for (int r = c; r < k_; ++r) {
      gradient[sds_ == 1 ? 0 : r] += dL(r, c) * C(r, c);
      dC(r, c) = sd(theta, r) * dL(r, c);
    }
  if (shapes_ == 0) return;
  // S = C^-T Phi(C' dC) C^-1 with Phi: lower triangle, half the diagonal; dR = (S + S') / 2.
  Matrix S = C.transpose() * dC;
  S.triangularView<Eigen::StrictlyUpper>().setZero();
  S.diagonal() *= 0.5;
  C.triangularView<Eigen::Lower>().transpose().solveInPlace(S);
  S.transposeInPlace();
  C.triangularView<Eigen::Lower>().transpose().solveInPlace(S);
  const Matrix dR = 0.5 * (S + S.transpose());
  contract(theta + sds_, dR, gradient + sds_);
}

}  // namespace tanada
