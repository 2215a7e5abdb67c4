// Covariance structures: factor, pullback and parameter table, for tests and for what Python computes from theta.
#include <nanobind/eigen/dense.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.hpp"
#include "covariance/structure.hpp"

using namespace tanada;

namespace {

std::unique_ptr<Structure> make(const std::string& kind, int k, const std::optional<Matrix>& coords, const std::optional<Matrix>& known,
                                int rank) {
  return make_structure({kind, k, coords.value_or(Matrix()), known.value_or(Matrix()), rank});
}

std::unique_ptr<Structure> checked(const std::string& kind, int k, const std::optional<Matrix>& coords,
                                   const std::optional<Matrix>& known, int rank, const Vector& theta) {
  auto s = make(kind, k, coords, known, rank);
  if (theta.size() != s->parameters())
    throw std::invalid_argument("a " + kind + " structure of " + std::to_string(k) + " effects has " + std::to_string(s->parameters()) +
                                " parameters, not " + std::to_string(theta.size()));
  return s;
}

nb::list info(const std::string& kind, int k, std::optional<Matrix> coords, std::optional<Matrix> known, int rank) {
  nb::list out;
  for (const ThetaInfo& t : make(kind, k, coords, known, rank)->info()) {
    nb::dict d;
    d["name"] = t.name, d["start"] = t.start, d["lower"] = t.lower, d["upper"] = t.upper, d["scale"] = t.scale;
    out.append(d);
  }
  return out;
}

std::optional<Matrix> factor(const std::string& kind, int k, std::optional<Matrix> coords, std::optional<Matrix> known, int rank,
                             const Vector& theta) {
  auto s = checked(kind, k, coords, known, rank, theta);
  Matrix L = Matrix::Zero(k, k);
  if (!s->factor(theta.data(), L)) return std::nullopt;
  return L;
}

Vector pullback(const std::string& kind, int k, std::optional<Matrix> coords, std::optional<Matrix> known, int rank,
                const Vector& theta, const Matrix& dL) {
  auto s = checked(kind, k, coords, known, rank, theta);
  Vector gradient = Vector::Zero(theta.size());
  s->pullback(theta.data(), dL, gradient.data());
  return gradient;
}

}  // namespace

void bind_covariance(nb::module_& m) {
  m.def("structure_kinds", &structure_kinds);
  m.def("structure_info", &info, nb::arg("kind"), nb::arg("k"), nb::arg("coords") = nb::none(), nb::arg("known") = nb::none(),
        nb::arg("rank") = 0, "One dict a parameter: name, start, lower, upper, scale.");
  m.def("structure_factor", &factor, nb::arg("kind"), nb::arg("k"), nb::arg("coords").none(), nb::arg("known").none(), nb::arg("rank"),
        nb::arg("theta"), "The lower factor L (k, k) of the covariance, None where theta is outside the domain.");
  m.def("structure_pullback", &pullback, nb::arg("kind"), nb::arg("k"), nb::arg("coords").none(), nb::arg("known").none(),
        nb::arg("rank"), nb::arg("theta"), nb::arg("dL"), "d f / d theta given d f / d L (lower triangle).");
}
