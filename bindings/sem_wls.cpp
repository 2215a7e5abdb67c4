// SEM objectives on sample statistics: least squares, thresholds.
#include <nanobind/stl/shared_ptr.h>

#include "sem/bivariate_normal.hpp"
#include "sem/ordinal.hpp"
#include "sem/wls.hpp"
#include "sem_convert.hpp"

using namespace tanada;
using namespace tanada::sem;

namespace {

std::vector<Slotted> slots(nb::dict d, const char* free, const char* value, std::size_t n) {
  std::vector<Slotted> out;
  if (!d.contains(free)) return std::vector<Slotted>(n, Slotted{-1, 1.0});
  const auto f = nb::cast<std::vector<int>>(d[free]);
  const auto v = nb::cast<std::vector<double>>(d[value]);
  if (f.size() != v.size()) throw std::invalid_argument("the arrays of a group differ in length");
  for (std::size_t i = 0; i < f.size(); ++i) out.push_back({f[i], v[i]});
  return out;
}

WlsGroup wls_group(nb::handle item, int p) {
  nb::dict d = nb::cast<nb::dict>(item);
  WlsGroup g;
  g.s = nb::cast<Vector>(d["stats"]);
  if (nb::cast<int>(d["weight"].attr("ndim")) == 1)
    g.W = nb::cast<Vector>(d["weight"]);
  else
    g.W = nb::cast<Matrix>(d["weight"]);
  const auto kind = nb::cast<std::vector<int>>(d["kind"]), row = nb::cast<std::vector<int>>(d["row"]), col = nb::cast<std::vector<int>>(d["col"]);
  if (kind.size() != row.size() || kind.size() != col.size()) throw std::invalid_argument("the arrays of a group differ in length");
  for (std::size_t i = 0; i < kind.size(); ++i) {
    if (kind[i] < 0 || kind[i] > 2) throw std::invalid_argument("unknown kind of statistic");
    g.elements.push_back({static_cast<Element>(kind[i]), row[i], col[i]});
  }
  g.tau = slots(d, "tau_free", "tau_value", 0);
  g.delta = slots(d, "delta_free", "delta_value", p);
  g.scale.assign(p, Scale::given);
  if (d.contains("standardized")) {
    const auto flags = nb::cast<std::vector<int>>(d["standardized"]);
    if (static_cast<int>(flags.size()) != p) throw std::invalid_argument("one scale per variable is needed");
    for (int i = 0; i < p; ++i) g.scale[i] = flags[i] ? Scale::standardized : Scale::given;
  }
  return g;
}

void check(const WlsObjective& self, const Vector& x, int group) {
  if (x.size() != self.size()) throw std::invalid_argument("the parameter vector has the wrong length");
  if (group < 0 || group >= self.groups()) throw std::invalid_argument("no such group");
}

nb::dict polychoric(DoubleTable Y, const std::vector<int>& categories, bool gamma) {
  const std::size_t n = Y.shape(0), p = Y.shape(1);
  if (categories.size() != p) throw std::invalid_argument("one number of categories per column is needed");
  std::vector<OrdinalVariable> variables(p);
  for (std::size_t k = 0; k < p; ++k) {
    if (categories[k] < 0 || categories[k] == 1) throw std::invalid_argument("a variable needs two categories, or 0 when continuous");
    variables[k].categories = categories[k];
    variables[k].values.resize(n);
    for (std::size_t i = 0; i < n; ++i) variables[k].values[i] = Y.data()[i * p + k];
  }
  OrdinalMoments moments;
  OrdinalStatistics stats;
  {
    nb::gil_scoped_release release;
    moments = ordinal_moments(variables, gamma);
    stats = ordinal_statistics(moments);
  }
  nb::dict out;
  nb::list thresholds;
  Vector mean(p), variance(p);
  for (std::size_t k = 0; k < p; ++k) {
    thresholds.append(moments.margins[k].thresholds);
    mean[k] = moments.margins[k].mean, variance[k] = moments.margins[k].variance;
  }
  out["thresholds"] = thresholds, out["mean"] = mean, out["variance"] = variance;
  out["correlation"] = moments.correlation, out["converged"] = moments.converged;
  out["stats"] = stats.values, out["kind"] = stats.kind, out["row"] = stats.row, out["col"] = stats.col;
  out["gamma"] = stats.gamma;
  return out;
}

}  // namespace

void bind_sem_wls(nb::module_& m) {
  m.def("polychoric", &polychoric, nb::arg("Y"), nb::arg("categories"), nb::arg("gamma") = true);
  m.def("bivariate_normal_cdf", &bivariate_cdf, nb::arg("a"), nb::arg("b"), nb::arg("rho"));
  m.def("normal_quantile", &normal_quantile, nb::arg("p"));
  nb::class_<WlsObjective, SemObjective>(m, "WlsObjective")
      .def("__init__",
           [](WlsObjective* self, std::shared_ptr<Model> model, nb::sequence groups) {
             if (nb::len(groups) != model->blocks.size()) throw std::invalid_argument("one sample per block is needed");
             std::vector<WlsGroup> data;
             for (nb::handle h : groups) data.push_back(wls_group(h, model->blocks[data.size()].p()));
             new (self) WlsObjective(model, std::move(data));
           },
           nb::arg("model"), nb::arg("groups"))
      .def("implied_stats",
           [](const WlsObjective& self, const Vector& x, int group) {
             check(self, x, group);
             Vector sigma;
             if (!self.implied(x, group, sigma, nullptr)) sigma.setConstant(std::numeric_limits<double>::quiet_NaN());
             return sigma;
           },
           nb::arg("x"), nb::arg("group") = 0)
      .def("stats_jacobian",
           [](const WlsObjective& self, const Vector& x, int group) {
             check(self, x, group);
             Vector sigma;
             Matrix J;
             if (!self.implied(x, group, sigma, &J)) J.setConstant(std::numeric_limits<double>::quiet_NaN());
             return J;
           },
           nb::arg("x"), nb::arg("group") = 0);
}
