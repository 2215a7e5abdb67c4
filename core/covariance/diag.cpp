#include "covariance/diag.hpp"

namespace tanada {

std::vector<ThetaInfo> Diagonal::info() const {
  std::vector<ThetaInfo> out;
  for (int j = 0; j < parameters(); ++j)
    out.push_back({homogeneous_ ? "sd" : "sd(" + std::to_string(j + 1) + ")", 1.0, 0.0, std::numeric_limits<double>::infinity(),
                   parameters() == 1});
  return out;
}

bool Diagonal::factor(const double* theta, Eigen::Ref<Matrix> L) const {
  L.setZero();
  for (int j = 0; j < k_; ++j) L(j, j) = theta[homogeneous_ ? 0 : j];
  return true;
}

void Diagonal::pullback(const double*, const Eigen::Ref<const Matrix>& dL, double* gradient) const {
  for (int j = 0; j < k_; ++j) gradient[homogeneous_ ? 0 : j] += dL(j, j);
}

}  // namespace tanada
