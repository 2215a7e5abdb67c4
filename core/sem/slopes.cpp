#include "sem/slopes.hpp"

#include <cmath>
#include <stdexcept>

#include "linalg/parallel.hpp"

namespace tanada::sem {
namespace {

constexpr std::size_t kClustersPerChunk = 32;

// Everything of one group at one parameter vector.
struct Factors {
  TwoLevelFactors level;
  Matrix L;                // p x R, columns L_r in the order of y
  std::vector<Matrix> Lo;  // its rows seen in each pattern
  std::vector<Matrix> VLo;
};

struct Sums {
  double value = 0.0;
  bool ok = true;
  std::vector<Matrix> M;  // per pattern: expected cross-products of residuals, less those of e; empty until used
  std::vector<Matrix> D;  // per pattern: the bracket of df / dL_r (o x R)
  std::vector<ZSums> z;
};

void start(Sums& s, const TwoLevelPatterns& patterns, int effects) {
  s.M.assign(patterns.rows.size(), Matrix());
  s.D.assign(patterns.rows.size(), Matrix());
  s.z.clear();
  for (const auto& seen : patterns.z) s.z.emplace_back(effects, static_cast<int>(seen.size()));
}

Status factors(const Model& model, int g, const SlopeGroup& group, const TwoLevelPatterns& patterns, const Vector& x, Factors& f) {
  const TwoLevelGroup& data = group.levels;
  if (!two_level_moments(model, g, data, x, f.level.m)) return Status::outside;
  if (!two_level_factors(data, patterns, f.level)) return Status::not_positive_definite;
  f.L.resize(data.data.p, group.slopes());
  for (std::size_t i = 0; i < data.within.size(); ++i)
    for (int r = 0; r < group.slopes(); ++r) f.L(data.within[i] - data.data.q, r) = f.level.m.w.D2(i, group.outcome[r]);
  f.Lo.resize(patterns.rows.size()), f.VLo.resize(patterns.rows.size());
  for (std::size_t k = 0; k < patterns.rows.size(); ++k) {
    const std::vector<int>& seen = patterns.rows[k].observed;
    f.Lo[k].resize(seen.size(), group.slopes());
    for (std::size_t i = 0; i < seen.size(); ++i) f.Lo[k].row(i) = f.L.row(seen[i]);
    f.VLo[k] = f.level.V[k] * f.Lo[k];
  }
  return Status::ok;
}

// sum (y_i - mu) X_i' of a part, o x (R+1).
Matrix centred(const SlopePart& part, const std::vector<int>& seen, const Vector& mu, int q) {
  Matrix t = part.yX;
  for (std::size_t i = 0; i < seen.size(); ++i) t.row(i) -= mu[q + seen[i]] * part.XX.row(0);
  return t;
}

// A = sum Q' T' V T Q and g0 = sum Q' T' V e of one cluster.
void normal_equations(const SlopeGroup& group, const TwoLevelPatterns& patterns, const Factors& f, const SlopeCluster& c, Matrix& A,
                      Vector& g) {
  const int p = group.levels.data.p, q = group.levels.data.q, R = group.slopes();
  A.setZero(p + R, p + R), g.setZero(p + R);
  for (const SlopePart& part : c.parts) {
    const std::vector<int>& seen = patterns.rows[part.pattern].observed;
    const Matrix &V = f.level.V[part.pattern], &Lo = f.Lo[part.pattern], &VLo = f.VLo[part.pattern];
    const Matrix t = centred(part, seen, f.level.m.mu, q);
    scatter_add(V, seen, part.XX(0, 0), A);
    A.bottomRightCorner(R, R) += part.XX.bottomRightCorner(R, R).cwiseProduct(Lo.transpose() * VLo);
    const Vector Vt = V * t.col(0);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      g[seen[i]] += Vt[i];
      for (int r = 0; r < R; ++r) {
        A(seen[i], p + r) += part.XX(0, r + 1) * VLo(i, r);
        A(p + r, seen[i]) = A(seen[i], p + r);
      }
    }
    g.tail(R) += (VLo.transpose() * t.rightCols(R)).diagonal();
  }
}

// Residual cross-products and the slopes' derivative of one part, given the effects' mean u and second moment E2.
void add_part(const SlopeGroup& group, const Factors& f, const SlopePart& part, const std::vector<int>& seen, const Vector& u,
              const Matrix& E2, Sums& s) {
  const int p = group.levels.data.p, q = group.levels.data.q, R = group.slopes();
  const Eigen::Index o = static_cast<Eigen::Index>(seen.size());
  const Matrix& Lo = f.Lo[part.pattern];
  const Matrix t = centred(part, seen, f.level.m.mu, q);
  Matrix fitted(o, R + 1), Eu(o, R), Euu(o, o);  // K_a u_a; E[u s_r]; E[u u']
  for (Eigen::Index i = 0; i < o; ++i) {
    fitted(i, 0) = u[seen[i]];
    for (int r = 0; r < R; ++r) fitted(i, r + 1) = Lo(i, r) * u[p + r], Eu(i, r) = E2(seen[i], p + r);
    for (Eigen::Index k = 0; k < o; ++k) Euu(k, i) = E2(seen[k], seen[i]);
  }
  const Vector x = part.XX.row(0).tail(R).transpose();
  const Matrix XE = part.XX.bottomRightCorner(R, R).cwiseProduct(E2.bottomRightCorner(R, R));
  const Matrix cross = t * fitted.transpose(), mixed = Eu * x.asDiagonal() * Lo.transpose();
  Matrix& M = s.M[part.pattern];
  Matrix& D = s.D[part.pattern];
  if (M.size() == 0) M.setZero(o, o);
  if (D.size() == 0) D.setZero(o, R);
  M += part.XX(0, 0) * Euu - cross - cross.transpose() + mixed + mixed.transpose() + Lo * XE * Lo.transpose();
  D += Eu * x.asDiagonal() - t.rightCols(R) * u.tail(R).asDiagonal() + Lo * XE;
}

bool add_cluster(const SlopeGroup& group, const TwoLevelPatterns& patterns, const std::vector<SlopeCluster>& clusters, const Factors& f,
                 std::size_t j, bool derivatives, Sums& s) {
  const int R = group.slopes();
  Matrix A;
  Vector g, m;
  ClusterPosterior post;
  normal_equations(group, patterns, f, clusters[j], A, g);
  z_prior(group.levels, patterns, f.level, j, m, post);
  m.tail(R) += f.level.m.mu.tail(R);
  const int z = patterns.clusters[j].z_pattern;
  if (!effect_posterior(A, g, m, f.level.z[z].S, clusters[j].seen, post)) return false;
  s.value += post.value;
  if (!derivatives) return true;
  s.z[z].add(post);
  const Matrix E2 = post.P + post.u * post.u.transpose();
  for (const SlopePart& part : clusters[j].parts) add_part(group, f, part, patterns.rows[part.pattern].observed, post.u, E2, s);
  return true;
}

// Derivatives by L to the within parameters: dL_h = a A(j, h) for the cells of Lambda_w and B_w.
void pull_loadings(const Model& model, int g, const SlopeGroup& group, const BlockState& w, const Matrix& dL, Vector& gradient) {
  const Block& block = model.blocks[2 * g];
  const int p = block.p(), m = block.m();
  Matrix d(p, dL.cols());  // in the order of the block
  for (int i = 0; i < p; ++i) d.row(i) = dL.row(group.levels.within[i] - group.levels.data.q);
  for (const Direction& c : w.directions) {
    if (c.b < p + m) continue;
    for (int r = 0; r < group.slopes(); ++r) {
      const double column = c.a < p ? d(c.a, r) : w.D2.col(c.a - p).dot(d.col(r));
      gradient[c.free] += column * w.A(c.b - p - m, group.outcome[r]);
    }
  }
}

// Adds weight * df / dx. `rows`: rows of each pattern in the sums, whose M must hold the cross-products of e too.
void pullback(const Model& model, int g, const SlopeGroup& group, const TwoLevelPatterns& patterns, const Factors& f,
              const std::vector<Sums>& sums, const std::vector<double>& rows, double weight, Vector& gradient) {
  const int p = group.levels.data.p, R = group.slopes(), P = group.levels.positions();
  Matrix Gw = Matrix::Zero(p, p), Gb = Matrix::Zero(P, P), dL = Matrix::Zero(p, R);
  Vector gm = Vector::Zero(P);
  for (std::size_t k = 0; k < patterns.rows.size(); ++k) {
    if (rows[k] == 0.0) continue;
    const std::vector<int>& seen = patterns.rows[k].observed;
    const Matrix& V = f.level.V[k];
    Matrix M = Matrix::Zero(seen.size(), seen.size()), D = Matrix::Zero(seen.size(), R);
    for (const Sums& s : sums) {
      if (s.M[k].size() > 0) M += s.M[k];
      if (s.D[k].size() > 0) D += s.D[k];
    }
    const Matrix VM = V * M;
    scatter_add(rows[k] * V - VM * V, seen, 1.0, Gw);
    const Matrix VD = 2.0 * V * D;
    for (std::size_t i = 0; i < seen.size(); ++i) dL.row(seen[i]) += VD.row(i);
  }
  for (const Sums& s : sums)
    for (std::size_t k = 0; k < patterns.z.size(); ++k) s.z[k].finish(f.level.z[k], patterns.z[k], Gb, gm);
  two_level_pullback(model, g, group.levels, f.level.m, weight * Gw, weight * Gb, weight * gm, gradient);
  pull_loadings(model, g, group, f.level.m.w, weight * dL, gradient);
}

}  // namespace

std::vector<SlopeCluster> slope_clusters(const SlopeGroup& group, const TwoLevelPatterns& patterns) {
  const ClusterData& d = group.levels.data;
  const int R = group.slopes();
  for (std::int64_t i = 0; i < d.N * R; ++i)
    if (!std::isfinite(group.x[i])) throw std::invalid_argument("a regressor with a random slope has a missing or infinite value");
  std::vector<SlopeCluster> out(patterns.clusters.size());
  for (std::size_t j = 0; j < out.size(); ++j) {
    for (const ClusterPart& from : patterns.clusters[j].parts) {
      const std::vector<int>& seen = patterns.rows[from.pattern].observed;
      SlopePart part{from.pattern, Matrix::Zero(R + 1, R + 1), Matrix::Zero(seen.size(), R + 1), from.rows};
      Vector X(R + 1), y(seen.size());
      X[0] = 1.0;
      for (std::int64_t i : from.rows) {
        for (int r = 0; r < R; ++r) X[r + 1] = group.x[i * R + r];
        for (std::size_t k = 0; k < seen.size(); ++k) y[k] = d.y[i * d.p + seen[k]];
        part.XX.noalias() += X * X.transpose();
        part.yX.noalias() += y * X.transpose();
      }
      out[j].parts.push_back(std::move(part));
    }
    out[j].seen = patterns.clusters[j].observed;
    if (!out[j].parts.empty())
      for (int r = 0; r < R; ++r) out[j].seen.push_back(d.p + r);
  }
  return out;
}

TwoLevelSlopeObjective::TwoLevelSlopeObjective(std::shared_ptr<const Model> model, std::vector<SlopeGroup> groups)
    : SemObjective(std::move(model)), groups_(std::move(groups)) {
  std::vector<TwoLevelGroup> levels;
  for (const SlopeGroup& g : groups_) levels.push_back(g.levels);
  check_positions(this->model(), levels);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (int h : groups_[g].outcome)
      if (h < 0 || h >= this->model().blocks[2 * g].m()) throw std::invalid_argument("a slope's outcome is not a within latent variable");
    patterns_.push_back(two_level_patterns(groups_[g].levels.data));
    clusters_.push_back(slope_clusters(groups_[g], patterns_.back()));
  }
}

Evaluation TwoLevelSlopeObjective::evaluate(const Vector& x, Vector* gradient) const {
  Evaluation e;
  if (gradient) gradient->setZero(size());
  Factors f;
  for (int g = 0; g < groups(); ++g) {
    const SlopeGroup& group = groups_[g];
    const TwoLevelPatterns& patterns = patterns_[g];
    const Status status = factors(model(), g, group, patterns, x, f);
    if (status != Status::ok) return {0.0, status};
    const std::size_t J = patterns.clusters.size();
    std::vector<Sums> sums(chunk_count(J, kClustersPerChunk));
    parallel_chunks(J, kClustersPerChunk, [&](int c, std::size_t begin, std::size_t end) {
      start(sums[c], patterns, group.levels.data.p + group.slopes());
      for (std::size_t j = begin; j < end && sums[c].ok; ++j)
        sums[c].ok = add_cluster(group, patterns, clusters_[g], f, j, gradient != nullptr, sums[c]);
    });
    for (const Sums& s : sums) {
      if (!s.ok) return {0.0, Status::not_positive_definite};
      e.value += s.value;
    }
    std::vector<double> rows;
    for (std::size_t k = 0; k < patterns.rows.size(); ++k) {
      const Pattern& r = patterns.rows[k];
      const Matrix E = pattern_products(r, f.level.m.mu, group.levels.data.q);
      e.value += r.n * (static_cast<double>(r.observed.size()) * kLog2Pi + f.level.log_det[k]) + f.level.V[k].cwiseProduct(E).sum();
      rows.push_back(r.n);
      Matrix& M = sums[0].M[k];
      M = M.size() == 0 ? E : Matrix(M + E);
    }
    if (gradient) pullback(model(), g, group, patterns, f, sums, rows, 1.0, *gradient);
  }
  if (!std::isfinite(e.value)) e.status = Status::not_finite;
  return e;
}

bool TwoLevelSlopeObjective::information(const Vector& x, Matrix& out) const {
  out.setZero(size(), size());
  for (int g = 0; g < groups(); ++g) {
    const Matrix s = scores(x, g);
    if (!s.allFinite()) return false;
    out.noalias() += s.transpose() * s;
  }
  return true;
}

Matrix TwoLevelSlopeObjective::scores(const Vector& x, int g) const {
  const SlopeGroup& group = groups_.at(g);
  const TwoLevelPatterns& patterns = patterns_.at(g);
  const std::size_t J = patterns.clusters.size();
  const int q = group.levels.data.q;
  Matrix out = Matrix::Constant(J, size(), std::numeric_limits<double>::quiet_NaN());
  Factors f;
  if (factors(model(), g, group, patterns, x, f) != Status::ok) return out;
  const auto y = group.levels.data.rows();
  parallel_chunks(J, 16, [&](int, std::size_t begin, std::size_t end) {
    Vector score(size());
    std::vector<Sums> one(1);
    for (std::size_t j = begin; j < end; ++j) {
      start(one[0], patterns, group.levels.data.p + group.slopes());
      if (!add_cluster(group, patterns, clusters_[g], f, j, true, one[0])) continue;
      std::vector<double> rows(patterns.rows.size(), 0.0);
      for (const SlopePart& part : clusters_[g][j].parts) {
        const std::vector<int>& seen = patterns.rows[part.pattern].observed;
        rows[part.pattern] = static_cast<double>(part.rows.size());
        Vector e(seen.size());
        for (std::int64_t i : part.rows) {
          for (std::size_t k = 0; k < seen.size(); ++k) e[k] = y(i, seen[k]) - f.level.m.mu[q + seen[k]];
          one[0].M[part.pattern].noalias() += e * e.transpose();
        }
      }
      score.setZero();
      pullback(model(), g, group, patterns, f, one, rows, -0.5, score);
      out.row(j) = score.transpose();
    }
  });
  return out;
}

}  // namespace tanada::sem
