// K_nu(x) = integral over t > 0 of exp(-x cosh t) cosh(nu t) (Abramowitz & Stegun 9.6.24). The trapezoidal rule converges exponentially for
// this integrand, and for its derivative in nu, so that one pass of some 50 nodes gives everything to rounding.
#include "covariance/matern.hpp"

#include <algorithm>
#include <cmath>

#include "family/special.hpp"

namespace tanada {

namespace {

struct BesselK {
  double log_value, in_nu, below;  // log K_nu, d log K_nu / d nu, K_{nu-1} / K_nu
};

BesselK bessel_k(double nu, double x) {
  const double peak = std::asinh(nu / x), top = -std::hypot(x, nu) + nu * peak;
  const double step = std::min(0.2, 0.5 / std::sqrt(std::hypot(x, nu)));
  double sum = 0.0, slope = 0.0, below = 0.0;
  for (int i = 0;; ++i) {
    const double t = i * step, base = -x * std::cosh(t) - top, weight = i == 0 ? 0.5 : 1.0;
    const double up = std::exp(base + nu * t), down = std::exp(base - nu * t);
    if (t > peak && up < 1e-20) break;
    sum += weight * (up + down);
    slope += weight * t * (up - down);
    below += weight * (up * std::exp(-t) + down * std::exp(t));
  }
  return {top + std::log(0.5 * step * sum), slope / sum, below / sum};
}

}  // namespace

Matern matern(double distance, double range, double nu) {
  const double x = distance / range;
  if (x <= 0.0) return {1.0, 0.0, 0.0};
  if (x > 700.0) return {0.0, 0.0, 0.0};
  const BesselK k = bessel_k(nu, x);
  double g[4];
  log_gamma(nu, 1, g);
  const double log2 = 0.693147180559945309417;
  const double value = std::exp(nu * std::log(x) + k.log_value - (nu - 1.0) * log2 - g[0]);
  return {value, value * x * k.below, value * nu * (std::log(x) + k.in_nu - log2 - g[1])};
}

}  // namespace tanada
