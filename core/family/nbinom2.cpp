// Negative binomial with variance mu (1 + mu / phi), second predictor log phi.
//
// With u = log mu - log phi the log-density is log_rise(y, log phi) - log y! + y log mu - (y + phi) log(1 + exp u), which goes to the
// Poisson one as phi grows.
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct Nbinom2 {
  static constexpr int m = 2;
  Link link;
  template <class T> T shared(const T* eta) const {
    using std::exp;
    return exp(eta[1]);
  }
  template <class T> T density(double y, double, const T* eta, const T& phi) const {
    const T log_mu = positive_mean(link, eta[0]).log_mu;
    T r = -((y + phi) * softplus(log_mu - eta[1]));
    if (y == 0.0) return r;
    return r + log_rise(y, eta[1]) + y * log_mu - log_factorial(y);
  }
  double information(double, const double* eta) const {
    const Jet<1, 2> mu = mean_of(link, Jet<1, 2>::variable(eta[0], 0));
    return mu.g[0] * mu.g[0] / (mu.v * (1.0 + mu.v * std::exp(-eta[1])));
  }
};

class Nbinom2Log : public Family {
 public:
  int predictors() const override { return 2; }
  void evaluate(int order, std::size_t begin, std::size_t end, const Rows& rows, const Derivatives& out) const override {
    double log_phi = 0.0, phi = 1.0;
    for (std::size_t i = begin; i < end; ++i) {
      const double eta = rows.eta[2 * i], w = rows.weights[i], y = rows.y[i];
      if (w == 0.0) {
        clear_row(i, 2, order, out);
        continue;
      }
      if (rows.eta[2 * i + 1] != log_phi || i == begin) log_phi = rows.eta[2 * i + 1], phi = std::exp(log_phi);
      double rise[4] = {0.0, 0.0, 0.0, 0.0};
      if (y != 0.0 && (out.value || order >= 1)) log_rise(y, log_phi, order, rise);
      const double u = eta - log_phi, e = std::exp(-std::fabs(u)), inv = 1.0 / (1.0 + e);
      const double s = u >= 0 ? inv : e * inv, q = u >= 0 ? e * inv : inv;  // mu/(mu + phi), phi/(mu + phi)
      const double sp = (u > 0 ? u : 0.0) + std::log1p(e), size = y + phi, sq = s * q;
      if (out.value)
        out.value[i] = w * (rise[0] + (y == 0.0 ? 0.0 : y * eta - log_factorial(y)) - size * sp);
      if (order >= 1 && out.d1) {
        out.d1[2 * i] = w * (y * q - phi * s);
        out.d1[2 * i + 1] = w * (rise[1] + phi * (s - sp) + y * s);
      }
      if (order >= 2 && out.d2) {
        double* h = out.d2 + 3 * i;
        h[0] = -w * size * sq;
        h[1] = w * (size * sq - phi * s);
        h[2] = w * (rise[2] + phi * (2.0 * s - sp) - size * sq);
      }
      if (order >= 3 && out.d3) {
        double* t = out.d3 + 4 * i;
        const double c = size * sq * (q - s);
        t[0] = -w * c;
        t[1] = w * (c - phi * sq);
        t[2] = w * (2.0 * phi * sq - phi * s - c);
        t[3] = w * (rise[3] + phi * (3.0 * s - sp - 3.0 * sq) + c);
      }
    }
  }
  bool expected_weight(std::size_t begin, std::size_t end, const Rows& rows, double* weight) const override {
    for (std::size_t i = begin; i < end; ++i) {
      const double eta = rows.eta[2 * i];
      weight[i] = rows.weights[i] * std::exp(eta - softplus_value(eta - rows.eta[2 * i + 1]));  // mu / (1 + mu / phi)
    }
    return true;
  }
};

}  // namespace

FamilyEntry nbinom2_family() {
  return {"nbinom2", "Negative binomial (quadratic variance)", {"negbin", "nb2", "negative_binomial", "negativebinomial", "nb", "nbinom"},
          {Link::log, Link::sqrt, Link::identity}, {"location", "log_phi"}, "phi: variance mu (1 + mu / phi)", "count",
          Zeros::mixture, 1.0,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> {
            if (r.link == Link::log && r.by_hand) return std::make_unique<Nbinom2Log>();
            return std::make_unique<JetFamily<Nbinom2>>(Nbinom2{r.link});
          }};
}

}  // namespace tanada
