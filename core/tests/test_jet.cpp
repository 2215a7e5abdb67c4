// Jets: rules of calculus on functions whose derivatives are known in closed form.
#include "check.hpp"
#include "family/jet.hpp"
#include "family/special.hpp"

using namespace tanada;
using J = Jet<3, 3>;

namespace {

// Partial derivatives of f(x, y, z) = exp(x y) log(z): packed order (a <= b <= c).
J example(double x, double y, double z) {
  return exp(J::variable(x, 0) * J::variable(y, 1)) * log(J::variable(z, 2));
}

}  // namespace

TEST(product_exponential_and_logarithm_have_the_derivatives_of_the_closed_form) {
  const double x = 0.7, y = -0.4, z = 1.9, e = std::exp(x * y), l = std::log(z);
  const J f = example(x, y, z);
  CHECK_NEAR(f.v, e * l, 1e-14);
  CHECK_NEAR(f.g[0], y * e * l, 1e-14);
  CHECK_NEAR(f.g[2], e / z, 1e-14);
  CHECK_NEAR(f.h[pair_index<3>(0, 1)], (1 + x * y) * e * l, 1e-14);
  CHECK_NEAR(f.h[pair_index<3>(2, 2)], -e / (z * z), 1e-14);
  CHECK_NEAR(f.t[0], y * y * y * e * l, 1e-14);                // xxx
  CHECK_NEAR(f.t[1], (2 * y + x * y * y) * e * l, 1e-14);      // xxy
  CHECK_NEAR(f.t[4], (1 + x * y) * e / z, 1e-14);              // xyz
  CHECK_NEAR(f.t[9], 2 * e / (z * z * z), 1e-14);              // zzz
}

TEST(identities_hold_to_every_order) {
  const J x = J::variable(1.3, 0) + J::variable(0.2, 1) * J::variable(-0.6, 2);
  const J zero[] = {log(exp(x)) - x, sqrt(x) * sqrt(x) - x, reciprocal(x) * x - 1.0, expm1(x) - (exp(x) - 1.0), log1p(x) - log(x + 1.0),
                    power(x, 1.5) - x * sqrt(x), softplus(x) - log(exp(x) + 1.0), exp(log_cloglog(x)) - (1.0 - exp(-exp(x))),
                    log_softplus(x) - log(softplus(x)), log1mexp(x) - log(1.0 - exp(-x)), exp(log_normal_cdf(x)) + exp(log_normal_cdf(-x)) - 1.0};
  for (const J& d : zero) {
    CHECK_NEAR(d.v, 0.0, 1e-13);
    for (double g : d.g) CHECK_NEAR(g, 0.0, 1e-13);
    for (double h : d.h) CHECK_NEAR(h, 0.0, 1e-12);
    for (double t : d.t) CHECK_NEAR(t, 0.0, 1e-11);
  }
}

TEST(a_function_of_two_jets_is_the_function_of_their_values_with_the_chain_rule) {
  const Jet<2, 3> outer = exp(Jet<2, 3>::variable(0.3, 0) * Jet<2, 3>::variable(0.8, 1));
  const J x = J::variable(0.3, 0) * 1.0, y = J::variable(0.5, 1) + J::variable(0.3, 2);
  const J direct = exp(x * y), composed = compose(outer, x, y);
  for (int i = 0; i < 3; ++i) CHECK_NEAR(composed.g[i], direct.g[i], 1e-14);
  for (int i = 0; i < 6; ++i) CHECK_NEAR(composed.h[i], direct.h[i], 1e-14);
  for (int i = 0; i < 10; ++i) CHECK_NEAR(composed.t[i], direct.t[i], 1e-14);
}
