// Prior densities on parameters: the penalty that turns maximum likelihood into maximum a posteriori estimation.
//
// Densities are those of the named quantities themselves (coefficient, standard deviation, correlation matrix, probability); no Jacobian is
// added, so the estimate is the mode in (beta, SD, correlation).
#pragma once
#include <string>
#include <vector>

#include "mixed/laplace_model.hpp"

namespace tanada {

struct PriorItem {
  std::string kind;  // "normal" (mean, sd), "t" (df, centre, scale), "gamma" (shape, rate), "lkj" (eta), "beta" (a, b)
  int target = 0;    // coefficient (normal, t, beta: inverse logit of it) or term (gamma, lkj)
  int effect = -1;   // gamma: which effect of the term
  double a = 0.0, b = 1.0, c = 1.0;
};

// log prior at (beta, theta); adds its gradient to *gradient when given. Minus infinity outside the support.
double log_prior(const std::vector<PriorItem>& items, const LaplaceModel& model, const Vector& psi, Vector* gradient);

}  // namespace tanada
