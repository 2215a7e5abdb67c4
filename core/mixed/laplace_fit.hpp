// The outer optimisation: from a model to its maximum (penalised) Laplace or quadrature likelihood, and the curvature there.
//
// Columns of X are centred (where the component has an intercept) and scaled inside the model; `Scaling` translates between the
// caller's coefficients and the model's. Starts: coefficients of the model without random effects, moment estimates of the variances.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "mixed/laplace_objective.hpp"
#include "mixed/laplace_prior.hpp"
#include "optim/minimize.hpp"

namespace tanada {

// beta (caller) = T beta (model); theta are the same.
class Scaling {
 public:
  // Centres and scales the designs in place.
  Scaling(std::vector<PredictorDesign>& designs, int beta_count);
  Vector outward(const Vector& psi) const;
  Vector inward(const Vector& psi) const;
  Vector gradient_outward(const Vector& g) const;
  Vector gradient_inward(const Vector& g) const;
  Matrix hessian_outward(const Matrix& H) const;

 private:
  Matrix T_;
};

struct LaplaceFitOptions {
  int nagq = 1;
  int max_iterations = 300;
  double tol_gradient = 1e-6, tol_decrease = 1e-9;
  bool hessian = true;
  bool glm_start = true;               // improve the given coefficients by a fit without random effects
  std::vector<bool> theta_given;       // per parameter of theta: keep the start value
};

struct LaplaceFitResult {
  Vector psi, gradient;       // caller's scale; gradient of the penalised deviance
  double deviance = 0.0;      // -2 log-likelihood, without the prior
  double log_prior = 0.0;
  Matrix hessian;             // of the penalised deviance over all parameters, caller's scale; NaN rows where held at a bound
  Vector start;
  int iterations = 0, evaluations = 0;
  double scaled_gradient = 0.0;
  bool converged = false;
  Status status = Status::ok;
  std::string message;
};

// Tolerances of the inner Newton: its decrement of the joint log-density.
constexpr double kSearchTolerance = 1e-10, kExactTolerance = 1e-16;

class LaplaceEngine {
 public:
  LaplaceEngine(MixedInput input, std::unique_ptr<Family> family, std::vector<PriorItem> priors);

  LaplaceFitResult fit(const Vector& start, const LaplaceFitOptions& options);
  // Penalised deviance at the caller's parameters; fills *gradient when not null. Keeps the modes for what follows.
  Evaluation evaluate(const Vector& psi, int nagq, Vector* gradient);
  Matrix hessian(const Vector& psi, int nagq);
  LaplaceObjective& state() { return *objective_; }
  const LaplaceModel& model() const { return *model_; }
  void set_response(const Vector& y);
  double prior_at(const Vector& psi) const { return log_prior(priors_, *model_, psi, nullptr); }
  // Moves of the effects with the caller's parameters, (effects, parameters).
  Matrix effect_derivatives();
  Vector lower() const;
  Vector upper() const;

 private:
  LaplaceObjective& objective(int nagq);
  Evaluation penalised(LaplaceObjective& objective, const Vector& inner, Vector* gradient) const;
  void improve_coefficients(Vector& inner);
  void improve_theta(Vector& inner, const std::vector<bool>& given);
  MinimizeOutcome search(const Vector& start, const LaplaceFitOptions& options);
  MinimizeOutcome newton_rounds(MinimizeOutcome found, const LaplaceFitOptions& options);
  MinimizeOutcome leave_zero(MinimizeOutcome found, const Vector& start, const LaplaceFitOptions& options);
  MinimizeOutcome descend(const Vector& from, const LaplaceFitOptions& options, int iterations, const Curvature& information);
  Matrix inner_hessian(const Vector& inner, int nagq);
  Matrix difference_hessian(const Vector& inner, const Vector& steps, const std::vector<bool>& held, int nagq);

  std::unique_ptr<Scaling> scaling_;
  std::unique_ptr<LaplaceModel> model_;
  std::unique_ptr<LaplaceObjective> objective_;
  int nagq_ = 1;
  std::vector<PriorItem> priors_;
};

}  // namespace tanada
