// First-order autoregression: "ar1" (one standard deviation), "hetar1" (one an effect), correlation rho^|i - j| with rho = theta / sqrt(1 + theta^2);
// "ou", its continuous-time form (Ornstein-Uhlenbeck), correlation exp(-exp(theta) |t_i - t_j|).
#include <cmath>

#include "covariance/kinds.hpp"

namespace tanada {

namespace {

class Autoregressive : public Correlated {
 public:
  Autoregressive(int k, bool homogeneous) : Correlated(k, homogeneous, 1) {}

 protected:
  std::vector<ThetaInfo> shape_info() const override { return {{"autocorrelation, theta / sqrt(1 + theta^2)", 0.0, -1e3, 1e3, false}}; }
  bool correlation(const double* psi, Matrix& R) const override {
    const double rho = correlation_of(psi[0]);
    double power = 1.0;
    for (int lag = 0; lag < k_; ++lag, power *= rho)
      for (int c = 0; c + lag < k_; ++c) R(c + lag, c) = power;
    return true;
  }
  void contract(const double* psi, const Matrix& dR, double* gradient) const override {
    const double rho = correlation_of(psi[0]);
    double power = 1.0, sum = 0.0;
    for (int lag = 1; lag < k_; ++lag, power *= rho) sum += 2.0 * lag * power * dR.diagonal(-lag).sum();
    gradient[0] += sum * correlation_slope(psi[0]);
  }
};

class OrnsteinUhlenbeck : public Correlated {
 public:
  OrnsteinUhlenbeck(int k, Matrix distance) : Correlated(k, true, 1), distance_(std::move(distance)) {}

 protected:
  std::vector<ThetaInfo> shape_info() const override {
    const double typical = typical_distance(distance_);
    return {{"log decay rate", -std::log(0.5 * typical), -std::log(typical) - 16.0, -std::log(typical) + 12.0, false}};
  }
  bool correlation(const double* psi, Matrix& R) const override {
    R = (-std::exp(psi[0]) * distance_.array()).exp().matrix();
    return true;
  }
  void contract(const double* psi, const Matrix& dR, double* gradient) const override {
    const double rate = std::exp(psi[0]);
    gradient[0] -= (dR.array() * (-rate * distance_.array()).exp() * rate * distance_.array()).sum();
  }

 private:
  Matrix distance_;
};

}  // namespace

std::unique_ptr<Structure> make_ar1(const StructureSpec& s) { return std::make_unique<Autoregressive>(s.k, s.kind == "ar1"); }
std::unique_ptr<Structure> make_ou(const StructureSpec& s) { return std::make_unique<OrnsteinUhlenbeck>(s.k, distances(s)); }

}  // namespace tanada
