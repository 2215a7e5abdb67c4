// The registry and the wrappers as the engines use them, without Python.
#include <stdexcept>

#include "check.hpp"
#include "family/registry.hpp"

using namespace tanada;

namespace {

double value(const Family& family, double y, std::vector<double> eta) {
  const double one = 1.0;
  double v = 0.0;
  family.evaluate(0, 0, 1, Rows{&y, &one, &one, eta.data()}, Derivatives{&v});
  return v;
}

bool refused(const FamilySpec& spec) {
  try {
    make_family(spec);
  } catch (const std::invalid_argument&) {
    return true;
  }
  return false;
}

}  // namespace

TEST(unknown_families_and_links_are_refused) {
  CHECK(refused({"poison"}));
  CHECK(refused({"poisson", "probit"}));
  CHECK(refused({"cumulative"}));
  CHECK(refused({"t", "", false, {-1.0}}));
  CHECK(!refused({"nb2"}));
}

TEST(every_entry_makes_a_family_with_its_predictors) {
  for (const FamilyEntry& e : family_entries()) {
    const std::vector<double> options = e.support == "category" ? std::vector<double>{3.0} : std::vector<double>{};
    const int m = static_cast<int>(e.predictors.size());
    CHECK(make_family({e.name, "", false, options})->predictors() == m);
    CHECK(make_family({e.name, "", true, options})->predictors() == m + 1);
    CHECK(!e.links.empty());
  }
}

TEST(zero_inflation_hurdle_and_truncation_put_the_right_mass_at_zero) {
  const double eta = 0.4, z = -0.8, mu = std::exp(eta), pi = 1.0 / (1.0 + std::exp(0.8));
  const auto poisson = make_family({"poisson"}), inflated = make_family({"poisson", "", true});
  const auto truncated = make_family({"truncated_poisson"}), hurdle = make_family({"truncated_poisson", "", true});
  CHECK_NEAR(value(*inflated, 0.0, {eta, z}), std::log(pi + (1 - pi) * std::exp(-mu)), 1e-14);
  CHECK_NEAR(value(*inflated, 2.0, {eta, z}), std::log(1 - pi) + value(*poisson, 2.0, {eta}), 1e-14);
  CHECK_NEAR(value(*truncated, 2.0, {eta}), value(*poisson, 2.0, {eta}) - std::log(1 - std::exp(-mu)), 1e-14);
  CHECK_NEAR(value(*hurdle, 0.0, {eta, z}), std::log(pi), 1e-14);
  CHECK_NEAR(value(*hurdle, 2.0, {eta, z}), std::log(1 - pi) + value(*truncated, 2.0, {eta}), 1e-14);
}
