// Compound symmetry: one correlation for all pairs, "cs" with a standard deviation an effect, "homcs" with one for all.
//
// rho = p - (1 - p) / (k - 1), p = 1 / (1 + exp(-theta)): between -1 / (k - 1), where R stops being positive definite, and 1.
#include <cmath>

#include "covariance/kinds.hpp"

namespace tanada {

namespace {

class CompoundSymmetry : public Correlated {
 public:
  CompoundSymmetry(int k, bool homogeneous) : Correlated(k, homogeneous, 1) {}

 protected:
  std::vector<ThetaInfo> shape_info() const override { return {{"common correlation, on a logit scale", 0.0, -15.0, 15.0, false}}; }
  bool correlation(const double* psi, Matrix& R) const override {
    const double p = 1.0 / (1.0 + std::exp(-psi[0])), rho = p - (1.0 - p) / (k_ - 1.0);
    R.setConstant(rho);
    R.diagonal().setOnes();
    return true;
  }
  void contract(const double* psi, const Matrix& dR, double* gradient) const override {
    const double p = 1.0 / (1.0 + std::exp(-psi[0]));
    gradient[0] += (dR.sum() - dR.trace()) * p * (1.0 - p) * (1.0 + 1.0 / (k_ - 1.0));
  }
};

}  // namespace

std::unique_ptr<Structure> make_cs(const StructureSpec& s) { return std::make_unique<CompoundSymmetry>(s.k, s.kind == "homcs"); }

}  // namespace tanada
