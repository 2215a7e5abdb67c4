// The Laplace and quadrature engine: conversion of designs, and the methods Python calls on a built model.
#include <nanobind/eigen/dense.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.hpp"
#include "mixed/laplace_fit.hpp"

using namespace tanada;

namespace {

using Column = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Table = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Codes = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

Vector vector_of(nb::handle h) {
  const auto c = nb::cast<Column>(h);
  return Eigen::Map<const Vector>(c.data(), c.shape(0));
}

RowMatrix table_of(nb::handle h) {
  const auto t = nb::cast<Table>(h);
  return Eigen::Map<const RowMatrix>(t.data(), t.shape(0), t.shape(1));
}

std::unique_ptr<LaplaceEngine> build(const FamilySpec& spec, Column y, Column trials, Column weights, int beta_count, nb::list predictors,
                                     nb::list terms, nb::list priors) {
  MixedInput in;
  const auto n = static_cast<Eigen::Index>(y.shape(0));
  in.y = Eigen::Map<const Vector>(y.data(), n);
  in.trials = Eigen::Map<const Vector>(trials.data(), n), in.weights = Eigen::Map<const Vector>(weights.data(), n);
  in.beta_count = beta_count;
  for (nb::handle h : predictors) {
    const auto t = nb::cast<nb::tuple>(h);  // X, offset, first
    in.predictors.push_back({table_of(t[0]), vector_of(t[1]), nb::cast<int>(t[2])});
  }
  for (nb::handle h : terms) {
    const auto d = nb::cast<nb::dict>(h);
    TermDesign t;
    t.predictor = nb::cast<int>(d["predictor"]);
    const auto codes = nb::cast<Codes>(d["codes"]);
    t.codes.assign(codes.data(), codes.data() + codes.shape(0));
    t.levels = nb::cast<int>(d["levels"]);
    t.Z = table_of(d["Z"]);
    t.flat = nb::cast<bool>(d["flat"]);
    t.structure.kind = nb::cast<std::string>(d["kind"]);
    t.structure.k = static_cast<int>(t.Z.cols());
    if (d.contains("coords")) t.structure.coords = nb::cast<Matrix>(d["coords"]);
    if (d.contains("known")) t.structure.known = nb::cast<Matrix>(d["known"]);
    if (d.contains("rank")) t.structure.rank = nb::cast<int>(d["rank"]);
    in.terms.push_back(std::move(t));
  }
  std::vector<PriorItem> items;
  for (nb::handle h : priors) {
    const auto t = nb::cast<nb::tuple>(h);  // kind, target, effect, a, b, c
    items.push_back({nb::cast<std::string>(t[0]), nb::cast<int>(t[1]), nb::cast<int>(t[2]), nb::cast<double>(t[3]), nb::cast<double>(t[4]),
                     nb::cast<double>(t[5])});
  }
  auto family = make_family(spec);
  nb::gil_scoped_release release;
  return std::make_unique<LaplaceEngine>(std::move(in), std::move(family), std::move(items));
}

// Rows of the model back in the caller's order.
RowMatrix predictors_in_order(LaplaceEngine& e) {
  const int m = e.model().predictors();
  RowMatrix out(e.model().rows(), m);
  const auto& order = e.model().pattern().order();
  const auto& eta = e.state().eta();
  for (std::size_t i = 0; i < order.size(); ++i)
    for (int a = 0; a < m; ++a) out(order[i], a) = eta[i * m + a];
  return out;
}

const char* status_text(Status s) {
  switch (s) {
    case Status::ok: return "ok";
    case Status::not_positive_definite: return "not positive definite";
    case Status::not_finite: return "not finite";
    case Status::outside: return "outside the domain";
    default: return "modes not found";
  }
}

nb::dict fit(LaplaceEngine& e, const Vector& start, int nagq, int max_iterations, double tol_gradient, double tol_decrease, bool hessian,
             bool glm_start, const std::vector<bool>& theta_given) {
  LaplaceFitResult r;
  {
    nb::gil_scoped_release release;
    r = e.fit(start, {nagq, max_iterations, tol_gradient, tol_decrease, hessian, glm_start, theta_given});
  }
  nb::dict d;
  d["psi"] = r.psi, d["gradient"] = r.gradient, d["deviance"] = r.deviance, d["log_prior"] = r.log_prior, d["hessian"] = r.hessian;
  d["start"] = r.start, d["iterations"] = r.iterations, d["evaluations"] = r.evaluations, d["scaled_gradient"] = r.scaled_gradient;
  d["converged"] = r.converged, d["status"] = status_text(r.status), d["message"] = r.message;
  return d;
}

// Term t: modes (levels, k) and conditional variances (levels, k, k) of its effects, at the last evaluated point.
nb::tuple term_effects(LaplaceEngine& e, int t) {
  const TermPlace& place = e.model().pattern().term(t);
  const FactorBlock& g = e.model().pattern().factor(place.factor);
  const int k = place.k;
  const std::vector<double> C = e.state().conditional_variances(place.factor);
  double* modes = new double[std::size_t(g.levels) * k];
  nb::capsule own_modes(modes, [](void* p) noexcept { delete[] static_cast<double*>(p); });
  double* variances = new double[std::size_t(g.levels) * k * k];
  nb::capsule own_variances(variances, [](void* p) noexcept { delete[] static_cast<double*>(p); });
  for (int l = 0; l < g.levels; ++l)
    for (int a = 0; a < k; ++a) {
      modes[l * k + a] = e.state().b()[g.offset + Eigen::Index(l) * g.k + place.offset + a];
      for (int b = 0; b < k; ++b)
        variances[(std::size_t(l) * k + a) * k + b] = C[std::size_t(l) * g.k * g.k + (place.offset + b) * g.k + place.offset + a];
    }
  const std::size_t two[2] = {std::size_t(g.levels), std::size_t(k)}, three[3] = {std::size_t(g.levels), std::size_t(k), std::size_t(k)};
  return nb::make_tuple(nb::cast(nb::ndarray<nb::numpy, double>(modes, 2, two, own_modes)),
                        nb::cast(nb::ndarray<nb::numpy, double>(variances, 3, three, own_variances)));
}

Matrix term_factor(LaplaceEngine& e, int t) {
  const TermPlace& place = e.model().pattern().term(t);
  return e.state().templates()[place.factor].block(place.offset, place.offset, place.k, place.k).triangularView<Eigen::Lower>();
}

// Moves of the effects of term t with the parameters: (levels k, parameters).
Matrix effect_derivatives(LaplaceEngine& e, int t) {
  const TermPlace& place = e.model().pattern().term(t);
  const FactorBlock& g = e.model().pattern().factor(place.factor);
  const Matrix all = e.effect_derivatives();
  Matrix out(Eigen::Index(g.levels) * place.k, all.cols());
  for (int l = 0; l < g.levels; ++l)
    out.middleRows(Eigen::Index(l) * place.k, place.k) = all.middleRows(g.offset + Eigen::Index(l) * g.k + place.offset, place.k);
  return out;
}

nb::list term_parameters(LaplaceEngine& e) {
  nb::list out;
  for (const auto& t : e.model().terms())
    if (t.structure) out.append(nb::make_tuple(t.theta_first, t.theta_count));
  return out;
}

nb::list theta_info(LaplaceEngine& e) {
  nb::list out;
  for (const auto& i : e.model().theta_info()) out.append(nb::make_tuple(i.name, i.start, i.lower, i.upper, i.scale));
  return out;
}

}  // namespace

void bind_laplace(nb::module_& m) {
  nb::class_<LaplaceEngine>(m, "LaplaceEngine")
      .def(
          "__init__",
          [](LaplaceEngine* self, const std::string& family, const std::string& link, bool zero_inflated, const std::vector<double>& options,
             Column y, Column trials, Column weights, int beta_count, nb::list predictors, nb::list terms, nb::list priors) {
            new (self) LaplaceEngine(std::move(*build({family, link, zero_inflated, options}, y, trials, weights, beta_count, predictors, terms, priors)));
          },
          nb::arg("family"), nb::arg("link"), nb::arg("zero_inflated"), nb::arg("options"), nb::arg("y"), nb::arg("trials"), nb::arg("weights"),
          nb::arg("beta_count"), nb::arg("predictors"), nb::arg("terms"), nb::arg("priors"))
      .def("fit", &fit, nb::arg("start"), nb::arg("nagq") = 1, nb::arg("max_iterations") = 300, nb::arg("tol_gradient") = 1e-6,
           nb::arg("tol_decrease") = 1e-9, nb::arg("hessian") = true, nb::arg("glm_start") = true, nb::arg("theta_given") = std::vector<bool>())
      .def(
          "evaluate",
          [](LaplaceEngine& e, const Vector& psi, int nagq) {
            Vector g;
            Evaluation v;
            {
              nb::gil_scoped_release release;
              v = e.evaluate(psi, nagq, &g);
            }
            if (v.status != Status::ok) v.value = std::numeric_limits<double>::infinity(), g = Vector::Zero(psi.size());
            return nb::make_tuple(v.value, g, status_text(v.status));
          },
          nb::arg("psi"), nb::arg("nagq") = 1, "Penalised deviance, gradient, status.")
      .def("hessian", &LaplaceEngine::hessian, nb::arg("psi"), nb::arg("nagq") = 1, nb::call_guard<nb::gil_scoped_release>())
      .def("log_prior", &LaplaceEngine::prior_at, nb::arg("psi"))
      .def("set_response", &LaplaceEngine::set_response, nb::arg("y"))
      .def("effect_derivatives", &effect_derivatives, nb::arg("term"))
      .def("term_parameters", &term_parameters)
      .def("predictors", &predictors_in_order)
      .def("term_effects", &term_effects, nb::arg("term"))
      .def("term_factor", &term_factor, nb::arg("term"))
      .def("theta_info", &theta_info)
      .def("bounds", [](LaplaceEngine& e) { return nb::make_tuple(e.lower(), e.upper()); });
  m.def("gauss_hermite", [](int n) {
    Vector x, w;
    gauss_hermite(n, x, w);
    return nb::make_tuple(x, w);
  }, nb::arg("n"));
}
