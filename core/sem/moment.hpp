// Single-level normal theory from sample moments.
//
//   -2 l = sum_g n_g [p log 2 pi + log|Sigma| + tr(Sigma^-1 S) + (ybar - mu)' Sigma^-1 (ybar - mu)]
//
// S has divisor n. Without sample means the last term is left out (saturated means). Cost per evaluation: one p x p inverse a group.
#pragma once
#include "sem/objective.hpp"

namespace tanada::sem {

struct MomentGroup {
  double n;
  Matrix S;
  Vector mean;  // empty: no mean structure
};

class MomentObjective : public SemObjective {
 public:
  MomentObjective(std::shared_ptr<const Model> model, std::vector<MomentGroup> groups);
  Evaluation evaluate(const Vector& x, Vector* gradient) const override;
  bool information(const Vector& x, Matrix& out) const override;
  // d l_i / d x of the rows of Y (n x p) in group g.
  Matrix scores(const Vector& x, int g, const Eigen::Ref<const RowMatrix>& Y) const;

 protected:
  bool exact_hessian(const Vector& x, Matrix& out) const override;

 private:
  std::vector<MomentGroup> groups_;
};

}  // namespace tanada::sem
