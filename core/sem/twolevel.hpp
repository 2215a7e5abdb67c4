// Two-level Gaussian structural equation model, complete data (McDonald & Goldstein 1989; Muthen 1994).
//
//   y_ij = mu + u_j + e_ij,  Var e = Sw,  Var u = Sb,  Var z = Szz,  Cov(u, z) = Syz
//   -2 l = (N - J)[log|Sw| + tr(Sw^-1 S_pw)] + sum_j [log|O_n| + D_j' O_n^-1 D_j + p log n_j] + (N p + J q) log 2 pi
//   O_n = [[Szz, Szy], [Syz, Sb + Sw / n]],  D_j = (z_j, ybar_j) - (mu_z, mu),  mu = mu_w + mu_b
//
// Block order: within and between block of group 1, of group 2, ... Cost per evaluation: one inverse per distinct cluster size.
#pragma once
#include "sem/objective.hpp"
#include "sem/twolevel_stats.hpp"

namespace tanada::sem {

// Where the variables of the two blocks sit in b = (z, y), q + p positions, followed by `extra` positions of random slopes.
struct TwoLevelGroup {
  ClusterData data;
  std::vector<int> within;   // position of each within variable, q .. q+p-1
  std::vector<int> between;  // position of each between variable
  int extra = 0;
  int positions() const { return data.q + data.p + extra; }
};

// Model matrices of both levels and their moments in the order (z, y).
struct TwoLevelMoments {
  BlockState w, b;
  Matrix sigma_w;  // p x p
  Matrix sigma_b;  // q + p (+ extra), square
  Vector mu;       // q + p (+ extra)
};

// Checks that every row variable has a within position and every z a between one; throws std::invalid_argument.
void check_positions(const Model& model, const std::vector<TwoLevelGroup>& groups);
// Converts the user's indices (row variables 0 .. p-1, then z, then slopes) to positions in (z, y, slopes).
std::vector<int> to_positions(const std::vector<int>& index, int p, int q);

bool two_level_moments(const Model& model, int group, const TwoLevelGroup& data, const Vector& x, TwoLevelMoments& m);
// Adds d f / d x given G_b, g (order (z, y), p + q) and G_w (p x p) of f's dependence on sigma_b, mu and sigma_w.
void two_level_pullback(const Model& model, int group, const TwoLevelGroup& data, const TwoLevelMoments& m, const Matrix& Gw,
                        const Matrix& Gb, const Vector& g, Vector& gradient);
// Adds the information of `count` cluster means of size n, given V = O_n^-1, and of `rows` within deviations, V_w = Sw^-1.
void add_between_information(const TwoLevelGroup& data, const TwoLevelMoments& m, const Matrix& V, double n, double count, Matrix& out);
// The pair terms of the Hessian (see hessian.hpp) of the same two pieces: H_b = V M V of the cluster means, H_w = V_w S_pw V_w.
void add_between_pairs(const TwoLevelGroup& data, const TwoLevelMoments& m, const Matrix& V, const Matrix& H, const Vector& Vd, double n,
                       double count, Matrix& out);
void add_within_pairs(const TwoLevelGroup& data, const TwoLevelMoments& m, const Matrix& Vw, const Matrix& Hw, double rows, Matrix& out);
// The structure terms of both blocks, given the derivatives by sigma_w, sigma_b and mu.
void add_two_level_structure(const TwoLevelGroup& data, const TwoLevelMoments& m, const Matrix& Gw, const Matrix& Gb, const Vector& g,
                             Matrix& out);
void add_within_information(const TwoLevelGroup& data, const TwoLevelMoments& m, const Matrix& Vw, double rows, Matrix& out);

class TwoLevelObjective : public SemObjective {
 public:
  TwoLevelObjective(std::shared_ptr<const Model> model, std::vector<TwoLevelGroup> groups);
  Evaluation evaluate(const Vector& x, Vector* gradient) const override;
  bool information(const Vector& x, Matrix& out) const override;
  // d l_j / d x, one row per cluster of group g.
  Matrix scores(const Vector& x, int g) const;
  const TwoLevelStats& stats(int g) const { return stats_.at(g); }
  const TwoLevelGroup& group(int g) const { return groups_.at(g); }
  int groups() const { return static_cast<int>(groups_.size()); }

 protected:
  bool exact_hessian(const Vector& x, Matrix& out) const override;

 private:
  std::vector<TwoLevelGroup> groups_;
  std::vector<TwoLevelStats> stats_;
};

}  // namespace tanada::sem
