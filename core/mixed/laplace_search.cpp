// The stages of the outer optimisation.
//
// 1. Quasi-Newton steps from the working model's expected information (blocks of beta and theta; their covariance is left out). Most fits end here.
// 2. Where that is slow (parameters that trade off against each other, such as a range and a residual variance): Newton steps from the Hessian by
//    differences of the exact gradient, made positive definite.
// 3. A standard deviation of zero is a stationary point whatever the data say, because the deviance is even in it: parameters that stopped there are
//    moved off, and return if zero is the optimum.
// 4. Once more with fresh curvature and exact modes.
#include <algorithm>
#include <cmath>

#include "mixed/laplace_fit.hpp"

namespace tanada {
namespace {

constexpr int kFirstIterations = 25, kRoundIterations = 20;

MinimizeOutcome counted(MinimizeOutcome next, const MinimizeOutcome& before) {
  next.iterations += before.iterations, next.evaluations += before.evaluations;
  return next;
}

// |H| by eigenvalues in units of its diagonal; rows that are not finite become their diagonal of `fallback`.
Matrix positive_definite(Matrix H, const Matrix& fallback) {
  const auto d = H.rows();
  for (Eigen::Index j = 0; j < d; ++j) {
    if (std::isfinite(H(j, j))) continue;
    H.row(j).setZero(), H.col(j).setZero();
    H(j, j) = fallback.size() && fallback(j, j) > 0 ? fallback(j, j) : 1.0;
  }
  const Vector scale = H.diagonal().array().abs().max(1e-12).sqrt();
  Matrix S = scale.cwiseInverse().asDiagonal() * H * scale.cwiseInverse().asDiagonal();
  S = (0.5 * (S + S.transpose())).eval();
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(S);
  const Vector values = eigen.eigenvalues().cwiseAbs().cwiseMax(1e-6);
  S = eigen.eigenvectors() * values.asDiagonal() * eigen.eigenvectors().transpose();
  return scale.asDiagonal() * S * scale.asDiagonal();
}

}  // namespace

MinimizeOutcome LaplaceEngine::descend(const Vector& from, const LaplaceFitOptions& options, int iterations, const Curvature& information) {
  LaplaceObjective& own = *objective_;
  Objective deviance = [&](const Vector& x, Vector* gradient) { return penalised(own, x, gradient); };
  MinimizeOptions o;
  o.max_iterations = iterations, o.tol_gradient = options.tol_gradient, o.tol_decrease = options.tol_decrease;
  return minimize(deviance, from, lower(), upper(), o, information);
}

MinimizeOutcome LaplaceEngine::newton_rounds(MinimizeOutcome found, const LaplaceFitOptions& options) {
  while (!found.converged && std::isfinite(found.value) && found.iterations < options.max_iterations) {
    const Matrix H = positive_definite(inner_hessian(found.x, options.nagq), found.hessian);
    if (!H.allFinite()) break;
    bool given = false;  // the Hessian serves once, quasi-Newton updates follow
    const Curvature once = [&](const Vector&, Matrix& B) {
      if (given) return false;
      given = true;
      B = H;
      return true;
    };
    objective_->set_inner_tolerance(kSearchTolerance);
    const double before = found.value;
    const int room = std::min(kRoundIterations, options.max_iterations - found.iterations);
    found = counted(descend(found.x, options, room, once), found);
    found.evaluations += 2 * static_cast<int>(found.x.size());
    if (!found.converged && !(found.value < before - 1e-10 * std::max(1.0, std::abs(before)))) break;
  }
  return found;
}

MinimizeOutcome LaplaceEngine::leave_zero(MinimizeOutcome found, const Vector& start, const LaplaceFitOptions& options) {
  const int p = model_->beta_count();
  const auto info = model_->theta_info();
  Vector from = found.x;
  bool moved = false;
  for (std::size_t j = 0; j < info.size(); ++j) {
    if (info[j].lower != 0.0 || from[p + j] > 1e-4 * std::max(std::abs(start[p + j]), 1e-8)) continue;
    from[p + j] = 0.3 * std::max(start[p + j], 1e-8);
    moved = true;
  }
  if (!moved) return found;
  const Curvature information = [&](const Vector&, Matrix& B) { return objective_->curvature(B); };
  MinimizeOutcome again = descend(from, options, kFirstIterations, information);
  if (!again.converged && std::isfinite(again.value) && again.value < found.value + 1.0) again = newton_rounds(std::move(again), options);
  const bool better = std::isfinite(again.value) && again.value < found.value - 1e-7;
  if (better) return counted(std::move(again), found);
  found.evaluations += again.evaluations;
  return found;
}

MinimizeOutcome LaplaceEngine::search(const Vector& start, const LaplaceFitOptions& options) {
  const Curvature information = [&](const Vector&, Matrix& B) { return objective_->curvature(B); };
  objective_->set_inner_tolerance(kSearchTolerance);
  MinimizeOutcome found = descend(start, options, std::min(kFirstIterations, options.max_iterations), information);
  if (!std::isfinite(found.value)) return found;
  if (!found.converged) found = newton_rounds(std::move(found), options);
  objective_->set_inner_tolerance(kSearchTolerance);
  found = leave_zero(std::move(found), start, options);
  if (!found.converged) found = newton_rounds(std::move(found), options);
  objective_->set_inner_tolerance(kExactTolerance);
  MinimizeOutcome last = counted(descend(found.x, options, kFirstIterations, information), found);
  if (!std::isfinite(last.value)) return found;
  return last.converged ? last : newton_rounds(std::move(last), options);
}

}  // namespace tanada
