#include "check.hpp"
#include "optim/minimize.hpp"

using namespace tanada;

namespace {

Evaluation rosenbrock(const Vector& x, Vector* g) {
  const double a = x[1] - x[0] * x[0], b = 1.0 - x[0];
  if (g) {
    g->resize(2);
    (*g)[0] = -400.0 * x[0] * a - 2.0 * b;
    (*g)[1] = 200.0 * a;
  }
  return {100.0 * a * a + b * b, Status::ok};
}

const Vector kFree = Vector::Constant(2, std::numeric_limits<double>::infinity());

}  // namespace

TEST(minimize_finds_the_minimum_of_a_curved_valley) {
  const Vector start = (Vector(2) << -1.2, 1.0).finished();
  const auto out = minimize(rosenbrock, start, -kFree, kFree);
  CHECK(out.converged);
  CHECK_NEAR(out.x[0], 1.0, 1e-4);
  CHECK_NEAR(out.x[1], 1.0, 1e-4);
}

TEST(minimize_stops_at_a_bound_with_the_gradient_pointing_out) {
  Vector upper = kFree;
  upper[0] = 0.5;
  const Vector start = (Vector(2) << -1.2, 1.0).finished();
  const auto out = minimize(rosenbrock, start, -kFree, upper);
  CHECK(out.converged);
  CHECK(out.x[0] == 0.5);
  CHECK_NEAR(out.x[1], 0.25, 1e-6);
  CHECK(out.gradient[0] < 0);
}

TEST(minimize_backs_off_from_points_that_cannot_be_evaluated) {
  Objective log_barrier = [](const Vector& x, Vector* g) {
    if (x[0] <= 0) return Evaluation{0.0, Status::outside};
    if (g) *g = Vector::Constant(1, 1.0 - 2.0 / x[0]);
    return Evaluation{x[0] - 2.0 * std::log(x[0]), Status::ok};
  };
  const Vector inf = Vector::Constant(1, std::numeric_limits<double>::infinity());
  MinimizeOptions o;
  o.first_step = 100.0;
  const auto out = minimize(log_barrier, Vector::Constant(1, 40.0), -inf, inf, o);
  CHECK(out.converged);
  CHECK_NEAR(out.x[0], 2.0, 1e-4);
}

TEST(minimize_reports_a_start_that_cannot_be_evaluated) {
  Objective nowhere = [](const Vector&, Vector*) { return Evaluation{0.0, Status::not_finite}; };
  const auto out = minimize(nowhere, Vector::Zero(2), -kFree, kFree);
  CHECK(!out.converged);
  CHECK(!out.message.empty());
}

TEST(minimize_uses_exact_curvature_in_one_step_on_a_quadratic) {
  const Matrix A = (Matrix(2, 2) << 3.0, 1.0, 1.0, 2.0).finished();
  const Vector b = (Vector(2) << 1.0, -2.0).finished();
  Objective quadratic = [&](const Vector& x, Vector* g) {
    if (g) *g = A * x - b;
    return Evaluation{0.5 * x.dot(A * x) - b.dot(x), Status::ok};
  };
  Curvature exact = [&](const Vector&, Matrix& H) {
    H = A;
    return true;
  };
  const auto out = minimize(quadratic, Vector::Constant(2, 5.0), -kFree, kFree, {}, exact);
  CHECK(out.converged);
  CHECK(out.evaluations <= 3);
  CHECK((A * out.x - b).norm() < 1e-10);
}

TEST(minimize_keeps_its_own_approximation_where_curvature_fails) {
  int calls = 0;
  Objective counted = [&](const Vector& x, Vector* g) {
    ++calls;
    return rosenbrock(x, g);
  };
  Curvature none = [](const Vector&, Matrix& H) {
    H = Matrix::Zero(2, 2);
    return false;
  };
  const Vector start = (Vector(2) << -1.2, 1.0).finished();
  const auto plain = minimize(rosenbrock, start, -kFree, kFree);
  const auto out = minimize(counted, start, -kFree, kFree, {}, none);
  CHECK(out.converged);
  CHECK(calls == plain.evaluations);
}
