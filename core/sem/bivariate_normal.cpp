#include "sem/bivariate_normal.hpp"

#include <algorithm>
#include <array>

namespace tanada::sem {
namespace {

constexpr int kNodes = 20;
constexpr double kPi = 3.14159265358979323846;

struct Rule {
  std::array<double, kNodes> node, weight;
};

// Gauss-Legendre nodes and weights on (-1, 1): Newton's method on the Legendre polynomial.
Rule gauss_legendre() {
  Rule r;
  for (int i = 0; i < kNodes; ++i) {
    double x = std::cos(kPi * (i + 0.75) / (kNodes + 0.5)), slope = 1.0;
    for (int it = 0; it < 100; ++it) {
      double p0 = 1.0, p1 = x;
      for (int k = 2; k <= kNodes; ++k) {
        const double p2 = ((2.0 * k - 1.0) * x * p1 - (k - 1.0) * p0) / k;
        p0 = p1, p1 = p2;
      }
      slope = kNodes * (x * p1 - p0) / (x * x - 1.0);
      const double step = p1 / slope;
      x -= step;
      if (std::abs(step) < 1e-16) break;
    }
    r.node[i] = x;
    r.weight[i] = 2.0 / ((1.0 - x * x) * slope * slope);
  }
  return r;
}

double panel(double a, double b, double from, double to) {
  static const Rule rule = gauss_legendre();
  const double mid = 0.5 * (from + to), half = 0.5 * (to - from), squares = a * a + b * b, twice = 2.0 * a * b;
  double sum = 0.0;
  for (int i = 0; i < kNodes; ++i) {
    const double s = std::sin(mid + half * rule.node[i]);
    sum += rule.weight[i] * std::exp(-(squares - twice * s) / (2.0 * (1.0 - s * s)));
  }
  return half * sum;
}

}  // namespace

double normal_quantile(double p) {
  if (p <= 0) return -std::numeric_limits<double>::infinity();
  if (p >= 1) return std::numeric_limits<double>::infinity();
  if (p > 0.5) return -normal_quantile(1.0 - p);
  double x = p > 0.02 ? std::log(p / (1.0 - p)) / 1.702 : -std::sqrt(-2.0 * std::log(p) - std::log(-2.0 * std::log(p) * 2.0 * kPi));
  for (int it = 0; it < 60; ++it) {  // Newton's method on log Phi, concave: it converges from either side
    const double F = normal_cdf(x), f = normal_pdf(x);
    const double step = (std::log(F) - std::log(p)) * F / f;
    x -= step;
    if (std::abs(step) < 1e-15 * std::max(1.0, std::abs(x))) break;
  }
  return x;
}

double bivariate_pdf(double a, double b, double rho) {
  if (!std::isfinite(a) || !std::isfinite(b)) return 0.0;
  const double v = 1.0 - rho * rho;
  return std::exp(-(a * a - 2.0 * rho * a * b + b * b) / (2.0 * v)) / (2.0 * kPi * std::sqrt(v));
}

double bivariate_cdf(double a, double b, double rho) {
  if (a == -std::numeric_limits<double>::infinity() || b == -std::numeric_limits<double>::infinity()) return 0.0;
  if (!std::isfinite(a)) return normal_cdf(b);
  if (!std::isfinite(b)) return normal_cdf(a);
  const double top = std::asin(rho), base = normal_cdf(a) * normal_cdf(b);
  double from = 0.0, sum = 0.0;
  // panels that halve the distance to +-pi/2, where the integrand varies fastest
  const double end = top < 0 ? -0.5 * kPi : 0.5 * kPi;
  while (std::abs(top - from) > 0) {
    double to = std::abs(from) < 1e-300 ? 0.6 * end : from + 0.5 * (end - from);
    if (std::abs(to) >= std::abs(top)) to = top;
    sum += panel(a, b, from, to);
    from = to;
  }
  return std::clamp(base + sum / (2.0 * kPi), 0.0, 1.0);
}

}  // namespace tanada::sem
