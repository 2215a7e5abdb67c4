// What every SEM objective shares: the optimiser, observed information, start on a common scale.
//
// `value` is -2 log-likelihood with all constants (or a discrepancy for least squares), always in the units of the data. `information` is
// the expected information of the log-likelihood: half the expected Hessian of the value.
#pragma once
#include <memory>

#include "optim/minimize.hpp"
#include "sem/model.hpp"

namespace tanada::sem {

class SemObjective {
 public:
  explicit SemObjective(std::shared_ptr<const Model> model) : model_(std::move(model)) {}
  virtual ~SemObjective() = default;
  const Model& model() const { return *model_; }
  int size() const { return model_->n_free; }

  virtual Evaluation evaluate(const Vector& x, Vector* gradient) const = 0;
  // Expected information at x; false where the moments are not positive definite.
  virtual bool information(const Vector& x, Matrix& out) const = 0;

  // Fisher scoring, then BFGS, in parameters scaled by their information at the start. With `basis` the parameters are
  // x = basis z + offset and start, lower, upper and the result's derivatives are in z (linear equality constraints).
  MinimizeOutcome fit(const Vector& start, const Vector& lower, const Vector& upper, const MinimizeOptions& options,
                      const Matrix* basis = nullptr, const Vector* offset = nullptr) const;
  // Hessian of `value`: exact where the objective knows it, else by central differences of the exact gradient, in parallel over parameters (NaN
  // where a difference fails).
  Matrix hessian(const Vector& x) const;
  Matrix difference_hessian(const Vector& x) const;

 protected:
  // False where there is no closed form or the moments are impossible.
  virtual bool exact_hessian(const Vector&, Matrix&) const { return false; }

 private:
  std::shared_ptr<const Model> model_;
};

// Share of a diagonal element that its Cholesky pivot must keep: below it the quadratic forms are rounding errors.
constexpr double kPivot = 1e-13;
// Lower Cholesky factor in place; false unless safely positive definite.
bool safe_cholesky(Matrix& a);
// Inverse and log-determinant of a symmetric matrix; false unless safely positive definite.
bool invert_spd(const Matrix& sigma, Matrix& inverse, double& log_det);

constexpr double kLog2Pi = 1.8378770664093454836;

}  // namespace tanada::sem
