// LISREL matrices of one (group, level) block and the moments they imply.
//
//   Sigma = Lambda A Psi A' Lambda' + Theta,   mu = nu + Lambda A alpha,   A = (I - B)^-1
//
// (Joreskog & Sorbom 1996; the all-y notation). Every derivative of Sigma by one matrix entry has the form c (a b' + b a') and every
// derivative of mu the form w a, with a and b columns of the dictionary D = [I_p, L, F], L = Lambda A, F = Lambda A Psi A'. Gradients,
// Jacobians and expected information are therefore read off the Gram matrix D' V D of a p x p matrix V.
#pragma once
#include <memory>
#include <vector>

#include "linalg/lapack.hpp"

namespace tanada::sem {

enum class Slot : int { lambda = 0, theta = 1, psi = 2, beta = 3, nu = 4, alpha = 5 };

// One non-zero matrix entry: the free parameter that fills it, or a fixed value when `free` is -1.
struct Cell {
  Slot slot;
  int row, col, free;
  double value;
};

// The derivative of (Sigma, mu) by one cell that holds a free parameter.
struct Direction {
  int free;        // position in the parameter vector
  int a, b;        // dictionary columns; b = -1 where Sigma does not depend on the cell
  double cov;      // c of c (a b' + b a')
  double mean;     // w of w a
  Slot slot;       // the cell it belongs to
  int row, col;
};

// Matrices and implied moments of a block at one parameter vector.
struct BlockState {
  Matrix lambda, theta, psi, A, sigma;
  Vector nu, alpha, eta_mean, mu;  // eta_mean = A alpha
  Matrix D2;                       // [L, F], p x 2m: the dictionary without its identity part
  std::vector<Direction> directions;
};

class Block {
 public:
  // Throws std::invalid_argument when a cell lies outside its matrix.
  Block(int n_ov, int n_lv, std::vector<Cell> cells, int n_free);
  int p() const { return p_; }
  int m() const { return m_; }
  int dictionary_size() const { return p_ + 2 * m_; }
  // False when I - B is singular or a moment is not finite.
  bool evaluate(const Vector& x, BlockState& s) const;
  // Adds d f / d x, given G (symmetric, d f = sum G_ij dSigma_ij) and g = d f / d mu.
  void pullback(const BlockState& s, const Matrix& G, const Vector& g, Vector& gradient) const;
  // d (vech Sigma, mu) / d x, (p(p+1)/2 + p) x n_free; vech runs down the columns of the lower triangle.
  Matrix jacobian(const BlockState& s, int n_free) const;

 private:
  int p_, m_;
  bool has_beta_ = false;
  std::vector<Cell> cells_;
};

struct Model {
  int n_free = 0;
  std::vector<Block> blocks;
};

// D' V D, (p + 2m) square, for a symmetric V.
Matrix gram(const Matrix& V, const Matrix& D2);

// Adds n I(x) of a normal vector with precision V to `information`, given gram = D' V D:
// n [1/2 tr(V dSigma V dSigma) + dmu' V dmu] for all pairs of directions.
void add_information(const Matrix& gram, const std::vector<Direction>& directions, double n, Matrix& information);

}  // namespace tanada::sem
