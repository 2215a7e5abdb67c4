// From a log-density template to a Family: evaluates a batch of rows with jets.
//
// A model has: `static constexpr int m` (predictors); `template <class T> auto shared(const T* eta) const`, whatever depends on the
// predictors after the first only (computed again only when they change from one row to the next: they are mostly constant);
// `template <class T, class S> T density(double y, double trials, const T* eta, const S& shared) const`, the log-density; and
// `double information(double trials, const double* eta) const`, a positive weight near E[-d2] of the location.
#pragma once
#include <algorithm>
#include <utility>

#include "family/family.hpp"
#include "family/jet.hpp"

namespace tanada {

struct Nothing {};

// A row without weight: zeros, whatever its predictors.
inline void clear_row(std::size_t i, int m, int order, const Derivatives& out) {
  if (out.value) out.value[i] = 0.0;
  if (order >= 1 && out.d1) std::fill_n(out.d1 + i * m, m, 0.0);
  if (order >= 2 && out.d2) std::fill_n(out.d2 + i * pairs(m), pairs(m), 0.0);
  if (order >= 3 && out.d3) std::fill_n(out.d3 + i * triples(m), triples(m), 0.0);
}

template <class Model> class JetFamily : public Family {
 public:
  static constexpr int m = Model::m;
  explicit JetFamily(Model model) : model_(std::move(model)) {}
  int predictors() const override { return m; }

  void evaluate(int order, std::size_t begin, std::size_t end, const Rows& rows, const Derivatives& out) const override {
    if (order == 0) return run_values(begin, end, rows, out);
    if (order <= 2) return run<2>(order, begin, end, rows, out);
    run<3>(order, begin, end, rows, out);
  }

  bool expected_weight(std::size_t begin, std::size_t end, const Rows& rows, double* weight) const override {
    for (std::size_t i = begin; i < end; ++i) weight[i] = rows.weights[i] * model_.information(rows.trials[i], rows.eta + i * m);
    return true;
  }

 private:
  static bool same_tail(const double* a, const double* b) {
    for (int j = 1; j < m; ++j)
      if (a[j] != b[j]) return false;
    return true;
  }

  void run_values(std::size_t begin, std::size_t end, const Rows& rows, const Derivatives& out) const {
    if (begin >= end) return;
    auto shared = model_.shared(rows.eta + begin * m);
    for (std::size_t i = begin; i < end; ++i) {
      const double* eta = rows.eta + i * m;
      if (i > begin && !same_tail(eta, eta - m)) shared = model_.shared(eta);
      out.value[i] = rows.weights[i] == 0.0 ? 0.0 : rows.weights[i] * model_.density(rows.y[i], rows.trials[i], eta, shared);
    }
  }

  template <int K> void run(int order, std::size_t begin, std::size_t end, const Rows& rows, const Derivatives& out) const {
    using T = Jet<m, K>;
    if (begin >= end) return;
    std::array<T, m> x;
    for (int a = 0; a < m; ++a) x[a] = T::variable(rows.eta[begin * m + a], a);
    auto shared = model_.shared(x.data());
    for (std::size_t i = begin; i < end; ++i) {
      const double* eta = rows.eta + i * m;
      for (int a = 0; a < m; ++a) x[a].v = eta[a];
      if (i > begin && !same_tail(eta, eta - m)) shared = model_.shared(x.data());
      const double w = rows.weights[i];
      const T r = w == 0.0 ? T(0.0) : model_.density(rows.y[i], rows.trials[i], x.data(), shared) * w;
      if (out.value) out.value[i] = r.v;
      if (out.d1)
        for (int a = 0; a < m; ++a) out.d1[i * m + a] = r.g[a];
      if (order >= 2 && out.d2)
        for (int a = 0; a < pairs(m); ++a) out.d2[i * pairs(m) + a] = r.h[a];
      if constexpr (K >= 3)
        if (out.d3)
          for (int a = 0; a < triples(m); ++a) out.d3[i * triples(m) + a] = r.t[a];
    }
  }

  Model model_;
};

}  // namespace tanada
