// Bell (Castellares, Ferrari & Lemonte 2018): f(y) = theta^y exp(1 - exp theta) B_y / y! with mean mu = theta exp theta and Bell numbers B_y.
#include <algorithm>
#include <vector>

#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

// log B_n by Dobinski's series, sum of k^n / (e k!).
double log_bell_series(double n) {
  if (n < 2.0) return 0.0;
  double top = -1e300, total = 0.0;
  std::vector<double> terms;
  for (double k = 1.0;; k += 1.0) {
    const double t = n * std::log(k) - log_factorial(k);
    if (t < top - 50.0) break;
    top = std::max(top, t);
    terms.push_back(t);
  }
  for (double t : terms) total += std::exp(t - top);
  return top + std::log(total) - 1.0;
}

double log_bell(double n) {
  static const std::vector<double> table = [] {
    std::vector<double> t(200);
    for (int i = 0; i < 200; ++i) t[i] = log_bell_series(i);
    return t;
  }();
  return n < 200.0 ? table[static_cast<int>(n)] : log_bell_series(n);
}

// w = log theta as a function of x = log mu: exp(w) + w = x.
void log_theta(double x, int order, double* f) {
  double w = x < 1.0 ? x - std::exp(x) / (1.0 + std::exp(x)) : std::log(x);
  for (int i = 0; i < 60; ++i) {
    const double e = std::exp(w), step = (e + w - x) / (1.0 + e);
    w -= step;
    if (std::fabs(step) <= 1e-15 * (1.0 + std::fabs(w))) break;
  }
  f[0] = w;
  if (order == 0) return;
  const double theta = std::exp(w), i = 1.0 / (1.0 + theta);
  f[1] = i;
  f[2] = -theta * i * i * i;
  f[3] = theta * (2.0 * theta - 1.0) * i * i * i * i * i;
}

struct Bell {
  static constexpr int m = 1;
  Link link;
  template <class T> Nothing shared(const T*) const { return {}; }
  template <class T, class S> T density(double y, double, const T* eta, const S&) const {
    using std::exp;
    using std::expm1;
    const T w = chain(positive_mean(link, eta[0]).log_mu, [](double v, int o, double* f) { log_theta(v, o, f); });
    T r = -expm1(exp(w));
    return y == 0.0 ? r : r + y * w + (log_bell(y) - log_factorial(y));
  }
  double information(double, const double* eta) const {
    const MeanPoint p = mean_point(link, eta[0]);
    double f[4];
    log_theta(std::log(p.mu), 0, f);
    return p.slope * p.slope / (p.mu * (1.0 + std::exp(f[0])));
  }
};

}  // namespace

FamilyEntry bell_family() {
  return {"bell", "Bell", {}, {Link::log, Link::sqrt, Link::identity}, {"location"}, "", "count", Zeros::mixture, 1.0,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> { return std::make_unique<JetFamily<Bell>>(Bell{r.link}); }};
}

}  // namespace tanada
