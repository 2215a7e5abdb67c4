// The random-effects normal equations M = Lambda' A Lambda + P, A = Z' D Z.
//
// D is block diagonal over rows: an m x m symmetric matrix for each observation (m linear predictors; the weights in a Gaussian
// model). Lambda repeats one lower-triangular template per grouping factor over its levels, P is the identity (0 for unpenalised
// factors). Every product holds for singular templates: nothing is divided by a diagonal of Lambda. Cost of a factorisation: O(sum over
// levels of factor 0 of k^3 + k w^2), w the columns of other factors met in that level, plus the Cholesky factor of the Schur complement.
// Notation of Bates, Maechler, Bolker & Walker (2015).
#pragma once
#include <memory>
#include <vector>

#include "linalg/random_pattern.hpp"
#include "linalg/schur.hpp"

namespace tanada {

using Templates = std::vector<Matrix>;  // one per factor, internal order; lower triangular

class RandomSystem {
 public:
  explicit RandomSystem(const RandomPattern& pattern);

  const RandomPattern& pattern() const { return *pattern_; }

  // A from D (n x m(m+1)/2 row-major, sorted rows, pairs (a <= b) in lexicographic order).
  void accumulate(const double* D, int m);
  // Factorises M for these templates; false when M is not positive definite.
  bool factor(const Templates& lambda);
  double logdet() const { return logdet_; }

  // In place, rows of rhs laid out as u (q x c).
  void solve(RowMatrix& rhs) const;            // M^{-1} rhs
  void apply_lambda(RowMatrix& x) const;       // Lambda x
  void apply_lambda_t(RowMatrix& x) const;     // Lambda' x
  void multiply(const RowMatrix& x, RowMatrix& out) const;  // A x

  // M^{-1} on the pattern of A; then:
  void selected_inverse();
  // T_f = sum over levels of the diagonal blocks of A Lambda M^{-1}, so d log|M| / d Lambda_f = 2 T_f (lower triangle).
  void traces(Templates& T) const;
  // Row variances: z_i' Lambda M^{-1} Lambda' z_i as m x m blocks, packed like D (sorted rows).
  void row_variances(double* out, int m) const;
  // Diagonal blocks of Lambda M^{-1} Lambda' of factor f: levels x (k x k), column-major each.
  std::vector<double> conditional_variances(int f) const;
  // Diagonal blocks of A of factor f, levels x (k x k).
  const std::vector<double>& diagonal(int f) const { return f == 0 ? A00_ : Adiag_[f]; }

  // eta_i += Z b (n x m row-major, sorted rows); b laid out as u.
  void add_effects(const Vector& b, double* eta, int m) const;
  // Z' t for t (n x m row-major, sorted rows).
  void adjoint(const double* t, int m, Vector& out) const;

 private:
  template <int K> void accumulate_levels(const double* D, int m);
  template <int K> bool factor_levels();
  template <int K> void traces_levels(Templates& T) const;
  template <int K> void variances_rows(double* out, int m) const;
  void accumulate_rest(const double* D, int m);
  bool factor_rest();
  void scale_row_block(int l, int k, const double* R);
  void subtract_levels();
  template <int K> void inverse_levels();
  template <int K> void solve_levels(RowMatrix& rhs) const;
  void traces_rest(Templates& T) const;
  double* row_block(std::vector<double>& v, int l) const { return v.data() + pattern_->width_start()[l] * k0_; }
  const double* row_block(const std::vector<double>& v, int l) const { return v.data() + pattern_->width_start()[l] * k0_; }
  int width(int l) const { return static_cast<int>(pattern_->width_start()[l + 1] - pattern_->width_start()[l]); }
  std::size_t level_grain() const;

  const RandomPattern* pattern_;
  int k0_ = 0, L0_ = 0;
  Templates lambda_;
  std::vector<double> A00_, M00_, V00_;  // levels x (k0 x k0)
  std::vector<double> B_, H_, W_, VB_;   // per level k0 x w: A_0r; R^-1 Lambda' A_0r Lambda; M_00^-1 of the same; inverse
  std::vector<std::vector<double>> Adiag_;             // factor f >= 1: levels x (k x k)
  std::vector<std::vector<double>> Apair_;             // pair: slots x (k_f x k_g)
  std::vector<std::int32_t> rest_column_;              // position among the rest of every row-block column
  std::unique_ptr<Schur> schur_;
  double logdet_ = 0.0;
};

constexpr std::size_t kSerialRows = 20000;  // below, passes over rows by factor run in place

// Calls body with the block size as a compile-time constant for 1..4, Eigen::Dynamic otherwise.
template <class Body> decltype(auto) with_size(int k, Body&& body) {
  switch (k) {
    case 1: return body(std::integral_constant<int, 1>());
    case 2: return body(std::integral_constant<int, 2>());
    case 3: return body(std::integral_constant<int, 3>());
    case 4: return body(std::integral_constant<int, 4>());
    default: return body(std::integral_constant<int, Eigen::Dynamic>());
  }
}

inline int packed(int a, int b, int m) {
  if (a > b) std::swap(a, b);
  return a * m - a * (a - 1) / 2 + (b - a);
}

}  // namespace tanada
