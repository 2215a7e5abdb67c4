#include "sem/saturated.hpp"

#include <cmath>
#include <stdexcept>

namespace tanada::sem {
namespace {

constexpr int kScoringLimit = 20;  // variables up to which the optimum is polished by Fisher scoring
constexpr int kWarmCycles = 8;     // EM cycles before that

struct Moments {
  Matrix cov;
  Vector mean;
};

// One EM step from `at`; `value` is -2 l at `at`. False outside the domain.
bool em_step(const std::vector<Pattern>& patterns, double N, const Moments& at, Moments& next, double& value) {
  Matrix G;
  Vector g;
  value = 0.0;
  if (!fiml_terms(patterns, at.cov, at.mean, value, &G, &g)) return false;
  const Vector shift = at.cov * g / (-2.0 * N);
  const Matrix CG = at.cov * G;
  next.mean = at.mean + shift;
  next.cov = at.cov - shift * shift.transpose();
  next.cov.noalias() -= CG * at.cov / N;
  next.cov = (0.5 * (next.cov + next.cov.transpose())).eval();
  return true;
}

Vector packed(const Moments& m) {
  Vector out(m.mean.size() + m.cov.size());
  out << m.mean, m.cov.reshaped();
  return out;
}

Moments unpacked(const Vector& v, Eigen::Index p) {
  Moments m;
  m.mean = v.head(p);
  m.cov = v.tail(p * p).reshaped(p, p);
  return m;
}

// Two EM steps and an extrapolation, taken only where -2 l falls.
bool cycle(const std::vector<Pattern>& patterns, double N, Moments& at, double& value) {
  Moments a, b, c;
  double va, vb, vc;
  if (!em_step(patterns, N, at, a, va) || !em_step(patterns, N, a, b, vb)) return false;
  const Vector x0 = packed(at), r = packed(a) - x0, v = packed(b) - packed(a) - r;
  const double norm = v.norm();
  value = vb;
  if (norm > 0) {
    const double alpha = std::min(-1.0, -r.norm() / norm);
    const Moments far = unpacked(x0 - 2.0 * alpha * r + alpha * alpha * v, at.mean.size());
    if (em_step(patterns, N, far, c, vc) && vc < vb) {  // c is one stabilising step further
      value = vc;
      at = c;
      return true;
    }
  }
  at = b;
  return true;
}

Moments start_moments(const FimlGroup& d) {
  Moments m{Matrix::Zero(d.p, d.p), Vector::Zero(d.p)};
  for (int k = 0; k < d.p; ++k) {
    double n = 0.0, mean = 0.0, ss = 0.0;
    for (std::int64_t i = 0; i < d.N; ++i) {
      const double v = d.y[i * d.p + k];
      if (std::isnan(v)) continue;
      const double delta = v - mean;
      n += 1.0, mean += delta / n, ss += delta * (v - mean);
    }
    if (n == 0.0) throw std::invalid_argument("a variable has no observed values");
    m.mean[k] = mean;
    m.cov(k, k) = ss > 0 ? ss / n : 1.0;
  }
  return m;
}

std::shared_ptr<const Model> saturated_model(int p) {
  std::vector<Cell> cells;
  int k = 0;
  for (int j = 0; j < p; ++j)
    for (int i = j; i < p; ++i) cells.push_back({Slot::theta, i, j, k++, 0.0});
  for (int i = 0; i < p; ++i) cells.push_back({Slot::nu, i, 0, k++, 0.0});
  auto model = std::make_shared<Model>();
  model->n_free = k;
  model->blocks.emplace_back(p, 0, std::move(cells), k);
  return model;
}

// Fisher scoring from EM's moments.
bool polish(const FimlGroup& data, Moments& m, double& value) {
  const FimlObjective f(saturated_model(data.p), {data});
  Vector x(f.size());
  int k = 0;
  for (int j = 0; j < data.p; ++j)
    for (int i = j; i < data.p; ++i) x[k++] = m.cov(i, j);
  x.tail(data.p) = m.mean;
  const Vector bound = Vector::Constant(f.size(), std::numeric_limits<double>::infinity());
  MinimizeOptions o;
  o.tol_decrease = 1e-9;
  const MinimizeOutcome out = f.fit(x, -bound, bound, o);
  if (!(out.value <= value)) return false;
  k = 0;
  for (int j = 0; j < data.p; ++j)
    for (int i = j; i < data.p; ++i) m.cov(i, j) = m.cov(j, i) = out.x[k++];
  m.mean = out.x.tail(data.p);
  value = out.value;
  return out.converged;
}

}  // namespace

SaturatedOutcome saturated_fiml(const FimlGroup& data, int max_iterations, double tol) {
  const std::vector<Pattern> patterns = missing_patterns(data);
  double N = 0.0;
  for (const Pattern& r : patterns) N += r.n;
  SaturatedOutcome out;
  Moments m = start_moments(data);
  double value = std::numeric_limits<double>::infinity();
  const bool polished = data.p <= kScoringLimit;
  const int limit = polished ? kWarmCycles : max_iterations;
  int still = 0;
  for (; out.iterations < limit && still < 3; ++out.iterations) {
    const double before = value;
    if (!cycle(patterns, N, m, value)) break;
    still = before - value < tol ? still + 1 : 0;
  }
  out.converged = still >= 3;
  value = 0.0;
  fiml_terms(patterns, m.cov, m.mean, value, nullptr, nullptr);
  if (polished && polish(data, m, value)) out.converged = true;
  out.loglik = -0.5 * value;
  out.mean = m.mean, out.cov = m.cov;
  return out;
}

}  // namespace tanada::sem
