#include <functional>
#include <map>
#include <stdexcept>

#include "covariance/diag.hpp"
#include "covariance/kinds.hpp"
#include "covariance/us.hpp"

namespace tanada {

Matrix distances(const StructureSpec& spec) {
  if (spec.coords.rows() != spec.k)
    throw std::invalid_argument("a " + spec.kind + " structure needs coordinates for each of its " + std::to_string(spec.k) + " effects");
  Matrix d(spec.k, spec.k);
  for (int c = 0; c < spec.k; ++c)
    for (int r = 0; r < spec.k; ++r) d(r, c) = (spec.coords.row(r) - spec.coords.row(c)).norm();
  return d;
}

double typical_distance(const Matrix& distance) {
  const Eigen::Index positive = (distance.array() > 0.0).count();
  return positive == 0 ? 1.0 : distance.sum() / static_cast<double>(positive);
}

namespace {

using Maker = std::function<std::unique_ptr<Structure>(const StructureSpec&)>;

std::unique_ptr<Structure> make_us(const StructureSpec& s) { return std::make_unique<Unstructured>(s.k); }
std::unique_ptr<Structure> make_diag(const StructureSpec& s) { return std::make_unique<Diagonal>(s.k, s.kind == "homdiag"); }

const std::map<std::string, Maker>& makers() {
  static const std::map<std::string, Maker> table = {
      {"us", make_us},       {"diag", make_diag},   {"homdiag", make_diag}, {"cs", make_cs},       {"homcs", make_cs},
      {"ar1", make_ar1},     {"hetar1", make_ar1},  {"ou", make_ou},        {"toep", make_toep},   {"homtoep", make_toep},
      {"exp", make_spatial}, {"gau", make_spatial}, {"mat", make_spatial},  {"rr", make_rr},       {"propto", make_known},
      {"equalto", make_known}};
  return table;
}

}  // namespace

std::vector<std::string> structure_kinds() {
  std::vector<std::string> out;
  for (const auto& [kind, maker] : makers()) out.push_back(kind);
  return out;
}

std::unique_ptr<Structure> make_structure(const StructureSpec& spec) {
  const auto found = makers().find(spec.kind);
  if (found == makers().end()) throw std::invalid_argument("unknown covariance structure '" + spec.kind + "'");
  return found->second(spec);
}

}  // namespace tanada
