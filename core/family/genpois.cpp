// Generalized Poisson (Consul & Jain 1973) with mean mu and variance phi mu, second predictor log phi.
//
// theta = mu / sqrt(phi), lambda = 1 - 1 / sqrt(phi): f(y) = theta (theta + lambda y)^(y-1) exp(-theta - lambda y) / y!. For phi < 1 the
// support ends where theta + lambda y reaches zero and the density is used without renormalising, as glmmTMB does.
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct GeneralizedPoisson {
  static constexpr int m = 2;
  Link link;
  template <class T> T shared(const T* eta) const {
    using std::exp;
    return exp(-0.5 * eta[1]);
  }
  template <class T> T density(double y, double, const T* eta, const T& s) const {
    using std::log;
    const PositiveMean<T> mean = positive_mean(link, eta[0]);
    const T theta = mean.mu * s;
    if (y == 0.0) return -theta;
    const T rate = theta + y * (1.0 - s);
    T r = mean.log_mu - 0.5 * eta[1] - rate - log_factorial(y);
    return y == 1.0 ? r : r + (y - 1.0) * log(rate);
  }
  double information(double, const double* eta) const {
    const MeanPoint p = mean_point(link, eta[0]);
    return p.slope * p.slope / (p.mu * std::exp(eta[1]));
  }
};

}  // namespace

FamilyEntry genpois_family() {
  return {"genpois", "Generalized Poisson", {"generalized_poisson", "genpoisson"}, {Link::log, Link::sqrt, Link::identity},
          {"location", "log_phi"}, "phi: variance phi mu", "count", Zeros::mixture, 1.0,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> {
            return std::make_unique<JetFamily<GeneralizedPoisson>>(GeneralizedPoisson{r.link});
          }};
}

}  // namespace tanada
