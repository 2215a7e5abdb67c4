// Structures: L L' by formula for one of each kind, pullback against differences.
#include "check.hpp"
#include "covariance/structure.hpp"

using namespace tanada;

namespace {

double pullback_gap(const StructureSpec& spec) {
  const auto s = make_structure(spec);
  const int k = s->size(), d = s->parameters();
  Vector theta(d);
  const auto info = s->info();
  for (int j = 0; j < d; ++j) theta[j] = info[j].lower == 0.0 ? 0.8 + 0.1 * j : info[j].start + 0.2 * std::sin(j + 1.0);
  Matrix dL(k, k);
  for (int c = 0; c < k; ++c)
    for (int r = 0; r < k; ++r) dL(r, c) = r >= c ? std::cos(3.0 * r + c) : 0.0;
  Vector exact = Vector::Zero(d);
  s->pullback(theta.data(), dL, exact.data());
  double gap = 0.0;
  for (int j = 0; j < d; ++j) {
    Vector high = theta, low = theta;
    high[j] += 1e-6, low[j] -= 1e-6;
    Matrix a = Matrix::Zero(k, k), b = Matrix::Zero(k, k);
    if (!s->factor(high.data(), a) || !s->factor(low.data(), b)) return 1.0;
    gap = std::max(gap, std::fabs(dL.cwiseProduct(a - b).sum() / 2e-6 - exact[j]));
  }
  return gap;
}

}  // namespace

TEST(pullbacks_agree_with_differences_for_every_structure) {
  Matrix places(4, 2), known = Matrix::Identity(4, 4);
  places << 0, 0, 1, 0.3, 0.2, 2, 1.5, 1.1;
  known(0, 1) = known(1, 0) = 0.4;
  for (const std::string& kind : structure_kinds()) CHECK(pullback_gap({kind, 4, places, known, 2}) < 1e-7);
}

TEST(first_order_autoregression) {
  const auto s = make_structure({"ar1", 3, {}, {}, 0});
  const double theta[2] = {2.0, 0.75};  // rho = 0.6
  Matrix L = Matrix::Zero(3, 3);
  CHECK(s->factor(theta, L));
  const Matrix V = L * L.transpose();
  CHECK_NEAR(V(0, 0), 4.0, 1e-14);
  CHECK_NEAR(V(1, 0), 2.4, 1e-14);
  CHECK_NEAR(V(2, 0), 1.44, 1e-14);
}

TEST(a_singular_known_matrix_has_a_factor_an_indefinite_one_none) {
  Matrix singular(2, 2), wrong(2, 2);
  singular << 1, 2, 2, 4;
  wrong << 1, 2, 2, 1;
  const auto s = make_structure({"equalto", 2, {}, singular, 0});
  Matrix L = Matrix::Zero(2, 2);
  CHECK(s->factor(nullptr, L));
  CHECK((L * L.transpose() - singular).norm() < 1e-12);
  bool refused = false;
  try {
    make_structure({"equalto", 2, {}, wrong, 0});
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  CHECK(refused);
}
