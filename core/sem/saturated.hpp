// The unrestricted (h1) model of one level with values missing: every mean and covariance free.
//
// EM written as a preconditioned gradient step: with G, g the derivatives of -2 l by (Sigma, mu),
//   mu' = mu - Sigma g / (2N),  Sigma' = Sigma - Sigma G Sigma / N - (mu' - mu)(mu' - mu)'
// is exactly the EM update (Orchard & Woodbury 1972), sped up by squared extrapolation (Varadhan & Roland 2008). Up to 20 variables it is
// finished by Fisher scoring to a stationary point.
#pragma once
#include "sem/fiml.hpp"

namespace tanada::sem {

struct SaturatedOutcome {
  double loglik = 0.0;
  Vector mean;
  Matrix cov;
  int iterations = 0;
  bool converged = false;
};

// tol: largest change of -2 l per EM cycle at which it stops.
SaturatedOutcome saturated_fiml(const FimlGroup& data, int max_iterations, double tol);

}  // namespace tanada::sem
