// A mixed model for the Laplace and quadrature engines: response, family, linear predictors, random-effect terms.
//
// Row i has m linear predictors (location, dispersion, shapes, zero inflation, ...):
//     eta_ip = offset_ip + x_ip' beta[first_p ...] + sum over factors z_if' b_f(level of i),     b = Lambda(theta) u, u ~ N(0, I).
// Terms that share a grouping factor form one block per level, whatever predictor they belong to (see RandomPattern, whose row order is
// the model's). The model is constant during a fit; one model may serve several workspaces.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "covariance/structure.hpp"
#include "family/family.hpp"
#include "linalg/random_system.hpp"

namespace tanada {

struct PredictorDesign {
  RowMatrix X;     // (n, p)
  Vector offset;   // (n)
  int first = 0;   // position of its first coefficient in beta; predictors may share coefficients
};

struct TermDesign {
  int predictor = 0;
  std::vector<std::int32_t> codes;  // (n), 0-based
  int levels = 0;
  RowMatrix Z;                      // (n, k)
  StructureSpec structure;
  bool flat = false;                // a fixed effect to be integrated out (REML): no prior, no theta
};

struct MixedInput {
  Vector y, trials, weights;  // (n)
  int beta_count = 0;
  std::vector<PredictorDesign> predictors;
  std::vector<TermDesign> terms;
};

struct RandomTerm {
  int k = 0, theta_first = 0, theta_count = 0;
  std::unique_ptr<Structure> structure;  // null for flat effects
};

class LaplaceModel {
 public:
  LaplaceModel(MixedInput input, std::unique_ptr<Family> family);

  std::size_t rows() const { return static_cast<std::size_t>(y_.size()); }
  int predictors() const { return m_; }
  int pairs() const { return m_ * (m_ + 1) / 2; }
  int triples() const { return m_ * (m_ + 1) * (m_ + 2) / 6; }
  int beta_count() const { return beta_count_; }
  int theta_count() const { return theta_count_; }
  int parameters() const { return beta_count_ + theta_count_; }
  Eigen::Index effects() const { return pattern_->effects(); }
  int flat_effects() const { return flat_effects_; }
  const Family& family() const { return *family_; }
  const std::vector<PredictorDesign>& designs() const { return designs_; }
  const std::vector<RandomTerm>& terms() const { return terms_; }
  const RandomPattern& pattern() const { return *pattern_; }
  const Vector& precision() const { return precision_; }  // (effects) 1, or 0 for flat effects
  Rows rows_at(const double* eta) const { return {y_.data(), trials_.data(), weights_.data(), eta}; }
  // Rows from `begin` on, for evaluations whose arrays start there.
  Rows rows_from(std::size_t begin, const double* eta) const {
    return {y_.data() + begin, trials_.data() + begin, weights_.data() + begin, eta};
  }

  void set_response(const Vector& y);  // caller's row order
  // False where theta is outside the domain of a structure.
  bool templates(const double* theta, Templates& L) const;
  // Adds d f / d theta given d f / d template (lower triangles).
  void pullback(const double* theta, const Templates& dL, double* gradient) const;
  // Derivative of the templates in theta_j by differences of the structure (used for curvature only); returns the factor.
  int template_derivative(const Vector& theta, int j, Matrix& dL) const;
  std::vector<ThetaInfo> theta_info() const;

 private:
  void add_terms(const std::vector<TermDesign>& terms);
  void sort_rows();

  std::unique_ptr<Family> family_;
  std::unique_ptr<RandomPattern> pattern_;
  Vector y_, trials_, weights_, precision_;
  std::vector<PredictorDesign> designs_;
  std::vector<RandomTerm> terms_;
  int m_ = 1, beta_count_ = 0, theta_count_ = 0, flat_effects_ = 0;
};

}  // namespace tanada
