#pragma once
#include <limits>

#include "covariance/structure.hpp"

namespace tanada {

// Independent effects: one standard deviation each ("diag"), or one for all ("homdiag").
class Diagonal : public Structure {
 public:
  Diagonal(int k, bool homogeneous) : k_(k), homogeneous_(homogeneous) {}
  int size() const override { return k_; }
  int parameters() const override { return homogeneous_ ? 1 : k_; }
  std::vector<ThetaInfo> info() const override;
  bool factor(const double* theta, Eigen::Ref<Matrix> L) const override;
  void pullback(const double* theta, const Eigen::Ref<const Matrix>& dL, double* gradient) const override;

 private:
  int k_;
  bool homogeneous_;
};

}  // namespace tanada
