// Unstructured covariance: theta holds the lower triangle of L column by column, diagonal entries >= 0 (Bates et al. 2015).
#include "covariance/us.hpp"

namespace tanada {

std::vector<ThetaInfo> Unstructured::info() const {
  std::vector<ThetaInfo> out;
  const double inf = std::numeric_limits<double>::infinity();
  for (int c = 0; c < k_; ++c)
    for (int r = c; r < k_; ++r)
      out.push_back(r == c ? ThetaInfo{"chol(" + std::to_string(r + 1) + "," + std::to_string(c + 1) + ")", 1.0, 0.0, inf, k_ == 1}
                           : ThetaInfo{"chol(" + std::to_string(r + 1) + "," + std::to_string(c + 1) + ")", 0.0, -inf, inf, false});
  return out;
}

bool Unstructured::factor(const double* theta, Eigen::Ref<Matrix> L) const {
  for (int c = 0, j = 0; c < k_; ++c)
    for (int r = c; r < k_; ++r) L(r, c) = theta[j++];
  return true;
}

void Unstructured::pullback(const double*, const Eigen::Ref<const Matrix>& dL, double* gradient) const {
  for (int c = 0, j = 0; c < k_; ++c)
    for (int r = c; r < k_; ++r) gradient[j++] += dL(r, c);
}

}  // namespace tanada
