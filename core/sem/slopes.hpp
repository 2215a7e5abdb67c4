// Two-level model with random slopes of observed, fixed regressors; values of y may be missing (closed form, Rockwood 2020).
//
//   y_ij = mu + u_j + sum_r L_r x_ijr s_rj + e_ij,  (u_j, s_j) | z_j ~ N(m_j, S),  Var e = Sw
//
// Slope r acts on the within latent variable `outcome[r]`: L_r is that column of Lambda_w (I - B_w)^-1. The between block holds (z, u, s) in the
// positions z 0 .. q-1, u q .. q+p-1, s q+p .. q+p+R-1: the mean of s_r is the fixed effect of x_r, a slope without variance is a plain
// regression. The likelihood is that of y and z given x. With Q_ij = [I, L_1 x_ij1, ...], A_j = sum Q' T' V T Q and g_j = sum Q' T' V e it is the
// expression of twolevel_fiml.hpp; only cross-products of (1, x) with each other and with y are kept, per cluster and missing pattern.
#pragma once
#include "sem/twolevel_fiml.hpp"

namespace tanada::sem {

struct SlopeGroup {
  TwoLevelGroup levels;       // between: positions in (z, u, s)
  const double* x = nullptr;  // N x R, row-major, no NaN
  std::vector<int> outcome;   // R within latent variables
  std::shared_ptr<const void> x_owner = nullptr;
  int slopes() const { return static_cast<int>(outcome.size()); }
};

// Cross-products of one cluster's rows of one missing pattern; X = (1, x_1, ..., x_R).
struct SlopePart {
  int pattern;
  Matrix XX;  // (R+1) x (R+1)
  Matrix yX;  // o x (R+1)
  std::vector<std::int64_t> rows;
};

struct SlopeCluster {
  std::vector<SlopePart> parts;
  std::vector<int> seen;  // effects (of u, s) the rows may say something about
};

// Cross-products by cluster and pattern. Throws std::invalid_argument for an x that is not finite.
std::vector<SlopeCluster> slope_clusters(const SlopeGroup& group, const TwoLevelPatterns& patterns);

class TwoLevelSlopeObjective : public SemObjective {
 public:
  TwoLevelSlopeObjective(std::shared_ptr<const Model> model, std::vector<SlopeGroup> groups);
  Evaluation evaluate(const Vector& x, Vector* gradient) const override;
  // An approximation: the sum of outer products of cluster scores.
  bool information(const Vector& x, Matrix& out) const override;
  // d l_j / d x, one row per cluster of group g.
  Matrix scores(const Vector& x, int g) const;
  int groups() const { return static_cast<int>(groups_.size()); }

 private:
  std::vector<SlopeGroup> groups_;
  std::vector<TwoLevelPatterns> patterns_;
  std::vector<std::vector<SlopeCluster>> clusters_;
};

}  // namespace tanada::sem
