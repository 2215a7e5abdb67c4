// Beta-binomial with shapes p phi and (1 - p) phi, second predictor log phi; goes to the binomial as phi grows.
//
// With R(y, a) = log Gamma(a + y) - log Gamma(a) - y log a (special.hpp's log_rise) the log-density is
// log C(n, y) + y log p + (n - y) log q + R(y, p phi) + R(n - y, q phi) - R(n, phi).
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct BetaBinomial {
  static constexpr int m = 2;
  Link link;
  template <class T> Nothing shared(const T*) const { return {}; }
  template <class T, class S> T density(double y, double n, const T* eta, const S&) const {
    const Probability<T> p = probability(link, eta[0]);
    T r(log_choose(n, y));
    if (n > 1.0) r = r - log_rise(n, eta[1]);
    if (y != 0.0) r = r + y * p.log_p;
    if (y > 1.0) r = r + log_rise(y, p.log_p + eta[1]);
    if (y != n) r = r + (n - y) * p.log_q;
    if (n - y > 1.0) r = r + log_rise(n - y, p.log_q + eta[1]);
    return r;
  }
  double information(double n, const double* eta) const {
    const MeanPoint p = mean_point(link, eta[0]);
    const double phi = std::exp(eta[1]), inflation = phi > 1e10 ? 1.0 : (phi + n) / (phi + 1.0);
    return n * p.slope * p.slope / (p.mu * (1.0 - p.mu) * inflation);
  }
};

}  // namespace

FamilyEntry betabinomial_family() {
  return {"betabinomial", "Beta-binomial", {"beta_binomial"}, {Link::logit, Link::probit, Link::cloglog, Link::loglog, Link::cauchit},
          {"location", "log_phi"}, "phi: variance n mu (1 - mu) (phi + n) / (phi + 1)", "trials", Zeros::mixture, 0.0,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> {
            return std::make_unique<JetFamily<BetaBinomial>>(BetaBinomial{r.link});
          }};
}

}  // namespace tanada
