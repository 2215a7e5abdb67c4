// Conversions shared by the SEM bindings.
#pragma once
#include <nanobind/eigen/dense.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

#include "bindings.hpp"
#include "sem/objective.hpp"
#include "sem/twolevel.hpp"

using DoubleTable = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using DoubleColumn = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using CodeColumn = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using IntColumn = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// {y: (N, p), code: (N,) in 0..J-1, z: (J, q) or None, within_index: (p_w,), between_index: (p_b,)}
inline tanada::sem::TwoLevelGroup two_level_group(nb::handle item) {
  using namespace tanada::sem;
  struct Owner {
    DoubleTable y, z;
    CodeColumn code;
  };
  nb::dict d = nb::cast<nb::dict>(item);
  auto owner = std::make_shared<Owner>();
  owner->y = nb::cast<DoubleTable>(d["y"]);
  owner->code = nb::cast<CodeColumn>(d["code"]);
  TwoLevelGroup g;
  ClusterData& c = g.data;
  c.y = owner->y.data(), c.N = static_cast<std::int64_t>(owner->y.shape(0)), c.p = static_cast<int>(owner->y.shape(1));
  c.code = owner->code.data();
  if (static_cast<std::int64_t>(owner->code.shape(0)) != c.N) throw std::invalid_argument("y and code differ in length");
  nb::object z = d.contains("z") ? nb::object(d["z"]) : nb::none();
  if (!z.is_none()) {
    owner->z = nb::cast<DoubleTable>(z);
    c.z = owner->z.data(), c.J = static_cast<std::int64_t>(owner->z.shape(0)), c.q = static_cast<int>(owner->z.shape(1));
  } else {
    for (std::int64_t i = 0; i < c.N; ++i) c.J = std::max(c.J, c.code[i] + 1);
  }
  c.owner = owner;
  g.within = to_positions(nb::cast<std::vector<int>>(d["within_index"]), c.p, c.q);
  g.between = to_positions(nb::cast<std::vector<int>>(d["between_index"]), c.p, c.q);
  return g;
}

inline std::vector<tanada::sem::TwoLevelGroup> two_level_groups(nb::sequence items) {
  std::vector<tanada::sem::TwoLevelGroup> out;
  for (nb::handle h : items) out.push_back(two_level_group(h));
  return out;
}

void bind_sem_objectives(nb::module_& m);
void bind_sem_wls(nb::module_& m);
