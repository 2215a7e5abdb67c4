// Random-effects designs as Python hands them over.
//
// factors: tuples (levels, codes int32 (n,)); terms: tuples (factor, predictor, Z (n, k) float64 C order, kind, options dict) with options
// "coords" (k, d), "known" (k, k), "rank".
#pragma once
#include <nanobind/eigen/dense.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>
#include <vector>

#include "covariance/structure.hpp"
#include "linalg/random_pattern.hpp"

namespace nb = nanobind;

using DoubleVector = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using DoubleMatrix = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using CodeVector = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

struct RandomInput {
  std::vector<tanada::FactorInput> factors;
  std::vector<tanada::TermInput> terms;
  std::vector<tanada::StructureSpec> structures;
  std::vector<CodeVector> codes;     // keep the arrays alive
  std::vector<DoubleMatrix> designs;

  RandomInput(const std::vector<nb::tuple>& factor_tuples, const std::vector<nb::tuple>& term_tuples) {
    for (const auto& f : factor_tuples) {
      codes.push_back(nb::cast<CodeVector>(f[1]));
      factors.push_back({nb::cast<int>(f[0]), codes.back().data(), f.size() > 2 ? nb::cast<bool>(f[2]) : true});
    }
    for (const auto& t : term_tuples) {
      designs.push_back(nb::cast<DoubleMatrix>(t[2]));
      const int k = static_cast<int>(designs.back().shape(1));
      terms.push_back({nb::cast<int>(t[0]), k, nb::cast<int>(t[1]), designs.back().data()});
      tanada::StructureSpec spec;
      spec.kind = nb::cast<std::string>(t[3]);
      spec.k = k;
      nb::dict options = nb::cast<nb::dict>(t[4]);
      if (options.contains("coords")) spec.coords = nb::cast<tanada::Matrix>(options["coords"]);
      if (options.contains("known")) spec.known = nb::cast<tanada::Matrix>(options["known"]);
      if (options.contains("rank")) spec.rank = nb::cast<int>(options["rank"]);
      structures.push_back(std::move(spec));
    }
  }
};

// (name, start, lower, upper, scale) of each theta
inline std::vector<std::tuple<std::string, double, double, double, bool>> theta_tuples(const std::vector<tanada::ThetaInfo>& info) {
  std::vector<std::tuple<std::string, double, double, double, bool>> out;
  for (const auto& i : info) out.emplace_back(i.name, i.start, i.lower, i.upper, i.scale);
  return out;
}
