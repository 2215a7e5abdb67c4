#include "sem/ordinal.hpp"

#include <cmath>
#include <utility>

#include "linalg/parallel.hpp"

namespace tanada::sem {
namespace {

PairFit fit_pair(const std::vector<OrdinalVariable>& v, const std::vector<Margin>& m, int a, int b, bool scores) {
  const bool oa = v[a].categories > 0, ob = v[b].categories > 0;
  if (oa && ob) return polychoric_pair(v[a], m[a], v[b], m[b], scores);
  if (!oa && !ob) return pearson_pair(v[a], m[a], v[b], m[b], scores);
  if (oa) return polyserial_pair(v[a], m[a], v[b], m[b], scores);
  PairFit out = polyserial_pair(v[b], m[b], v[a], m[a], scores);
  std::swap(out.score_a, out.score_b);
  return out;
}

// A pair and what the sandwich needs of its fit.
struct PairRecord {
  int a, b;
  double rho = 0.0;
  bool converged = false;
  Vector score, cross_a, cross_b;  // scores by rho, and their products with the scores by the margin parameters
};

// n A^-1 B A^-T with A = [[A11, 0], [A21, A22]] from outer products of scores.
Matrix sandwich(const std::vector<Matrix>& margin, const std::vector<int>& first, int n_margin, const std::vector<PairRecord>& pairs, double n) {
  const int r = n_margin + static_cast<int>(pairs.size());
  const Eigen::Index rows = margin.empty() ? 0 : margin[0].rows();
  Matrix scores(rows, r), A = Matrix::Zero(r, r);
  for (std::size_t k = 0; k < margin.size(); ++k) {
    const Eigen::Index c = margin[k].cols();
    scores.middleCols(first[k], c) = margin[k];
    A.block(first[k], first[k], c, c).noalias() = margin[k].transpose() * margin[k];
  }
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const int row = n_margin + static_cast<int>(k);
    const PairRecord& f = pairs[k];
    scores.col(row) = f.score;
    A(row, row) = f.score.squaredNorm();
    A.row(row).segment(first[f.a], f.cross_a.size()) = f.cross_a.transpose();
    A.row(row).segment(first[f.b], f.cross_b.size()) = f.cross_b.transpose();
  }
  Matrix B = Matrix::Zero(r, r);
  B.selfadjointView<Eigen::Lower>().rankUpdate(scores.transpose());
  B = Matrix(B.selfadjointView<Eigen::Lower>());
  const Eigen::PartialPivLU<Matrix> lu(A);
  const Matrix half = lu.solve(B);
  const Matrix full = lu.solve(half.transpose());
  return n * 0.5 * (full + full.transpose());
}

}  // namespace

OrdinalMoments ordinal_moments(const std::vector<OrdinalVariable>& variables, bool gamma) {
  OrdinalMoments out;
  const int p = static_cast<int>(variables.size());
  std::vector<int> first;
  int n_margin = 0;
  for (const OrdinalVariable& v : variables) {
    out.margins.push_back(margin_of(v));
    first.push_back(n_margin);
    n_margin += out.margins.back().parameters();
  }
  std::vector<PairRecord> pairs;
  for (int b = 0; b < p; ++b)
    for (int a = b + 1; a < p; ++a) pairs.push_back({a, b, 0.0, false, {}, {}, {}});
  parallel_chunks(pairs.size(), 2, [&](int, std::size_t begin, std::size_t end) {
    for (std::size_t k = begin; k < end; ++k) {
      PairRecord& r = pairs[k];
      PairFit f = fit_pair(variables, out.margins, r.a, r.b, gamma);
      r.rho = f.rho, r.converged = f.converged;
      if (!gamma) continue;
      r.cross_a = f.score_a.transpose() * f.score, r.cross_b = f.score_b.transpose() * f.score;
      r.score = std::move(f.score);
    }
  });
  out.correlation = Matrix::Identity(p, p);
  for (const PairRecord& r : pairs) {
    out.correlation(r.a, r.b) = out.correlation(r.b, r.a) = r.rho;
    out.converged = out.converged && r.converged;
  }
  if (!gamma) return out;
  std::vector<Matrix> margin_score;
  for (int k = 0; k < p; ++k) margin_score.push_back(margin_scores(variables[k], out.margins[k]));
  const double n = p > 0 ? static_cast<double>(variables[0].values.size()) : 0.0;
  out.gamma = sandwich(margin_score, first, n_margin, pairs, n);
  return out;
}

OrdinalStatistics ordinal_statistics(const OrdinalMoments& m) {
  OrdinalStatistics out;
  const int p = static_cast<int>(m.margins.size());
  std::vector<double> values;
  std::vector<int> first;  // position of each variable's margin parameters in m.gamma
  struct Term {
    int from;
    double weight;
  };
  std::vector<std::vector<Term>> terms;  // each statistic's derivative by the parameters of m.gamma
  int n_margin = 0, tau = 0;
  auto add = [&](int kind, int row, int col, double value, std::vector<Term> t) {
    out.kind.push_back(kind), out.row.push_back(row), out.col.push_back(col);
    values.push_back(value), terms.push_back(std::move(t));
  };
  for (int i = 0; i < p; ++i) {
    const Margin& g = m.margins[i];
    first.push_back(n_margin);
    for (Eigen::Index k = 0; k < g.thresholds.size(); ++k) add(2, i, tau++, g.thresholds[k], {{n_margin + static_cast<int>(k), 1.0}});
    if (g.thresholds.size() == 0) add(1, i, 0, g.mean, {{n_margin, 1.0}});
    n_margin += g.parameters();
  }
  auto continuous = [&](int i) { return m.margins[i].thresholds.size() == 0; };
  for (int i = 0; i < p; ++i)
    if (continuous(i)) add(0, i, i, m.margins[i].variance, {{first[i] + 1, 1.0}});
  int pair = n_margin;
  for (int b = 0; b < p; ++b)
    for (int a = b + 1; a < p; ++a, ++pair) {
      const double va = continuous(a) ? m.margins[a].variance : 1.0, vb = continuous(b) ? m.margins[b].variance : 1.0;
      const double sd = std::sqrt(va * vb), cov = m.correlation(a, b) * sd;
      std::vector<Term> t{{pair, sd}};
      if (continuous(a)) t.push_back({first[a] + 1, 0.5 * cov / va});
      if (continuous(b)) t.push_back({first[b] + 1, 0.5 * cov / vb});
      add(0, a, b, cov, std::move(t));
    }
  out.values = Eigen::Map<const Vector>(values.data(), static_cast<Eigen::Index>(values.size()));
  if (m.gamma.size() == 0) return out;
  Matrix T = Matrix::Zero(values.size(), m.gamma.rows());
  for (std::size_t r = 0; r < terms.size(); ++r)
    for (const Term& t : terms[r]) T(r, t.from) = t.weight;
  out.gamma = T * (m.gamma * T.transpose()).eval();
  return out;
}

}  // namespace tanada::sem
