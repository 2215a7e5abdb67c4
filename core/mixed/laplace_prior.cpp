#include "mixed/laplace_prior.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace tanada {
namespace {

// Density of x and its derivative in x.
double univariate(const PriorItem& p, double x, double& slope) {
  if (p.kind == "normal") {
    const double z = (x - p.a) / p.b;
    slope = -z / p.b;
    return -0.5 * z * z - std::log(p.b) - 0.5 * std::log(2.0 * std::numbers::pi);
  }
  if (p.kind == "t") {
    const double z = (x - p.b) / p.c, q = 1.0 + z * z / p.a;
    slope = -(p.a + 1.0) * z / (p.a * q * p.c);
    return std::lgamma(0.5 * (p.a + 1.0)) - std::lgamma(0.5 * p.a) - 0.5 * std::log(p.a * std::numbers::pi) - std::log(p.c) -
           0.5 * (p.a + 1.0) * std::log(q);
  }
  if (p.kind == "beta") {  // of the probability whose logit is x
    const double prob = 1.0 / (1.0 + std::exp(-x)), log_p = -std::log1p(std::exp(-x)), log_q = -std::log1p(std::exp(x));
    slope = (p.a - 1.0) * (1.0 - prob) - (p.b - 1.0) * prob;
    return (p.a - 1.0) * log_p + (p.b - 1.0) * log_q + std::lgamma(p.a + p.b) - std::lgamma(p.a) - std::lgamma(p.b);
  }
  slope = (p.a - 1.0) / x - p.b;  // gamma
  return (p.a - 1.0) * std::log(x) - p.b * x + p.a * std::log(p.b) - std::lgamma(p.a);
}

// log density of the LKJ distribution up to its constant: (eta - 1) log|R|, R the correlation matrix of L L'.
double correlation_density(double eta, const Matrix& L, Matrix& dL) {
  double value = 0.0;
  for (Eigen::Index r = 1; r < L.rows(); ++r) {
    const double norm2 = L.row(r).head(r + 1).squaredNorm();
    value += (eta - 1.0) * (2.0 * std::log(L(r, r)) - std::log(norm2));
    dL(r, r) += (eta - 1.0) * 2.0 / L(r, r);
    dL.row(r).head(r + 1) -= (eta - 1.0) * 2.0 * L.row(r).head(r + 1) / norm2;
  }
  return value;
}

}  // namespace

double log_prior(const std::vector<PriorItem>& items, const LaplaceModel& model, const Vector& psi, Vector* gradient) {
  double total = 0.0;
  for (const auto& item : items) {
    if (item.kind != "gamma" && item.kind != "lkj") {
      double slope;
      total += univariate(item, psi[item.target], slope);
      if (gradient) (*gradient)[item.target] += slope;
      continue;
    }
    const RandomTerm& term = model.terms()[item.target];
    const double* theta = psi.data() + model.beta_count() + term.theta_first;
    Matrix L = Matrix::Zero(term.k, term.k), dL = Matrix::Zero(term.k, term.k);
    if (!term.structure->factor(theta, L)) return -std::numeric_limits<double>::infinity();
    if (item.kind == "lkj") {
      total += correlation_density(item.a, L, dL);
    } else {
      const double sd = L.row(item.effect).head(item.effect + 1).norm();
      double slope;
      total += univariate(item, sd, slope);
      if (sd > 0) dL.row(item.effect).head(item.effect + 1) += slope * L.row(item.effect).head(item.effect + 1) / sd;
    }
    if (gradient) term.structure->pullback(theta, dL, gradient->data() + model.beta_count() + term.theta_first);
  }
  return std::isfinite(total) ? total : -std::numeric_limits<double>::infinity();
}

}  // namespace tanada
