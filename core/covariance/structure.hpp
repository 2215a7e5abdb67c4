// Covariance structures of random-effect terms.
//
// A structure maps its parameters theta to the lower-triangular factor L (k x k, diagonal >= 0) of the covariance of
// one level's effects, L L' (relative to sigma^2 in the profiled Gaussian model, absolute elsewhere), and pulls gradients
// back: given F = d f / d L (lower triangle) it adds d f / d theta. One structure is one file in this folder;
// registry.cpp lists them by name.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "linalg/lapack.hpp"

namespace tanada {

struct ThetaInfo {
  std::string name;    // "sd(x)", "chol(x2,x1)", "log_range", ...
  double start, lower, upper;
  bool scale;          // multiplies the whole covariance (a zero bound is a zero variance)
};

class Structure {
 public:
  virtual ~Structure() = default;
  virtual int size() const = 0;        // k
  virtual int parameters() const = 0;  // length of theta
  virtual std::vector<ThetaInfo> info() const = 0;
  // Fills the lower triangle of L; false where theta is outside the domain.
  virtual bool factor(const double* theta, Eigen::Ref<Matrix> L) const = 0;
  virtual void pullback(const double* theta, const Eigen::Ref<const Matrix>& dL, double* gradient) const = 0;
};

// kind: "us", "diag", ...; k: number of effects; `coords` (k x d) the positions of spatial and time structures, `known` a fixed
// matrix, `rank` of a reduced-rank structure; unused ones are empty. Throws std::invalid_argument for an unknown kind.
struct StructureSpec {
  std::string kind = "us";
  int k = 1;
  Matrix coords;
  Matrix known;
  int rank = 0;
};
std::unique_ptr<Structure> make_structure(const StructureSpec& spec);
// The names that make_structure knows.
std::vector<std::string> structure_kinds();

}  // namespace tanada
