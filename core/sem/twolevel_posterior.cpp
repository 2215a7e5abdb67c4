// Patterns of clustered rows and the cluster effect given a cluster's data.
#include <cmath>
#include <map>
#include <stdexcept>

#include "sem/twolevel_fiml.hpp"

namespace tanada::sem {

TwoLevelPatterns two_level_patterns(const ClusterData& d) {
  TwoLevelPatterns out;
  out.clusters.resize(d.J);
  std::vector<char> seen(d.J, 0);
  for (std::int64_t i = 0; i < d.N; ++i) {
    if (d.code[i] < 0 || d.code[i] >= d.J) throw std::invalid_argument("a cluster code lies outside 0 .. J-1");
    seen[d.code[i]] = 1;
  }
  for (char s : seen)
    if (!s) throw std::invalid_argument("a cluster has no rows");
  out.rows = missing_patterns({d.y, d.N, d.p, nullptr});
  std::vector<std::vector<char>> has(d.J, std::vector<char>(d.p, 0));
  for (std::size_t r = 0; r < out.rows.size(); ++r) {
    const Pattern& pattern = out.rows[r];
    for (std::int64_t i : pattern.rows) {
      ClusterRecord& c = out.clusters[d.code[i]];
      if (c.parts.empty() || c.parts.back().pattern != static_cast<int>(r)) {
        c.parts.push_back({static_cast<int>(r), 0.0, Vector::Zero(pattern.observed.size()), {}});
        for (int k : pattern.observed) has[d.code[i]][k] = 1;
      }
      ClusterPart& part = c.parts.back();
      part.rows.push_back(i);
      part.n += 1.0, c.n += 1.0;
      for (std::size_t k = 0; k < pattern.observed.size(); ++k) part.mean[k] += d.y[i * d.p + pattern.observed[k]];
    }
  }
  std::map<std::vector<int>, int> z_where;
  for (std::int64_t j = 0; j < d.J; ++j) {
    ClusterRecord& c = out.clusters[j];
    for (ClusterPart& part : c.parts) part.mean /= part.n;
    for (int k = 0; k < d.p; ++k)
      if (has[j][k]) c.observed.push_back(k);
    std::vector<int> z_seen;
    for (int k = 0; k < d.q; ++k)
      if (!std::isnan(d.z[j * d.q + k])) {
        if (!std::isfinite(d.z[j * d.q + k])) throw std::invalid_argument("the data hold an infinite value");
        z_seen.push_back(k);
      }
    const auto [it, fresh] = z_where.try_emplace(z_seen, static_cast<int>(out.z.size()));
    if (fresh) out.z.push_back(z_seen);
    c.z_pattern = it->second;
  }
  return out;
}

bool two_level_factors(const TwoLevelGroup& group, const TwoLevelPatterns& patterns, TwoLevelFactors& f) {
  const int p = group.data.p, q = group.data.q;
  Matrix sub;
  f.V.resize(patterns.rows.size()), f.log_det.resize(patterns.rows.size());
  for (std::size_t r = 0; r < patterns.rows.size(); ++r) {
    gather(f.m.sigma_w, patterns.rows[r].observed, sub);
    if (!invert_spd(sub, f.V[r], f.log_det[r])) return false;
  }
  f.z.resize(patterns.z.size());
  for (std::size_t k = 0; k < patterns.z.size(); ++k) {
    const std::vector<int>& seen = patterns.z[k];
    ZRegression& z = f.z[k];
    z.S = f.m.sigma_b.bottomRightCorner(p, p);
    z.log_det = 0.0;
    z.B.resize(p, seen.size());
    if (seen.empty()) continue;
    gather(f.m.sigma_b, seen, sub);
    if (!invert_spd(sub, z.inverse, z.log_det)) return false;
    Matrix syz(p, seen.size());
    for (std::size_t c = 0; c < seen.size(); ++c) syz.col(c) = f.m.sigma_b.col(seen[c]).segment(q, p);
    z.B.noalias() = syz * z.inverse;
    z.S.noalias() -= z.B * syz.transpose();
  }
  return true;
}

bool cluster_posterior(const TwoLevelGroup& group, const TwoLevelPatterns& patterns, const TwoLevelFactors& f, std::size_t j,
                       ClusterPosterior& out) {
  const ClusterData& d = group.data;
  const int p = d.p, q = d.q;
  const ClusterRecord& c = patterns.clusters[j];
  const ZRegression& z = f.z[c.z_pattern];
  const std::vector<int>& z_seen = patterns.z[c.z_pattern];
  const Eigen::Index qo = static_cast<Eigen::Index>(z_seen.size()), o = static_cast<Eigen::Index>(c.observed.size());
  Vector m = Vector::Zero(p);
  out.value = 0.0;
  out.w.resize(qo);
  if (qo > 0) {
    Vector dz(qo);
    for (Eigen::Index k = 0; k < qo; ++k) dz[k] = d.z[j * d.q + z_seen[k]] - f.m.mu[z_seen[k]];
    out.w.noalias() = z.inverse * dz;
    m.noalias() = z.B * dz;
    out.value += static_cast<double>(qo) * kLog2Pi + z.log_det + dz.dot(out.w);
  }
  Matrix A = Matrix::Zero(p, p);
  Vector g = Vector::Zero(p);
  for (const ClusterPart& part : c.parts) {
    const std::vector<int>& seen = patterns.rows[part.pattern].observed;
    const Matrix& V = f.V[part.pattern];
    scatter_add(V, seen, part.n, A);
    Vector e(seen.size());
    for (std::size_t k = 0; k < seen.size(); ++k) e[k] = part.mean[k] - f.m.mu[q + seen[k]];
    const Vector Ve = V * e;
    for (std::size_t k = 0; k < seen.size(); ++k) g[seen[k]] += part.n * Ve[k];
  }
  const Vector Am = A * m;
  out.value += m.dot(Am) - 2.0 * m.dot(g);
  g -= Am;
  Matrix R, S;
  gather(A, c.observed, R);
  gather(z.S, c.observed, S);
  if (!cholesky_inplace(R)) return false;
  R.triangularView<Eigen::StrictlyUpper>().setZero();
  Matrix C = R.transpose() * (S * R).eval();
  C.diagonal().array() += 1.0;
  if (!cholesky_inplace(C)) return false;
  Matrix X = R.transpose();
  C.triangularView<Eigen::Lower>().solveInPlace(X);
  Vector gamma(o);
  for (Eigen::Index k = 0; k < o; ++k) gamma[k] = g[c.observed[k]];
  R.triangularView<Eigen::Lower>().solveInPlace(gamma);
  C.triangularView<Eigen::Lower>().solveInPlace(gamma);
  const Vector h = X.transpose() * gamma;
  out.K.setZero(p, p), out.h.setZero(p);
  scatter_add(X.transpose() * X, c.observed, 1.0, out.K);
  for (Eigen::Index k = 0; k < o; ++k) out.h[c.observed[k]] = h[k];
  const Vector Sh = z.S * out.h;
  out.value += 2.0 * C.diagonal().array().log().sum() - g.dot(Sh);
  out.u = m + Sh;
  const Matrix KS = out.K * z.S;
  out.P = z.S;
  out.P.noalias() -= z.S * KS;
  return true;
}

}  // namespace tanada::sem
