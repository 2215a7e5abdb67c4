#include "optim/minimize.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace tanada {
namespace {

constexpr double kArmijo = 1e-4;
constexpr double kEps = 2.2e-16;

struct Point {
  Vector x, g;
  double f = 0.0;
};

double scaled_projected_gradient(const Point& p, const Vector& lo, const Vector& hi) {
  double worst = 0.0;
  for (Eigen::Index i = 0; i < p.x.size(); ++i) {
    const bool held = (p.x[i] <= lo[i] && p.g[i] > 0) || (p.x[i] >= hi[i] && p.g[i] < 0);
    if (!held) worst = std::max(worst, std::abs(p.g[i]) * std::max(std::abs(p.x[i]), 1.0));
  }
  return worst / std::max(std::abs(p.f), 1.0);
}

std::vector<int> free_set(const Point& p, const Vector& lo, const Vector& hi) {
  std::vector<int> out;
  for (int i = 0; i < p.x.size(); ++i)
    if (!((p.x[i] <= lo[i] && p.g[i] > 0) || (p.x[i] >= hi[i] && p.g[i] < 0))) out.push_back(i);
  return out;
}

// Newton step on the free variables; a ridge makes an indefinite approximation usable.
Vector reduced_step(const Matrix& B, const Vector& g, const std::vector<int>& free, double& decrease) {
  const int m = static_cast<int>(free.size());
  Matrix R(m, m);
  Vector r(m);
  for (int a = 0; a < m; ++a) {
    r[a] = -g[free[a]];
    for (int b = 0; b < m; ++b) R(a, b) = B(free[a], free[b]);
  }
  double ridge = 0.0;
  Vector step = Vector::Zero(g.size());
  for (int attempt = 0; attempt < 30; ++attempt) {
    Matrix Q = R;
    Q.diagonal().array() += ridge;
    Eigen::LLT<Matrix> llt(Q);
    if (llt.info() == Eigen::Success) {
      const Vector s = llt.solve(r);
      if (s.allFinite() && s.dot(r) > 0) {
        for (int a = 0; a < m; ++a) step[free[a]] = s[a];
        decrease = 0.5 * s.dot(r);
        return step;
      }
    }
    ridge = ridge == 0.0 ? 1e-8 * std::max(R.diagonal().cwiseAbs().maxCoeff(), 1e-12) : ridge * 10.0;
  }
  for (int a = 0; a < m; ++a) step[free[a]] = r[a];
  decrease = 0.5 * r.squaredNorm();
  return step;
}

// Damped BFGS (Powell 1978): the approximation stays positive definite.
void update(Matrix& B, const Vector& s, const Vector& y_in) {
  const Vector Bs = B * s;
  const double sBs = s.dot(Bs);
  if (!(sBs > 0)) return;
  Vector y = y_in;
  const double sy = s.dot(y);
  if (sy < 0.2 * sBs) {
    const double t = 0.8 * sBs / (sBs - sy);
    y = t * y_in + (1 - t) * Bs;
  }
  const double sy2 = s.dot(y);
  if (!(sy2 > 1e-300)) return;
  B.noalias() -= Bs * Bs.transpose() / sBs;
  B.noalias() += y * y.transpose() / sy2;
}

double cubic_step(double f0, double d0, double t, double ft, double previous_t, double previous_f) {
  double out;
  if (!std::isfinite(ft)) return 0.25 * t;
  if (previous_t <= 0 || !std::isfinite(previous_f)) {
    out = -d0 * t * t / (2.0 * (ft - f0 - d0 * t));
  } else {
    const double a1 = (ft - f0 - d0 * t) / (t * t), a2 = (previous_f - f0 - d0 * previous_t) / (previous_t * previous_t);
    const double a = (a1 - a2) / (t - previous_t), b = (a2 * t - a1 * previous_t) / (t - previous_t);
    const double disc = b * b - 3 * a * d0;
    out = a == 0 ? -d0 / (2 * b) : (disc < 0 ? 0.5 * t : (-b + std::sqrt(disc)) / (3 * a));
  }
  if (!std::isfinite(out)) out = 0.5 * t;
  return std::clamp(out, 0.1 * t, 0.5 * t);
}

}  // namespace

MinimizeOutcome minimize(const Objective& objective, const Vector& start, const Vector& lower, const Vector& upper,
                         const MinimizeOptions& opt, const Curvature& curvature) {
  const Eigen::Index d = start.size();
  MinimizeOutcome out;
  Point p;
  p.x = start.cwiseMax(lower).cwiseMin(upper);
  p.g.resize(d);
  auto evaluate = [&](const Vector& x, double& f, Vector* g) {
    ++out.evaluations;
    const Evaluation e = objective(x, g);
    f = e.status == Status::ok && std::isfinite(e.value) && (!g || g->allFinite()) ? e.value
                                                                                    : std::numeric_limits<double>::infinity();
  };
  evaluate(p.x, p.f, &p.g);
  if (!std::isfinite(p.f)) {
    out.x = p.x, out.gradient = Vector::Zero(d), out.hessian = Matrix::Identity(d, d);
    out.value = p.f;
    out.message = "the objective cannot be evaluated at the start values";
    return out;
  }
  Matrix B;
  bool scaled = false;  // B carries the scale of the problem
  Matrix fresh;
  auto refresh = [&] {  // B stays as it is where there is no curvature
    if (!curvature || !curvature(p.x, fresh) || fresh.rows() != d || !fresh.allFinite()) return false;
    B = fresh;
    return true;
  };
  if (refresh()) scaled = true;
  if (!scaled) B = Matrix::Identity(d, d);
  bool reset_tried = false;
  int small_steps = 0;
  double decrease = 0.0;
  for (out.iterations = 0; out.iterations < opt.max_iterations; ++out.iterations) {
    const double spg = scaled_projected_gradient(p, lower, upper);
    const std::vector<int> free = free_set(p, lower, upper);
    if (free.empty()) {
      out.converged = true, out.message = "all parameters at their bounds";
      decrease = 0.0;
      break;
    }
    Vector step = reduced_step(B, p.g, free, decrease);
    if (!scaled) {
      const double norm = step.norm();
      if (norm > opt.first_step) step *= opt.first_step / norm;
    } else if (decrease < opt.tol_decrease && spg < std::sqrt(opt.tol_gradient)) {
      out.converged = true, out.message = "predicted decrease below tolerance";
      break;
    }
    if (spg < 1e-3 * opt.tol_gradient) {
      out.converged = true, out.message = "gradient below tolerance";
      break;
    }
    // search along the projected path
    double t = 1.0, previous_t = 0.0, previous_f = 0.0;
    const double slope = p.g.dot(step);
    Point q;
    q.g.resize(d);
    bool found = false;
    for (int trial = 0; trial < 40; ++trial) {
      q.x = (p.x + t * step).cwiseMax(lower).cwiseMin(upper);
      const Vector moved = q.x - p.x;
      if (moved.cwiseAbs().maxCoeff() <= 4 * kEps * std::max(1.0, p.x.cwiseAbs().maxCoeff())) break;
      evaluate(q.x, q.f, &q.g);
      const double expected = p.g.dot(moved);
      const double noise = 10 * kEps * std::max(std::abs(p.f), 1.0);
      if (std::isfinite(q.f) && q.f <= p.f + kArmijo * std::min(expected, 0.0) + noise) {
        found = true;
        break;
      }
      const double next = cubic_step(p.f, slope, t, q.f, previous_t, previous_f);
      previous_t = t, previous_f = q.f;
      t = next;
    }
    if (!found) {
      if (!reset_tried && scaled) {  // a poor approximation: start again from the curvature or the identity
        reset_tried = true;
        if (!refresh()) B = Matrix::Identity(d, d), scaled = false;
        continue;
      }
      out.converged = spg < std::sqrt(opt.tol_gradient) * 0.1;
      out.message = "no further decrease along the search direction";
      break;
    }
    reset_tried = false;
    const Vector s = q.x - p.x, y = q.g - p.g;
    if (!scaled && s.dot(y) > 0) {
      B = Matrix::Identity(d, d) * (y.squaredNorm() / s.dot(y));
      scaled = true;
    }
    const double gained = p.f - q.f;
    p = q;
    const bool far = gained > 1e-3 * std::max(1.0, std::abs(p.f) * 1e-4);
    if (!(far && out.iterations < opt.scoring_iterations && refresh())) update(B, s, y);
    small_steps = gained <= 1e-13 * std::max(std::abs(p.f), 1.0) ? small_steps + 1 : 0;
    if (small_steps >= 3) {
      const double now = scaled_projected_gradient(p, lower, upper);
      out.converged = now < std::sqrt(opt.tol_gradient) * 0.1;
      out.message = "the objective no longer changes";
      ++out.iterations;
      break;
    }
  }
  if (out.message.empty()) out.message = "iteration limit reached";
  out.x = p.x, out.gradient = p.g, out.value = p.f, out.hessian = B;
  out.scaled_gradient = scaled_projected_gradient(p, lower, upper);
  out.predicted_decrease = decrease;
  return out;
}

}  // namespace tanada
