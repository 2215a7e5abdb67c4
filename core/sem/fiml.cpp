#include "sem/fiml.hpp"

#include <cmath>
#include <stdexcept>

#include "linalg/parallel.hpp"
#include "sem/hessian.hpp"

namespace tanada::sem {
namespace {

struct Part {
  double value = 0.0;
  bool ok = true;
  Matrix G;
  Vector g;
};

// log|Sigma_r| and the quadratic form; V = Sigma_r^-1 and, with `derivatives`, G = V - V M V and Vd = V d.
bool pattern_terms(const Pattern& r, const Matrix& sigma, const Vector& mu, bool derivatives, Matrix& V, Matrix& G, Vector& Vd, double& value) {
  const Eigen::Index o = static_cast<Eigen::Index>(r.observed.size());
  Matrix sub;
  gather(sigma, r.observed, sub);
  Vector d(o);
  for (Eigen::Index k = 0; k < o; ++k) d[k] = r.mean[k] - mu[r.observed[k]];
  double log_det;
  if (!derivatives && r.cov.size() == 0) {  // Cholesky alone serves
    if (!safe_cholesky(sub)) return false;
    log_det = 2.0 * sub.diagonal().array().log().sum();
    Matrix B(o, r.deviations.cols() + 1);
    B << r.deviations, d * std::sqrt(r.n);
    solve_lower(sub, B, false);
    value += r.n * (static_cast<double>(o) * kLog2Pi + log_det) + B.squaredNorm();
    return true;
  }
  if (!invert_spd(sub, V, log_det)) return false;
  Vd.noalias() = V * d;
  double quadratic = r.n * d.dot(Vd);
  if (derivatives) G = V - Vd * Vd.transpose();
  if (r.cov.size() > 0) {
    quadratic += r.n * V.cwiseProduct(r.cov).sum();
    if (derivatives) {
      const Matrix VS = V * r.cov;
      G.noalias() -= VS * V;
    }
  } else if (r.deviations.cols() > 1) {  // one row equals its mean
    const Matrix VE = V * r.deviations;
    quadratic += r.deviations.cwiseProduct(VE).sum();
    if (derivatives) G.noalias() -= VE * VE.transpose() / r.n;
  }
  value += r.n * (static_cast<double>(o) * kLog2Pi + log_det) + quadratic;
  return true;
}

// Patterns worth a chunk: the more variables, the fewer.
std::size_t grain(int p) { return p > 24 ? 4 : (p > 8 ? 16 : 64); }

}  // namespace

FimlObjective::FimlObjective(std::shared_ptr<const Model> model, std::vector<FimlGroup> groups)
    : SemObjective(std::move(model)), groups_(std::move(groups)) {
  if (groups_.size() != this->model().blocks.size()) throw std::invalid_argument("one data set per block is needed");
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].p != this->model().blocks[g].p())
      throw std::invalid_argument("the data and the block differ in their number of variables");
    patterns_.push_back(missing_patterns(groups_[g]));
  }
}

bool fiml_terms(const std::vector<Pattern>& patterns, const Matrix& sigma, const Vector& mu, double& value, Matrix* G_out,
                Vector* g_out) {
  const int p = static_cast<int>(mu.size());
  std::vector<Part> parts(chunk_count(patterns.size(), grain(p)));
  parallel_chunks(patterns.size(), grain(p), [&](int c, std::size_t begin, std::size_t end) {
    Part& part = parts[c];
    if (G_out) part.G.setZero(p, p), part.g.setZero(p);
    Matrix V, G;
    Vector Vd;
    for (std::size_t k = begin; k < end; ++k) {
      const Pattern& r = patterns[k];
      if (!pattern_terms(r, sigma, mu, G_out != nullptr, V, G, Vd, part.value)) {
        part.ok = false;
        return;
      }
      if (!G_out) continue;
      scatter_add(G, r.observed, r.n, part.G);
      for (std::size_t i = 0; i < r.observed.size(); ++i) part.g[r.observed[i]] -= 2.0 * r.n * Vd[i];
    }
  });
  if (G_out) G_out->setZero(p, p), g_out->setZero(p);
  for (const Part& part : parts) {
    if (!part.ok) return false;
    value += part.value;
    if (G_out) *G_out += part.G, *g_out += part.g;
  }
  return std::isfinite(value);
}

Evaluation FimlObjective::evaluate(const Vector& x, Vector* gradient) const {
  Evaluation e;
  if (gradient) gradient->setZero(size());
  BlockState s;
  Matrix G;
  Vector gm;
  for (int g = 0; g < groups(); ++g) {
    const Block& block = model().blocks[g];
    if (!block.evaluate(x, s)) return {0.0, Status::outside};
    if (!fiml_terms(patterns_[g], s.sigma, s.mu, e.value, gradient ? &G : nullptr, &gm))
      return {0.0, Status::not_positive_definite};
    if (gradient) block.pullback(s, G, gm, *gradient);
  }
  return e;
}

bool FimlObjective::information(const Vector& x, Matrix& out) const {
  out.setZero(size(), size());
  BlockState s;
  for (int g = 0; g < groups(); ++g) {
    const int p = groups_[g].p;
    if (!model().blocks[g].evaluate(x, s)) return false;
    const auto& patterns = patterns_[g];
    std::vector<Matrix> parts(chunk_count(patterns.size(), grain(p)));
    std::vector<char> ok(parts.size(), 1);
    parallel_chunks(patterns.size(), grain(p), [&](int c, std::size_t begin, std::size_t end) {
      parts[c].setZero(size(), size());
      Matrix sub, V, full;
      for (std::size_t k = begin; k < end; ++k) {
        double log_det;
        gather(s.sigma, patterns[k].observed, sub);
        if (!invert_spd(sub, V, log_det)) {
          ok[c] = 0;
          return;
        }
        full.setZero(p, p);
        scatter_add(V, patterns[k].observed, 1.0, full);
        add_information(gram(full, s.D2), s.directions, patterns[k].n, parts[c]);
      }
    });
    for (std::size_t c = 0; c < parts.size(); ++c) {
      if (!ok[c]) return false;
      out += parts[c];
    }
  }
  return true;
}

void pattern_squares(const Pattern& r, const Matrix& V, const Vector& mu, Matrix& H, Vector& Vd) {
  Vector d(r.observed.size());
  for (std::size_t k = 0; k < r.observed.size(); ++k) d[k] = r.mean[k] - mu[r.observed[k]];
  Vd.noalias() = V * d;
  H = Vd * Vd.transpose();
  if (r.cov.size() > 0) {
    const Matrix VS = V * r.cov;
    H.noalias() += VS * V;
  } else if (r.deviations.cols() > 1) {
    const Matrix VE = V * r.deviations;
    H.noalias() += VE * VE.transpose() / r.n;
  }
}

bool FimlObjective::exact_hessian(const Vector& x, Matrix& out) const {
  BlockState s;
  for (int g = 0; g < groups(); ++g) {
    const int p = groups_[g].p;
    if (!model().blocks[g].evaluate(x, s)) return false;
    const auto& patterns = patterns_[g];
    std::vector<Part> parts(chunk_count(patterns.size(), grain(p)));
    std::vector<Matrix> pairs(parts.size());
    parallel_chunks(patterns.size(), grain(p), [&](int c, std::size_t begin, std::size_t end) {
      Part& part = parts[c];
      part.G.setZero(p, p), part.g.setZero(p), pairs[c].setZero(size(), size());
      Matrix sub, V, H, V_all, H_all;
      Vector Vd, Vd_all;
      for (std::size_t k = begin; k < end; ++k) {
        const Pattern& r = patterns[k];
        double log_det;
        gather(s.sigma, r.observed, sub);
        if (!invert_spd(sub, V, log_det)) {
          part.ok = false;
          return;
        }
        pattern_squares(r, V, s.mu, H, Vd);
        V_all.setZero(p, p), H_all.setZero(p, p), Vd_all.setZero(p);
        scatter_add(V, r.observed, 1.0, V_all);
        scatter_add(H, r.observed, 1.0, H_all);
        for (std::size_t i = 0; i < r.observed.size(); ++i) Vd_all[r.observed[i]] = Vd[i];
        part.G += r.n * (V_all - H_all);
        part.g -= 2.0 * r.n * Vd_all;
        add_pair_terms(gram(V_all, s.D2), gram(H_all, s.D2), dictionary_products(s, Vd_all), s.directions, r.n, pairs[c]);
      }
    });
    Matrix G = Matrix::Zero(p, p);
    Vector gm = Vector::Zero(p);
    for (std::size_t c = 0; c < parts.size(); ++c) {
      if (!parts[c].ok) return false;
      G += parts[c].G, gm += parts[c].g, out += pairs[c];
    }
    add_structure_terms(s, G, gm, out);
  }
  return true;
}

Matrix FimlObjective::scores(const Vector& x, int g) const {
  const FimlGroup& data = groups_.at(g);
  const Block& block = model().blocks[g];
  const int p = block.p();
  Matrix out = Matrix::Zero(data.N, size());
  BlockState s;
  if (!block.evaluate(x, s)) return out.setConstant(std::numeric_limits<double>::quiet_NaN());
  const auto& patterns = patterns_[g];
  parallel_chunks(patterns.size(), 1, [&](int, std::size_t begin, std::size_t end) {
    Matrix sub, V, full = Matrix::Zero(p, p);
    Vector score(size()), Vd = Vector::Zero(p), d;
    for (std::size_t k = begin; k < end; ++k) {
      const Pattern& r = patterns[k];
      const Eigen::Index o = static_cast<Eigen::Index>(r.observed.size());
      double log_det;
      gather(s.sigma, r.observed, sub);
      const bool ok = invert_spd(sub, V, log_det);
      d.resize(o);
      for (std::int64_t i : r.rows) {
        if (!ok) {
          out.row(i).setConstant(std::numeric_limits<double>::quiet_NaN());
          continue;
        }
        for (Eigen::Index v = 0; v < o; ++v) d[v] = data.y[i * p + r.observed[v]] - s.mu[r.observed[v]];
        const Vector w = V * d;
        full.setZero(), Vd.setZero();
        scatter_add(w * w.transpose() - V, r.observed, 0.5, full);
        for (Eigen::Index v = 0; v < o; ++v) Vd[r.observed[v]] = w[v];
        score.setZero();
        block.pullback(s, full, Vd, score);
        out.row(i) = score.transpose();
      }
    }
  });
  return out;
}

}  // namespace tanada::sem
