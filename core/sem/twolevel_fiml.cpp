#include "sem/twolevel_fiml.hpp"

#include <cmath>
#include <map>
#include <stdexcept>

#include "linalg/parallel.hpp"

namespace tanada::sem {
namespace {

constexpr std::size_t kClustersPerChunk = 32;

// Sums over clusters that the derivatives need.
struct Sums {
  double value = 0.0;
  bool ok = true;
  std::vector<Matrix> M;   // per row pattern: sum of n T(P + u u')T' - T u s' - s u'T'; empty until used
  std::vector<ZSums> z;    // per z pattern
};

void start(Sums& s, const TwoLevelPatterns& patterns, int p) {
  s.M.resize(patterns.rows.size());
  s.z.clear();
  for (const auto& seen : patterns.z) s.z.emplace_back(p, static_cast<int>(seen.size()));
}

// n T (P + u u') T' - T u s' - s u' T' of one part of a cluster, s = sum of e_i.
void add_part(const ClusterPart& part, const std::vector<int>& seen, const ClusterPosterior& c, const Vector& mu, int q, Matrix& M) {
  const Eigen::Index o = static_cast<Eigen::Index>(seen.size());
  if (M.size() == 0) M.setZero(o, o);
  for (Eigen::Index b = 0; b < o; ++b) {
    const double ub = c.u[seen[b]], sb = part.mean[b] - mu[q + seen[b]];
    for (Eigen::Index a = 0; a < o; ++a) {
      const double ua = c.u[seen[a]], sa = part.mean[a] - mu[q + seen[a]];
      M(a, b) += part.n * (c.P(seen[a], seen[b]) + ua * ub - ua * sb - sa * ub);
    }
  }
}

}  // namespace

TwoLevelFimlObjective::TwoLevelFimlObjective(std::shared_ptr<const Model> model, std::vector<TwoLevelGroup> groups)
    : SemObjective(std::move(model)), groups_(std::move(groups)) {
  check_positions(this->model(), groups_);
  for (const TwoLevelGroup& g : groups_) patterns_.push_back(two_level_patterns(g.data));
}

Evaluation TwoLevelFimlObjective::evaluate(const Vector& x, Vector* gradient) const {
  Evaluation e;
  if (gradient) gradient->setZero(size());
  TwoLevelFactors f;
  for (int g = 0; g < groups(); ++g) {
    const TwoLevelGroup& data = groups_[g];
    const TwoLevelPatterns& patterns = patterns_[g];
    const int p = data.data.p, q = data.data.q;
    if (!two_level_moments(model(), g, data, x, f.m)) return {0.0, Status::outside};
    if (!two_level_factors(data, patterns, f)) return {0.0, Status::not_positive_definite};
    const std::size_t J = patterns.clusters.size();
    std::vector<Sums> sums(chunk_count(J, kClustersPerChunk));
    parallel_chunks(J, kClustersPerChunk, [&](int c, std::size_t begin, std::size_t end) {
      Sums& s = sums[c];
      if (gradient) start(s, patterns, p);
      ClusterPosterior post;
      for (std::size_t j = begin; j < end; ++j) {
        if (!cluster_posterior(data, patterns, f, j, post)) {
          s.ok = false;
          return;
        }
        s.value += post.value;
        if (!gradient) continue;
        s.z[patterns.clusters[j].z_pattern].add(post);
        for (const ClusterPart& part : patterns.clusters[j].parts)
          add_part(part, patterns.rows[part.pattern].observed, post, f.m.mu, q, s.M[part.pattern]);
      }
    });
    Matrix Gw = Matrix::Zero(p, p), Gb = Matrix::Zero(q + p, q + p);
    Vector gm = Vector::Zero(q + p);
    for (const Sums& s : sums) {
      if (!s.ok) return {0.0, Status::not_positive_definite};
      e.value += s.value;
      for (std::size_t k = 0; gradient && k < patterns.z.size(); ++k) s.z[k].finish(f.z[k], patterns.z[k], Gb, gm);
    }
    for (std::size_t r = 0; r < patterns.rows.size(); ++r) {
      const Pattern& rows = patterns.rows[r];
      Matrix M = pattern_products(rows, f.m.mu, q);
      e.value += rows.n * (static_cast<double>(rows.observed.size()) * kLog2Pi + f.log_det[r]) + f.V[r].cwiseProduct(M).sum();
      if (!gradient) continue;
      for (const Sums& s : sums)
        if (s.M[r].size() > 0) M += s.M[r];
      const Matrix VM = f.V[r] * M;
      scatter_add(rows.n * f.V[r] - VM * f.V[r], rows.observed, 1.0, Gw);
    }
    if (gradient) two_level_pullback(model(), g, data, f.m, Gw, Gb, gm, *gradient);
  }
  if (!std::isfinite(e.value)) e.status = Status::not_finite;
  return e;
}

bool TwoLevelFimlObjective::information(const Vector& x, Matrix& out) const {
  out.setZero(size(), size());
  TwoLevelFactors f;
  for (int g = 0; g < groups(); ++g) {
    const TwoLevelGroup& data = groups_[g];
    const TwoLevelPatterns& patterns = patterns_[g];
    const int p = data.data.p;
    if (!two_level_moments(model(), g, data, x, f.m) || !two_level_factors(data, patterns, f)) return false;
    std::map<double, double> sizes;
    double N = 0.0, J = 0.0;
    for (const ClusterRecord& c : patterns.clusters) {
      if (c.n > 0) sizes[c.n] += 1.0, J += 1.0;
      N += c.n;
    }
    if (N == 0) return false;
    Matrix full;
    for (std::size_t r = 0; r < patterns.rows.size(); ++r) {
      full.setZero(p, p);
      scatter_add(f.V[r], patterns.rows[r].observed, 1.0, full);
      add_within_information(data, f.m, full, patterns.rows[r].n * (1.0 - J / N), out);
    }
    Matrix omega, V;
    double log_det;
    for (const auto& [n, count] : sizes) {
      omega = f.m.sigma_b;
      omega.bottomRightCorner(p, p) += f.m.sigma_w / n;
      if (!invert_spd(omega, V, log_det)) return false;
      add_between_information(data, f.m, V, n, count, out);
    }
  }
  return true;
}

Matrix TwoLevelFimlObjective::scores(const Vector& x, int g) const {
  const TwoLevelGroup& data = groups_.at(g);
  const TwoLevelPatterns& patterns = patterns_.at(g);
  const int p = data.data.p, q = data.data.q;
  const std::size_t J = patterns.clusters.size();
  Matrix out = Matrix::Constant(J, size(), std::numeric_limits<double>::quiet_NaN());
  TwoLevelFactors f;
  if (!two_level_moments(model(), g, data, x, f.m) || !two_level_factors(data, patterns, f)) return out;
  const auto y = data.data.rows();
  parallel_chunks(J, 16, [&](int, std::size_t begin, std::size_t end) {
    ClusterPosterior post;
    Vector score(size());
    for (std::size_t j = begin; j < end; ++j) {
      if (!cluster_posterior(data, patterns, f, j, post)) continue;
      const ClusterRecord& c = patterns.clusters[j];
      Matrix Gw = Matrix::Zero(p, p), Gb = Matrix::Zero(q + p, q + p);
      Vector gm = Vector::Zero(q + p);
      for (const ClusterPart& part : c.parts) {
        const std::vector<int>& seen = patterns.rows[part.pattern].observed;
        const Matrix& V = f.V[part.pattern];
        Matrix M;
        add_part(part, seen, post, f.m.mu, q, M);
        Vector e(seen.size());
        for (std::int64_t i : part.rows) {
          for (std::size_t k = 0; k < seen.size(); ++k) e[k] = y(i, seen[k]) - f.m.mu[q + seen[k]];
          M.noalias() += e * e.transpose();
        }
        scatter_add(part.n * V - V * M * V, seen, 1.0, Gw);
      }
      Sums s;
      start(s, patterns, p);
      s.z[c.z_pattern].add(post);
      s.z[c.z_pattern].finish(f.z[c.z_pattern], patterns.z[c.z_pattern], Gb, gm);
      score.setZero();
      two_level_pullback(model(), g, data, f.m, -0.5 * Gw, -0.5 * Gb, -0.5 * gm, score);
      out.row(j) = score.transpose();
    }
  });
  return out;
}

}  // namespace tanada::sem
