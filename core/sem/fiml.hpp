// Single-level full-information maximum likelihood by missing pattern.
//
//   -2 l = sum over patterns r of n_r [o_r log 2 pi + log|Sigma_r| + tr(Sigma_r^-1 (S_r + d_r d_r'))],  d_r = ybar_r - mu_r
//
// Sigma_r, mu_r: rows and columns of the o_r variables observed in pattern r. A pattern with at least as many rows as variables is reduced
// to its mean and covariance; one with fewer keeps its rows, so its cost is that of one o_r x o_r factorisation. Rows with nothing observed
// hold no information and are left out. Patterns run in parallel.
#pragma once
#include <cstdint>

#include <limits>

#include "sem/objective.hpp"

namespace tanada::sem {

// Rows of one group that have the same variables observed.
struct Pattern {
  std::vector<int> observed;        // columns, ascending
  std::vector<std::int64_t> rows;   // of the data
  double n = 0.0;
  Vector mean;   // o
  Matrix cov;    // o x o, divisor n; empty when `deviations` is used
  Matrix deviations;  // o x n, rows minus `mean`; empty when `cov` is used
};

struct FimlGroup {
  const double* y = nullptr;  // N x p, row-major; NaN where missing
  std::int64_t N = 0;
  int p = 0;
  std::shared_ptr<const void> owner = nullptr;
  Eigen::Map<const RowMatrix> rows() const { return {y, N, p}; }
};

// Patterns in the order of their first rows. Throws std::invalid_argument for infinite values.
std::vector<Pattern> missing_patterns(const FimlGroup& data);

// The block of `full` at `index`.
void gather(const Matrix& full, const std::vector<int>& index, Matrix& out);
// full(index, index) += w * part
void scatter_add(const Matrix& part, const std::vector<int>& index, double w, Matrix& full);

// Adds -2 l of all patterns at (sigma, mu) to `value`; with G and g also its derivatives (d f = sum G_ij dSigma_ij + g' dmu). False where
// the covariance of a pattern is not positive definite.
bool fiml_terms(const std::vector<Pattern>& patterns, const Matrix& sigma, const Vector& mu, double& value, Matrix* G, Vector* g);

// The same for one pattern at V = Sigma_r^-1: H = V M V with M the mean square about mu, and Vd.
void pattern_squares(const Pattern& r, const Matrix& V, const Vector& mu, Matrix& H, Vector& Vd);

class FimlObjective : public SemObjective {
 public:
  FimlObjective(std::shared_ptr<const Model> model, std::vector<FimlGroup> groups);
  Evaluation evaluate(const Vector& x, Vector* gradient) const override;
  bool information(const Vector& x, Matrix& out) const override;
  // d l_i / d x, one row per row of group g (zero where nothing is observed).
  Matrix scores(const Vector& x, int g) const;
  int groups() const { return static_cast<int>(groups_.size()); }
  const std::vector<Pattern>& patterns(int g) const { return patterns_.at(g); }

 protected:
  bool exact_hessian(const Vector& x, Matrix& out) const override;

 private:
  std::vector<FimlGroup> groups_;
  std::vector<std::vector<Pattern>> patterns_;
};

}  // namespace tanada::sem
