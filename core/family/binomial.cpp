// Binomial: y successes of `trials`, including the binomial coefficient.
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct Binomial {
  static constexpr int m = 1;
  Link link;
  template <class T> Nothing shared(const T*) const { return {}; }
  template <class T, class S> T density(double y, double n, const T* eta, const S&) const {
    const Probability<T> p = probability(link, eta[0]);
    T r(log_choose(n, y));
    if (y != 0.0) r = r + y * p.log_p;
    if (y != n) r = r + (n - y) * p.log_q;
    return r;
  }
  double information(double n, const double* eta) const {
    const Probability<Jet<1, 2>> p = probability(link, Jet<1, 2>::variable(eta[0], 0));
    return n * p.log_p.g[0] * p.log_p.g[0] * std::exp(p.log_p.v - p.log_q.v);  // n p'^2 / (p q)
  }
};

// Logit link, by hand: d1 = y - n p, d2 = -n p q, d3 = -n p q (q - p).
class BinomialLogit : public Family {
 public:
  int predictors() const override { return 1; }
  void evaluate(int order, std::size_t begin, std::size_t end, const Rows& rows, const Derivatives& out) const override {
    for (std::size_t i = begin; i < end; ++i) {
      const double eta = rows.eta[i], w = rows.weights[i], y = rows.y[i], n = rows.trials[i];
      if (w == 0.0) {
        clear_row(i, 1, order, out);
        continue;
      }
      const double e = std::exp(-std::fabs(eta)), inv = 1.0 / (1.0 + e);
      const double p = eta >= 0 ? inv : e * inv, q = eta >= 0 ? e * inv : inv;
      if (out.value) {
        // y eta - n log(1 + exp eta), written so that neither part is large when the other one cancels it
        const double tail = std::log1p(e), main = eta >= 0 ? (y - n) * eta : y * eta;
        out.value[i] = w * (main - n * tail + (n == 1.0 ? 0.0 : log_choose(n, y)));
      }
      if (order >= 1 && out.d1) out.d1[i] = w * (y * q - (n - y) * p);
      const double h = w * n * p * q;
      if (order >= 2 && out.d2) out.d2[i] = -h;
      if (order >= 3 && out.d3) out.d3[i] = -h * (q - p);
    }
  }
  bool expected_weight(std::size_t begin, std::size_t end, const Rows& rows, double* weight) const override {
    for (std::size_t i = begin; i < end; ++i) {
      const double e = std::exp(-std::fabs(rows.eta[i])), inv = 1.0 / (1.0 + e);
      weight[i] = rows.weights[i] * rows.trials[i] * e * inv * inv;
    }
    return true;
  }
};

}  // namespace

FamilyEntry binomial_family() {
  return {"binomial", "Binomial", {"bernoulli", "logistic"},
          {Link::logit, Link::probit, Link::cloglog, Link::loglog, Link::cauchit, Link::log, Link::identity},
          {"location"}, "", "trials", Zeros::mixture, 0.0,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> {
            if (r.link == Link::logit && r.by_hand) return std::make_unique<BinomialLogit>();
            return std::make_unique<JetFamily<Binomial>>(Binomial{r.link});
          }};
}

}  // namespace tanada
