// Cumulative (ordinal) models: P(Y <= k) = F(threshold_k - eta) for categories 0..K-1; option 0 is K.
//
// Predictors: location, the threshold below the row's category, the threshold above. The first category has no lower and the last no upper
// one (their predictor is not read). Every link has its own form of log[F(b) - F(a)] that keeps digits in both tails.
#include <stdexcept>

#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

// log[F(b) - F(a)], a < b.
template <class T> T log_interval(Link link, const T& a, const T& b) {
  using std::exp;
  using std::expm1;
  using std::log;
  switch (link) {
    case Link::logit: return log1mexp(b - a) - softplus(-b) - softplus(a);
    case Link::probit: {
      const bool right = value_of(a) + value_of(b) > 0.0;
      const T high = log_normal_cdf(right ? -a : b), low = log_normal_cdf(right ? -b : a);
      return high + log1mexp(high - low);
    }
    case Link::cloglog: return log1mexp(exp(a) * expm1(b - a)) - exp(a);
    case Link::loglog: return log1mexp(exp(-b) * expm1(b - a)) - exp(-b);
    default: {  // cauchit
      const T x = b - a, y = 1.0 + a * b;
      const double angle = std::atan2(value_of(x), value_of(y));
      // atan b - atan a; its derivatives are those of the two arctangents
      const auto arctangent = [](double v, int order, double* f) {
        cauchy_cdf(v, order, f);
        f[0] = 0.0;
      };
      return log(chain(b, arctangent) - chain(a, arctangent) + angle / kPi);
    }
  }
}

struct Cumulative {
  static constexpr int m = 3;
  Link link;
  double categories;
  template <class T> Nothing shared(const T*) const { return {}; }
  template <class T, class S> T density(double y, double, const T* eta, const S&) const {
    if (y == 0.0) return probability(link, eta[2] - eta[0]).log_p;
    const T a = eta[1] - eta[0];
    if (y >= categories - 1.0) return probability(link, a).log_q;
    return log_interval(link, a, eta[2] - eta[0]);
  }
  double information(double, const double*) const {  // of a fully observed latent variable, at most
    switch (link) {
      case Link::logit: return 1.0 / 3.0;
      case Link::cauchit: return 0.5;
      default: return 1.0;
    }
  }
};

}  // namespace

FamilyEntry cumulative_family() {
  return {"cumulative", "Cumulative (ordinal)", {"ordinal", "ordered", "clm", "clmm", "proportional_odds"},
          {Link::logit, Link::probit, Link::cloglog, Link::loglog, Link::cauchit}, {"location", "lower_threshold", "upper_threshold"}, "",
          "category", Zeros::mixture, 0.0, [](const FamilyRequest& r) -> std::unique_ptr<Family> {
            if (r.options.empty() || r.options[0] < 2.0)
              throw std::invalid_argument("a cumulative family needs its number of categories, at least two");
            return std::make_unique<JetFamily<Cumulative>>(Cumulative{r.link, r.options[0]});
          }};
}

}  // namespace tanada
