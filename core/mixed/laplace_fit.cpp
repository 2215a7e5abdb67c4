#include "mixed/laplace_fit.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "linalg/parallel.hpp"
#include "mixed/laplace_rows.hpp"

namespace tanada {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr std::size_t kParallelColumns = 1 << 14;  // fewer rows: the Hessian's columns run in parallel instead of the rows

MixedInput scaled(MixedInput input, std::unique_ptr<Scaling>& scaling) {
  scaling = std::make_unique<Scaling>(input.predictors, input.beta_count);
  return input;
}

}  // namespace

LaplaceEngine::LaplaceEngine(MixedInput input, std::unique_ptr<Family> family, std::vector<PriorItem> priors) : priors_(std::move(priors)) {
  MixedInput own = scaled(std::move(input), scaling_);
  model_ = std::make_unique<LaplaceModel>(std::move(own), std::move(family));
  objective_ = std::make_unique<LaplaceObjective>(*model_, 1);
}

LaplaceObjective& LaplaceEngine::objective(int nagq) {
  if (nagq != nagq_) {
    const Vector u = objective_->u();
    objective_ = std::make_unique<LaplaceObjective>(*model_, nagq);
    objective_->warm_start(u);
    nagq_ = nagq;
  }
  return *objective_;
}

void LaplaceEngine::set_response(const Vector& y) {
  model_->set_response(y);
  objective_->warm_start(Vector::Zero(model_->effects()));
}

Vector LaplaceEngine::lower() const {
  Vector out = Vector::Constant(model_->parameters(), -kInf);
  const auto info = model_->theta_info();
  for (std::size_t j = 0; j < info.size(); ++j) out[model_->beta_count() + j] = info[j].lower;
  return out;
}

Vector LaplaceEngine::upper() const {
  Vector out = Vector::Constant(model_->parameters(), kInf);
  const auto info = model_->theta_info();
  for (std::size_t j = 0; j < info.size(); ++j) out[model_->beta_count() + j] = info[j].upper;
  return out;
}

Evaluation LaplaceEngine::penalised(LaplaceObjective& objective, const Vector& inner, Vector* gradient) const {
  Evaluation e = objective.evaluate(inner, gradient);
  if (e.status != Status::ok || priors_.empty()) return e;
  const Vector psi = scaling_->outward(inner);
  Vector slope = Vector::Zero(psi.size());
  e.value -= 2.0 * log_prior(priors_, *model_, psi, gradient ? &slope : nullptr);
  if (gradient) *gradient -= 2.0 * scaling_->gradient_inward(slope);
  if (!std::isfinite(e.value)) e.status = Status::outside;
  return e;
}

Evaluation LaplaceEngine::evaluate(const Vector& psi, int nagq, Vector* gradient) {
  Vector inner_gradient;
  LaplaceObjective& own = objective(nagq);
  own.set_inner_tolerance(kExactTolerance);
  const Evaluation e = penalised(own, scaling_->inward(psi), gradient ? &inner_gradient : nullptr);
  if (gradient && e.status == Status::ok) *gradient = scaling_->gradient_outward(inner_gradient);
  return e;
}

// The model without random effects, from the given coefficients.
void LaplaceEngine::improve_coefficients(Vector& inner) {
  const std::size_t n = model_->rows(), m = model_->predictors();
  const int p = model_->beta_count();
  if (p == 0) return;
  std::vector<double> eta(n * m), value(n), d1(n * m), D(n * model_->pairs());
  Vector psi = inner;
  Objective fixed = [&](const Vector& beta, Vector* gradient) {
    fixed_predictors(*model_, beta.data(), eta.data());
    Evaluation e{-2.0 * evaluate_rows(*model_, 2, eta.data(), value.data(), d1.data(), D.data(), nullptr), Status::ok};
    if (!std::isfinite(e.value)) return e.status = Status::not_finite, e;
    Vector slope = Vector::Zero(psi.size());
    if (!priors_.empty()) {
      psi.head(p) = beta;
      std::vector<PriorItem> own;
      for (const auto& item : priors_)
        if (item.kind != "gamma" && item.kind != "lkj") own.push_back(item);
      e.value -= 2.0 * log_prior(own, *model_, scaling_->outward(psi), &slope);
      slope = scaling_->gradient_inward(slope);
    }
    if (gradient) {
      gradient->setZero(p);
      fixed_adjoint(*model_, d1.data(), gradient->data());
      *gradient = -2.0 * (*gradient + slope.head(p));
    }
    return e;
  };
  Curvature information = [&](const Vector&, Matrix& B) {
    fixed_information(*model_, D.data(), B);
    B *= 2.0;
    return B.allFinite() && B.diagonal().minCoeff() > 0;
  };
  MinimizeOptions options;
  options.max_iterations = 40, options.tol_decrease = 1e-4, options.tol_gradient = 1e-3;
  const Vector wide = Vector::Constant(p, kInf);
  const MinimizeOutcome out = minimize(fixed, inner.head(p), -wide, wide, options, information);
  if (std::isfinite(out.value) && out.x.cwiseAbs().maxCoeff() < 1e4) inner.head(p) = out.x;
}

// Standard deviations by the method of moments at zero effects: E (z'l')^2 = A + A^2 sigma^2 for each effect of each level.
void LaplaceEngine::improve_theta(Vector& inner, const std::vector<bool>& given) {
  const int p = model_->beta_count(), m = model_->predictors();
  if (model_->theta_count() == 0) return;
  const std::size_t n = model_->rows();
  std::vector<double> eta(n * m), value(n), d1(n * m), D(n * model_->pairs());
  fixed_predictors(*model_, inner.data(), eta.data());
  if (!std::isfinite(evaluate_rows(*model_, 2, eta.data(), value.data(), d1.data(), D.data(), nullptr))) return;
  RandomSystem& system = objective_->system();
  system.accumulate(D.data(), m);
  Vector score;
  system.adjoint(d1.data(), m, score);
  for (std::size_t t = 0; t < model_->terms().size(); ++t) {
    const RandomTerm& term = model_->terms()[t];
    if (!term.structure) continue;
    const TermPlace& place = model_->pattern().term(static_cast<int>(t));
    const FactorBlock& g = model_->pattern().factor(place.factor);
    const std::vector<double>& A = system.diagonal(place.factor);
    Vector sd(term.k);
    for (int a = 0; a < term.k; ++a) {
      double top = 0.0, bottom = 0.0, weight = 0.0;
      for (int l = 0; l < g.levels; ++l) {
        const double s = score[g.offset + Eigen::Index(l) * g.k + place.offset + a];
        const double c = std::max(A[(std::size_t(l) * g.k + place.offset + a) * g.k + place.offset + a], 0.0);
        top += s * s - c, bottom += c * c, weight += c;
      }
      const double unit = weight > 0 ? std::sqrt(g.levels / weight) : 1.0;  // standard error of one level's effect
      sd[a] = bottom > 0 ? std::sqrt(std::max(top / bottom, 0.0)) : 0.0;
      sd[a] = std::clamp(sd[a], 0.2 * unit, std::max(5.0 * unit, 1.0));
    }
    const auto info = term.structure->info();
    for (int j = 0; j < term.theta_count; ++j) {
      if (given.size() && given[term.theta_first + j]) continue;
      double& theta = inner[p + term.theta_first + j];
      int row = 0, column = 0;
      if (std::sscanf(info[j].name.c_str(), "chol(%d,%d)", &row, &column) == 2) {
        theta = row == column ? sd[row - 1] : 0.0;
      } else if (std::sscanf(info[j].name.c_str(), "sd(%d)", &row) == 1 && row >= 1 && row <= term.k) {
        theta = sd[row - 1];
      } else if (std::sscanf(info[j].name.c_str(), "loading(%d,%d)", &row, &column) == 2) {
        theta = info[j].start * sd.mean();
      } else if (info[j].name.rfind("sd", 0) == 0) {
        theta = sd.mean();
      }
      theta = std::clamp(theta, info[j].lower, info[j].upper);
    }
  }
}

LaplaceFitResult LaplaceEngine::fit(const Vector& start, const LaplaceFitOptions& options) {
  LaplaceFitResult out;
  Vector inner = scaling_->inward(start);
  if (options.glm_start) improve_coefficients(inner);
  improve_theta(inner, options.theta_given);
  out.start = scaling_->outward(inner);
  LaplaceObjective& own = objective(options.nagq);
  const MinimizeOutcome found = search(inner, options);
  own.set_inner_tolerance(kExactTolerance);
  Vector g;
  const Evaluation last_value = penalised(own, found.x, &g);  // the state belongs to the optimum, whatever was tried last
  out.status = last_value.status;
  if (out.status != Status::ok) {
    out.psi = scaling_->outward(found.x), out.gradient = Vector::Zero(found.x.size()), out.message = found.message;
    out.deviance = found.value;
    return out;
  }
  out.psi = scaling_->outward(found.x);
  out.gradient = scaling_->gradient_outward(g);
  out.log_prior = prior_at(out.psi);
  out.deviance = last_value.value + 2.0 * out.log_prior;
  out.iterations = found.iterations, out.evaluations = found.evaluations;
  out.scaled_gradient = found.scaled_gradient, out.converged = found.converged, out.message = found.message;
  if (options.hessian) out.hessian = hessian(out.psi, options.nagq);
  return out;
}

Matrix LaplaceEngine::hessian(const Vector& psi, int nagq) {
  return scaling_->hessian_outward(inner_hessian(scaling_->inward(psi), nagq));
}

// In the model's own parameters; NaN rows for those held at a bound.
Matrix LaplaceEngine::inner_hessian(const Vector& inner, int nagq) {
  LaplaceObjective& own = objective(nagq);
  const auto d = inner.size();
  Vector g;
  Matrix B;
  own.set_inner_tolerance(kExactTolerance);
  if (d == 0 || penalised(own, inner, &g).status != Status::ok) return Matrix::Constant(d, d, std::numeric_limits<double>::quiet_NaN());
  own.curvature(B);
  if (model_->effects() == 0 && priors_.empty()) return B;  // exact without random effects
  Vector steps(d);
  std::vector<bool> held(d, false);
  const Vector lo = lower(), hi = upper();
  for (Eigen::Index j = 0; j < d; ++j) {
    const double se = B.size() && B(j, j) > 0 ? std::sqrt(2.0 / B(j, j)) : 1.0;
    steps[j] = 5e-3 * std::clamp(se, 1e-6, std::max(1.0, std::abs(inner[j])));
    held[j] = (inner[j] <= lo[j] && g[j] >= 0) || (inner[j] >= hi[j] && g[j] <= 0);
  }
  return difference_hessian(inner, steps, held, nagq);
}

// Central differences of the exact gradient; modes start from their first-order move, whose error is even in the step and cancels.
Matrix LaplaceEngine::difference_hessian(const Vector& inner, const Vector& steps, const std::vector<bool>& held, int nagq) {
  const auto d = inner.size();
  const Vector lo = lower(), hi = upper();
  const Matrix moves = objective_->spherical_derivatives();
  const Vector u = objective_->u();
  Matrix H = Matrix::Constant(d, d, std::numeric_limits<double>::quiet_NaN());
  auto columns = [&](LaplaceObjective& own, std::size_t begin, std::size_t end) {
    own.set_inner_tolerance(1e-9);  // the error of the first-order move of the modes cancels in the difference
    for (std::size_t j = begin; j < end; ++j) {
      if (held[j]) continue;
      const double up = std::min(steps[j], hi[j] - inner[j]), down = std::min(steps[j], inner[j] - lo[j]);
      Vector above, below;
      auto at = [&](double shift, Vector& g) {
        Vector x = inner;
        x[j] += shift;
        own.warm_start(u + shift * moves.col(j));
        return penalised(own, x, &g).status == Status::ok;
      };
      if (at(up, above) && at(-down, below)) H.col(j) = (above - below) / (up + down);
    }
  };
  const bool split = model_->rows() < kParallelColumns && d > 1 && thread_count() > 1;
  if (split) {
    parallel_chunks(2, 1, [&](int chunk, std::size_t, std::size_t) {
      LaplaceObjective own(*model_, nagq);
      columns(own, chunk == 0 ? 0 : d / 2, chunk == 0 ? d / 2 : d);
    });
  } else {
    LaplaceObjective own(*model_, nagq);
    columns(own, 0, d);
  }
  for (Eigen::Index i = 0; i < d; ++i)
    for (Eigen::Index j = 0; j < i; ++j) H(i, j) = H(j, i) = held[i] || held[j] ? std::numeric_limits<double>::quiet_NaN() : 0.5 * (H(i, j) + H(j, i));
  for (Eigen::Index j = 0; j < d; ++j)
    if (held[j]) H.row(j).setConstant(std::numeric_limits<double>::quiet_NaN()), H.col(j).setConstant(std::numeric_limits<double>::quiet_NaN());
  return H;
}

Matrix LaplaceEngine::effect_derivatives() {
  const Matrix inner = objective_->effect_derivatives();
  Matrix out(inner.rows(), inner.cols());
  for (Eigen::Index i = 0; i < inner.rows(); ++i) out.row(i) = scaling_->gradient_outward(inner.row(i).transpose()).transpose();
  return out;
}

}  // namespace tanada
