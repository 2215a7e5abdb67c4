// Gamma with mean mu and variance mu^2 / k, second predictor log k (k: the shape).
//
// log-density = c(k) - log y + k (log(y/mu) - y/mu + 1), c(k) = k log k - k - log Gamma(k).
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct Gamma {
  static constexpr int m = 2;
  Link link;
  template <class T> struct Shared {
    T constant, shape;
  };
  template <class T> Shared<T> shared(const T* eta) const {
    using std::exp;
    return {gamma_constant(eta[1]), exp(eta[1])};
  }
  template <class T, class S> T density(double y, double, const T* eta, const S& s) const {
    using std::exp;
    const double log_y = std::log(y);
    const T z = log_y - positive_mean(link, eta[0]).log_mu;
    return s.constant - log_y + s.shape * (z - exp(z) + 1.0);
  }
  double information(double, const double* eta) const {
    const MeanPoint p = mean_point(link, eta[0]);
    return p.slope * p.slope / (p.mu * p.mu) * std::exp(eta[1]);
  }
};

class GammaLog : public Family {
 public:
  int predictors() const override { return 2; }
  void evaluate(int order, std::size_t begin, std::size_t end, const Rows& rows, const Derivatives& out) const override {
    double log_shape = 0.0, shape = 1.0, c[4];
    for (std::size_t i = begin; i < end; ++i) {
      const double w = rows.weights[i], log_y = std::log(rows.y[i]);
      if (w == 0.0) {
        clear_row(i, 2, order, out);
        continue;
      }
      if (rows.eta[2 * i + 1] != log_shape || i == begin) {
        log_shape = rows.eta[2 * i + 1], shape = std::exp(log_shape);
        gamma_constant(log_shape, order, c);
      }
      const double z = log_y - rows.eta[2 * i], r = std::exp(z), a = shape * (z - r + 1.0), kr = shape * r, score = kr - shape;
      if (out.value) out.value[i] = w * (c[0] - log_y + a);
      if (order >= 1 && out.d1) out.d1[2 * i] = w * score, out.d1[2 * i + 1] = w * (c[1] + a);
      if (order >= 2 && out.d2) {
        double* h = out.d2 + 3 * i;
        h[0] = -w * kr, h[1] = w * score, h[2] = w * (c[2] + a);
      }
      if (order >= 3 && out.d3) {
        double* t = out.d3 + 4 * i;
        t[0] = w * kr, t[1] = -w * kr, t[2] = w * score, t[3] = w * (c[3] + a);
      }
    }
  }
  bool expected_weight(std::size_t begin, std::size_t end, const Rows& rows, double* weight) const override {
    for (std::size_t i = begin; i < end; ++i) weight[i] = rows.weights[i] * std::exp(rows.eta[2 * i + 1]);
    return true;
  }
};

}  // namespace

FamilyEntry gamma_family() {
  return {"gamma", "Gamma", {"Gamma", "zigamma", "ziGamma"}, {Link::inverse, Link::log, Link::identity}, {"location", "log_shape"},
          "shape: variance mu^2 / shape", "positive", Zeros::hurdle, 1.0, [](const FamilyRequest& r) -> std::unique_ptr<Family> {
            if (r.link == Link::log && r.by_hand) return std::make_unique<GammaLog>();
            return std::make_unique<JetFamily<Gamma>>(Gamma{r.link});
          }};
}

}  // namespace tanada
