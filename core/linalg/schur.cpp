#include "linalg/schur.hpp"

#include <algorithm>
#include <cmath>

namespace tanada {
namespace {

constexpr Eigen::Index kAlwaysDense = 64;
constexpr double kDenseShare = 0.25;  // of the lower triangle, counted in the factor

}  // namespace

Schur::Schur(const RandomPattern& pattern) : q_(pattern.rest()) { choose(pattern); }

void Schur::choose(const RandomPattern& pattern) {
  dense_ = true;
  if (q_ <= kAlwaysDense) {
    matrix_ = Matrix::Zero(q_, q_);
    return;
  }
  // How many pairs the elimination creates, with repetitions: an upper bound that settles crossed designs at once.
  const auto& start = pattern.partner_start();
  const int L = pattern.factor(0).levels;
  double created = 0.0;
  for (int l = 0; l < L; ++l) {
    const double w = static_cast<double>(pattern.width_start()[l + 1] - pattern.width_start()[l]);
    created += 0.5 * w * w;
  }
  const double triangle = 0.5 * static_cast<double>(q_) * static_cast<double>(q_);
  if (created > 4.0 * triangle && q_ < 30000) {
    matrix_ = Matrix::Zero(q_, q_);
    return;
  }
  std::vector<std::vector<int>> below(q_);  // rows >= column, block-wise
  auto add = [&](Eigen::Index ra, int ka, Eigen::Index rb, int kb) {
    if (ra < rb) std::swap(ra, rb), std::swap(ka, kb);
    for (int c = 0; c < kb; ++c)
      for (int r = 0; r < ka; ++r)
        if (ra + r >= rb + c) below[rb + c].push_back(static_cast<int>(ra + r));
  };
  for (int f = 1; f < pattern.factors(); ++f)
    for (int m = 0; m < pattern.factor(f).levels; ++m)
      add(pattern.rest_index(f, m), pattern.factor(f).k, pattern.rest_index(f, m), pattern.factor(f).k);
  for (const auto& p : pattern.pairs())
    for (std::size_t s = 0; s < p.a.size(); ++s)
      add(pattern.rest_index(p.f, p.a[s]), pattern.factor(p.f).k, pattern.rest_index(p.g, p.b[s]), pattern.factor(p.g).k);
  std::size_t pushed = 0;
  for (int l = 0; l < L; ++l) {
    for (auto a = start[l]; a < start[l + 1]; ++a)
      for (auto b = start[l]; b < a; ++b) {
        const int fa = pattern.partner_factor()[a], fb = pattern.partner_factor()[b];
        add(pattern.rest_index(fa, pattern.partner_level()[a]), pattern.factor(fa).k,
            pattern.rest_index(fb, pattern.partner_level()[b]), pattern.factor(fb).k);
        ++pushed;
      }
    if (pushed > 4000000) {  // repetitions pile up: compact
      pushed = 0;
      for (auto& v : below) std::sort(v.begin(), v.end()), v.erase(std::unique(v.begin(), v.end()), v.end());
    }
  }
  for (auto& v : below) std::sort(v.begin(), v.end()), v.erase(std::unique(v.begin(), v.end()), v.end());
  build_sparse(below);
  const double filled = static_cast<double>(solver_->matrixL().nestedExpression().nonZeros());
  if (filled > kDenseShare * triangle && q_ < 30000) {
    solver_.reset();
    sparse_ = Sparse();
    matrix_ = Matrix::Zero(q_, q_);
    return;
  }
  dense_ = false;
  sparse_inverse_.resize(sparse_.nonZeros());
}

void Schur::build_sparse(const std::vector<std::vector<int>>& below) {
  sparse_.resize(q_, q_);
  std::size_t nnz = 0;
  for (const auto& v : below) nnz += v.size();
  sparse_.reserve(static_cast<Eigen::Index>(nnz));
  for (Eigen::Index c = 0; c < q_; ++c) {
    sparse_.startVec(c);
    for (int r : below[c]) sparse_.insertBack(r, c) = r == c ? 1.0 : 0.0;
  }
  sparse_.finalize();
  solver_ = std::make_unique<Solver>();
  solver_->analyzePattern(sparse_);
  solver_->factorize(sparse_);
}

Eigen::Index Schur::find(Eigen::Index r, Eigen::Index c) const {
  const int* inner = sparse_.innerIndexPtr();
  const int* first = inner + sparse_.outerIndexPtr()[c];
  const int* last = inner + sparse_.outerIndexPtr()[c + 1];
  return std::lower_bound(first, last, static_cast<int>(r)) - inner;
}

void Schur::set_zero() {
  if (dense_)
    matrix_.setZero();
  else
    std::fill(sparse_.valuePtr(), sparse_.valuePtr() + sparse_.nonZeros(), 0.0);
}

bool Schur::factor() {
  logdet_ = 0.0;
  if (dense_) {
    if (!cholesky_inplace(matrix_)) return false;
    logdet_ = 2.0 * matrix_.diagonal().array().log().sum();
    return std::isfinite(logdet_);
  }
  solver_->factorize(sparse_);
  if (solver_->info() != Eigen::Success) return false;
  const auto& Lmat = solver_->matrixL().nestedExpression();
  for (Eigen::Index j = 0; j < q_; ++j) logdet_ += 2.0 * std::log(Lmat.valuePtr()[Lmat.outerIndexPtr()[j]]);
  return std::isfinite(logdet_);
}

void Schur::solve(Eigen::Ref<RowMatrix> rhs) const {
  if (q_ == 0) return;
  Matrix b = rhs;
  if (dense_) {
    solve_lower(matrix_, b, false);
    solve_lower(matrix_, b, true);
  } else {
    b = solver_->solve(b).eval();
  }
  rhs = b;
}

void Schur::invert() {
  if (dense_) {
    inverse_ = matrix_;
    inverse_from_cholesky(inverse_);
  } else {
    takahashi();
  }
}

// Z = S^-1 on the pattern of L (permuted): z_ij = delta_ij / l_jj^2 - sum_{k>j} l_kj z_ik / l_jj, columns from last to first.
void Schur::takahashi() {
  const auto& L = solver_->matrixL().nestedExpression();
  const int* outer = L.outerIndexPtr();
  const int* inner = L.innerIndexPtr();
  const double* value = L.valuePtr();
  std::vector<double> z(L.nonZeros(), 0.0);
  std::vector<double> column(q_, 0.0);
  for (Eigen::Index j = q_ - 1; j >= 0; --j) {
    const int begin = outer[j], end = outer[j + 1];
    const double d = value[begin];
    for (int p = begin + 1; p < end; ++p) column[inner[p]] = 0.0;
    // column[i] = sum_{k in col j, k > j} z_ik l_kj for i in col j
    for (int p = begin + 1; p < end; ++p) {
      const int k = inner[p];
      const double lkj = value[p];
      int a = begin + 1;
      for (int s = outer[k]; s < outer[k + 1]; ++s) {  // z_ik, i >= k; the pattern of column j from k on lies inside column k
        const int i = inner[s];
        while (a < end && inner[a] < i) ++a;
        if (a == end) break;
        if (inner[a] != i) continue;
        column[i] += z[s] * lkj;
        if (i != k) column[k] += z[s] * value[a];
      }
    }
    double diag = 1.0 / (d * d);
    for (int p = begin + 1; p < end; ++p) {
      z[p] = -column[inner[p]] / d;
      diag -= value[p] * z[p] / d;
    }
    z[begin] = diag;
  }
  // back to the pattern of S, through the permutation of the factor
  const auto& perm = solver_->permutationP().indices();
  for (Eigen::Index c = 0; c < q_; ++c)
    for (int p = sparse_.outerIndexPtr()[c]; p < sparse_.outerIndexPtr()[c + 1]; ++p) {
      int r1 = perm[sparse_.innerIndexPtr()[p]], c1 = perm[c];
      if (r1 < c1) std::swap(r1, c1);
      const int* first = inner + outer[c1];
      const int* last = inner + outer[c1 + 1];
      sparse_inverse_[p] = z[std::lower_bound(first, last, r1) - inner];
    }
}

}  // namespace tanada
