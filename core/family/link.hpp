// Links: the mean as a function of the location predictor, for any scalar type of jet.hpp.
//
// Positive means come with their logarithm and probabilities as log p and log(1 - p), so that the log-densities stay finite
// where the mean itself underflows.
#pragma once
#include <stdexcept>
#include <string>

#include "family/special.hpp"

namespace tanada {

enum class Link { identity, log, logit, probit, cloglog, loglog, cauchit, inverse, sqrt, inverse_square };

inline const char* link_name(Link link) {
  static const char* names[] = {"identity", "log", "logit", "probit", "cloglog", "loglog", "cauchit", "inverse", "sqrt", "1/mu^2"};
  return names[static_cast<int>(link)];
}

template <class T> T mean_of(Link link, const T& eta) {
  using std::exp;
  switch (link) {
    case Link::identity: return eta;
    case Link::log: return exp(eta);
    case Link::inverse: return reciprocal(eta);
    case Link::sqrt: return eta * eta;
    case Link::inverse_square: return power(eta, -0.5);
    case Link::logit: return exp(-softplus(-eta));
    case Link::probit: return exp(log_normal_cdf(eta));
    case Link::cloglog: return exp(log_cloglog(eta));
    case Link::loglog: return exp(-exp(-eta));
    case Link::cauchit: return cauchy_cdf(eta);
  }
  throw std::invalid_argument("unknown link");
}

// The mean and its derivative in eta.
struct MeanPoint {
  double mu, slope;
};
inline MeanPoint mean_point(Link link, double eta) {
  const Jet<1, 1> mu = mean_of(link, Jet<1, 1>::variable(eta, 0));
  return {mu.v, mu.g[0]};
}

template <class T> struct PositiveMean {
  T mu, log_mu;
};
// NaN where the link gives a mean that is not positive.
template <class T> PositiveMean<T> positive_mean(Link link, const T& eta) {
  using std::exp;
  using std::log;
  switch (link) {
    case Link::log: return {exp(eta), eta};
    case Link::identity: return {eta, log(eta)};
    case Link::inverse: return {reciprocal(eta), -log(eta)};
    case Link::inverse_square: return {power(eta, -0.5), -0.5 * log(eta)};
    case Link::sqrt: return {eta * eta, log(eta * eta)};
    default: {
      const T mu = mean_of(link, eta);
      return {mu, log(mu)};
    }
  }
}

template <class T> struct Probability {
  T log_p, log_q;
};
template <class T> Probability<T> probability(Link link, const T& eta) {
  using std::exp;
  using std::log;
  using std::log1p;
  switch (link) {
    case Link::logit: return {-softplus(-eta), -softplus(eta)};
    case Link::probit: return {log_normal_cdf(eta), log_normal_cdf(-eta)};
    case Link::cloglog: return {log_cloglog(eta), -exp(eta)};
    case Link::loglog: return {-exp(-eta), log_cloglog(-eta)};
    case Link::cauchit: return {log(cauchy_cdf(eta)), log(cauchy_cdf(-eta))};
    case Link::log: return {eta, log1mexp(-eta)};
    default: return {log(eta), log1p(-eta)};
  }
}

}  // namespace tanada
