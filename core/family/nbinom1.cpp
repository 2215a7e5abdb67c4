// Negative binomial with variance mu (1 + phi), second predictor log phi: size mu / phi, so that it goes to the Poisson as phi goes to zero.
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct Nbinom1 {
  static constexpr int m = 2;
  Link link;
  template <class T> struct Shared {
    T log1p_phi, log_ratio;  // log(log(1 + phi) / phi)
  };
  template <class T> Shared<T> shared(const T* eta) const { return {softplus(eta[1]), log_softplus(eta[1]) - eta[1]}; }
  template <class T, class S> T density(double y, double, const T* eta, const S& s) const {
    using std::exp;
    const T log_mu = positive_mean(link, eta[0]).log_mu;
    const T r = -exp(log_mu + s.log_ratio);
    if (y == 0.0) return r;
    return r + log_rise(y, log_mu - eta[1]) + y * (log_mu - s.log1p_phi) - log_factorial(y);
  }
  double information(double, const double* eta) const {
    const MeanPoint p = mean_point(link, eta[0]);
    return p.slope * p.slope / (p.mu * (1.0 + std::exp(eta[1])));
  }
};

}  // namespace

FamilyEntry nbinom1_family() {
  return {"nbinom1", "Negative binomial (linear variance)", {"nb1"}, {Link::log, Link::sqrt, Link::identity},
          {"location", "log_phi"}, "phi: variance mu (1 + phi)", "count", Zeros::mixture, 1.0,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> { return std::make_unique<JetFamily<Nbinom1>>(Nbinom1{r.link}); }};
}

}  // namespace tanada
