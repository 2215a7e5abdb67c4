// Gaussian: mean through any link, second predictor the log of the standard deviation (not of the variance).
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct Gaussian {
  static constexpr int m = 2;
  Link link;
  template <class T> struct Shared {
    T log_sigma, precision;
  };
  template <class T> Shared<T> shared(const T* eta) const {
    using std::exp;
    return {eta[1], exp(-2.0 * eta[1])};
  }
  template <class T, class S> T density(double y, double, const T* eta, const S& s) const {
    const T r = y - mean_of(link, eta[0]);
    return -0.5 * (r * r * s.precision) - s.log_sigma - kLogSqrt2Pi;
  }
  double information(double, const double* eta) const {
    const Jet<1, 2> mu = mean_of(link, Jet<1, 2>::variable(eta[0], 0));
    return mu.g[0] * mu.g[0] * std::exp(-2.0 * eta[1]);
  }
};

// Identity link, by hand: e = (y - eta)/sigma, log-density -e^2/2 - log sigma - log(2 pi)/2.
class GaussianIdentity : public Family {
 public:
  int predictors() const override { return 2; }
  void evaluate(int order, std::size_t begin, std::size_t end, const Rows& rows, const Derivatives& out) const override {
    double log_sigma = 0.0, inv = 1.0;
    for (std::size_t i = begin; i < end; ++i) {
      const double w = rows.weights[i];
      if (w == 0.0) {
        clear_row(i, 2, order, out);
        continue;
      }
      if (rows.eta[2 * i + 1] != log_sigma || i == begin) log_sigma = rows.eta[2 * i + 1], inv = std::exp(-log_sigma);
      const double e = (rows.y[i] - rows.eta[2 * i]) * inv, e2 = e * e;
      if (out.value) out.value[i] = w * (-0.5 * e2 - log_sigma - kLogSqrt2Pi);
      if (order >= 1 && out.d1) out.d1[2 * i] = w * e * inv, out.d1[2 * i + 1] = w * (e2 - 1.0);
      if (order >= 2 && out.d2) {
        double* h = out.d2 + 3 * i;
        h[0] = -w * inv * inv, h[1] = -2.0 * w * e * inv, h[2] = -2.0 * w * e2;
      }
      if (order >= 3 && out.d3) {
        double* t = out.d3 + 4 * i;
        t[0] = 0.0, t[1] = 2.0 * w * inv * inv, t[2] = 4.0 * w * e * inv, t[3] = 4.0 * w * e2;
      }
    }
  }
  bool expected_weight(std::size_t begin, std::size_t end, const Rows& rows, double* weight) const override {
    for (std::size_t i = begin; i < end; ++i) weight[i] = rows.weights[i] * std::exp(-2.0 * rows.eta[2 * i + 1]);
    return true;
  }
};

}  // namespace

FamilyEntry gaussian_family() {
  return {"gaussian", "Gaussian", {"normal"}, {Link::identity, Link::log, Link::inverse, Link::sqrt, Link::logit, Link::probit, Link::cloglog},
          {"location", "log_sigma"}, "standard deviation", "real", Zeros::hurdle, 1.0,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> {
            if (r.link == Link::identity && r.by_hand) return std::make_unique<GaussianIdentity>();
            return std::make_unique<JetFamily<Gaussian>>(Gaussian{r.link});
          }};
}

}  // namespace tanada
