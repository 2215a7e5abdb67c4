#include <cmath>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include "sem/fiml.hpp"

namespace tanada::sem {

void gather(const Matrix& full, const std::vector<int>& index, Matrix& out) {
  const Eigen::Index k = static_cast<Eigen::Index>(index.size());
  out.resize(k, k);
  for (Eigen::Index j = 0; j < k; ++j)
    for (Eigen::Index i = 0; i < k; ++i) out(i, j) = full(index[i], index[j]);
}

void scatter_add(const Matrix& part, const std::vector<int>& index, double w, Matrix& full) {
  const Eigen::Index k = static_cast<Eigen::Index>(index.size());
  for (Eigen::Index j = 0; j < k; ++j)
    for (Eigen::Index i = 0; i < k; ++i) full(index[i], index[j]) += w * part(i, j);
}

std::vector<Pattern> missing_patterns(const FimlGroup& d) {
  std::vector<Pattern> out;
  std::unordered_map<std::string, std::size_t> where;
  std::string key(d.p, '0');
  for (std::int64_t i = 0; i < d.N; ++i) {
    const double* row = d.y + i * d.p;
    bool any = false;
    for (int k = 0; k < d.p; ++k) {
      const bool seen = !std::isnan(row[k]);
      if (seen && !std::isfinite(row[k])) throw std::invalid_argument("the data hold an infinite value");
      key[k] = seen ? '1' : '0';
      any = any || seen;
    }
    if (!any) continue;
    const auto [it, fresh] = where.try_emplace(key, out.size());
    if (fresh) {
      out.emplace_back();
      for (int k = 0; k < d.p; ++k)
        if (key[k] == '1') out.back().observed.push_back(k);
    }
    out[it->second].rows.push_back(i);
  }
  for (Pattern& r : out) {
    const Eigen::Index o = static_cast<Eigen::Index>(r.observed.size()), n = static_cast<Eigen::Index>(r.rows.size());
    r.n = static_cast<double>(n);
    Vector mean = Vector::Zero(o);
    for (std::int64_t i : r.rows)
      for (Eigen::Index k = 0; k < o; ++k) mean[k] += d.y[i * d.p + r.observed[k]];
    r.mean = mean / r.n;
    const bool keep = n < o;
    if (keep) r.deviations.resize(o, n);
    if (!keep) r.cov.setZero(o, o);
    constexpr Eigen::Index kTile = 128;
    Matrix tile(o, keep ? 0 : kTile);
    Eigen::Index filled = 0;
    for (Eigen::Index i = 0; i < n; ++i) {
      const double* row = d.y + r.rows[i] * d.p;
      double* to = keep ? r.deviations.col(i).data() : tile.col(filled).data();
      for (Eigen::Index k = 0; k < o; ++k) to[k] = row[r.observed[k]] - r.mean[k];
      if (keep) continue;
      if (++filled == kTile || i + 1 == n) {
        r.cov.selfadjointView<Eigen::Lower>().rankUpdate(tile.leftCols(filled), 1.0 / r.n);
        filled = 0;
      }
    }
    if (!keep) r.cov = Matrix(r.cov.selfadjointView<Eigen::Lower>());
  }
  return out;
}

}  // namespace tanada::sem
