// Tweedie with mean mu and variance phi mu^p, 1 < p < 2: a Poisson number of gamma amounts. Predictors: location, log phi, logit(p - 1); or a
// power held fixed, given as the family's option.
//
// log f(0) = -mu^(2-p) / (phi (2 - p)); for y > 0, log f(y) = log W - log y + [y mu^(1-p) / (1 - p) - mu^(2-p) / (2 - p)] / phi with the series
// W = sum over j of exp(j z - log Gamma(j + 1) - log Gamma(j a)), a = (2 - p) / (p - 1),
// z = a log y - a log(p - 1) - (1 + a) log phi - log(2 - p)  (Dunn & Smyth 2005).
// Its derivatives in (z, a) are cumulants of j and of the derivatives of -log Gamma(j a) under the weights of the series.
#include <algorithm>
#include <stdexcept>

#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

// log Gamma(j a) and its derivatives in the argument, for j = 1, 2, ...; kept while a stays the same (it does along the rows).
class GammaTable {
 public:
  const double* at(double a, int j, int order) {
    if (a != a_ || order > order_) a_ = a, order_ = order, count_ = 0;
    while (count_ < j) {
      ++count_;
      if (values_.size() < static_cast<std::size_t>(4 * count_)) values_.resize(std::max<std::size_t>(8 * count_, 1024));
      log_gamma(count_ * a, order_, &values_[4 * (count_ - 1)]);
    }
    return &values_[4 * (j - 1)];
  }

 private:
  double a_ = -1.0;
  int order_ = -1, count_ = 0;
  std::vector<double> values_;
};

constexpr double kTableEnd = 20000.0;

struct Term {
  double j, weight, g[4];  // g: log Gamma(j a), ...
};

struct Series {
  std::vector<Term> terms;
  GammaTable table;
  double top = 0.0;

  // The term of log W at j.
  double add(double j, double z, double a, int order) {
    Term t{j, 0.0, {}};
    if (j <= kTableEnd)
      std::copy_n(table.at(a, static_cast<int>(j), order), order + 1, t.g);
    else
      log_gamma(j * a, order, t.g);
    t.weight = j * z - log_factorial(j) - t.g[0];
    terms.push_back(t);
    return t.weight;
  }

  // Terms around the largest one, every `stride`-th where the weights change slowly: sums of so smooth a function are exact to rounding.
  double collect(double z, double a, double peak, int order) {
    terms.clear();
    const double sd = std::sqrt(peak / (1.0 + a)), stride = sd < 8.0 ? 1.0 : std::floor(sd / 4.0);
    const double centre = std::max(1.0, std::round(peak));
    top = add(centre, z, a, order);
    for (double j = centre + stride;; j += stride) {
      const double w = add(j, z, a, order);
      top = std::max(top, w);
      if (w < top - 38.0) break;
    }
    for (double j = centre - stride; j >= 1.0; j -= stride) {
      const double w = add(j, z, a, order);
      top = std::max(top, w);
      if (w < top - 38.0) break;
    }
    return stride;
  }
};

Series& series() {
  thread_local Series s;
  return s;
}

// log W as a function of (z, a): value and derivatives up to `order`, packed as in a jet of two variables.
void log_series(double z, double a, double peak, int order, double* value, double* g, double* h, double* t) {
  Series& s = series();
  const double stride = s.collect(z, a, peak, order);
  double total = 0.0, mean_j = 0.0, mean_b = 0.0, mean_c = 0.0, mean_d = 0.0;
  for (Term& x : s.terms) total += x.weight = std::exp(x.weight - s.top);
  *value = s.top + std::log(total * stride);
  if (order == 0) return;
  for (Term& x : s.terms) {  // b, c, d: derivatives of -log Gamma(j a) in a
    x.weight /= total;
    x.g[1] *= -x.j;
    mean_j += x.weight * x.j, mean_b += x.weight * x.g[1];
    if (order >= 2) x.g[2] *= -x.j * x.j, mean_c += x.weight * x.g[2];
    if (order >= 3) x.g[3] *= -x.j * x.j * x.j, mean_d += x.weight * x.g[3];
  }
  g[0] = mean_j, g[1] = mean_b;
  if (order < 2) return;
  double jj = 0, jb = 0, bb = 0, jjj = 0, jjb = 0, jbb = 0, bbb = 0, jc = 0, bc = 0;
  for (const Term& x : s.terms) {
    const double w = x.weight, j = x.j - mean_j, b = x.g[1] - mean_b, c = x.g[2] - mean_c;
    jj += w * j * j, jb += w * j * b, bb += w * b * b;
    if (order >= 3) jjj += w * j * j * j, jjb += w * j * j * b, jbb += w * j * b * b, bbb += w * b * b * b, jc += w * j * c, bc += w * b * c;
  }
  h[0] = jj, h[1] = jb, h[2] = bb + mean_c;
  if (order >= 3) t[0] = jjj, t[1] = jjb, t[2] = jbb + jc, t[3] = bbb + 3.0 * bc + mean_d;
}

double log_series(double z, double a, double peak) {
  double value;
  log_series(z, a, peak, 0, &value, nullptr, nullptr, nullptr);
  return value;
}
template <int M, int K> Jet<M, K> log_series(const Jet<M, K>& z, const Jet<M, K>& a, double peak) {
  Jet<2, K> f;
  log_series(z.v, a.v, peak, K, &f.v, f.g.data(), f.h.data(), f.t.data());
  return compose(f, z, a);
}

template <class T> struct TweedieShared {
  T one, two, a, base, precision;  // p - 1, 2 - p, a, z - a log y, 1 / phi
};

template <class T> TweedieShared<T> tweedie_shared(const T& log_phi, const T& psi) {
  using std::exp;
  const T log_one = -softplus(-psi), log_two = -softplus(psi), a = exp(-psi);
  return {exp(log_one), exp(log_two), a, -(a * (log_one + log_phi)) - log_phi - log_two, exp(-log_phi)};
}

template <class T> T tweedie_density(double y, const T& log_mu, const TweedieShared<T>& s) {
  using std::exp;
  const T kappa = exp(s.two * log_mu) / s.two;
  if (y == 0.0) return -(kappa * s.precision);
  const double log_y = std::log(y), two = value_of(s.two);
  const double peak = std::exp(two * log_y) * value_of(s.precision) / two;
  const T natural = exp(-(s.one * log_mu)) / s.one;
  return log_series(s.a * log_y + s.base, s.a, peak) - log_y - s.precision * (y * natural + kappa);
}

double tweedie_information(Link link, const double* eta, double p) {
  const MeanPoint m = mean_point(link, eta[0]);
  return m.slope * m.slope * std::pow(m.mu, -p) * std::exp(-eta[1]);
}

struct Tweedie {
  static constexpr int m = 3;
  Link link;
  template <class T> TweedieShared<T> shared(const T* eta) const { return tweedie_shared(eta[1], eta[2]); }
  template <class T, class S> T density(double y, double, const T* eta, const S& s) const {
    return tweedie_density(y, positive_mean(link, eta[0]).log_mu, s);
  }
  double information(double, const double* eta) const { return tweedie_information(link, eta, 1.0 + sigmoid(eta[2])); }
};

struct TweedieFixed {
  static constexpr int m = 2;
  Link link;
  double p;
  template <class T> TweedieShared<T> shared(const T* eta) const { return tweedie_shared(eta[1], T(std::log(p - 1.0) - std::log(2.0 - p))); }
  template <class T, class S> T density(double y, double, const T* eta, const S& s) const {
    return tweedie_density(y, positive_mean(link, eta[0]).log_mu, s);
  }
  double information(double, const double* eta) const { return tweedie_information(link, eta, p); }
};

}  // namespace

FamilyEntry tweedie_family() {
  return {"tweedie", "Tweedie", {}, {Link::log, Link::sqrt, Link::identity, Link::inverse}, {"location", "log_phi", "logit_power"},
          "phi: variance phi mu^p", "nonnegative", Zeros::mixture, 1.0, [](const FamilyRequest& r) -> std::unique_ptr<Family> {
            if (r.options.empty()) return std::make_unique<JetFamily<Tweedie>>(Tweedie{r.link});
            if (!(r.options[0] > 1.0 && r.options[0] < 2.0))
              throw std::invalid_argument("the power of the tweedie family must lie between 1 and 2");
            return std::make_unique<JetFamily<TweedieFixed>>(TweedieFixed{r.link, r.options[0]});
          }};
}

}  // namespace tanada
