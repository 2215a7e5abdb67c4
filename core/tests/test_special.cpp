// Special functions: known values, recurrences, derivatives against differences, limits.
#include "check.hpp"
#include "family/special.hpp"

using namespace tanada;

namespace {

// Largest gap between each derivative and the central difference of the one below.
template <class F> double difference_gap(F function, double x) {
  const double h = 1e-5 * (1.0 + std::fabs(x));
  double at[4], high[4], low[4], gap = 0.0;
  function(x, 3, at), function(x + h, 3, high), function(x - h, 3, low);
  for (int k = 1; k <= 3; ++k) gap = std::max(gap, std::fabs((high[k - 1] - low[k - 1]) / (2 * h) - at[k]) / (1.0 + std::fabs(at[k])));
  return gap;
}

}  // namespace

TEST(log_gamma_and_polygammas_at_known_points) {
  double f[4];
  log_gamma(1.0, 3, f);
  CHECK_NEAR(f[0], 0.0, 1e-14);
  CHECK_NEAR(f[1], -0.57721566490153286, 1e-14);
  CHECK_NEAR(f[2], 1.6449340668482264, 1e-14);
  CHECK_NEAR(f[3], -2.4041138063191885, 1e-14);
  log_gamma(0.5, 1, f);
  CHECK_NEAR(f[0], 0.57236494292470009, 1e-14);
  CHECK_NEAR(log_factorial(10.0), 15.104412573075516, 1e-14);
  CHECK_NEAR(log_choose(50.0, 20.0), 31.483914142189384, 1e-13);
}

TEST(derivatives_agree_with_differences) {
  for (double u : {-30.0, -3.0, -0.5, 0.4, 2.0, 3.5, 9.0, 25.0}) {
    CHECK(difference_gap([](double x, int o, double* f) { log_gamma_exp(x, o, f); }, u) < 1e-7);
    CHECK(difference_gap([](double x, int o, double* f) { gamma_constant(x, o, f); }, u) < 1e-7);
    for (double y : {0.5, 1.0, 2.0, 7.0, 39.0, 41.0, 400.0})
      CHECK(difference_gap([y](double x, int o, double* f) { log_rise(y, x, o, f); }, u) < 1e-6);
  }
  for (double x : {-40.0, -8.0, -5.01, -4.99, -1.0, 0.0, 0.7, 4.0, 30.0}) {
    CHECK(difference_gap([](double v, int o, double* f) { log_normal_cdf(v, o, f); }, x) < 1e-7);
    CHECK(difference_gap([](double v, int o, double* f) { softplus(v, o, f); }, x) < 1e-8);
    CHECK(difference_gap([](double v, int o, double* f) { log_softplus(v, o, f); }, x) < 1e-8);
    CHECK(difference_gap([](double v, int o, double* f) { log_cloglog(v, o, f); }, std::min(x, 3.0)) < 1e-7);
    CHECK(difference_gap([](double v, int o, double* f) { cauchy_cdf(v, o, f); }, x) < 1e-8);
  }
  for (double x : {0.01, 0.69, 0.7, 3.0, 50.0})
    CHECK(difference_gap([](double v, int o, double* f) { log1mexp(v, o, f); }, x) < 1e-4);
}

TEST(the_rising_factorial_is_a_sum_of_logarithms_on_every_branch) {
  for (double u : {-12.0, -1.0, 1.0, 2.9, 3.1, 12.0})
    for (double y : {1.0, 2.0, 40.0, 41.0, 300.0}) {
      double f[4], sum = 0.0;
      log_rise(y, u, 0, f);
      for (double j = 0.0; j < y; j += 1.0) sum += std::log1p(j / std::exp(u));
      CHECK_NEAR(f[0], sum, 1e-11);
    }
  double f[4];
  log_rise(50.0, 60.0, 3, f);  // y (y - 1) / (2 a)
  CHECK_NEAR(f[0] * std::exp(60.0), 1225.0, 1e-10);
  CHECK_NEAR(f[1] * std::exp(60.0), -1225.0, 1e-10);
}

TEST(the_normal_tail_keeps_its_digits) {
  double f[4];
  log_normal_cdf(-37.0, 3, f);
  CHECK_NEAR(f[0], -689.0305855768906, 1e-13);
  CHECK_NEAR(f[2], -1.0 + 1.0 / (37.0 * 37.0), 1e-5);
}
