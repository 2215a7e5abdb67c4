// Box-constrained quasi-Newton minimisation of a smooth objective.
//
// Projected BFGS: variables at a bound whose gradient points outwards are held, a (damped) BFGS approximation of the
// Hessian gives the step of the others, the step is projected on the box and shortened until the objective falls enough
// (Armijo with cubic interpolation). Where `curvature` is given, the approximation starts from it and is refreshed from it while steps are
// still long (Fisher scoring). Cost per iteration: one or two objective evaluations and O(d^3), d parameters.
// Nocedal & Wright (2006), chapters 6 and 16; Bertsekas (1982) for the projection.
#pragma once
#include <string>

#include "optim/objective.hpp"

namespace tanada {

struct MinimizeOptions {
  int max_iterations = 300;
  double tol_gradient = 1e-6;   // scaled projected gradient: |g_i| * max(|x_i|, 1) / max(|f|, 1)
  double tol_decrease = 1e-10;  // predicted decrease of the objective, absolute (objectives are deviances)
  double first_step = 0.2;      // length of the first step when no curvature is known
  int scoring_iterations = 50;  // refresh the curvature for at most so many iterations
  bool record = false;
};

struct MinimizeOutcome {
  Vector x, gradient;
  Matrix hessian;  // approximation at the end
  double value = 0.0;
  double scaled_gradient = 0.0;      // largest scaled projected gradient
  double predicted_decrease = 0.0;   // at the last iterate
  int iterations = 0, evaluations = 0;
  bool converged = false;
  std::string message;               // why it stopped
};

MinimizeOutcome minimize(const Objective& objective, const Vector& start, const Vector& lower, const Vector& upper,
                         const MinimizeOptions& options = {}, const Curvature& curvature = nullptr);

}  // namespace tanada
