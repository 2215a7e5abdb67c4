// Adaptive Gauss-Hermite quadrature for one grouping factor with at most three effects per level.
//
// Level l: nodes u_j = u + sqrt(2) R^-1 x_j, R'R = H_l (curvature of the joint log-density at its mode u), so
//     log integral = log sum_j exp(log w_j + |x_j|^2 - k/2 log(pi) + phi(u_j)) - log|H_l|/2,   phi(u) = sum_i l_i - |u|^2/2
// (Pinheiro & Chao 2006). The derivative is that of the rule itself: the nodes move with the mode and with the factor of H
// (differential of a Cholesky factor: dL = L Phi(L^-1 dH L^-T), Phi the lower triangle with halved diagonal; Murray 2016).
#pragma once
#include <vector>

#include "mixed/laplace_model.hpp"

namespace tanada {

// What the gradient needs beyond the mode: row scores, row weights of dD and per-template sums; for Laplace these are the
// values at the mode, for quadrature averages over the nodes.
struct RowAverages {
  const double* score = nullptr;     // (n, m)
  const double* leverage = nullptr;  // (n, m(m+1)/2): d f / d D_i = -leverage / 2
  Templates direct;                  // sum over levels of (Z's)_l u_l'
  Templates trace;                   // sum over levels of A Lambda (-2 df/dH)
  Vector mode;                       // (effects) derivative of f in the mode, the part not passing through D; empty for zero
};

class AdaptiveQuadrature {
 public:
  // Throws std::invalid_argument when the model has not exactly one penalised factor of width 1-3.
  AdaptiveQuadrature(const LaplaceModel& model, int points);
  int points() const { return points_; }
  int nodes() const { return static_cast<int>(node_.cols()); }
  // Log-likelihood at the modes u, given D there (through the diagonal blocks of A), fixed predictors (n, m) and template.
  // Fills `out` when it is not null. Not finite where a node overflows.
  double evaluate(const Vector& u, const double* fixed, const Matrix& L, const std::vector<double>& A, RowAverages* out);

 private:
  struct Block;
  void place(Block& work, std::size_t begin, std::size_t end, const Vector& u, const Matrix& L, const std::vector<double>& A) const;
  void evaluate_nodes(Block& work, std::size_t begin, const double* fixed, const Matrix& L, bool scores) const;
  double level(Block& work, std::size_t l, std::size_t position, const Matrix& L, const double* A, double* mode_out);

  const LaplaceModel& model_;
  int points_;
  Matrix node_;    // (k, J)
  Vector weight_;  // (J) log w + |x|^2 - k/2 log(pi)
  std::vector<double> score_, leverage_;
};

// Nodes and weights of the n-point rule for the weight exp(-x^2) (Golub & Welsch 1969).
void gauss_hermite(int n, Vector& nodes, Vector& weights);

}  // namespace tanada
