// A known covariance matrix: "propto" up to a factor sd^2 (one parameter, sd >= 0), "equalto" as it is (none). Positive semi-definite
// matrices are allowed: the factor of a singular one has columns of zeros.
#include <cmath>
#include <stdexcept>

#include "covariance/kinds.hpp"

namespace tanada {

namespace {

// Cholesky factor of a positive semi-definite matrix; throws when it is not one.
Matrix semidefinite_factor(const Matrix& K, const std::string& kind) {
  const Eigen::Index k = K.rows();
  if (!K.allFinite() || !K.isApprox(K.transpose(), 1e-8)) throw std::invalid_argument("the matrix given to " + kind + "() is not symmetric");
  const double tolerance = 1e-9 * K.diagonal().cwiseAbs().maxCoeff();
  Matrix L = Matrix::Zero(k, k), A = K;
  for (Eigen::Index c = 0; c < k; ++c) {
    const double pivot = A(c, c);
    const double rest = c + 1 < k ? A.col(c).tail(k - c - 1).cwiseAbs().maxCoeff() : 0.0;
    if (pivot <= tolerance) {
      if (pivot < -tolerance || rest > 1e3 * tolerance)
        throw std::invalid_argument("the matrix given to " + kind + "() is not positive semi-definite");
      continue;
    }
    L(c, c) = std::sqrt(pivot);
    if (c + 1 < k) {
      L.col(c).tail(k - c - 1) = A.col(c).tail(k - c - 1) / L(c, c);
      const auto below = L.col(c).tail(k - c - 1);
      A.bottomRightCorner(k - c - 1, k - c - 1).noalias() -= below * below.transpose();
    }
  }
  return L;
}

class Known : public Structure {
 public:
  Known(Matrix factor, bool scaled) : factor_(std::move(factor)), scaled_(scaled) {}
  int size() const override { return static_cast<int>(factor_.rows()); }
  int parameters() const override { return scaled_ ? 1 : 0; }
  std::vector<ThetaInfo> info() const override {
    if (!scaled_) return {};
    return {{"sd", 1.0, 0.0, std::numeric_limits<double>::infinity(), true}};
  }
  bool factor(const double* theta, Eigen::Ref<Matrix> L) const override {
    L = scaled_ ? Matrix(theta[0] * factor_) : factor_;
    return true;
  }
  void pullback(const double*, const Eigen::Ref<const Matrix>& dL, double* gradient) const override {
    if (!scaled_) return;
    for (Eigen::Index c = 0; c < factor_.cols(); ++c)
      gradient[0] += dL.col(c).tail(factor_.rows() - c).dot(factor_.col(c).tail(factor_.rows() - c));
  }

 private:
  Matrix factor_;
  bool scaled_;
};

}  // namespace

std::unique_ptr<Structure> make_known(const StructureSpec& s) {
  if (s.known.rows() != s.k || s.known.cols() != s.k)
    throw std::invalid_argument(s.kind + "() needs a known matrix with a row and a column for each of its " + std::to_string(s.k) + " effects");
  return std::make_unique<Known>(semidefinite_factor(s.known, s.kind), s.kind == "propto");
}

}  // namespace tanada
