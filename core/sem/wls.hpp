// Weighted least squares on sample statistics: ULS, GLS, WLS/ADF and, with thresholds, the ordinal estimators (DWLS, WLSMV).
//
//   F = sum_g (s_g - sigma_g(x))' W_g (s_g - sigma_g(x))
//
// An element of sigma is d_i d_j Sigma_ij, d_i mu_i, or d_i (tau - mu_i), with the scale d_i of variable i: 1 for continuous variables; a
// parameter or a constant (delta parameterisation); Sigma_ii^-1/2 (theta parameterisation). Muthen (1984).
#pragma once
#include "sem/objective.hpp"

namespace tanada::sem {

enum class Element : int { covariance = 0, mean = 1, threshold = 2 };
enum class Scale : int { given = 0, standardized = 1 };

// A number that is a free parameter or fixed.
struct Slotted {
  int free;
  double value;
  double at(const Vector& x) const { return free >= 0 ? x[free] : value; }
};

struct WlsElement {
  Element kind;
  int row, col;  // covariance: two variables; mean: a variable; threshold: a variable and a position in `tau`
};

struct WlsGroup {
  Vector s;
  Matrix W;            // r x r, or r x 1 for a diagonal
  std::vector<WlsElement> elements;
  std::vector<Slotted> tau;
  std::vector<Slotted> delta;   // one per variable; used where scale is `given`
  std::vector<Scale> scale;     // one per variable
};

class WlsObjective : public SemObjective {
 public:
  WlsObjective(std::shared_ptr<const Model> model, std::vector<WlsGroup> groups);
  Evaluation evaluate(const Vector& x, Vector* gradient) const override;
  // J' W J, half the Gauss-Newton Hessian of F.
  bool information(const Vector& x, Matrix& out) const override;
  // sigma_g(x) and, with `J`, its Jacobian (r x n_free). False outside the domain.
  bool implied(const Vector& x, int g, Vector& sigma, Matrix* J) const;
  int groups() const { return static_cast<int>(groups_.size()); }

 private:
  std::vector<WlsGroup> groups_;
};

}  // namespace tanada::sem
