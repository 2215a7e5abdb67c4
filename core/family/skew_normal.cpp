// Skew normal (Azzalini 1985) with mean mu, standard deviation phi and shape alpha; predictors: location, log phi, alpha.
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct SkewNormal {
  static constexpr int m = 3;
  Link link;
  template <class T> struct Shared {
    T inverse_omega, constant, shift;  // z = (y - mu) / omega + shift
  };
  template <class T> Shared<T> shared(const T* eta) const {
    using std::exp;
    using std::log1p;
    using std::sqrt;
    const T alpha = eta[2], delta = alpha / sqrt(1.0 + alpha * alpha);
    // omega = phi / sqrt(1 - 2 delta^2 / pi), location xi = mu - omega delta sqrt(2 / pi)
    const T log_inverse = -eta[1] + 0.5 * log1p((-2.0 / kPi) * (delta * delta));
    return {exp(log_inverse), log_inverse + (0.693147180559945309417 - kLogSqrt2Pi), std::sqrt(2.0 / kPi) * delta};
  }
  template <class T, class S> T density(double y, double, const T* eta, const S& s) const {
    const T z = (y - mean_of(link, eta[0])) * s.inverse_omega + s.shift;
    return s.constant - 0.5 * (z * z) + log_normal_cdf(eta[2] * z);
  }
  double information(double, const double* eta) const {
    const MeanPoint p = mean_point(link, eta[0]);
    return p.slope * p.slope * std::exp(-2.0 * eta[1]);
  }
};

}  // namespace

FamilyEntry skew_normal_family() {
  return {"skew_normal", "Skew normal", {"skewnormal"}, {Link::identity, Link::log, Link::inverse}, {"location", "log_phi", "alpha"},
          "standard deviation", "real", Zeros::hurdle, 1.0,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> { return std::make_unique<JetFamily<SkewNormal>>(SkewNormal{r.link}); }};
}

}  // namespace tanada
