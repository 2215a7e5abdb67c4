// Families: the registry, and the evaluation of rows (tests, prediction, quantile residuals).
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.hpp"
#include "family/registry.hpp"
#include "linalg/parallel.hpp"

using namespace tanada;

namespace {

using Column = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Table = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// (rows, columns) of zeros owned by NumPy; columns = 0 makes a vector.
nb::object new_array(std::size_t rows, std::size_t columns, double** data) {
  *data = new double[rows * (columns ? columns : 1)]();
  nb::capsule owner(*data, [](void* p) noexcept { delete[] static_cast<double*>(p); });
  if (columns == 0) {
    const std::size_t shape[1] = {rows};
    return nb::cast(nb::ndarray<nb::numpy, double>(*data, 1, shape, owner));
  }
  const std::size_t shape[2] = {rows, columns};
  return nb::cast(nb::ndarray<nb::numpy, double>(*data, 2, shape, owner));
}

nb::object column(std::size_t rows, double** data) { return new_array(rows, 0, data); }

std::unique_ptr<Family> checked(const FamilySpec& spec, bool by_hand, const Column& y, const Column& trials, const Column& weights,
                                const Table& eta) {
  auto family = make_family(spec, by_hand);
  const std::size_t n = y.shape(0);
  if (trials.shape(0) != n || weights.shape(0) != n || eta.shape(0) != n ||
      eta.shape(1) != static_cast<std::size_t>(family->predictors()))
    throw std::invalid_argument("family '" + spec.name + "': arrays of different lengths, or eta without " +
                                std::to_string(family->predictors()) + " columns");
  return family;
}

nb::list registry() {
  nb::list out;
  for (const FamilyEntry& e : family_entries()) {
    nb::dict d;
    d["name"] = e.name, d["title"] = e.title, d["aliases"] = e.aliases, d["predictors"] = e.predictors;
    std::vector<std::string> links;
    for (Link l : e.links) links.push_back(link_name(l));
    d["links"] = links, d["dispersion"] = e.dispersion, d["support"] = e.support, d["hurdle"] = e.zeros == Zeros::hurdle;
    out.append(d);
  }
  return out;
}

nb::tuple evaluate(const std::string& name, const std::string& link, bool zero_inflated, const std::vector<double>& options,
                   Column y, Column trials, Column weights, Table eta, int order, bool by_hand) {
  auto family = checked({name, link, zero_inflated, options}, by_hand, y, trials, weights, eta);
  const std::size_t n = y.shape(0), m = family->predictors();
  Derivatives d;
  nb::object value = column(n, &d.value), d1 = nb::none(), d2 = nb::none(), d3 = nb::none();
  if (order >= 1) d1 = new_array(n, m, &d.d1);
  if (order >= 2) d2 = new_array(n, m * (m + 1) / 2, &d.d2);
  if (order >= 3) d3 = new_array(n, m * (m + 1) * (m + 2) / 6, &d.d3);
  const Rows rows{y.data(), trials.data(), weights.data(), eta.data()};
  {
    nb::gil_scoped_release release;
    parallel_chunks(n, 4096, [&](int, std::size_t begin, std::size_t end) { family->evaluate(order, begin, end, rows, d); });
  }
  return nb::make_tuple(value, d1, d2, d3);
}

nb::object expected_weight(const std::string& name, const std::string& link, bool zero_inflated, const std::vector<double>& options,
                           Column y, Column trials, Column weights, Table eta) {
  auto family = checked({name, link, zero_inflated, options}, true, y, trials, weights, eta);
  double* data = nullptr;
  nb::object out = column(y.shape(0), &data);
  const Rows rows{y.data(), trials.data(), weights.data(), eta.data()};
  if (!family->expected_weight(0, y.shape(0), rows, data)) return nb::none();
  return out;
}

}  // namespace

void bind_family(nb::module_& m) {
  m.def("family_registry", &registry, "One dict a family: name, title, aliases, predictors, links, dispersion, support, hurdle.");
  m.def("family_evaluate", &evaluate, nb::arg("name"), nb::arg("link"), nb::arg("zero_inflated"), nb::arg("options"), nb::arg("y"),
        nb::arg("trials"), nb::arg("weights"), nb::arg("eta"), nb::arg("order"), nb::arg("by_hand") = true,
        "Log-density of rows and its packed derivatives (value, d1, d2, d3), None beyond `order`.");
  m.def("family_expected_weight", &expected_weight, nb::arg("name"), nb::arg("link"), nb::arg("zero_inflated"), nb::arg("options"),
        nb::arg("y"), nb::arg("trials"), nb::arg("weights"), nb::arg("eta"));
}
