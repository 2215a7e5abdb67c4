// Special functions with derivatives up to the third, in the form that jet.hpp's chain() takes: F(x, order, f) fills f[0..order].
//
// Positive parameters enter as their logarithm (log phi, log shape), so that nothing overflows on the way to a limit, and
// differences of log-gammas are written as one function: log_rise below goes to zero without cancellation as phi grows.
#pragma once
#include "family/jet.hpp"

namespace tanada {

constexpr double kLogSqrt2Pi = 0.918938533204672741780329736406;
constexpr double kPi = 3.14159265358979323846264338328;

// log y! for y >= 0 (integers up to 4095 from a table).
double log_factorial(double y);
double log_choose(double n, double y);
// log Gamma(x), x > 0, and the polygamma functions: f[0..order].
void log_gamma(double x, int order, double* f);
// log Gamma(exp u) as a function of u.
void log_gamma_exp(double u, int order, double* f);
// log [Gamma(a + y) / Gamma(a)] - y log a with a = exp(u), as a function of u: sum over j < y of log(1 + j / a) for an integer y.
void log_rise(double y, double u, int order, double* f);
// k log k - k - log Gamma(k) with k = exp(u): the constant of the gamma density.
void gamma_constant(double u, int order, double* f);
// log Phi(x) and its derivatives.
void log_normal_cdf(double x, int order, double* f);
// log(1 + exp x).
void softplus(double x, int order, double* f);
// log log(1 + exp x).
void log_softplus(double x, int order, double* f);
// log(1 - exp(-exp x)): log of the complementary log-log probability.
void log_cloglog(double x, int order, double* f);
// 1/2 + atan(x)/pi without cancellation in the left tail.
void cauchy_cdf(double x, int order, double* f);
// log(1 - exp(-x)), x > 0.
void log1mexp(double x, int order, double* f);
// Turns derivatives in x into derivatives in u = log x, in place.
inline void to_log_scale(double x, int order, double* f) {
  const double d1 = x * f[1];
  if (order >= 2) {
    const double d2 = x * x * f[2];
    if (order >= 3) f[3] = d1 + 3.0 * d2 + x * x * x * f[3];
    f[2] = d1 + d2;
  }
  f[1] = d1;
}

inline double sigmoid(double x) {
  const double e = std::exp(-std::fabs(x));
  return (x >= 0 ? 1.0 : e) / (1.0 + e);
}
inline double softplus_value(double x) { return (x > 0 ? x : 0.0) + std::log1p(std::exp(-std::fabs(x))); }

template <class T> T softplus(const T& x) { return chain(x, [](double v, int o, double* f) { softplus(v, o, f); }); }
template <class T> T log_softplus(const T& x) { return chain(x, [](double v, int o, double* f) { log_softplus(v, o, f); }); }
template <class T> T log_normal_cdf(const T& x) { return chain(x, [](double v, int o, double* f) { log_normal_cdf(v, o, f); }); }
template <class T> T log_cloglog(const T& x) { return chain(x, [](double v, int o, double* f) { log_cloglog(v, o, f); }); }
template <class T> T cauchy_cdf(const T& x) { return chain(x, [](double v, int o, double* f) { cauchy_cdf(v, o, f); }); }
template <class T> T log1mexp(const T& x) { return chain(x, [](double v, int o, double* f) { log1mexp(v, o, f); }); }
template <class T> T log_gamma_exp(const T& u) { return chain(u, [](double v, int o, double* f) { log_gamma_exp(v, o, f); }); }
template <class T> T gamma_constant(const T& u) { return chain(u, [](double v, int o, double* f) { gamma_constant(v, o, f); }); }
template <class T> T log_rise(double y, const T& u) {
  return chain(u, [y](double v, int o, double* f) { log_rise(y, v, o, f); });
}

}  // namespace tanada
