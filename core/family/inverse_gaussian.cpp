// Inverse Gaussian with mean mu and variance phi mu^3, second predictor log phi.
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct InverseGaussian {
  static constexpr int m = 2;
  Link link;
  template <class T> T shared(const T* eta) const {
    using std::exp;
    return exp(-eta[1]);
  }
  template <class T> T density(double y, double, const T* eta, const T& precision) const {
    using std::expm1;
    const double log_y = std::log(y);
    const T r = expm1(log_y - positive_mean(link, eta[0]).log_mu);  // y/mu - 1
    return -0.5 * eta[1] - (0.5 / y) * (r * r * precision) - (1.5 * log_y + kLogSqrt2Pi);
  }
  double information(double, const double* eta) const {
    const MeanPoint p = mean_point(link, eta[0]);
    return p.slope * p.slope / (p.mu * p.mu * p.mu) * std::exp(-eta[1]);
  }
};

}  // namespace

FamilyEntry inverse_gaussian_family() {
  return {"inverse_gaussian", "Inverse Gaussian", {"inverse.gaussian", "inversegaussian", "ig", "wald"},
          {Link::inverse_square, Link::log, Link::inverse, Link::identity}, {"location", "log_phi"}, "phi: variance phi mu^3", "positive",
          Zeros::hurdle, 1.0, [](const FamilyRequest& r) -> std::unique_ptr<Family> {
            return std::make_unique<JetFamily<InverseGaussian>>(InverseGaussian{r.link});
          }};
}

}  // namespace tanada
