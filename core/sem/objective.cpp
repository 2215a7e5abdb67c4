#include "sem/objective.hpp"

#include <cmath>
#include <limits>

#include "linalg/parallel.hpp"

namespace tanada::sem {

// Eigen's kernels throughout: the matrices have at most a few hundred rows, where a threaded BLAS costs more than it saves.
bool safe_cholesky(Matrix& a) {
  const Vector diagonal = a.diagonal();
  const Eigen::LLT<Eigen::Ref<Matrix>, Eigen::Lower> llt(a);
  if (llt.info() != Eigen::Success) return false;
  for (Eigen::Index i = 0; i < a.rows(); ++i)
    if (!(a(i, i) * a(i, i) > kPivot * diagonal[i])) return false;
  return true;
}

bool invert_spd(const Matrix& sigma, Matrix& inverse, double& log_det) {
  Matrix L = sigma;
  if (!safe_cholesky(L)) return false;
  log_det = 2.0 * L.diagonal().array().log().sum();
  const Eigen::Index p = L.rows();
  Matrix half = Matrix::Identity(p, p);
  L.triangularView<Eigen::Lower>().solveInPlace(half);
  inverse.setZero(p, p);
  inverse.selfadjointView<Eigen::Lower>().rankUpdate(half.transpose());
  inverse.triangularView<Eigen::StrictlyUpper>() = inverse.transpose();
  return true;
}

namespace {

// Scale of each parameter: its standard error by the expected information, or 1 + |x| where that says nothing.
Vector parameter_scale(const SemObjective& f, const Vector& x) {
  Matrix info = Matrix::Zero(x.size(), x.size());
  Vector scale = Vector::Ones(x.size());
  const bool ok = f.information(x, info) && info.allFinite();
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    if (ok && info(i, i) > 1e-300)
      scale[i] = 1.0 / std::sqrt(info(i, i));
    else
      scale[i] = 1e-3 * (1.0 + std::abs(x[i]));
  }
  return scale;
}

constexpr int kAttempts = 4;

// One run of the optimiser in parameters scaled by their information at `start`; out.x in the parameters z of the basis.
MinimizeOutcome fit_scaled(const SemObjective& f, const Vector& start, const Vector& lower, const Vector& upper,
                           const MinimizeOptions& options, const Matrix* basis, const Vector* offset) {
  const Eigen::Index d = start.size();
  auto expand = [&](const Vector& z) -> Vector {
    if (!basis) return z;
    return *basis * z + *offset;
  };
  auto reduced_information = [&](const Vector& x, Matrix& out) {
    Matrix info = Matrix::Zero(f.size(), f.size());
    if (!f.information(x, info)) return false;
    out = basis ? Matrix(basis->transpose() * info * *basis) : info;
    return true;
  };
  Vector scale = Vector::Ones(d);
  Matrix first;
  if (reduced_information(expand(start), first))
    for (Eigen::Index i = 0; i < d; ++i)
      if (std::isfinite(first(i, i)) && first(i, i) > 1e-300) scale[i] = 1.0 / std::sqrt(first(i, i));
  Vector gx(f.size());
  const Objective objective = [&](const Vector& t, Vector* gradient) {
    const Evaluation e = f.evaluate(expand(t.cwiseProduct(scale)), gradient ? &gx : nullptr);
    if (gradient && e.status == Status::ok) {
      if (basis)
        *gradient = scale.cwiseProduct(basis->transpose() * gx);
      else
        *gradient = scale.cwiseProduct(gx);
    }
    return e;
  };
  const Curvature curvature = [&](const Vector& t, Matrix& H) {
    if (!reduced_information(expand(t.cwiseProduct(scale)), H)) return false;
    H = 2.0 * (scale.asDiagonal() * H * scale.asDiagonal());
    return true;
  };
  MinimizeOutcome out = minimize(objective, start.cwiseQuotient(scale), lower.cwiseQuotient(scale), upper.cwiseQuotient(scale), options,
                                 curvature);
  out.x = out.x.cwiseProduct(scale);
  out.gradient = out.gradient.cwiseQuotient(scale);
  out.hessian = scale.cwiseInverse().asDiagonal() * out.hessian * scale.cwiseInverse().asDiagonal();
  return out;
}

}  // namespace

MinimizeOutcome SemObjective::fit(const Vector& start, const Vector& lower, const Vector& upper, const MinimizeOptions& options,
                                  const Matrix* basis, const Vector* offset) const {
  MinimizeOutcome out;
  Vector at = start.cwiseMax(lower).cwiseMin(upper);
  MinimizeOptions o = options;
  int iterations = 0, evaluations = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const double before = out.value;
    out = fit_scaled(*this, at, lower, upper, o, basis, offset);
    iterations += out.iterations, evaluations += out.evaluations;
    // stuck far from where the scale was taken: take it again
    const bool stuck = !out.converged && std::isfinite(out.value) && iterations < options.max_iterations;
    if (!stuck || (attempt > 0 && !(out.value < before - options.tol_decrease))) break;
    at = out.x;
    o.max_iterations = options.max_iterations - iterations;
  }
  out.iterations = iterations, out.evaluations = evaluations;
  if (basis) out.x = *basis * out.x + *offset;
  return out;
}

Matrix SemObjective::hessian(const Vector& x) const {
  Matrix H = Matrix::Zero(size(), size());
  if (exact_hessian(x, H) && H.allFinite()) return 0.5 * (H + H.transpose());
  return difference_hessian(x);
}

Matrix SemObjective::difference_hessian(const Vector& x) const {
  const Eigen::Index d = x.size();
  const Vector step = 2e-2 * parameter_scale(*this, x);
  Matrix H = Matrix::Constant(d, d, std::numeric_limits<double>::quiet_NaN());
  parallel_chunks(d, 1, [&](int, std::size_t begin, std::size_t end) {
    Vector up(d), down(d), y = x;
    for (std::size_t k = begin; k < end; ++k) {
      double h = step[k];
      for (int attempt = 0; attempt < 12; ++attempt, h *= 0.25) {
        y[k] = x[k] + h;
        const double hi = y[k];
        if (evaluate(y, &up).status != Status::ok) continue;
        y[k] = x[k] - h;
        const double lo = y[k];
        if (evaluate(y, &down).status != Status::ok) continue;
        H.col(k) = (up - down) / (hi - lo);
        break;
      }
      y[k] = x[k];
    }
  });
  return 0.5 * (H + H.transpose());
}

}  // namespace tanada::sem
