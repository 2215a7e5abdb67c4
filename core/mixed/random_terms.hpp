// Random-effects terms of a model: their covariance structures, and where their theta and templates lie.
#pragma once
#include <memory>
#include <vector>

#include "covariance/structure.hpp"
#include "linalg/random_system.hpp"

namespace tanada {

// Every term of a model, in the caller's order; theta is their parameters one after another.
class RandomTerms {
 public:
  RandomTerms(const RandomPattern& pattern, const std::vector<StructureSpec>& specs);

  int parameters() const { return parameters_; }
  int terms() const { return static_cast<int>(structures_.size()); }
  const Structure& structure(int t) const { return *structures_[t]; }
  int theta_start(int t) const { return start_[t]; }
  std::vector<ThetaInfo> info() const;
  // Fills the templates (one per factor); false where theta is outside the domain.
  bool templates(const double* theta, Templates& lambda) const;
  // Adds d f / d theta given d f / d Lambda_f of every factor.
  void pullback(const double* theta, const Templates& d_lambda, double* gradient) const;
  // The template of one term.
  Matrix factor(int t, const double* theta) const;

 private:
  const RandomPattern* pattern_;
  std::vector<std::unique_ptr<Structure>> structures_;
  std::vector<int> start_;
  int parameters_ = 0;
};

}  // namespace tanada
