// The random-effects equations against dense matrices, with two predictors per row, singular templates and an unpenalised factor.
#include <random>

#include "check.hpp"
#include "linalg/random_system.hpp"

using namespace tanada;

namespace {

struct Design {
  std::size_t n = 60;
  std::vector<std::int32_t> a, b, c;
  std::vector<double> za, zb, zc, D;
  Matrix Z[2];  // dense, per predictor, columns in the pattern's order
};

// Factor a: 12 levels, (1, x) on predictor 0 and 1 on predictor 1; factor b: 5 levels, 1 on predictor 0; factor c: one unpenalised level.
Design make(std::mt19937& rng) {
  std::normal_distribution<double> normal;
  Design d;
  for (std::size_t i = 0; i < d.n; ++i) {
    d.a.push_back(static_cast<std::int32_t>((i * 7) % 12));
    d.b.push_back(static_cast<std::int32_t>((i * 3 + i / 12) % 5));
    d.c.push_back(0);
    d.za.insert(d.za.end(), {1.0, normal(rng)});
    d.zb.push_back(1.0);
    d.zc.insert(d.zc.end(), {1.0, normal(rng)});
    const double u = std::abs(normal(rng)) + 0.5, v = std::abs(normal(rng)) + 0.5;
    d.D.insert(d.D.end(), {u, 0.3 * std::sqrt(u * v), v});
  }
  return d;
}

}  // namespace

TEST(random_system_equals_dense_algebra) {
  std::mt19937 rng(1);
  Design d = make(rng);
  const std::vector<FactorInput> factors = {{5, d.b.data()}, {12, d.a.data()}, {1, d.c.data(), false}};
  const std::vector<TermInput> terms = {
      {1, 2, 0, d.za.data()}, {0, 1, 0, d.zb.data()}, {1, 1, 1, d.zb.data()}, {2, 2, 0, d.zc.data()}};
  RandomPattern pattern(d.n, factors, terms);
  CHECK(pattern.factor(0).levels == 12);
  CHECK(!pattern.factor(2).penalised);
  const Eigen::Index q = pattern.effects();
  CHECK(q == 12 * 3 + 5 + 2);
  // dense Z per predictor, sorted rows
  for (auto& Z : d.Z) Z = Matrix::Zero(d.n, q);
  for (int f = 0; f < pattern.factors(); ++f) {
    const FactorBlock& g = pattern.factor(f);
    for (std::size_t i = 0; i < d.n; ++i)
      for (int a = 0; a < g.k; ++a) d.Z[g.predictor[a]](i, g.offset + g.codes[i] * g.k + a) = g.Z[i * g.k + a];
  }
  std::vector<double> D(d.n * 3);
  for (std::size_t i = 0; i < d.n; ++i)
    for (int j = 0; j < 3; ++j) D[i * 3 + j] = d.D[pattern.order()[i] * 3 + j];
  Matrix A = Matrix::Zero(q, q);
  for (std::size_t i = 0; i < d.n; ++i)
    for (int r = 0; r < 2; ++r)
      for (int s = 0; s < 2; ++s) A += D[i * 3 + r + s] * d.Z[r].row(i).transpose() * d.Z[s].row(i);
  Templates L = {(Matrix(3, 3) << 0.7, 0, 0, 0.2, 0.0, 0, 0, 0, 0.5).finished(), Matrix::Constant(1, 1, 0.6), Matrix::Identity(2, 2)};
  Matrix Lambda = Matrix::Zero(q, q), P = Matrix::Zero(q, q);
  for (int f = 0; f < 3; ++f)
    for (int l = 0; l < pattern.factor(f).levels; ++l) {
      const auto at = pattern.factor(f).offset + l * pattern.factor(f).k;
      Lambda.block(at, at, L[f].rows(), L[f].rows()) = L[f];
      if (pattern.factor(f).penalised) P.diagonal().segment(at, L[f].rows()).setOnes();
    }
  const Matrix M = Lambda.transpose() * A * Lambda + P, V = M.inverse();
  RandomSystem system(pattern);
  system.accumulate(D.data(), 2);
  CHECK(system.factor(L));
  CHECK_NEAR(system.logdet(), std::log(M.determinant()), 1e-10);
  RowMatrix x = RowMatrix::Random(q, 3), y = x, Ax;
  system.solve(y);
  CHECK((M * y - x).norm() < 1e-9);
  system.multiply(x, Ax);
  CHECK((A * x - Ax).norm() < 1e-9);
  system.selected_inverse();
  Templates T;
  system.traces(T);
  const Matrix ALV = A * Lambda * V;
  for (int f = 0; f < 3; ++f) {
    Matrix expected = Matrix::Zero(L[f].rows(), L[f].rows());
    for (int l = 0; l < pattern.factor(f).levels; ++l) {
      const auto at = pattern.factor(f).offset + l * pattern.factor(f).k;
      expected += ALV.block(at, at, L[f].rows(), L[f].rows());
    }
    CHECK((T[f] - expected).norm() < 1e-9);
  }
  std::vector<double> h(d.n * 3);
  system.row_variances(h.data(), 2);
  const Matrix G = Lambda * V * Lambda.transpose();
  double worst = 0.0;
  for (std::size_t i = 0; i < d.n; ++i)
    for (int r = 0; r < 2; ++r)
      for (int s = r; s < 2; ++s)
        worst = std::max(worst, std::abs(h[i * 3 + r + s] - (d.Z[r].row(i) * G * d.Z[s].row(i).transpose()).value()));
  CHECK(worst < 1e-9);
  const auto C = system.conditional_variances(0);
  CHECK((Eigen::Map<const Matrix>(C.data(), 3, 3) - G.topLeftCorner(3, 3)).norm() < 1e-9);
  Vector t = Vector::Random(2 * d.n), out;
  system.adjoint(t.data(), 2, out);
  Vector expected = Vector::Zero(q), eta = Vector::Zero(2 * d.n), b = Vector::Random(q);
  for (std::size_t i = 0; i < d.n; ++i)
    for (int r = 0; r < 2; ++r) expected += t[2 * i + r] * d.Z[r].row(i).transpose();
  CHECK((out - expected).norm() < 1e-9);
  system.add_effects(b, eta.data(), 2);
  double off = 0.0;
  for (std::size_t i = 0; i < d.n; ++i)
    for (int r = 0; r < 2; ++r) off = std::max(off, std::abs(eta[2 * i + r] - d.Z[r].row(i).dot(b)));
  CHECK(off < 1e-9);
}
