#include "sem/twolevel.hpp"

#include <cmath>
#include <stdexcept>

#include "linalg/parallel.hpp"

namespace tanada::sem {
namespace {

constexpr std::size_t kSizesPerChunk = 8;

// O_n in the order (z, y).
void cluster_mean_covariance(const TwoLevelMoments& m, int q, double n, Matrix& omega) {
  omega = m.sigma_b;
  omega.bottomRightCorner(omega.rows() - q, omega.rows() - q) += m.sigma_w / n;
}

struct Part {
  double value = 0.0;
  Status status = Status::ok;
  Matrix Gw, Gb;
  Vector g;
};

// The cluster-mean part for sizes [begin, end): value and derivatives by sigma_w, sigma_b, mu.
void mean_part(const TwoLevelStats& s, const TwoLevelMoments& m, std::size_t begin, std::size_t end, bool derivatives, Part& out) {
  const int q = s.q, p = s.p, P = p + q;
  Matrix omega, V, M(P, P), G(P, P);
  if (derivatives) out.Gw.setZero(p, p), out.Gb.setZero(P, P), out.g.setZero(P);
  for (std::size_t k = begin; k < end; ++k) {
    const SizeGroup& c = s.sizes[k];
    cluster_mean_covariance(m, q, c.n, omega);
    double log_det;
    if (!invert_spd(omega, V, log_det)) {
      out.status = Status::not_positive_definite;
      return;
    }
    const Vector D = c.mean - m.mu;
    M = c.cov;
    M.noalias() += D * D.transpose();
    out.value += c.count * (log_det + V.cwiseProduct(M).sum() + p * std::log(c.n));
    if (!derivatives) continue;
    const Matrix VM = V * M;
    G = V;
    G.noalias() -= VM * V;
    out.Gb += c.count * G;
    out.Gw += (c.count / c.n) * G.bottomRightCorner(p, p);
    out.g.noalias() -= 2.0 * c.count * (V * D);
  }
}

}  // namespace

TwoLevelObjective::TwoLevelObjective(std::shared_ptr<const Model> model, std::vector<TwoLevelGroup> groups)
    : SemObjective(std::move(model)), groups_(std::move(groups)) {
  check_positions(this->model(), groups_);
  for (const TwoLevelGroup& g : groups_) stats_.push_back(two_level_stats(g.data));
}

Evaluation TwoLevelObjective::evaluate(const Vector& x, Vector* gradient) const {
  Evaluation e;
  if (gradient) gradient->setZero(size());
  TwoLevelMoments m;
  for (int g = 0; g < groups(); ++g) {
    const TwoLevelStats& s = stats_[g];
    if (!two_level_moments(model(), g, groups_[g], x, m)) return {0.0, Status::outside};
    const double rows = static_cast<double>(s.N - s.J);
    Matrix Vw;
    double log_det = 0.0;
    if (!invert_spd(m.sigma_w, Vw, log_det)) return {0.0, Status::not_positive_definite};
    e.value += rows * (log_det + Vw.cwiseProduct(s.S_within).sum()) +
               (static_cast<double>(s.N) * s.p + static_cast<double>(s.J) * s.q) * kLog2Pi;
    std::vector<Part> parts(chunk_count(s.sizes.size(), kSizesPerChunk));
    auto body = [&](int c, std::size_t begin, std::size_t end) { mean_part(s, m, begin, end, gradient != nullptr, parts[c]); };
    parallel_chunks(s.sizes.size(), kSizesPerChunk, body);
    Matrix Gw, Gb = Matrix::Zero(s.q + s.p, s.q + s.p);
    Vector gm = Vector::Zero(s.q + s.p);
    if (gradient) {
      const Matrix VS = Vw * s.S_within;
      Gw = rows * (Vw - VS * Vw);
    }
    for (const Part& part : parts) {
      if (part.status != Status::ok) return {0.0, part.status};
      e.value += part.value;
      if (gradient) Gw += part.Gw, Gb += part.Gb, gm += part.g;
    }
    if (gradient) two_level_pullback(model(), g, groups_[g], m, Gw, Gb, gm, *gradient);
  }
  if (!std::isfinite(e.value)) e.status = Status::not_finite;
  return e;
}

bool TwoLevelObjective::information(const Vector& x, Matrix& out) const {
  out.setZero(size(), size());
  TwoLevelMoments m;
  for (int g = 0; g < groups(); ++g) {
    const TwoLevelStats& s = stats_[g];
    Matrix Vw;
    double log_det;
    if (!two_level_moments(model(), g, groups_[g], x, m) || !invert_spd(m.sigma_w, Vw, log_det)) return false;
    add_within_information(groups_[g], m, Vw, static_cast<double>(s.N - s.J), out);
    std::vector<Matrix> parts(chunk_count(s.sizes.size(), kSizesPerChunk));
    std::vector<char> ok(parts.size(), 1);
    parallel_chunks(s.sizes.size(), kSizesPerChunk, [&](int c, std::size_t begin, std::size_t end) {
      parts[c].setZero(size(), size());
      Matrix omega, V;
      double log_det_n;
      for (std::size_t k = begin; k < end; ++k) {
        cluster_mean_covariance(m, s.q, s.sizes[k].n, omega);
        if (!invert_spd(omega, V, log_det_n)) {
          ok[c] = 0;
          return;
        }
        add_between_information(groups_[g], m, V, s.sizes[k].n, s.sizes[k].count, parts[c]);
      }
    });
    for (std::size_t c = 0; c < parts.size(); ++c) {
      if (!ok[c]) return false;
      out += parts[c];
    }
  }
  return true;
}

bool TwoLevelObjective::exact_hessian(const Vector& x, Matrix& out) const {
  TwoLevelMoments m;
  for (int g = 0; g < groups(); ++g) {
    const TwoLevelStats& s = stats_[g];
    const double rows = static_cast<double>(s.N - s.J);
    const int P = s.p + s.q;
    Matrix Vw;
    double log_det;
    if (!two_level_moments(model(), g, groups_[g], x, m) || !invert_spd(m.sigma_w, Vw, log_det)) return false;
    const Matrix VS = Vw * s.S_within;
    const Matrix Hw = VS * Vw;
    add_within_pairs(groups_[g], m, Vw, Hw, rows, out);
    std::vector<Part> parts(chunk_count(s.sizes.size(), kSizesPerChunk));
    std::vector<Matrix> pairs(parts.size());
    parallel_chunks(s.sizes.size(), kSizesPerChunk, [&](int c, std::size_t begin, std::size_t end) {
      mean_part(s, m, begin, end, true, parts[c]);
      pairs[c].setZero(size(), size());
      Matrix omega, V;
      double log_det_n;
      for (std::size_t k = begin; k < end && parts[c].status == Status::ok; ++k) {
        const SizeGroup& size_group = s.sizes[k];
        cluster_mean_covariance(m, s.q, size_group.n, omega);
        if (!invert_spd(omega, V, log_det_n)) return;
        const Vector Vd = V * (size_group.mean - m.mu);
        const Matrix VC = V * size_group.cov;
        const Matrix H = VC * V + Vd * Vd.transpose();
        add_between_pairs(groups_[g], m, V, H, Vd, size_group.n, size_group.count, pairs[c]);
      }
    });
    Matrix Gw = rows * (Vw - Hw), Gb = Matrix::Zero(P, P);
    Vector gm = Vector::Zero(P);
    for (std::size_t c = 0; c < parts.size(); ++c) {
      if (parts[c].status != Status::ok) return false;
      Gw += parts[c].Gw, Gb += parts[c].Gb, gm += parts[c].g, out += pairs[c];
    }
    add_two_level_structure(groups_[g], m, Gw, Gb, gm, out);
  }
  return true;
}

Matrix TwoLevelObjective::scores(const Vector& x, int g) const {
  const TwoLevelGroup& data = groups_.at(g);
  const TwoLevelStats& s = stats_.at(g);
  Matrix out = Matrix::Constant(s.J, size(), std::numeric_limits<double>::quiet_NaN());
  TwoLevelMoments m;
  Matrix Vw;
  double log_det;
  if (!two_level_moments(model(), g, data, x, m) || !invert_spd(m.sigma_w, Vw, log_det)) return out;
  // rows in the order of their clusters
  const auto rows = data.data.rows();
  std::vector<std::int64_t> begin_of(s.J + 1, 0), order(s.N);
  for (std::int64_t j = 0; j < s.J; ++j) begin_of[j + 1] = begin_of[j] + static_cast<std::int64_t>(s.cluster_size[j]);
  std::vector<std::int64_t> next(begin_of.begin(), begin_of.end() - 1);
  for (std::int64_t i = 0; i < s.N; ++i) order[next[data.data.code[i]]++] = i;
  const int q = s.q, p = s.p;
  const auto z = data.data.clusters();
  parallel_chunks(s.J, 16, [&](int, std::size_t begin, std::size_t end) {
    Matrix omega, V, Gb, Gw, SS(p, p);
    Vector D(p + q), e(p), score(size());
    double previous = -1.0, log_det_n;
    for (std::size_t j = begin; j < end; ++j) {
      const double n = s.cluster_size[j];
      if (n != previous) {
        cluster_mean_covariance(m, q, n, omega);
        if (!invert_spd(omega, V, log_det_n)) continue;
        previous = n;
      }
      if (q) D.head(q) = z.row(j).transpose();
      D.tail(p) = s.cluster_means.row(j).transpose();
      D -= m.mu;
      const Vector VD = V * D;
      Gb = V - VD * VD.transpose();
      SS.setZero();  // within cross-products of the cluster
      for (std::int64_t r = begin_of[j]; r < begin_of[j + 1]; ++r) {
        e = (rows.row(order[r]) - s.cluster_means.row(j)).transpose();
        SS.noalias() += e * e.transpose();
      }
      Gw = (n - 1.0) * Vw - Vw * SS * Vw + Gb.bottomRightCorner(p, p) / n;
      score.setZero();
      two_level_pullback(model(), g, data, m, -0.5 * Gw, -0.5 * Gb, VD, score);
      out.row(j) = score.transpose();
    }
  });
  return out;
}

}  // namespace tanada::sem
