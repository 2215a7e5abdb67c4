// The Laplace approximation of a mixed model's deviance and its exact gradient.
//
//     f(beta, theta) = sum_i l_i - |u|^2/2 - log|M|/2  (+ log(2 pi)/2 per flat effect),   M = Lambda'Z'DZ Lambda + P,   deviance = -2 f
//
// at the mode u of the joint log-density, found by damped Newton steps from a first-order prediction of how the mode moves with the
// parameters. The gradient follows by implicit differentiation (Skaug & Fournier 2006; Kristensen et al. 2016); with leverages
// h_i = z_i'Lambda M^-1 Lambda'z_i, t_i = l'''_i h_i / 2, v = M^-1 Lambda'Z't, r = l' + t - D Z Lambda v:
//     df/dbeta = X'r,   df/dLambda = sum_levels (Z'r)_l u_l' + (Z'l')_l v_l' - (A Lambda M^-1)_ll.
// Adaptive quadrature (nagq > 1) replaces value, l' and h by averages over nodes; see agq.hpp.
// One object is one workspace: not to be shared between threads. A model is only read.
#pragma once
#include <memory>

#include "mixed/agq.hpp"
#include "mixed/laplace_model.hpp"
#include "optim/objective.hpp"

namespace tanada {

class LaplaceObjective {
 public:
  explicit LaplaceObjective(const LaplaceModel& model, int nagq = 1);

  // Deviance at psi = (beta, theta); fills *gradient when it is not null.
  Evaluation evaluate(const Vector& psi, Vector* gradient);
  // Approximate Hessian of the deviance at the last evaluated point: Schur complement of X'DX for beta, expected information of the working
  // linear model for theta.
  bool curvature(Matrix& information);

  // State at the last evaluated point.
  const Vector& u() const { return u_; }
  const Vector& b() const { return b_; }
  const std::vector<double>& eta() const { return eta_; }
  const std::vector<double>& row_values() const { return value_; }
  RandomSystem& system() { return system_; }
  const Templates& templates() const { return L_; }
  // Conditional variances are at hand after a gradient; computes them otherwise.
  std::vector<double> conditional_variances(int factor);
  // How the effects move with the parameters, (effects, parameters): b on the predictor's scale, or u.
  Matrix effect_derivatives() { return derivatives(false); }
  Matrix spherical_derivatives() { return derivatives(true); }
  // Starts the next search for modes from here.
  void warm_start(const Vector& u);
  void set_inner_tolerance(double tolerance) { tolerance_ = tolerance; }

 private:
  double point(int order);  // joint log-density at u_
  Status find_modes();
  bool factorise();
  bool near_fold() const;
  void predict(const Vector& psi);
  void mode_shift(const std::vector<double>& deta, const Templates& dL, Vector& du);
  Matrix derivatives(bool spherical);
  double gradient(const RowAverages& average, Vector& out);
  void theta_information(Matrix& information);
  void column_direction(int j, std::vector<double>& eta) const;
  double effects_quadratic() const { return (u_.array().square() * model_.precision().array()).sum(); }
  void to_effects(const Vector& u, Vector& b) const;
  void to_spherical(const Vector& zt, Vector& out) const;

  const LaplaceModel& model_;
  RandomSystem system_;
  Templates L_;
  Vector psi_, u_, b_, score_, zs_, step_, trial_;
  std::vector<double> fixed_, eta_, value_, d1_, D_, d3_, h_, t_, w_;
  std::unique_ptr<AdaptiveQuadrature> quadrature_;
  double tolerance_ = 1e-10, decrement_ = 0.0, joint_ = 0.0;
  bool warm_ = false, concave_ = false, inverted_ = false;
  int order_reached_ = 0;
};

}  // namespace tanada
