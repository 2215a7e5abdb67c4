// Stirling's series and recurrences: Abramowitz & Stegun (1964), 6.1.40-41, 6.4.11-12; the Mills ratio: 26.2.14.
#include "family/special.hpp"

#include <limits>
#include <vector>

namespace tanada {

namespace {

// B_2k / (2k (2k - 1)), k = 1..8.
constexpr double kStirling[8] = {1.0 / 12,     -1.0 / 360, 1.0 / 1260,        -1.0 / 1680,
                                 1.0 / 1188,   -691.0 / 360360, 1.0 / 156,    -3617.0 / 122400};

constexpr int kFactorials = 4096;

// S(x) = log Gamma(x) - [(x - 1/2) log x - x + log(2 pi)/2] and its derivatives, x >= 10.
void stirling_error(double x, int order, double* f) {
  const double i = 1.0 / x, i2 = i * i;
  double p = i;
  for (int k = 0; k <= order; ++k) f[k] = 0.0;
  for (int k = 0; k < 8; ++k, p *= i2) {
    const double c = kStirling[k] * p, e = 2 * k + 1;
    f[0] += c;
    if (order >= 1) f[1] -= e * c * i;
    if (order >= 2) f[2] += e * (e + 1) * c * i2;
    if (order >= 3) f[3] -= e * (e + 1) * (e + 2) * c * i2 * i;
  }
}

// Rising factorial of a large base: [log Gamma(a + y) - log Gamma(a)] - y log a and its derivatives in log a, a >= 20.
void log_rise_large(double y, double a, int order, double* f) {
  double high[4], low[4];
  stirling_error(a + y, order, high);
  stirling_error(a, order, low);
  const double z = y / a, s = a + y, l = std::log1p(z);
  // (a + y - 1/2) log1p(y/a) - y + S(a + y) - S(a)
  f[0] = (s - 0.5) * l - y + (high[0] - low[0]);
  if (order == 0) return;
  const double l1 = -y / (a * s);                                   // d l / d a
  const double l2 = y * (2.0 * a + y) / (a * a * s * s);
  f[1] = l + (s - 0.5) * l1 + (high[1] - low[1]);
  if (order >= 2) f[2] = 2.0 * l1 + (s - 0.5) * l2 + (high[2] - low[2]);
  if (order >= 3) {
    const double l3 = -2.0 * y * (s * s + s * a + a * a) / (a * a * a * s * s * s);
    f[3] = 3.0 * l2 + (s - 0.5) * l3 + (high[3] - low[3]);
  }
  to_log_scale(a, order, f);
}

}  // namespace

void log_gamma(double x, int order, double* f) {
  double shift = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0, product = 1.0;
  while (x < 10.0) {
    product *= x;
    if (order >= 1) {
      const double i = 1.0 / x;
      s1 += i, s2 += i * i, s3 += i * i * i;
    }
    x += 1.0;
  }
  if (product != 1.0) shift = std::log(product);
  double s[4];
  stirling_error(x, order, s);
  const double l = std::log(x), i = 1.0 / x;
  f[0] = (x - 0.5) * l - x + kLogSqrt2Pi + s[0] - shift;
  if (order >= 1) f[1] = l - 0.5 * i + s[1] - s1;
  if (order >= 2) f[2] = i + 0.5 * i * i + s[2] + s2;
  if (order >= 3) f[3] = -i * i - i * i * i + s[3] - 2.0 * s3;
}

double log_factorial(double y) {
  static const auto table = [] {
    std::vector<double> t(kFactorials);
    for (int i = 0; i < kFactorials; ++i) {
      double f[4];
      log_gamma(i + 1.0, 0, f);
      t[i] = i < 2 ? 0.0 : f[0];
    }
    return t;
  }();
  if (y >= 0 && y < kFactorials && y == std::floor(y)) return table[static_cast<int>(y)];
  double f[4];
  if (!(y > -1.0)) return std::numeric_limits<double>::infinity();
  log_gamma(y + 1.0, 0, f);
  return f[0];
}

double log_choose(double n, double y) {
  if (y == 0.0 || y == n) return 0.0;
  return log_factorial(n) - log_factorial(y) - log_factorial(n - y);
}

void log_gamma_exp(double u, int order, double* f) {
  const double x = std::exp(u);
  if (x < 1.0) {  // log Gamma(x) = log Gamma(1 + x) - u
    log_gamma(1.0 + x, order, f);
    if (order >= 1) to_log_scale(x, order, f);
    f[0] -= u;
    if (order >= 1) f[1] -= 1.0;
    return;
  }
  log_gamma(x, order, f);
  if (order >= 1) to_log_scale(x, order, f);
}

void log_rise(double y, double u, int order, double* f) {
  const double a = std::exp(u);
  for (int k = 0; k <= order; ++k) f[k] = 0.0;
  if (a > 1e13 * (1.0 + y * y)) {  // y (y - 1) / (2 a), the first term
    double term = 0.5 * y * (y - 1.0) / a;
    for (int k = 0; k <= order; ++k, term = -term) f[k] = term;
    return;
  }
  if (y <= 40.0 && y == std::floor(y)) {
    double product = 1.0;
    for (double j = 1.0; j < y; j += 1.0) {
      const double w = j / (a + j), q = 1.0 - w;
      if (a > 1.0)
        product *= 1.0 + j / a;
      else
        product *= a + j;
      if (product > 1e280) f[0] += std::log(product), product = 1.0;
      f[1] -= w;
      if (order >= 2) f[2] += w * q;
      if (order >= 3) f[3] += w * q * (w - q);
    }
    if (a > 1e3) {
      f[0] = 0.0;
      for (double j = 1.0; j < y; j += 1.0) f[0] += std::log1p(j / a);
    } else {
      f[0] += std::log(product) - (a > 1.0 || y < 1.0 ? 0.0 : (y - 1.0) * u);
    }
    return;
  }
  if (a >= 20.0) return log_rise_large(y, a, order, f);
  double low[4];
  log_gamma(a + y, order, f);
  if (order >= 1) to_log_scale(a, order, f);
  log_gamma_exp(u, order, low);
  for (int k = 0; k <= order; ++k) f[k] -= low[k];
  f[0] -= y * u;
  if (order >= 1) f[1] -= y;
}

void gamma_constant(double u, int order, double* f) {
  const double k = std::exp(u);
  if (k >= 10.0) {
    stirling_error(k, order, f);
    if (order >= 1) to_log_scale(k, order, f);
    for (int i = 0; i <= order; ++i) f[i] = -f[i];
    f[0] += 0.5 * u - kLogSqrt2Pi;
    if (order >= 1) f[1] += 0.5;
    return;
  }
  log_gamma_exp(u, order, f);
  f[0] = k * u - k - f[0];
  if (order >= 1) f[1] = k * u - f[1];
  if (order >= 2) f[2] = k * u + k - f[2];
  if (order >= 3) f[3] = k * u + 2.0 * k - f[3];
}

void log_normal_cdf(double x, int order, double* f) {
  if (x > -5.0) {
    const double p = 0.5 * std::erfc(-x * 0.70710678118654752440);
    f[0] = x > 1.0 ? std::log1p(-0.5 * std::erfc(x * 0.70710678118654752440)) : std::log(p);
    if (order == 0) return;
    const double r = std::exp(-0.5 * x * x - kLogSqrt2Pi) / p;
    f[1] = r;
    f[2] = -r * (x + r);
    f[3] = -f[2] * (x + r) - r * (1.0 + f[2]);
    return;
  }
  // phi/Phi = t + 1/(t + e), e = 2/(t + 3/(t + ...)), t = -x.
  const double t = -x;
  double e = 0.0;
  for (int k = 60; k >= 2; --k) e = k / (t + e);
  const double delta = 1.0 / (t + e), r = t + delta, w = (e - delta) * delta;
  f[0] = -0.5 * t * t - kLogSqrt2Pi - std::log(r);
  if (order == 0) return;
  f[1] = r;
  f[2] = -1.0 + w;
  f[3] = r * (delta * delta - w);
}

void softplus(double x, int order, double* f) {
  const double e = std::exp(-std::fabs(x)), i = 1.0 / (1.0 + e);
  f[0] = (x > 0 ? x : 0.0) + std::log1p(e);
  if (order == 0) return;
  const double s = x >= 0 ? i : e * i, q = x >= 0 ? e * i : i;
  f[1] = s, f[2] = s * q, f[3] = s * q * (q - s);
}

void log_softplus(double x, int order, double* f) {
  if (x < -37.0) {
    f[0] = x, f[1] = 1.0, f[2] = f[3] = 0.0;
    return;
  }
  double s[4];
  softplus(x, order, s);
  f[0] = std::log(s[0]);
  if (order == 0) return;
  const double q = sigmoid(-x), h = s[1] / s[0];
  f[1] = h;
  f[2] = h * (q - h);
  f[3] = f[2] * (q - h) - h * (s[2] + f[2]);
}

void log_cloglog(double x, int order, double* f) {
  const double mu = std::exp(x);
  f[0] = mu < 1e-17 ? x : (mu < 0.7 ? std::log(-std::expm1(-mu)) : std::log1p(-std::exp(-mu)));
  if (order == 0) return;
  if (mu > 700.0) {
    f[1] = f[2] = f[3] = 0.0;
    return;
  }
  const double h = mu < 1e-17 ? 1.0 : mu / std::expm1(mu);
  f[1] = h;
  f[2] = h * (1.0 - mu - h);
  f[3] = f[2] * (1.0 - mu - h) - h * (mu + f[2]);
}

void cauchy_cdf(double x, int order, double* f) {
  f[0] = x < -1.0 ? -std::atan(1.0 / x) / kPi : 0.5 + std::atan(x) / kPi;
  if (order == 0) return;
  const double i = 1.0 / (1.0 + x * x);
  f[1] = i / kPi;
  f[2] = -2.0 * x * i * f[1];
  f[3] = (6.0 * x * x - 2.0) * i * i * f[1];
}

void log1mexp(double x, int order, double* f) {
  f[0] = x < 0.693 ? std::log(-std::expm1(-x)) : std::log1p(-std::exp(-x));
  if (order == 0) return;
  const double u = x > 700.0 ? 0.0 : 1.0 / std::expm1(x);
  f[1] = u;
  f[2] = -u * (1.0 + u);
  f[3] = u * (1.0 + u) * (1.0 + 2.0 * u);
}

}  // namespace tanada
