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
  const int q = group.data.q, k = group.extra + group.data.p;
  Matrix sub;
  f.V.resize(patterns.rows.size()), f.log_det.resize(patterns.rows.size());
  for (std::size_t r = 0; r < patterns.rows.size(); ++r) {
    gather(f.m.sigma_w, patterns.rows[r].observed, sub);
    if (!invert_spd(sub, f.V[r], f.log_det[r])) return false;
  }
  f.z.resize(patterns.z.size());
  for (std::size_t r = 0; r < patterns.z.size(); ++r) {
    const std::vector<int>& seen = patterns.z[r];
    ZRegression& z = f.z[r];
    z.S = f.m.sigma_b.bottomRightCorner(k, k);
    z.log_det = 0.0;
    z.B.resize(k, seen.size());
    if (seen.empty()) continue;
    gather(f.m.sigma_b, seen, sub);
    if (!invert_spd(sub, z.inverse, z.log_det)) return false;
    Matrix syz(k, seen.size());
    for (std::size_t c = 0; c < seen.size(); ++c) syz.col(c) = f.m.sigma_b.col(seen[c]).segment(q, k);
    z.B.noalias() = syz * z.inverse;
    z.S.noalias() -= z.B * syz.transpose();
  }
  return true;
}

void ZSums::add(const ClusterPosterior& c) {
  GS += c.K;
  GS.noalias() -= c.h * c.h.transpose();
  h += c.h;
  count += 1.0;
  if (c.w.size() == 0) return;
  hw.noalias() += c.h * c.w.transpose();
  ww.noalias() += c.w * c.w.transpose();
  w += c.w;
}

void ZSums::finish(const ZRegression& z, const std::vector<int>& seen, Matrix& Gb, Vector& g) const {
  const Eigen::Index k = h.size();
  Gb.bottomRightCorner(k, k) += GS;
  g.tail(k) -= 2.0 * h;
  if (seen.empty()) return;
  const Matrix GB = GS * z.B;
  const Matrix Gyz = -(GB + hw);
  const Matrix Bhw = z.B.transpose() * hw;
  const Matrix Gzz = count * z.inverse - ww + z.B.transpose() * GB + Bhw + Bhw.transpose();
  scatter_add(Gzz, seen, 1.0, Gb);
  const Vector gz = 2.0 * (z.B.transpose() * h - w);
  for (std::size_t a = 0; a < seen.size(); ++a) {
    Gb.col(seen[a]).tail(k) += Gyz.col(a);
    Gb.row(seen[a]).tail(k) += Gyz.col(a).transpose();
    g[seen[a]] += gz[a];
  }
}

Matrix pattern_products(const Pattern& r, const Vector& mu, int q) {
  Vector d(r.observed.size());
  for (std::size_t k = 0; k < r.observed.size(); ++k) d[k] = r.mean[k] - mu[q + r.observed[k]];
  Matrix out = r.n * d * d.transpose();
  if (r.cov.size() > 0)
    out += r.n * r.cov;
  else
    out.noalias() += r.deviations * r.deviations.transpose();
  return out;
}

void z_prior(const TwoLevelGroup& group, const TwoLevelPatterns& patterns, const TwoLevelFactors& f, std::size_t j, Vector& m,
             ClusterPosterior& out) {
  const ClusterData& d = group.data;
  const ZRegression& z = f.z[patterns.clusters[j].z_pattern];
  const std::vector<int>& seen = patterns.z[patterns.clusters[j].z_pattern];
  const Eigen::Index qo = static_cast<Eigen::Index>(seen.size());
  m.setZero(d.p + group.extra);
  out.value = 0.0;
  out.w.resize(qo);
  if (qo == 0) return;
  Vector dz(qo);
  for (Eigen::Index k = 0; k < qo; ++k) dz[k] = d.z[j * d.q + seen[k]] - f.m.mu[seen[k]];
  out.w.noalias() = z.inverse * dz;
  m.noalias() = z.B * dz;
  out.value = static_cast<double>(qo) * kLog2Pi + z.log_det + dz.dot(out.w);
}

bool cluster_posterior(const TwoLevelGroup& group, const TwoLevelPatterns& patterns, const TwoLevelFactors& f, std::size_t j,
                       ClusterPosterior& out) {
  const int p = group.data.p, q = group.data.q;
  const ClusterRecord& c = patterns.clusters[j];
  const ZRegression& z = f.z[c.z_pattern];
  Vector m;
  z_prior(group, patterns, f, j, m, out);
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
  return effect_posterior(A, g, m, z.S, c.observed, out);
}

namespace {

// A = R R' (k x r) and gamma with R gamma = g, for a positive semidefinite A and g in its range. Cholesky, or the eigenvectors of A scaled to
// a unit diagonal where it is singular.
bool root(const Matrix& A, const Vector& g, Matrix& R, Vector& gamma) {
  R = A;
  bool regular = cholesky_inplace(R);
  for (Eigen::Index i = 0; regular && i < A.rows(); ++i) regular = R(i, i) * R(i, i) > 1e-12 * A(i, i);
  if (regular) {
    R.triangularView<Eigen::StrictlyUpper>().setZero();
    gamma = g;
    R.triangularView<Eigen::Lower>().solveInPlace(gamma);
    return true;
  }
  const Vector scale = A.diagonal().cwiseMax(0.0).cwiseSqrt();
  const Vector inverse = scale.unaryExpr([](double d) { return d > 0 ? 1.0 / d : 0.0; });
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(inverse.asDiagonal() * A * inverse.asDiagonal());
  if (eigen.info() != Eigen::Success) return false;
  Eigen::Index first = 0;
  while (first < A.rows() && eigen.eigenvalues()[first] < 1e-11) ++first;
  const Eigen::Index r = A.rows() - first;
  const Vector values = eigen.eigenvalues().tail(r).cwiseSqrt();
  R = scale.asDiagonal() * eigen.eigenvectors().rightCols(r) * values.asDiagonal();
  gamma = values.cwiseInverse().asDiagonal() * (eigen.eigenvectors().rightCols(r).transpose() * (inverse.asDiagonal() * g));
  return true;
}

}  // namespace

bool effect_posterior(const Matrix& A, const Vector& g0, const Vector& m, const Matrix& S, const std::vector<int>& seen,
                      ClusterPosterior& out) {
  const Eigen::Index k = A.rows(), o = static_cast<Eigen::Index>(seen.size());
  const Vector Am = A * m;
  out.value += m.dot(Am) - 2.0 * m.dot(g0);
  const Vector g = g0 - Am;
  Matrix R, So, Ao;
  gather(A, seen, Ao);
  gather(S, seen, So);
  Vector go(o), gamma;
  for (Eigen::Index i = 0; i < o; ++i) go[i] = g[seen[i]];
  if (!root(Ao, go, R, gamma)) return false;
  Matrix C = R.transpose() * (So * R).eval();
  C.diagonal().array() += 1.0;
  if (!safe_cholesky(C)) return false;
  Matrix X = R.transpose();
  C.triangularView<Eigen::Lower>().solveInPlace(X);
  const double all = gamma.squaredNorm();
  C.triangularView<Eigen::Lower>().solveInPlace(gamma);
  // g' (I + S A)^-1 S g = gamma' gamma - gamma' C^-1 gamma, which stays bounded however large S is
  out.value += 2.0 * C.diagonal().array().log().sum() - (all - gamma.squaredNorm());
  const Vector h = X.transpose() * gamma;
  out.K.setZero(k, k), out.h.setZero(k);
  scatter_add(X.transpose() * X, seen, 1.0, out.K);
  for (Eigen::Index i = 0; i < o; ++i) out.h[seen[i]] = h[i];
  const Vector Sh = S * out.h;
  out.u = m + Sh;
  const Matrix KS = out.K * S;
  out.P = S;
  out.P.noalias() -= S * KS;
  return true;
}

}  // namespace tanada::sem
