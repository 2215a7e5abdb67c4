// The optimiser for objectives written in Python (value, gradient) -- the same code that drives the core's own engines.
#include <nanobind/eigen/dense.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <limits>

#include "bindings.hpp"
#include "optim/minimize.hpp"

using namespace tanada;

void bind_optim(nb::module_& m) {
  nb::class_<MinimizeOutcome>(m, "MinimizeOutcome")
      .def_ro("x", &MinimizeOutcome::x)
      .def_ro("gradient", &MinimizeOutcome::gradient)
      .def_ro("hessian", &MinimizeOutcome::hessian)
      .def_ro("value", &MinimizeOutcome::value)
      .def_ro("scaled_gradient", &MinimizeOutcome::scaled_gradient)
      .def_ro("predicted_decrease", &MinimizeOutcome::predicted_decrease)
      .def_ro("iterations", &MinimizeOutcome::iterations)
      .def_ro("evaluations", &MinimizeOutcome::evaluations)
      .def_ro("converged", &MinimizeOutcome::converged)
      .def_ro("message", &MinimizeOutcome::message);
  m.def(
      "minimize",
      [](nb::callable fun, const Vector& start, const Vector& lower, const Vector& upper, int max_iterations,
         double tol_gradient, double tol_decrease, nb::object curvature) {
        // fun(theta) -> (value, gradient); a value that is not finite marks a failed evaluation.
        Objective objective = [&](const Vector& theta, Vector* gradient) {
          nb::tuple r = nb::cast<nb::tuple>(fun(theta));
          Evaluation e;
          e.value = nb::cast<double>(r[0]);
          if (!std::isfinite(e.value)) {
            e.status = Status::not_finite;
            return e;
          }
          if (gradient) *gradient = nb::cast<Vector>(r[1]);
          return e;
        };
        Curvature info = nullptr;
        if (!curvature.is_none())
          info = [&](const Vector& theta, Matrix& H) {
            nb::object r = curvature(theta);
            if (r.is_none()) return false;
            H = nb::cast<Matrix>(r);
            return true;
          };
        MinimizeOptions o;
        o.max_iterations = max_iterations, o.tol_gradient = tol_gradient, o.tol_decrease = tol_decrease;
        return minimize(objective, start, lower, upper, o, info);
      },
      nb::arg("fun"), nb::arg("start"), nb::arg("lower"), nb::arg("upper"), nb::arg("max_iterations") = 300,
      nb::arg("tol_gradient") = 1e-6, nb::arg("tol_decrease") = 1e-10, nb::arg("curvature") = nb::none());
}
