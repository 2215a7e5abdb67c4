// Log-normal with mean mu and standard deviation phi, both on the scale of the data; second predictor log phi (as glmmTMB).
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct Lognormal {
  static constexpr int m = 2;
  Link link;
  template <class T> Nothing shared(const T*) const { return {}; }
  template <class T, class S> T density(double y, double, const T* eta, const S&) const {
    using std::exp;
    const double log_y = std::log(y);
    const T log_mu = positive_mean(link, eta[0]).log_mu;
    const T log_s2 = log_softplus(2.0 * (eta[1] - log_mu));  // variance of log y: log(1 + phi^2 / mu^2)
    const T r = log_y - log_mu + 0.5 * exp(log_s2);
    return -0.5 * (r * r * exp(-log_s2) + log_s2) - (log_y + kLogSqrt2Pi);
  }
  double information(double, const double* eta) const {
    const MeanPoint p = mean_point(link, eta[0]);
    return p.slope * p.slope * std::exp(-2.0 * eta[1]);
  }
};

}  // namespace

FamilyEntry lognormal_family() {
  return {"lognormal", "Log-normal", {"log_normal", "zilognormal"}, {Link::log, Link::identity, Link::inverse}, {"location", "log_phi"},
          "standard deviation on the scale of the data", "positive", Zeros::hurdle, 1.0,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> { return std::make_unique<JetFamily<Lognormal>>(Lognormal{r.link}); }};
}

}  // namespace tanada
