#pragma once
#include <limits>

#include "covariance/structure.hpp"

namespace tanada {

class Unstructured : public Structure {
 public:
  explicit Unstructured(int k) : k_(k) {}
  int size() const override { return k_; }
  int parameters() const override { return k_ * (k_ + 1) / 2; }
  std::vector<ThetaInfo> info() const override;
  bool factor(const double* theta, Eigen::Ref<Matrix> L) const override;
  void pullback(const double* theta, const Eigen::Ref<const Matrix>& dL, double* gradient) const override;

 private:
  int k_;
};

}  // namespace tanada
