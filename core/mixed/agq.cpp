#include "mixed/agq.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "linalg/parallel.hpp"

namespace tanada {
namespace {

constexpr std::size_t kBlockRows = 256;  // rows evaluated by one call of the family
constexpr std::size_t kLevelWork = 1 << 14;

}  // namespace

void gauss_hermite(int n, Vector& nodes, Vector& weights) {
  Vector diagonal = Vector::Zero(n), off(std::max(n - 1, 0));
  for (int i = 0; i + 1 < n; ++i) off[i] = std::sqrt(0.5 * (i + 1));
  Eigen::SelfAdjointEigenSolver<Matrix> solver;
  solver.computeFromTridiagonal(diagonal, off);
  nodes = solver.eigenvalues();
  for (int i = 0; i < n / 2; ++i) nodes[n - 1 - i] = 0.5 * (nodes[n - 1 - i] - nodes[i]), nodes[i] = -nodes[n - 1 - i];
  if (n % 2) nodes[n / 2] = 0.0;
  weights.resize(n);  // Christoffel numbers: 1 / sum of squared orthonormal polynomials, accurate in the tails too
  for (int i = 0; i < n; ++i) {
    double before = 0.0, here = std::pow(std::numbers::pi, -0.25), sum = here * here;
    for (int k = 0; k + 1 < n; ++k) {
      const double next = nodes[i] * std::sqrt(2.0 / (k + 1)) * here - std::sqrt(static_cast<double>(k) / (k + 1)) * before;
      before = here, here = next;
      sum += here * here;
    }
    weights[i] = 1.0 / sum;
  }
}

// A level's nodes around its mode.
struct LevelNodes {
  Eigen::LLT<Matrix> factor;  // of H
  Matrix points;              // (k, J)
};

// Scratch of one thread: all nodes of a block of levels.
struct AdaptiveQuadrature::Block {
  std::vector<double> eta, value, score;  // (rows, m), (nodes, rows), (nodes, rows, m)
  std::vector<LevelNodes> levels;
  std::size_t rows = 0, first = 0;
  Matrix direct, trace;
};

AdaptiveQuadrature::AdaptiveQuadrature(const LaplaceModel& model, int points) : model_(model), points_(points) {
  const RandomPattern& p = model.pattern();
  if (p.factors() != 1 || !p.factor(0).penalised || p.factor(0).k > 3)
    throw std::invalid_argument("adaptive quadrature needs one grouping factor with at most three effects");
  const int k = p.factor(0).k;
  Vector x, w;
  gauss_hermite(points, x, w);
  int total = 1;
  for (int a = 0; a < k; ++a) total *= points;
  node_.resize(k, total);
  weight_.resize(total);
  for (int j = 0; j < total; ++j) {
    double sum = -0.5 * k * std::log(std::numbers::pi);
    for (int a = 0, rest = j; a < k; ++a, rest /= points) {
      node_(a, j) = x[rest % points];
      sum += std::log(w[rest % points]) + node_(a, j) * node_(a, j);
    }
    weight_[j] = sum;
  }
  score_.resize(model.rows() * model.predictors());
  leverage_.resize(model.rows() * model.pairs());
}

void AdaptiveQuadrature::place(Block& work, std::size_t begin, std::size_t end, const Vector& u, const Matrix& L, const std::vector<double>& A) const {
  const int k = static_cast<int>(L.rows());
  work.levels.resize(end - begin);
  Matrix H(k, k);
  for (std::size_t l = begin; l < end; ++l) {
    LevelNodes& at = work.levels[l - begin];
    H.noalias() = L.transpose() * (Eigen::Map<const Matrix>(A.data() + l * k * k, k, k) * L).eval();
    H.diagonal().array() += 1.0;
    at.factor.compute(H);
    at.points = std::numbers::sqrt2 * at.factor.matrixU().solve(node_);
    at.points.colwise() += u.segment(l * k, k);
  }
}

// The family at every node of the block's levels.
void AdaptiveQuadrature::evaluate_nodes(Block& work, std::size_t begin, const double* fixed, const Matrix& L, bool scores) const {
  const RandomPattern& p = model_.pattern();
  const FactorBlock& g = p.factor(0);
  const int k = g.k, m = model_.predictors(), J = nodes();
  work.eta.resize(work.rows * m), work.value.resize(work.rows * J);
  if (scores) work.score.resize(work.rows * J * m);
  const Rows rows = model_.rows_from(work.first, work.eta.data());
  Vector b(k);
  for (int j = 0; j < J; ++j) {
    std::copy(fixed + work.first * m, fixed + (work.first + work.rows) * m, work.eta.begin());
    std::int32_t previous = -1;
    for (std::size_t i = 0; i < work.rows; ++i) {
      const std::int32_t code = g.codes[work.first + i];
      if (code != previous) b.noalias() = L * work.levels[code - begin].points.col(j);
      previous = code;
      const double* z = g.Z.data() + (work.first + i) * k;
      for (int a = 0; a < k; ++a) work.eta[i * m + g.predictor[a]] += z[a] * b[a];
    }
    model_.family().evaluate(scores ? 1 : 0, 0, work.rows, rows,
                             {work.value.data() + j * work.rows, scores ? work.score.data() + j * work.rows * m : nullptr, nullptr, nullptr});
  }
}

// Log integral of level l, the position-th of the block; its rows start at `base` in the block's scratch.
double AdaptiveQuadrature::level(Block& work, std::size_t l, std::size_t position, const Matrix& L, const double* A, double* mode_out) {
  const RandomPattern& p = model_.pattern();
  const FactorBlock& g = p.factor(0);
  const int k = g.k, m = model_.predictors(), J = nodes();
  const std::size_t first = p.level_start()[l], rows = p.level_start()[l + 1] - first, base = first - work.first;
  const LevelNodes& at = work.levels[position];
  Vector logs(J);
  for (int j = 0; j < J; ++j) {
    double s = weight_[j] - 0.5 * at.points.col(j).squaredNorm();
    for (std::size_t i = 0; i < rows; ++i) s += work.value[j * work.rows + base + i];
    logs[j] = std::isnan(s) ? -std::numeric_limits<double>::infinity() : s;
  }
  const double top = logs.maxCoeff();
  if (!std::isfinite(top) || at.factor.info() != Eigen::Success) return std::numeric_limits<double>::quiet_NaN();
  const Vector share = (logs.array() - top).exp();
  const double total = share.sum();
  const double value = top + std::log(total) - Matrix(at.factor.matrixL()).diagonal().array().log().sum();
  if (!mode_out) return value;

  Vector mode = Vector::Zero(k), zs(k);
  Matrix C = Matrix::Zero(k, k);
  std::fill(score_.begin() + first * m, score_.begin() + (first + rows) * m, 0.0);
  for (int j = 0; j < J; ++j) {
    const double pj = share[j] / total;
    if (pj < 1e-300) continue;
    zs.setZero();
    const double* s = work.score.data() + (j * work.rows + base) * m;
    for (std::size_t i = 0; i < rows; ++i) {
      const double* z = g.Z.data() + (first + i) * k;
      for (int a = 0; a < k; ++a) zs[a] += z[a] * s[i * m + g.predictor[a]];
    }
    for (std::size_t i = 0; i < rows * m; ++i) score_[first * m + i] += pj * s[i];
    const Vector gj = L.transpose() * zs - at.points.col(j);
    mode += pj * gj;
    work.direct += pj * zs * at.points.col(j).transpose();
    C += pj * node_.col(j) * at.factor.matrixL().solve(gj).transpose();
  }
  Eigen::Map<Vector>(mode_out, k) = mode;
  // -2 df/dH = H^-1 + 2 sqrt(2) L_H^-T sym(Phi(C)) L_H^-1
  Matrix S = C.triangularView<Eigen::Lower>();
  S.diagonal() *= 0.5;
  S = (0.5 * (S + S.transpose())).eval();
  const Matrix half = at.factor.matrixU().solve(S);
  const Matrix weight = at.factor.solve(Matrix::Identity(k, k)) + 2.0 * std::numbers::sqrt2 * at.factor.matrixU().solve(half.transpose()).transpose();
  work.trace += Eigen::Map<const Matrix>(A + l * k * k, k, k) * L * weight;
  const Matrix V = L * weight * L.transpose();
  const int pairs = model_.pairs();
  for (std::size_t i = first; i < first + rows; ++i) {
    const double* z = g.Z.data() + i * k;
    double* h = leverage_.data() + i * pairs;
    std::fill(h, h + pairs, 0.0);
    for (int a = 0; a < k; ++a)
      for (int b = 0; b < k; ++b) {
        const int pa = g.predictor[a], pb = g.predictor[b];
        h[packed(pa, pb, m)] += (pa == pb ? 1.0 : 0.5) * z[a] * z[b] * V(a, b);
      }
  }
  return value;
}

double AdaptiveQuadrature::evaluate(const Vector& u, const double* fixed, const Matrix& L, const std::vector<double>& A, RowAverages* out) {
  const RandomPattern& p = model_.pattern();
  const FactorBlock& g = p.factor(0);
  const int k = g.k;
  const std::size_t per_level = std::max<std::size_t>(1, model_.rows() / g.levels) * nodes() * model_.predictors();
  double values[kMaxChunks] = {};
  std::vector<Block> blocks(kMaxChunks);
  if (out) out->mode.setZero(model_.effects());
  parallel_chunks(g.levels, std::max<std::size_t>(1, kLevelWork / per_level), [&](int chunk, std::size_t begin, std::size_t end) {
    Block& work = blocks[chunk];
    work.direct.setZero(k, k), work.trace.setZero(k, k);
    for (std::size_t l = begin; l < end;) {
      std::size_t stop = l + 1;
      work.first = p.level_start()[l];
      while (stop < end && static_cast<std::size_t>(p.level_start()[stop + 1]) - work.first <= kBlockRows) ++stop;
      work.rows = p.level_start()[stop] - work.first;
      place(work, l, stop, u, L, A);
      evaluate_nodes(work, l, fixed, L, out != nullptr);
      for (std::size_t s = l; s < stop; ++s)
        values[chunk] += level(work, s, s - l, L, A.data(), out ? out->mode.data() + s * k : nullptr);
      l = stop;
    }
  });
  double total = 0.0;
  for (double v : values) total += v;
  if (out) {
    out->direct.assign(1, Matrix::Zero(k, k)), out->trace.assign(1, Matrix::Zero(k, k));
    for (const auto& b : blocks)
      if (b.direct.size()) out->direct[0] += b.direct, out->trace[0] += b.trace;
    out->score = score_.data(), out->leverage = leverage_.data();
  }
  return total;
}

}  // namespace tanada
