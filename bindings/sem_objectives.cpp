// SEM objectives: sample moments and two-level complete data.
#include <nanobind/stl/shared_ptr.h>

#include "sem/fiml.hpp"
#include "sem/moment.hpp"
#include "sem/saturated.hpp"
#include "sem/slopes.hpp"
#include "sem/twolevel_fiml.hpp"
#include "sem_convert.hpp"

using namespace tanada;
using namespace tanada::sem;

namespace {

using ModelPtr = std::shared_ptr<Model>;

nb::dict stats_dict(const TwoLevelStats& s) {
  nb::dict out;
  out["n_rows"] = s.N, out["n_clusters"] = s.J;
  out["within_cov"] = s.S_within, out["between_cov"] = between_moment(s);
  out["cluster_means"] = s.cluster_means;
  out["cluster_sizes"] = Vector(Eigen::Map<const Vector>(s.cluster_size.data(), s.cluster_size.size()));
  return out;
}

void bind_moment(nb::module_& m) {
  nb::class_<MomentObjective, SemObjective>(m, "MomentObjective")
      .def("__init__",
           [](MomentObjective* self, ModelPtr model, nb::sequence groups) {
             std::vector<MomentGroup> samples;
             for (nb::handle h : groups) {
               nb::sequence item = nb::cast<nb::sequence>(h);
               MomentGroup g{nb::cast<double>(item[0]), nb::cast<Matrix>(item[1]), Vector()};
               if (!item[2].is_none()) g.mean = nb::cast<Vector>(item[2]);
               samples.push_back(std::move(g));
             }
             new (self) MomentObjective(model, std::move(samples));
           },
           nb::arg("model"), nb::arg("groups"))
      .def("scores",
           [](const MomentObjective& self, const Vector& x, int group, DoubleTable Y) {
             if (x.size() != self.size()) throw std::invalid_argument("the parameter vector has the wrong length");
             Eigen::Map<const RowMatrix> rows(Y.data(), Y.shape(0), Y.shape(1));
             nb::gil_scoped_release release;
             return self.scores(x, group, rows);
           },
           nb::arg("x"), nb::arg("group"), nb::arg("Y"));
}

FimlGroup fiml_group(nb::handle h) {
  auto owner = std::make_shared<DoubleTable>(nb::cast<DoubleTable>(h));
  return {owner->data(), static_cast<std::int64_t>(owner->shape(0)), static_cast<int>(owner->shape(1)), owner};
}

// Scores by group, shared by the objectives that keep their data.
template <class T> Matrix group_scores(const T& self, const Vector& x, int group) {
  if (x.size() != self.size()) throw std::invalid_argument("the parameter vector has the wrong length");
  if (group < 0 || group >= self.groups()) throw std::invalid_argument("no such group");
  nb::gil_scoped_release release;
  return self.scores(x, group);
}

void bind_fiml(nb::module_& m) {
  nb::class_<FimlObjective, SemObjective>(m, "FimlObjective")
      .def("__init__",
           [](FimlObjective* self, ModelPtr model, nb::sequence groups) {
             std::vector<FimlGroup> data;
             for (nb::handle h : groups) data.push_back(fiml_group(h));
             nb::gil_scoped_release release;
             new (self) FimlObjective(model, std::move(data));
           },
           nb::arg("model"), nb::arg("groups"))
      .def("scores", &group_scores<FimlObjective>, nb::arg("x"), nb::arg("group") = 0)
      .def("patterns",
           [](const FimlObjective& self, int group) {
             if (group < 0 || group >= self.groups()) throw std::invalid_argument("no such group");
             nb::list out;
             for (const Pattern& r : self.patterns(group)) out.append(nb::make_tuple(r.observed, r.rows));
             return out;
           },
           nb::arg("group") = 0);
  m.def(
      "h1_fiml",
      [](nb::handle Y, int max_iterations, double tol) {
        const FimlGroup data = fiml_group(Y);
        SaturatedOutcome r;
        {
          nb::gil_scoped_release release;
          r = saturated_fiml(data, max_iterations, tol);
        }
        nb::dict out;
        out["loglik"] = r.loglik, out["mean"] = r.mean, out["cov"] = r.cov;
        out["iterations"] = r.iterations, out["converged"] = r.converged;
        return out;
      },
      nb::arg("Y"), nb::arg("max_iterations") = 5000, nb::arg("tol") = 1e-7);
}

void bind_two_level(nb::module_& m) {
  nb::class_<TwoLevelObjective, SemObjective>(m, "TwoLevelObjective")
      .def("__init__",
           [](TwoLevelObjective* self, ModelPtr model, nb::sequence groups) {
             std::vector<TwoLevelGroup> data = two_level_groups(groups);
             nb::gil_scoped_release release;
             new (self) TwoLevelObjective(model, std::move(data));
           },
           nb::arg("model"), nb::arg("groups"))
      .def("scores", &group_scores<TwoLevelObjective>, nb::arg("x"), nb::arg("group") = 0)
      .def("stats",
           [](const TwoLevelObjective& self, int group) {
             if (group < 0 || group >= self.groups()) throw std::invalid_argument("no such group");
             return stats_dict(self.stats(group));
           },
           nb::arg("group") = 0);
  nb::class_<TwoLevelFimlObjective, SemObjective>(m, "TwoLevelFimlObjective")
      .def("__init__",
           [](TwoLevelFimlObjective* self, ModelPtr model, nb::sequence groups) {
             std::vector<TwoLevelGroup> data = two_level_groups(groups);
             nb::gil_scoped_release release;
             new (self) TwoLevelFimlObjective(model, std::move(data));
           },
           nb::arg("model"), nb::arg("groups"))
      .def("scores", &group_scores<TwoLevelFimlObjective>, nb::arg("x"), nb::arg("group") = 0);
}

// two_level_group with {x: (N, R), slope_outcome: (R,)}; slopes are p + q .. p + q + R - 1 in between_index.
SlopeGroup slope_group(nb::handle item) {
  nb::dict d = nb::cast<nb::dict>(item);
  SlopeGroup g;
  g.outcome = nb::cast<std::vector<int>>(d["slope_outcome"]);
  auto x = std::make_shared<DoubleTable>(nb::cast<DoubleTable>(d["x"]));
  g.levels = two_level_group(item);
  g.levels.extra = g.slopes();
  if (static_cast<std::int64_t>(x->shape(0)) != g.levels.data.N || static_cast<int>(x->shape(1)) != g.slopes())
    throw std::invalid_argument("x must have one row per row of y and one column per slope");
  g.x = x->data();
  g.x_owner = x;
  return g;
}

void bind_slopes(nb::module_& m) {
  nb::class_<TwoLevelSlopeObjective, SemObjective>(m, "TwoLevelSlopeObjective")
      .def("__init__",
           [](TwoLevelSlopeObjective* self, ModelPtr model, nb::sequence groups) {
             std::vector<SlopeGroup> data;
             for (nb::handle h : groups) data.push_back(slope_group(h));
             nb::gil_scoped_release release;
             new (self) TwoLevelSlopeObjective(model, std::move(data));
           },
           nb::arg("model"), nb::arg("groups"))
      .def("scores", &group_scores<TwoLevelSlopeObjective>, nb::arg("x"), nb::arg("group") = 0);
}

}  // namespace

void bind_sem_objectives(nb::module_& m) {
  bind_moment(m);
  bind_fiml(m);
  bind_two_level(m);
  bind_slopes(m);
}
