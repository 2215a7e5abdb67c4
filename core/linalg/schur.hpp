// The positive definite matrix left after elimination (q2 x q2): dense through LAPACK, or sparse while it is sparse.
//
// Sparse: Eigen's simplicial Cholesky with approximate minimum degree ordering, and the inverse on the pattern of the factor by
// Takahashi's equations (Erisman & Tinney 1975).
#pragma once
#include <Eigen/SparseCholesky>
#include <memory>
#include <vector>

#include "linalg/random_pattern.hpp"

namespace tanada {

class Schur {
 public:
  explicit Schur(const RandomPattern& pattern);

  bool dense() const { return dense_; }
  void set_zero();
  // Address of entry (r, c), r >= c, in the lower triangle; dense entries below it follow at +1, sparse ones too while inside one block.
  double* at(Eigen::Index r, Eigen::Index c) {
    return dense_ ? &matrix_(r, c) : sparse_.valuePtr() + find(r, c);
  }
  bool factor();
  double logdet() const { return logdet_; }
  void solve(Eigen::Ref<RowMatrix> rhs) const;
  void invert();  // after factor(): the inverse on the pattern
  // Entry of the inverse, any order of r and c; it must lie on the pattern.
  double inverse(Eigen::Index r, Eigen::Index c) const {
    if (dense_) return inverse_(r, c);
    return r >= c ? sparse_inverse_[find(r, c)] : sparse_inverse_[find(c, r)];
  }
  const Matrix& inverse_matrix() const { return inverse_; }  // dense only
  Eigen::Index size() const { return q_; }

 private:
  using Sparse = Eigen::SparseMatrix<double, Eigen::ColMajor, int>;
  using Solver = Eigen::SimplicialLLT<Sparse, Eigen::Lower, Eigen::AMDOrdering<int>>;
  void choose(const RandomPattern& pattern);
  void build_sparse(const std::vector<std::vector<int>>& rows_below);
  Eigen::Index find(Eigen::Index r, Eigen::Index c) const;
  void takahashi();

  Eigen::Index q_;
  bool dense_ = true;
  double logdet_ = 0.0;
  Matrix matrix_, inverse_;
  Sparse sparse_;
  std::unique_ptr<Solver> solver_;
  std::vector<double> sparse_inverse_;
};

}  // namespace tanada
