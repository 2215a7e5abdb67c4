// The Matern correlation x^nu K_nu(x) / (2^(nu - 1) Gamma(nu)), x = distance / range, and its derivatives in log range and log nu.
#pragma once

namespace tanada {

struct Matern {
  double value, in_log_range, in_log_nu;
};
Matern matern(double distance, double range, double nu);

}  // namespace tanada
