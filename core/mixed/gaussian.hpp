// Gaussian mixed model, profiled ML and REML deviance with exact gradient.
//
//   y = X beta + Z Lambda u + e,  u ~ N(0, sigma^2 I),  e ~ N(0, sigma^2 W^-1)
//
// The rows are read once: cross-products Z'WZ, Z'WX, Z'Wy, X'WX, X'Wy. An evaluation costs a factorisation of M = Lambda'Z'WZ Lambda + I and
// p + 1 solves, whatever the number of rows. beta and sigma are profiled out. Columns of X are centred (when X holds a constant
// column) and scaled, y is replaced by its least-squares residual, so that large means or scales cost no digits; results are given back in
// the caller's units. Bates, Maechler, Bolker & Walker (2015); the gradient is derived in the method notes.
#pragma once
#include <memory>

#include "mixed/random_terms.hpp"
#include "optim/minimize.hpp"

namespace tanada {

struct GaussianInput {
  std::size_t n = 0;
  int p = 0;
  const double* X = nullptr;        // (n, p) row-major
  const double* y = nullptr;        // (n), offset already subtracted
  const double* weights = nullptr;  // (n) or null for ones
  std::vector<FactorInput> factors;
  std::vector<TermInput> terms;
  std::vector<StructureSpec> structures;
};

struct GaussianSolution {
  double deviance = 0.0, sigma2 = 0.0, r2 = 0.0;
  Vector beta;      // (p) caller's units
  Matrix unscaled;  // (p, p) (X'V^-1X)^-1; times sigma^2 it is the covariance of beta
  Vector b;         // (q) conditional modes Lambda u, in the pattern's order
};

class GaussianModel {
 public:
  explicit GaussianModel(const GaussianInput& input);

  int theta_size() const { return terms_->parameters(); }
  int p() const { return p_; }
  std::size_t n() const { return n_; }
  const RandomTerms& terms() const { return *terms_; }
  const RandomPattern& pattern() const { return *pattern_; }

  // Another response for the same design; X as given at construction.
  void set_response(const double* y, const double* X);
  // Deviance (or REML criterion) at theta, with beta and sigma profiled out.
  Evaluation evaluate(const Vector& theta, bool reml, Vector* gradient);
  // The same with sigma given: d(theta, sigma), gradient (theta, sigma). Used for degrees of freedom and intervals.
  Evaluation evaluate_sigma(const Vector& theta, double sigma, bool reml, Vector* gradient);
  bool solution(const Vector& theta, bool reml, GaussianSolution& out);
  // d C / d theta_j for C = (X'V^-1X)^-1: p x p each, caller's units (sigma apart).
  bool unscaled_derivatives(const Vector& theta, std::vector<Matrix>& out);
  // Conditional variances of the effects of each factor (sigma^2 apart), after solution().
  std::vector<double> conditional_variances(int factor) const { return system_->conditional_variances(factor); }
  Vector moment_start() const;
  MinimizeOutcome fit(const Vector& start, bool reml, const MinimizeOptions& options);

 private:
  struct State {   // what one factorisation leaves behind
    RowMatrix U;   // M^-1 Lambda'R, q x (p + 1)
    Matrix cross;  // [X y]'V^-1[X y]
    Vector beta;
    Matrix K;  // (X'V^-1X)^-1
    double r2 = 0.0, logdet_M = 0.0, logdet_X = 0.0;
  };
  Status factor(const Vector& theta, State& s);
  double criterion(const State& s, bool reml) const;
  // d log|M| (REML: + d log|X'V^-1X|) and d r^2 with respect to the templates
  void template_gradients(const State& s, bool reml, Templates& d_logdet, Templates& d_r2);
  void standardise_columns(const GaussianInput& in);
  void accumulate(const double* y, const double* X, bool with_design);
  bool information(const Vector& theta, Matrix& info);
  void least_squares(const double* y, const double* X, bool with_design, std::vector<double>& residual);
  void column(const double* X, std::int64_t row, double* x) const {
    for (int j = 0; j < p_; ++j) x[j] = (X[row * p_ + j] - centre_[j]) * inverse_scale_[j];
  }
  Vector to_user(const Vector& beta) const;
  Matrix to_user(const Matrix& K) const;

  std::size_t n_;
  int p_;
  std::unique_ptr<RandomPattern> pattern_;
  std::unique_ptr<RandomSystem> system_;
  std::unique_ptr<RandomTerms> terms_;
  std::vector<double> row_weights_;  // caller's rows; empty for ones
  double sum_log_w_ = 0.0;
  Vector centre_, scale_, inverse_scale_;  // X~ = (X - centre) / scale; a constant column keeps centre 0
  int constant_ = -1;                      // which column is constant, or -1
  Vector beta0_;                           // least squares of y on X~
  RowMatrix R_;                            // Z'W [X~ y~], q x (p + 1)
  Matrix XX_, XX_chol_;                    // X~'W X~
  Vector Xy_;                              // X~'W y~ (about zero)
  double yy_ = 0.0;
  Templates lambda_;
};

}  // namespace tanada
