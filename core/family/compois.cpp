// Conway-Maxwell-Poisson parametrised by its mean (Huang 2017), second predictor log phi = -log nu: f(y) = lambda^y / (y!)^nu / Z(lambda, nu) with
// lambda such that the mean is mu; the variance is about phi mu.
//
// log Z is a cumulant function of (y, -log y!) in (l, nu), l = log lambda: its derivatives are joint cumulants, summed over the counts that carry
// weight. l(mu, nu) solves d log Z / d l = mu; Newton steps on jets give its derivatives, one order a step.
#include <algorithm>
#include <limits>

#include "family/entries.hpp"
#include "family/jet_family.hpp"

namespace tanada {

namespace {

constexpr std::size_t kMostTerms = 200000;

// log Z and the joint cumulants k[a][b] of (y, -log y!).
struct Cumulants {
  double log_z = 0.0, k[5][5] = {};
};

struct Count {
  double y, b, weight;
};

std::vector<Count>& counts() {
  thread_local std::vector<Count> c;
  return c;
}

// j^-nu for j = 1, 2, ...: with these the weights follow one from the other without an exponential. Kept while nu stays the same.
class Powers {
 public:
  void use(double nu) {
    if (nu != nu_) nu_ = nu, values_.assign(1, 1.0);
  }
  double operator()(double j) {
    const auto at = static_cast<std::size_t>(j);
    while (values_.size() <= at) values_.push_back(std::exp(-nu_ * std::log(static_cast<double>(values_.size()))));
    return values_[at];
  }

 private:
  double nu_ = -1.0;
  std::vector<double> values_;
};

Powers& powers(double nu) {
  thread_local Powers p;
  p.use(nu);
  return p;
}

constexpr double kLeastWeight = 4.25e-18;  // exp(-40)

struct Shape {
  double mode, sd;
};
Shape shape_of(double l, double nu) {
  const double mode = std::floor(std::exp(std::min(l / nu, 700.0)));
  return {mode, std::sqrt(std::max(mode, 1.0) / nu)};
}
// Step from one count to the next that is summed: above one only where the weights are so smooth that the sum stays exact to rounding.
double stride_of(const Shape& s) { return s.sd < 8.0 || s.mode < 10.0 * s.sd ? 1.0 : std::floor(s.sd / 4.0); }

// The counts that carry weight, with weights relative to the mode's (whose logarithm is `top`). Returns the stride, 0
// when there are too many terms.
double collect(double l, double nu, double* top) {
  std::vector<Count>& c = counts();
  c.clear();
  const Shape shape = shape_of(l, nu);
  const double mode = shape.mode, stride = stride_of(shape);
  if (!(mode < 1e15)) return 0.0;
  *top = mode * l - nu * log_factorial(mode);
  c.push_back({mode, -log_factorial(mode), 1.0});
  if (stride > 1.0) {
    auto add = [&](double y) {
      const double b = -log_factorial(y);
      c.push_back({y, b, std::exp(y * l + nu * b - *top)});
      return c.back().weight > kLeastWeight;
    };
    for (double y = mode + stride; add(y); y += stride)
      if (c.size() > kMostTerms) return 0.0;
    for (double y = mode - stride; y >= 0.0 && add(y); y -= stride) {
    }
    return stride;
  }
  if (mode > 1e6) return 0.0;
  Powers& power = powers(nu);
  const double lambda = std::exp(l);
  double weight = 1.0;
  for (double y = mode + 1.0; weight > kLeastWeight; y += 1.0) {
    weight *= lambda * power(y);
    c.push_back({y, -log_factorial(y), weight});
    if (c.size() > kMostTerms) return 0.0;
  }
  weight = 1.0;
  for (double y = mode; y >= 1.0 && weight > kLeastWeight; y -= 1.0) {
    weight /= lambda * power(y);
    c.push_back({y - 1.0, -log_factorial(y - 1.0), weight});
  }
  return stride;
}

Cumulants cumulants(double l, double nu, int order) {
  Cumulants out;
  double top = 0.0, total = 0.0, rest = 0.0;
  const double stride = collect(l, nu, &top);
  if (stride == 0.0) {
    out.log_z = out.k[1][0] = std::numeric_limits<double>::quiet_NaN();
    return out;
  }
  std::vector<Count>& c = counts();
  for (Count& x : c) {
    total += x.weight;
    if (x.y > 0.0) rest += x.weight;
  }
  const bool zero_first = c.front().y == 0.0;  // the mode is zero: keep the digits of a log Z near zero
  out.log_z = zero_first ? std::log1p(rest) : top + std::log(total * stride);
  double mean = 0.0, mean_b = 0.0;
  for (Count& x : c) x.weight /= total, mean += x.weight * x.y, mean_b += x.weight * x.b;
  out.k[1][0] = mean, out.k[0][1] = mean_b;
  if (order < 2) {
    for (const Count& x : c) out.k[2][0] += x.weight * (x.y - mean) * (x.y - mean);
    return out;
  }
  double m[5][5] = {};
  for (const Count& x : c) {
    const double a = x.y - mean, b = x.b - mean_b, w = x.weight, aa = w * a * a, ab = w * a * b, bb = w * b * b;
    m[2][0] += aa, m[1][1] += ab, m[0][2] += bb;
    m[3][0] += aa * a, m[2][1] += aa * b, m[1][2] += ab * b, m[0][3] += bb * b;
    if (order >= 4) m[4][0] += aa * a * a, m[3][1] += aa * a * b, m[2][2] += aa * b * b, m[1][3] += ab * b * b;
  }
  for (int i = 0; i <= 3; ++i)
    for (int j = i < 2 ? 2 - i : 0; i + j <= 3; ++j) out.k[i][j] = m[i][j];
  out.k[4][0] = m[4][0] - 3.0 * m[2][0] * m[2][0];
  out.k[3][1] = m[3][1] - 3.0 * m[2][0] * m[1][1];
  out.k[2][2] = m[2][2] - m[2][0] * m[0][2] - 2.0 * m[1][1] * m[1][1];
  out.k[1][3] = m[1][3] - 3.0 * m[1][1] * m[0][2];
  return out;
}

// Mean and variance only; NaN when there are too many terms.
struct Moments {
  double mean, variance;
};
Moments moments(double l, double nu) {
  const Shape shape = shape_of(l, nu);
  if (!(shape.mode <= 1e6) || stride_of(shape) > 1.0) {
    const Cumulants c = cumulants(l, nu, 1);
    return {c.k[1][0], c.k[2][0]};
  }
  Powers& power = powers(nu);
  const double lambda = std::exp(l), mode = shape.mode;
  double weight = 1.0, total = 1.0, first = 0.0, second = 0.0, d = 1.0;
  for (; weight > kLeastWeight; d += 1.0) {
    weight *= lambda * power(mode + d);
    total += weight, first += weight * d, second += weight * d * d;
    if (d > kMostTerms) return {std::numeric_limits<double>::quiet_NaN(), 0.0};
  }
  weight = 1.0;
  for (d = -1.0; mode + d >= 0.0 && weight > kLeastWeight; d -= 1.0) {
    weight /= lambda * power(mode + d + 1.0);
    total += weight, first += weight * d, second += weight * d * d;
  }
  first /= total;
  return {mode + first, second / total - first * first};
}

// l with d log Z / d l = mu: safeguarded Newton on the logarithm of the mean, which is close to linear in l.
double log_lambda(double log_mu, double nu) {
  const double mu = std::exp(log_mu), shifted = mu + 0.5 * (nu - 1.0) / nu;
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  double l = mu > 1.0 && shifted > 0.3 ? nu * std::log(shifted) : log_mu;
  if (nu < 1.0 && !(shifted > 0.5 * mu)) l = nu * log_mu - (1.0 - nu) * std::log1p(1.0 / mu);  // between Poisson and geometric
  int failures = 0;
  for (int i = 0; i < 100; ++i) {
    const Moments m = moments(l, nu);
    const double gap = std::log(m.mean) - log_mu;
    if (!std::isfinite(gap)) {  // too many terms: too large a lambda, or an answer with too many
      if (++failures > 3) return std::numeric_limits<double>::quiet_NaN();
      high = l;
      l = std::isfinite(low) ? 0.5 * (low + high) : l - (1.0 + std::fabs(l) * 0.1);
      continue;
    }
    (gap > 0.0 ? high : low) = l;
    const double step = std::clamp(-gap * m.mean / m.variance, -5.0, 5.0);
    double next = l + step;
    if (!(next > low && next < high)) next = std::isfinite(low) && std::isfinite(high) ? 0.5 * (low + high) : l + step;
    if (std::fabs(step) <= 1e-14 * (1.0 + std::fabs(l)) || next == l) return l;
    if (std::fabs(gap) < 1e-9) return next;  // the last Newton step squares the error
    l = next;
  }
  return l;
}

// Large means, where log Z has an expansion (Gaunt et al. 2019): with a = lambda^(1/nu) the mean is a - (nu - 1)/(2 nu) and
// log Z = nu a - (nu - 1) log(a) / 2 - (nu - 1) log(2 pi) / 2 - log(nu) / 2.
template <class T> T large_mean(double y, const T& mu, const T& nu) {
  using std::log;
  const T a = mu + 0.5 * ((nu - 1.0) / nu), log_a = log(a);
  return nu * (y * log_a - a - log_factorial(y)) + 0.5 * ((nu - 1.0) * (log_a + 2.0 * kLogSqrt2Pi) + log(nu));
}

// The solution of a mean and nu with its cumulants; rows with the same predictors come one after the other often enough to keep the last.
struct Solution {
  double log_mu = std::numeric_limits<double>::quiet_NaN(), nu = 0.0, l = 0.0;
  int order = -1;
  Cumulants c;
};
const Solution& solve(double log_mu, double nu, int order) {
  thread_local Solution last;
  const bool same = last.log_mu == log_mu && last.nu == nu;
  if (!same) last.log_mu = log_mu, last.nu = nu, last.l = log_lambda(log_mu, nu);
  if (!same || last.order < order) last.c = cumulants(last.l, nu, order), last.order = order;
  return last;
}

double density_at(double y, double log_mu, double nu) {
  const Solution& s = solve(log_mu, nu, 1);
  return y * s.l - s.c.log_z - nu * log_factorial(y);
}

template <int M, int K> Jet<M, K> density_at(double y, const Jet<M, K>& log_mu, const Jet<M, K>& nu) {
  const Solution& s = solve(log_mu.v, nu.v, K + 1);
  const Cumulants& c = s.c;
  Jet<M, K> l(s.l);
  Jet<2, K> mean(c.k[1][0]), log_z(c.log_z);
  mean.g = {c.k[2][0], c.k[1][1]}, log_z.g = {c.k[1][0], c.k[0][1]};
  mean.h = {c.k[3][0], c.k[2][1], c.k[1][2]}, log_z.h = {c.k[2][0], c.k[1][1], c.k[0][2]};
  if constexpr (K >= 3) mean.t = {c.k[4][0], c.k[3][1], c.k[2][2], c.k[1][3]}, log_z.t = {c.k[3][0], c.k[2][1], c.k[1][2], c.k[0][3]};
  const Jet<M, K> mu = exp(log_mu);
  for (int i = 0; i < K; ++i) {
    Jet<M, K> residual = compose(mean, l, nu) - mu;
    residual.v = 0.0;
    l = l - residual / c.k[2][0];
  }
  return y * l - compose(log_z, l, nu) - nu * log_factorial(y);
}

struct ConwayMaxwellPoisson {
  static constexpr int m = 2;
  Link link;
  template <class T> T shared(const T* eta) const {
    using std::exp;
    return exp(-eta[1]);
  }
  template <class T> T density(double y, double, const T* eta, const T& nu) const {
    const PositiveMean<T> mean = positive_mean(link, eta[0]);
    const double mu = value_of(mean.mu);
    if (mu > 1e6 && mu * value_of(nu) > 1e6) return large_mean(y, mean.mu, nu);
    return density_at(y, mean.log_mu, nu);
  }
  double information(double, const double* eta) const {
    const MeanPoint p = mean_point(link, eta[0]);
    const double nu = std::exp(-eta[1]);
    if (p.mu > 1e6 && p.mu * nu > 1e6) return p.slope * p.slope * nu / p.mu;
    return p.slope * p.slope / solve(std::log(p.mu), nu, 1).c.k[2][0];
  }
};

}  // namespace

FamilyEntry compois_family() {
  return {"compois", "Conway-Maxwell-Poisson", {"com_poisson", "conway_maxwell_poisson", "cmp"}, {Link::log, Link::sqrt, Link::identity},
          {"location", "log_phi"}, "phi: variance about phi mu", "count", Zeros::mixture, 1.0,
          [](const FamilyRequest& r) -> std::unique_ptr<Family> {
            return std::make_unique<JetFamily<ConwayMaxwellPoisson>>(ConwayMaxwellPoisson{r.link});
          }};
}

}  // namespace tanada
