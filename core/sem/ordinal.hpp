// Thresholds and polychoric, polyserial and product-moment correlations by two-stage maximum likelihood, with their joint asymptotic
// covariance (Olsson 1979; Muthen 1984).
//
// Stage 1: thresholds from the margins, mean and variance (divisor n) of continuous variables. Stage 2: each correlation by maximum
// likelihood of its pair given stage 1. The covariance is the sandwich A^-1 B A^-T of the stacked scores, A and B from their outer products.
// Rows count for a margin or a pair where they are observed (pairwise).
#pragma once
#include <cstdint>
#include <vector>

#include "linalg/lapack.hpp"

namespace tanada::sem {

// One variable: `categories` 0 for continuous, else codes 0 .. categories-1. NaN is missing.
struct OrdinalVariable {
  int categories = 0;
  std::vector<double> values;
};

// The margin of a variable.
struct Margin {
  Vector thresholds;   // categories - 1; empty when continuous
  double mean = 0.0, variance = 1.0;
  double n = 0.0;
  int parameters() const { return thresholds.size() > 0 ? static_cast<int>(thresholds.size()) : 2; }
};

// Throws std::invalid_argument for a category nobody chose, a code out of range or a constant variable.
Margin margin_of(const OrdinalVariable& v);
// d log f / d margin parameters of each row (n x parameters); zero where missing.
Matrix margin_scores(const OrdinalVariable& v, const Margin& m);

struct PairFit {
  double rho = 0.0;
  Vector score;             // d l_i / d rho
  Matrix score_a, score_b;  // d l_i / d margin parameters of the two variables, at the pair's likelihood
  bool converged = false;
};
// The three kinds of pair; `scores` asks for the scores too. Two variables never observed together: std::invalid_argument.
PairFit polychoric_pair(const OrdinalVariable& a, const Margin& ma, const OrdinalVariable& b, const Margin& mb, bool scores);
PairFit polyserial_pair(const OrdinalVariable& ordinal, const Margin& mo, const OrdinalVariable& continuous, const Margin& mc, bool scores);
PairFit pearson_pair(const OrdinalVariable& a, const Margin& ma, const OrdinalVariable& b, const Margin& mb, bool scores);

struct OrdinalMoments {
  std::vector<Margin> margins;
  Matrix correlation;  // p x p
  // Margin parameters in the order of the variables, then correlations down the columns of the strict lower triangle.
  Matrix gamma;        // n times the asymptotic covariance of those; empty unless asked for
  bool converged = true;
};
OrdinalMoments ordinal_moments(const std::vector<OrdinalVariable>& variables, bool gamma);

// The same as the sample statistics of a least-squares objective: thresholds and means in the order of the variables, variances of continuous
// variables, then covariances (correlations among ordinal ones) down the columns of the strict lower triangle.
struct OrdinalStatistics {
  Vector values;
  std::vector<int> kind, row, col;  // 0 covariance, 1 mean, 2 threshold (col counts all thresholds)
  Matrix gamma;
};
OrdinalStatistics ordinal_statistics(const OrdinalMoments& moments);

}  // namespace tanada::sem
