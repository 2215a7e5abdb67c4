// Beta with mean mu and variance mu (1 - mu) / (1 + phi), second predictor log phi (Ferrari & Cribari-Neto 2004).
#include "family/beta_density.hpp"
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct Beta {
  static constexpr int m = 2;
  Link link;
  template <class T> BetaShared<T> shared(const T* eta) const { return beta_shared(eta[1]); }
  template <class T, class S> T density(double y, double, const T* eta, const S& s) const {
    return beta_density(y, probability(link, eta[0]), eta[1], s);
  }
  double information(double, const double* eta) const {
    const MeanPoint p = mean_point(link, eta[0]);
    return p.slope * p.slope * (1.0 + std::exp(eta[1])) / (p.mu * (1.0 - p.mu));
  }
};

}  // namespace

FamilyEntry beta_family() {
  return {"beta", "Beta", {"beta_family", "Beta"}, {Link::logit, Link::probit, Link::cloglog, Link::loglog, Link::cauchit, Link::log},
          {"location", "log_phi"}, "phi: variance mu (1 - mu) / (1 + phi)", "unit", Zeros::hurdle, 0.5,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> { return std::make_unique<JetFamily<Beta>>(Beta{r.link}); }};
}

}  // namespace tanada
