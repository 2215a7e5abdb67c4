// The one objective contract: evaluate(theta) -> value, gradient, status. A failure is a status, never an exception
// through the optimiser.
#pragma once
#include <functional>

#include "linalg/lapack.hpp"

namespace tanada {

enum class Status {
  ok = 0,
  not_positive_definite = 1,  // a matrix that must be positive definite is not
  not_finite = 2,             // overflow or NaN in the objective
  outside = 3,                // theta outside the domain of the model
  inner_failed = 4,           // the inner optimisation (modes) did not converge
};

struct Evaluation {
  double value = 0.0;
  Status status = Status::ok;
};

// Fills *gradient when it is not null.
using Objective = std::function<Evaluation(const Vector& theta, Vector* gradient)>;
// Fills `info` with a positive (semi)definite approximation of the Hessian at theta; false when there is none.
using Curvature = std::function<bool(const Vector& theta, Matrix& info)>;

}  // namespace tanada
