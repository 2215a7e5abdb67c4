// Poisson, including log y!.
#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

struct Poisson {
  static constexpr int m = 1;
  Link link;
  template <class T> Nothing shared(const T*) const { return {}; }
  template <class T, class S> T density(double y, double, const T* eta, const S&) const {
    const PositiveMean<T> mean = positive_mean(link, eta[0]);
    const T r = -mean.mu - log_factorial(y);
    return y == 0.0 ? r : r + y * mean.log_mu;
  }
  double information(double, const double* eta) const {
    const Jet<1, 2> mu = mean_of(link, Jet<1, 2>::variable(eta[0], 0));
    return mu.g[0] * mu.g[0] / mu.v;
  }
};

class PoissonLog : public Family {
 public:
  int predictors() const override { return 1; }
  void evaluate(int order, std::size_t begin, std::size_t end, const Rows& rows, const Derivatives& out) const override {
    for (std::size_t i = begin; i < end; ++i) {
      const double eta = rows.eta[i], w = rows.weights[i], y = rows.y[i], mu = w * std::exp(eta);
      if (w == 0.0) {
        clear_row(i, 1, order, out);
        continue;
      }
      if (out.value) out.value[i] = w * (y * eta - log_factorial(y)) - mu;
      if (order >= 1 && out.d1) out.d1[i] = w * y - mu;
      if (order >= 2 && out.d2) out.d2[i] = -mu;
      if (order >= 3 && out.d3) out.d3[i] = -mu;
    }
  }
  bool expected_weight(std::size_t begin, std::size_t end, const Rows& rows, double* weight) const override {
    for (std::size_t i = begin; i < end; ++i) weight[i] = rows.weights[i] * std::exp(rows.eta[i]);
    return true;
  }
};

}  // namespace

FamilyEntry poisson_family() {
  return {"poisson", "Poisson", {}, {Link::log, Link::sqrt, Link::identity}, {"location"}, "", "count", Zeros::mixture, 1.0,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> {
            if (r.link == Link::log && r.by_hand) return std::make_unique<PoissonLog>();
            return std::make_unique<JetFamily<Poisson>>(Poisson{r.link});
          }};
}

}  // namespace tanada
