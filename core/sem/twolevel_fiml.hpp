// Two-level Gaussian structural equation model with values missing (Rosseel 2021).
//
// With T_i picking what row i has, W_i = T_i Sw T_i', B = Syz Szz^-1, m_j = B (z_j - mu_z), S = Sb - B Szy, e_i = y_i - T_i mu:
//   A_j = sum T' W^-1 T,  g_j = sum T' W^-1 e_i - A_j m_j
//   -2 l_j = sum (log|W_i| + e' W^-1 e) - 2 m' sum T' W^-1 e + m' A m + log|I + S A| - g' (I + S A)^-1 S g
//            + log|Szz| + (z - mu_z)' Szz^-1 (z - mu_z) + const
// valid for singular and indefinite Sb. With A = R R', C = I + R' S R must be positive definite; K = R C^-1 R' is the precision of the
// cluster's data about u, h = (I + A S)^-1 g, and u_j = m_j + S h, P_j = S - S K S are mean and variance of the cluster effect given
// the data. The gradient is then
//   d/dS = K - h h',  d/dm = -2 h,  d/dW_r = n_r V - V M_r V,  M_r = sum (e_i - T u)(e_i - T u)' + n_jr T P T'.
// Missing z: the observed part of z_j alone. Cost per evaluation: one inverse per missing pattern, p x p work per cluster.
#pragma once
#include "sem/fiml.hpp"
#include "sem/twolevel.hpp"

namespace tanada::sem {

// The rows of one cluster that share a missing pattern.
struct ClusterPart {
  int pattern;
  double n;
  Vector mean;
  std::vector<std::int64_t> rows;
};

struct ClusterRecord {
  std::vector<ClusterPart> parts;
  std::vector<int> observed;  // row variables seen at least once
  int z_pattern = -1;
  double n = 0.0;             // rows with something observed
};

// What the rows of one group hold, independent of the parameters.
struct TwoLevelPatterns {
  std::vector<Pattern> rows;                // patterns of y
  std::vector<std::vector<int>> z;          // observed z of each z pattern
  std::vector<ClusterRecord> clusters;
};
TwoLevelPatterns two_level_patterns(const ClusterData& data);

class TwoLevelFimlObjective : public SemObjective {
 public:
  TwoLevelFimlObjective(std::shared_ptr<const Model> model, std::vector<TwoLevelGroup> groups);
  Evaluation evaluate(const Vector& x, Vector* gradient) const override;
  // An approximation: within part by missing pattern, between part as if cluster means were complete.
  bool information(const Vector& x, Matrix& out) const override;
  Matrix scores(const Vector& x, int g) const;
  int groups() const { return static_cast<int>(groups_.size()); }
  const TwoLevelGroup& group(int g) const { return groups_.at(g); }
  const TwoLevelPatterns& patterns(int g) const { return patterns_.at(g); }

 private:
  std::vector<TwoLevelGroup> groups_;
  std::vector<TwoLevelPatterns> patterns_;
};

// ---- pieces shared with the unrestricted model

// Regression of u on the observed z, for one z pattern.
struct ZRegression {
  Matrix inverse;  // Szz^-1
  Matrix B;        // k x q_o, k effects
  Matrix S;        // k x k
  double log_det = 0.0;
};

struct TwoLevelFactors {
  TwoLevelMoments m;
  std::vector<Matrix> V;  // W_r^-1
  std::vector<double> log_det;
  std::vector<ZRegression> z;
};
bool two_level_factors(const TwoLevelGroup& data, const TwoLevelPatterns& patterns, TwoLevelFactors& f);

// The cluster effects (u, and slopes where there are any: k of them) given the data of one cluster.
struct ClusterPosterior {
  Matrix K, P;   // k x k
  Vector h, u;   // k
  Vector w;      // Szz^-1 (z - mu_z), observed z
  double value;  // -2 l_j without the e' W^-1 e and log|W| terms
};
// Sums over the clusters of one z pattern, and the derivatives by sigma_b and mu they make (added to Gb, g).
struct ZSums {
  ZSums(int k, int z) : GS(Matrix::Zero(k, k)), hw(Matrix::Zero(k, z)), ww(Matrix::Zero(z, z)), w(Vector::Zero(z)), h(Vector::Zero(k)) {}
  Matrix GS;      // K - h h'
  Matrix hw, ww;  // h w', w w'
  Vector w, h;
  double count = 0.0;
  void add(const ClusterPosterior& c);
  void finish(const ZRegression& z, const std::vector<int>& seen, Matrix& Gb, Vector& g) const;
};
// sum over the rows of a pattern of (y - mu)(y - mu)'; mu in the order (z, y).
Matrix pattern_products(const Pattern& r, const Vector& mu, int q);

// Sets out.w, out.value to the part of z of cluster j and m to the effects' mean given z, relative to their marginal mean.
void z_prior(const TwoLevelGroup& data, const TwoLevelPatterns& patterns, const TwoLevelFactors& f, std::size_t j, Vector& m,
             ClusterPosterior& out);
// From A = sum Q' V Q, g0 = sum Q' V e and the prior N(m, S) of the effects; `seen`: effects the data may say something about (A is zero
// elsewhere). Adds to out.value; out.w is left alone.
bool effect_posterior(const Matrix& A, const Vector& g0, const Vector& m, const Matrix& S, const std::vector<int>& seen,
                      ClusterPosterior& out);
bool cluster_posterior(const TwoLevelGroup& data, const TwoLevelPatterns& patterns, const TwoLevelFactors& f, std::size_t j,
                       ClusterPosterior& out);

}  // namespace tanada::sem
