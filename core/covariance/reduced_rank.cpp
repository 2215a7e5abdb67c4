// Reduced rank "rr": a factor-analytic covariance Lambda Lambda' with d factors. theta holds the lower trapezoid of Lambda (k x d) column by
// column; L is Lambda with k - d columns of zeros, its columns turned so that the diagonal is >= 0. The diagonal of theta itself has no bound:
// the likelihood is smooth through zero, and a bound would trap the other loadings of the column on one side.
#include <stdexcept>

#include "covariance/kinds.hpp"

namespace tanada {

namespace {

class ReducedRank : public Structure {
 public:
  ReducedRank(int k, int rank) : k_(k), rank_(rank) {
    if (rank < 1 || rank > k)
      throw std::invalid_argument("the rank of a reduced-rank structure must be between 1 and its " + std::to_string(k) + " effects");
  }
  int size() const override { return k_; }
  int parameters() const override { return rank_ * k_ - rank_ * (rank_ - 1) / 2; }
  std::vector<ThetaInfo> info() const override {
    const double inf = std::numeric_limits<double>::infinity();
    std::vector<ThetaInfo> out;
    for (int c = 0; c < rank_; ++c)
      for (int r = c; r < k_; ++r)
        out.push_back({"loading(" + std::to_string(r + 1) + "," + std::to_string(c + 1) + ")", r == c ? 1.0 : (c == 0 ? 0.5 : 0.1),
                       k_ == 1 ? 0.0 : -inf, inf, k_ == 1});
    return out;
  }
  bool factor(const double* theta, Eigen::Ref<Matrix> L) const override {
    L.setZero();
    for (int c = 0, j = 0; c < rank_; ++c) {
      const double sign = theta[j] < 0.0 ? -1.0 : 1.0;
      for (int r = c; r < k_; ++r) L(r, c) = sign * theta[j++];
    }
    return true;
  }
  void pullback(const double* theta, const Eigen::Ref<const Matrix>& dL, double* gradient) const override {
    for (int c = 0, j = 0; c < rank_; ++c) {
      const double sign = theta[j] < 0.0 ? -1.0 : 1.0;
      for (int r = c; r < k_; ++r) gradient[j++] += sign * dL(r, c);
    }
  }

 private:
  int k_, rank_;
};

}  // namespace

std::unique_ptr<Structure> make_rr(const StructureSpec& s) { return std::make_unique<ReducedRank>(s.k, s.rank); }

}  // namespace tanada
