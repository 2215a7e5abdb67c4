// Row-wise passes over the fixed-effect designs of a model, parallel over rows.
#pragma once
#include "mixed/laplace_model.hpp"

namespace tanada {

constexpr std::size_t kRowGrain = 1 << 13;

// eta (n, m) = offsets + X beta.
void fixed_predictors(const LaplaceModel& model, const double* beta, double* eta);
// gradient (beta_count) += sum over predictors of X_p' r_p, r (n, m).
void fixed_adjoint(const LaplaceModel& model, const double* r, double* gradient);
// information (beta_count, beta_count) = X'DX over all predictors, D (n, m(m+1)/2) packed.
void fixed_information(const LaplaceModel& model, const double* D, Matrix& information);
// Sum of the row log-densities after evaluating the family up to `order` at eta; d2 comes back negated (D). Not finite on overflow.
double evaluate_rows(const LaplaceModel& model, int order, const double* eta, double* value, double* d1, double* D, double* d3);
// t_ia = 1/2 sum_bc d3_iabc h_ibc for packed d3 and h.
void third_contraction(std::size_t n, int m, const double* d3, const double* h, double* t);
// r_i -= D_i w_i.
void subtract_curvature(std::size_t n, int m, const double* D, const double* w, double* r);
// Replaces every D_i by its positive semidefinite part (the damped step of non-log-concave families).
void make_concave(std::size_t n, int m, double* D);

}  // namespace tanada
