#include <stdexcept>

#include "covariance/diag.hpp"
#include "covariance/structure.hpp"
#include "covariance/us.hpp"

namespace tanada {

std::unique_ptr<Structure> make_structure(const StructureSpec& spec) {
  if (spec.kind == "us") return std::make_unique<Unstructured>(spec.k);
  if (spec.kind == "diag" || spec.kind == "homdiag") return std::make_unique<Diagonal>(spec.k, spec.kind == "homdiag");
  throw std::invalid_argument("unknown covariance structure '" + spec.kind + "'");
}

}  // namespace tanada
