// Spatial correlation by distance d, one standard deviation: "exp" exp(-d / r), "gau" exp(-(d / r)^2), "mat" Matern with range r and
// smoothness nu; parameters log r and log nu. The diagonal of the smooth ones (gau, mat) carries 1e-10 more, since their matrices are
// singular to working precision when points are close.
#include <cmath>

#include "covariance/kinds.hpp"
#include "covariance/matern.hpp"

namespace tanada {

namespace {

constexpr double kNugget = 1e-10;

class Spatial : public Correlated {
 public:
  enum class Kernel { exponential, gaussian, matern };
  Spatial(int k, Kernel kernel, Matrix distance)
      : Correlated(k, true, kernel == Kernel::matern ? 2 : 1), kernel_(kernel), distance_(std::move(distance)) {}

 protected:
  std::vector<ThetaInfo> shape_info() const override {
    const double typical = std::log(typical_distance(distance_));
    std::vector<ThetaInfo> out = {{"log range", typical - 0.7, typical - 12.0, typical + 16.0, false}};
    if (kernel_ == Kernel::matern) out.push_back({"log smoothness", 0.0, -4.0, 4.0, false});
    return out;
  }
  bool correlation(const double* psi, Matrix& R) const override {
    const double range = std::exp(psi[0]), nu = kernel_ == Kernel::matern ? std::exp(psi[1]) : 0.0;
    for (int c = 0; c < k_; ++c) {
      R(c, c) = kernel_ == Kernel::exponential ? 1.0 : 1.0 + kNugget;
      for (int r = c + 1; r < k_; ++r) R(r, c) = at(distance_(r, c), range, nu).value;
    }
    return true;
  }
  void contract(const double* psi, const Matrix& dR, double* gradient) const override {
    const double range = std::exp(psi[0]), nu = kernel_ == Kernel::matern ? std::exp(psi[1]) : 0.0;
    for (int c = 0; c < k_; ++c)
      for (int r = c + 1; r < k_; ++r) {
        const Matern m = at(distance_(r, c), range, nu);
        gradient[0] += 2.0 * dR(r, c) * m.in_log_range;
        if (kernel_ == Kernel::matern) gradient[1] += 2.0 * dR(r, c) * m.in_log_nu;
      }
  }

 private:
  Matern at(double d, double range, double nu) const {
    const double x = d / range;
    switch (kernel_) {
      case Kernel::exponential: return {std::exp(-x), x * std::exp(-x), 0.0};
      case Kernel::gaussian: return {std::exp(-x * x), 2.0 * x * x * std::exp(-x * x), 0.0};
      default: return matern(d, range, nu);
    }
  }

  Kernel kernel_;
  Matrix distance_;
};

}  // namespace

std::unique_ptr<Structure> make_spatial(const StructureSpec& s) {
  const auto kernel = s.kind == "exp"   ? Spatial::Kernel::exponential
                      : s.kind == "gau" ? Spatial::Kernel::gaussian
                                        : Spatial::Kernel::matern;
  return std::make_unique<Spatial>(s.k, kernel, distances(s));
}

}  // namespace tanada
