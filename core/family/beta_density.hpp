// The beta log-density with mean p and precision phi, shared by the beta and the ordered beta family.
#pragma once
#include "family/link.hpp"

namespace tanada {

template <class T> struct BetaShared {
  T constant, phi;
};
template <class T> BetaShared<T> beta_shared(const T& log_phi) {
  using std::exp;
  return {gamma_constant(log_phi), exp(log_phi)};
}

// Shapes a = p phi, b = (1 - p) phi. With c(k) = k log k - k - log Gamma(k) the log-density is
// c(a) + c(b) - c(phi) + phi [p log(y/p) + q log((1 - y)/q)] - log y - log(1 - y): no cancellation for a large phi.
template <class T> T beta_density(double y, const Probability<T>& prob, const T& log_phi, const BetaShared<T>& s) {
  using std::exp;
  const double log_y = std::log(y), log_1y = std::log1p(-y);
  const T p = exp(prob.log_p), q = exp(prob.log_q);
  return gamma_constant(prob.log_p + log_phi) + gamma_constant(prob.log_q + log_phi) - s.constant +
         s.phi * (p * (log_y - prob.log_p) + q * (log_1y - prob.log_q)) - (log_y + log_1y);
}

}  // namespace tanada
