// Structures made of standard deviations and a correlation matrix: L = diag(sd) C, C the Cholesky factor of R(psi).
//
// theta = (sd: one, or one an effect; psi). A standard deviation of zero is a point like any other. Gradients go back through
// L = diag(sd) C by hand and through R = C C' by reverse-mode differentiation of the Cholesky factorisation (Murray 2016,
// arXiv:1602.07527, eq. 10). A derived class gives R(psi) and contracts a gradient with respect to R with dR / d psi.
#pragma once
#include <limits>
#include <mutex>

#include "covariance/structure.hpp"

namespace tanada {

class Correlated : public Structure {
 public:
  Correlated(int k, bool homogeneous, int shapes) : k_(k), sds_(homogeneous ? 1 : k), shapes_(k > 1 ? shapes : 0) {}
  int size() const override { return k_; }
  int parameters() const override { return sds_ + shapes_; }
  std::vector<ThetaInfo> info() const override;
  bool factor(const double* theta, Eigen::Ref<Matrix> L) const override;
  void pullback(const double* theta, const Eigen::Ref<const Matrix>& dL, double* gradient) const override;

 protected:
  // Names, starts and bounds of psi.
  virtual std::vector<ThetaInfo> shape_info() const = 0;
  // The lower triangle of R(psi); false outside the domain.
  virtual bool correlation(const double* psi, Matrix& R) const = 0;
  // gradient_p += sum over all i, j of dR(i, j) d R(i, j) / d psi_p, for a symmetric dR.
  virtual void contract(const double* psi, const Matrix& dR, double* gradient) const = 0;
  double sd(const double* theta, int i) const { return theta[sds_ == 1 ? 0 : i]; }

  int k_, sds_, shapes_;

 private:
  bool correlation_factor(const double* psi, Matrix& C) const;
  bool new_factor(const double* psi, Matrix& C) const;

  // The last factor: a gradient follows the value at the same point.
  mutable std::mutex mutex_;
  mutable Vector last_psi_;
  mutable Matrix last_factor_;
};

// theta / sqrt(1 + theta^2): a correlation from any real number (glmmTMB's), and its derivative.
double correlation_of(double theta);
double correlation_slope(double theta);

}  // namespace tanada
