// The Gaussian engine.
#include <nanobind/eigen/dense.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "bindings.hpp"
#include "mixed/gaussian.hpp"
#include "random_input.hpp"

using namespace tanada;

namespace {

std::unique_ptr<GaussianModel> make_model(DoubleMatrix X, DoubleVector y, nb::object weights, const std::vector<nb::tuple>& factors,
                                          const std::vector<nb::tuple>& terms) {
  RandomInput random(factors, terms);
  GaussianInput in;
  in.n = X.shape(0), in.p = static_cast<int>(X.shape(1)), in.X = X.data(), in.y = y.data();
  DoubleVector w;
  if (!weights.is_none()) w = nb::cast<DoubleVector>(weights), in.weights = w.data();
  in.factors = random.factors, in.terms = random.terms, in.structures = random.structures;
  nb::gil_scoped_release release;
  return std::make_unique<GaussianModel>(in);
}

// Modes in the order of the terms: (levels, k) arrays.
std::vector<RowMatrix> modes_of(const GaussianModel& m, const Vector& b) {
  std::vector<RowMatrix> out;
  for (int t = 0; t < m.pattern().terms(); ++t) {
    const TermPlace& at = m.pattern().term(t);
    const FactorBlock& f = m.pattern().factor(at.factor);
    RowMatrix rows(f.levels, at.k);
    for (int l = 0; l < f.levels; ++l)
      for (int a = 0; a < at.k; ++a) rows(l, a) = b[f.offset + Eigen::Index(l) * f.k + at.offset + a];
    out.push_back(std::move(rows));
  }
  return out;
}

}  // namespace

void bind_gaussian(nb::module_& m) {
  nb::class_<GaussianModel>(m, "GaussianModel")
      .def_static("build", &make_model, nb::arg("X"), nb::arg("y"), nb::arg("weights").none(), nb::arg("factors"), nb::arg("terms"))
      .def("theta_info", [](const GaussianModel& g) { return theta_tuples(g.terms().info()); })
      .def("moment_start", &GaussianModel::moment_start)
      .def("theta_start", [](const GaussianModel& g, int t) { return g.terms().theta_start(t); })
      .def(
          "set_response",
          [](GaussianModel& g, DoubleVector y, DoubleMatrix X) {
            nb::gil_scoped_release release;
            g.set_response(y.data(), X.data());
          },
          nb::arg("y"), nb::arg("X"))
      .def(
          "evaluate",
          [](GaussianModel& g, const Vector& theta, bool reml) {
            Vector grad;
            Evaluation e;
            {
              nb::gil_scoped_release release;
              e = g.evaluate(theta, reml, &grad);
            }
            return nb::make_tuple(e.value, grad, static_cast<int>(e.status));
          },
          nb::arg("theta"), nb::arg("reml"))
      .def(
          "value",
          [](GaussianModel& g, const Vector& theta, bool reml) {
            const Evaluation e = g.evaluate(theta, reml, nullptr);
            return nb::make_tuple(e.value, static_cast<int>(e.status));
          },
          nb::arg("theta"), nb::arg("reml"))
      .def(
          "evaluate_sigma",
          [](GaussianModel& g, const Vector& theta, double sigma, bool reml) {
            Vector grad;
            Evaluation e;
            {
              nb::gil_scoped_release release;
              e = g.evaluate_sigma(theta, sigma, reml, &grad);
            }
            return nb::make_tuple(e.value, grad, static_cast<int>(e.status));
          },
          nb::arg("theta"), nb::arg("sigma"), nb::arg("reml"))
      .def(
          "solution",
          [](GaussianModel& g, const Vector& theta, bool reml) -> nb::object {
            GaussianSolution s;
            bool ok;
            {
              nb::gil_scoped_release release;
              ok = g.solution(theta, reml, s);
            }
            if (!ok) return nb::none();
            nb::dict out;
            out["deviance"] = s.deviance, out["sigma2"] = s.sigma2, out["r2"] = s.r2, out["beta"] = s.beta, out["unscaled"] = s.unscaled;
            out["modes"] = modes_of(g, s.b);
            return out;
          },
          nb::arg("theta"), nb::arg("reml"))
      .def("term_factor", [](const GaussianModel& g, int t, const Vector& theta) { return g.terms().factor(t, theta.data()); })
      .def(
          "conditional_variances",
          [](GaussianModel& g, int t) {
            const TermPlace& at = g.pattern().term(t);
            const FactorBlock& f = g.pattern().factor(at.factor);
            const auto v = g.conditional_variances(at.factor);
            auto* data = new double[std::size_t(f.levels) * at.k * at.k];
            for (int l = 0; l < f.levels; ++l)
              for (int a = 0; a < at.k; ++a)
                for (int b = 0; b < at.k; ++b)
                  data[(std::size_t(l) * at.k + a) * at.k + b] = v[std::size_t(l) * f.k * f.k + (at.offset + a) + (at.offset + b) * f.k];
            nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<double*>(p); });
            return nb::ndarray<nb::numpy, double, nb::ndim<3>>(data, {std::size_t(f.levels), std::size_t(at.k), std::size_t(at.k)}, owner);
          },
          nb::arg("term"), "Diagonal blocks of Lambda M^-1 Lambda' of a term's levels (sigma^2 apart), after solution().")
      .def(
          "unscaled_derivatives",
          [](GaussianModel& g, const Vector& theta) {
            std::vector<Matrix> out;
            g.unscaled_derivatives(theta, out);
            return out;
          },
          nb::arg("theta"))
      .def(
          "fit",
          [](GaussianModel& g, const Vector& start, bool reml, int max_iterations, double tol_gradient, double tol_decrease) {
            MinimizeOptions o;
            o.max_iterations = max_iterations, o.tol_gradient = tol_gradient, o.tol_decrease = tol_decrease;
            nb::gil_scoped_release release;
            return g.fit(start, reml, o);
          },
          nb::arg("start"), nb::arg("reml"), nb::arg("max_iterations") = 300, nb::arg("tol_gradient") = 1e-6,
          nb::arg("tol_decrease") = 1e-10);
}
