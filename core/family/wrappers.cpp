// Zero inflation, hurdle and zero truncation of any family. Rows go through the parent in blocks, copied with the parent's number of
// predictors and unit weights.
#include "family/wrappers.hpp"

#include <algorithm>
#include <limits>

#include "family/jet.hpp"
#include "family/special.hpp"

namespace tanada {

namespace {

constexpr std::size_t kBlock = 256;

// Value and packed derivatives of the parent for one block of rows.
struct Block {
  int m;
  std::vector<double> y, trials, ones, eta, value, d1, d2, d3;
  explicit Block(int predictors)
      : m(predictors), y(kBlock), trials(kBlock), ones(kBlock, 1.0), eta(kBlock * m), value(kBlock), d1(kBlock * m),
        d2(kBlock * pairs(m)), d3(kBlock * triples(m)) {}

  void set(std::size_t at, double response, double n, const double* predictors) {
    y[at] = response, trials[at] = n;
    std::copy(predictors, predictors + m, eta.begin() + at * m);
  }
  // Divides the derivatives of one row.
  void divide(std::size_t at, double by) {
    for (int a = 0; a < m; ++a) d1[at * m + a] /= by;
    for (int a = 0; a < pairs(m); ++a) d2[at * pairs(m) + a] /= by;
    for (int a = 0; a < triples(m); ++a) d3[at * triples(m) + a] /= by;
  }
  void evaluate(const Family& family, int order, std::size_t count) {
    Rows rows{y.data(), trials.data(), ones.data(), eta.data()};
    Derivatives out{value.data(), d1.data(), d2.data(), d3.data()};
    family.evaluate(order, 0, count, rows, out);
  }
};

// Adds outer(L) composed with the packed jet at `at` to a target jet of `n` >= m predictors whose first m are the block's. f[0..order] are
// the derivatives of outer at L; the value is left alone.
struct Target {
  double *d1, *d2, *d3;
  int n;
};
int pair_at(int n, int a, int b) { return a * n - a * (a - 1) / 2 + (b - a); }

void add_composed(const Block& b, std::size_t at, int order, const double* f, const Target& out) {
  const int m = b.m, n = out.n;
  const bool linear = f[2] == 0.0 && f[3] == 0.0;  // large derivatives times zero would be NaN
  const double *g = &b.d1[at * m], *h = &b.d2[at * pairs(m)], *t = &b.d3[at * triples(m)];
  for (int i = 0; i < m; ++i) out.d1[i] += f[1] * g[i];
  if (order >= 2)
    for (int i = 0, k = 0; i < m; ++i)
      for (int j = i; j < m; ++j, ++k) out.d2[pair_at(n, i, j)] += f[1] * h[k] + (linear ? 0.0 : f[2] * g[i] * g[j]);
  if (order >= 3) {
    int position = 0, k = 0;
    for (int i = 0; i < n; ++i)
      for (int j = i; j < n; ++j)
        for (int l = j; l < n; ++l, ++position) {
          if (l >= m) continue;
          out.d3[position] += f[1] * t[k];
          if (!linear)
            out.d3[position] += f[3] * g[i] * g[j] * g[l] +
                                f[2] * (h[pair_at(m, i, j)] * g[l] + h[pair_at(m, i, l)] * g[j] + h[pair_at(m, j, l)] * g[i]);
          ++k;
        }
  }
}

// A row's derivatives, gathered before they are weighted and stored.
struct Row {
  double value = 0.0, d1[5], d2[15], d3[35];
  void clear() { *this = Row{0.0, {}, {}, {}}; }
  void store(std::size_t i, int n, int order, double w, const Derivatives& out) const {
    if (out.value) out.value[i] = w == 0.0 ? 0.0 : w * value;
    if (order >= 1 && out.d1)
      for (int a = 0; a < n; ++a) out.d1[i * n + a] = w == 0.0 ? 0.0 : w * d1[a];
    if (order >= 2 && out.d2)
      for (int a = 0; a < pairs(n); ++a) out.d2[i * pairs(n) + a] = w == 0.0 ? 0.0 : w * d2[a];
    if (order >= 3 && out.d3)
      for (int a = 0; a < triples(n); ++a) out.d3[i * triples(n) + a] = w == 0.0 ? 0.0 : w * d3[a];
  }
};

// Adds f(z) for the last predictor.
void add_last(int n, int order, const double* f, double sign, Row& r) {
  r.value += sign * f[0];
  if (order >= 1) r.d1[n - 1] += sign * f[1];
  if (order >= 2) r.d2[pairs(n) - 1] += sign * f[2];
  if (order >= 3) r.d3[triples(n) - 1] += sign * f[3];
}

// log(exp z + exp L): derivatives by way of D = z - L with s = sigmoid(D) the share of structural zeros.
void mix_zero(const Block& b, std::size_t at, double z, int order, Row& r) {
  const int m = b.m, n = m + 1;
  const double L = b.value[at], D = z - L, s = sigmoid(D), q = sigmoid(-D), sq = s * q;
  r.value = D > 0 ? z + std::log1p(std::exp(-D)) : L + std::log1p(std::exp(D));
  if (order == 0) return;
  r.d1[m] = s;
  if (order >= 2) r.d2[pairs(n) - 1] = sq;
  if (order >= 3) r.d3[triples(n) - 1] = sq * (q - s);
  if (q == 0.0) return;
  const double in_L[4] = {0.0, q, sq, -sq * (q - s)};
  add_composed(b, at, order, in_L, {r.d1, r.d2, r.d3, n});
  const double *g = &b.d1[at * m], *h = &b.d2[at * pairs(m)];
  if (order >= 2)
    for (int i = 0; i < m; ++i) r.d2[pair_at(n, i, m)] = -sq * g[i];
  if (order < 3) return;
  int position = 0;
  for (int i = 0; i < n; ++i)
    for (int j = i; j < n; ++j)
      for (int l = j; l < n; ++l, ++position) {
        if (l < m || i == m) continue;
        r.d3[position] = j == m ? -sq * (q - s) * g[i] : sq * (q - s) * g[i] * g[j] - sq * h[pair_at(m, i, j)];
      }
}

class ZeroInflated : public Family {
 public:
  ZeroInflated(std::unique_ptr<Family> parent, bool hurdle) : parent_(std::move(parent)), hurdle_(hurdle) {}
  int predictors() const override { return parent_->predictors() + 1; }

  void evaluate(int order, std::size_t begin, std::size_t end, const Rows& rows, const Derivatives& out) const override {
    const int m = parent_->predictors(), n = m + 1;
    Block block(m);
    std::vector<int> place(kBlock);
    const double identity[4] = {0.0, 1.0, 0.0, 0.0};
    for (std::size_t start = begin; start < end; start += kBlock) {
      const std::size_t stop = std::min(end, start + kBlock);
      std::size_t count = 0;
      for (std::size_t i = start; i < stop; ++i) {
        place[i - start] = -1;
        if (hurdle_ && rows.y[i] == 0.0) continue;
        place[i - start] = static_cast<int>(count);
        block.set(count++, rows.y[i], rows.trials[i], rows.eta + i * n);
      }
      block.evaluate(*parent_, order, count);
      for (std::size_t i = start; i < stop; ++i) {
        const double z = rows.eta[i * n + m];
        const int at = place[i - start];
        Row r;
        r.clear();
        if (at >= 0 && rows.y[i] == 0.0) {
          mix_zero(block, at, z, order, r);
        } else if (at >= 0) {
          r.value = block.value[at];
          if (order >= 1) add_composed(block, at, order, identity, {r.d1, r.d2, r.d3, n});
        } else {
          r.value = z;
          r.d1[m] = 1.0;
        }
        double f[4];
        softplus(z, order, f);
        add_last(n, order, f, -1.0, r);
        if (at < 0) r.value = -softplus_value(-z), r.d1[m] = sigmoid(-z);
        r.store(i, n, order, rows.weights[i], out);
      }
    }
  }

  bool expected_weight(std::size_t begin, std::size_t end, const Rows& rows, double* weight) const override {
    const int m = parent_->predictors(), n = m + 1;
    Block block(m);
    for (std::size_t start = begin; start < end; start += kBlock) {
      const std::size_t stop = std::min(end, start + kBlock);
      for (std::size_t i = start; i < stop; ++i) block.set(i - start, rows.y[i], rows.trials[i], rows.eta + i * n);
      Rows inner{block.y.data(), block.trials.data(), block.ones.data(), block.eta.data()};
      if (!parent_->expected_weight(0, stop - start, inner, block.value.data())) return false;
      for (std::size_t i = start; i < stop; ++i)
        weight[i] = rows.weights[i] * block.value[i - start] * sigmoid(-rows.eta[i * n + m]);
    }
    return true;
  }

 private:
  std::unique_ptr<Family> parent_;
  bool hurdle_;
};

class ZeroTruncated : public Family {
 public:
  explicit ZeroTruncated(std::unique_ptr<Family> parent) : parent_(std::move(parent)) {}
  int predictors() const override { return parent_->predictors(); }

  void evaluate(int order, std::size_t begin, std::size_t end, const Rows& rows, const Derivatives& out) const override {
    const int m = parent_->predictors();
    Block block(m), zero(m);
    const double identity[4] = {0.0, 1.0, 0.0, 0.0};
    for (std::size_t start = begin; start < end; start += kBlock) {
      const std::size_t count = std::min(end - start, kBlock);
      for (std::size_t i = 0; i < count; ++i) {
        block.set(i, rows.y[start + i], rows.trials[start + i], rows.eta + (start + i) * m);
        zero.set(i, 0.0, rows.trials[start + i], rows.eta + (start + i) * m);
      }
      block.evaluate(*parent_, order, count);
      zero.evaluate(*parent_, order, count);
      for (std::size_t i = 0; i < count; ++i) {
        Row r;
        r.clear();
        double f[4];
        log1mexp(-zero.value[i], order, f);  // -log(1 - exp L0): signs by parity of the derivative in L0
        r.value = rows.y[start + i] == 0.0 ? -std::numeric_limits<double>::infinity() : block.value[i] - f[0];
        if (order >= 1) {
          const double L0 = zero.value[i];
          double outer[4] = {0.0, f[1], -f[2], f[3]};
          if (L0 > -1e-60) {  // L0^k times the derivatives goes to -1, 1, -2: scale both sides so that nothing overflows
            outer[1] = -1.0, outer[2] = 1.0, outer[3] = -2.0;
            zero.divide(i, L0);
          }
          add_composed(block, i, order, identity, {r.d1, r.d2, r.d3, m});
          if (f[1] != 0.0) add_composed(zero, i, order, outer, {r.d1, r.d2, r.d3, m});
        }
        r.store(start + i, m, order, rows.weights[start + i], out);
      }
    }
  }

  bool expected_weight(std::size_t begin, std::size_t end, const Rows& rows, double* weight) const override {
    return parent_->expected_weight(begin, end, rows, weight);
  }

 private:
  std::unique_ptr<Family> parent_;
};

}  // namespace

std::unique_ptr<Family> zero_inflated(std::unique_ptr<Family> parent) {
  return std::make_unique<ZeroInflated>(std::move(parent), false);
}
std::unique_ptr<Family> hurdle(std::unique_ptr<Family> parent) {
  return std::make_unique<ZeroInflated>(std::move(parent), true);
}
std::unique_ptr<Family> zero_truncated(std::unique_ptr<Family> parent) {
  return std::make_unique<ZeroTruncated>(std::move(parent));
}

}  // namespace tanada
