// Ordered beta (Kubinec 2022): 0 with probability 1 - F(eta - lower), 1 with probability F(eta - upper), a beta density between, F the
// logistic distribution. Predictors: location, log phi, lower and upper cut point.
#include "family/beta_density.hpp"
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct OrderedBeta {
  static constexpr int m = 4;
  template <class T> auto shared(const T* eta) const { return beta_shared(first_two(eta[1])); }
  template <class T, class S> T density(double y, double, const T* eta, const S& s) const {
    const T below = eta[0] - eta[2], above = eta[0] - eta[3];
    if (y == 0.0) return -softplus(below);
    if (y == 1.0) return -softplus(-above);
    const T inside = log1mexp(eta[3] - eta[2]) - softplus(-below) - softplus(above);
    return inside + from_two<T>(beta_density(y, probability(Link::logit, first_two(eta[0])), first_two(eta[1]), s));
  }
  double information(double, const double* eta) const {
    const double p = sigmoid(eta[0]), q = sigmoid(-eta[0]);
    return p * q * (1.0 + std::exp(eta[1]));
  }
};

}  // namespace

FamilyEntry ordered_beta_family() {
  return {"ordered_beta", "Ordered beta", {"ordbeta", "orderedbeta"}, {Link::logit}, {"location", "log_phi", "lower_cut", "upper_cut"},
          "phi: variance mu (1 - mu) / (1 + phi) between the cut points", "closed unit", Zeros::mixture, 0.5,
          [](const FamilyRequest&) -> std::unique_ptr<Family> { return std::make_unique<JetFamily<OrderedBeta>>(OrderedBeta{}); }};
}

}  // namespace tanada
