// The standard normal and bivariate normal distribution functions.
#pragma once
#include <cmath>
#include <limits>

namespace tanada::sem {

inline double normal_pdf(double x) { return std::isfinite(x) ? 0.3989422804014326779 * std::exp(-0.5 * x * x) : 0.0; }
inline double normal_cdf(double x) { return 0.5 * std::erfc(-x * 0.7071067811865475244); }
// Inverse of normal_cdf for 0 < p < 1; -inf and inf at 0 and 1.
double normal_quantile(double p);
// Density at (a, b), correlation rho; 0 where an argument is infinite.
double bivariate_pdf(double a, double b, double rho);
// P(X <= a, Y <= b), |rho| < 1, absolute error below 1e-12:
// Phi(a) Phi(b) + 1/(2 pi) int_0^asin(rho) exp(-(a^2 + b^2 - 2 a b sin t) / (2 cos^2 t)) dt (Sheppard 1900).
double bivariate_cdf(double a, double b, double rho);

}  // namespace tanada::sem
