#include "sem/twolevel_stats.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "linalg/parallel.hpp"

namespace tanada::sem {
namespace {

constexpr int kTile = 128;
constexpr std::size_t kGrain = 16384, kUnsortedChunks = 4;

// What one chunk of rows contributes; sums only over the range of codes it meets.
struct ChunkSums {
  std::int64_t low = 0, high = -1;
  std::vector<double> sums;  // (high - low + 1) x p
  Matrix cross;              // p x p, lower triangle
};

void accumulate(const ClusterData& d, const std::vector<std::int64_t>& first, std::size_t begin, std::size_t end, ChunkSums& out) {
  const int p = d.p;
  out.cross.setZero(p, p);
  if (begin >= end) return;
  const auto [lo, hi] = std::minmax_element(d.code + begin, d.code + end);
  out.low = *lo, out.high = *hi;
  out.sums.assign((out.high - out.low + 1) * p, 0.0);
  Matrix tile(p, kTile);
  int filled = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const double* row = d.y + i * p;
    const double* origin = d.y + first[d.code[i]] * p;
    double* sum = out.sums.data() + (d.code[i] - out.low) * p;
    double* t = tile.data() + static_cast<std::size_t>(filled) * p;
    for (int k = 0; k < p; ++k) {
      t[k] = row[k] - origin[k];
      sum[k] += t[k];
    }
    if (++filled == kTile || i + 1 == end) {
      out.cross.selfadjointView<Eigen::Lower>().rankUpdate(tile.leftCols(filled));
      filled = 0;
    }
  }
}

void group_by_size(const ClusterData& d, TwoLevelStats& s) {
  std::map<std::int64_t, std::vector<std::int64_t>> by_size;
  for (std::int64_t j = 0; j < d.J; ++j) by_size[static_cast<std::int64_t>(s.cluster_size[j])].push_back(j);
  const auto z = d.clusters();
  for (const auto& [n, members] : by_size) {
    SizeGroup g;
    g.n = static_cast<double>(n), g.count = static_cast<double>(members.size());
    Matrix b(d.q + d.p, members.size());
    for (std::size_t k = 0; k < members.size(); ++k) {
      if (d.q) b.col(k).head(d.q) = z.row(members[k]).transpose();
      b.col(k).tail(d.p) = s.cluster_means.row(members[k]).transpose();
    }
    g.mean = b.rowwise().mean();
    b.colwise() -= g.mean;
    g.cov.noalias() = b * b.transpose() / g.count;
    s.sizes.push_back(std::move(g));
  }
}

}  // namespace

TwoLevelStats two_level_stats(const ClusterData& d) {
  TwoLevelStats s;
  s.N = d.N, s.J = d.J, s.p = d.p, s.q = d.q;
  std::vector<std::int64_t> first(d.J, -1), count(d.J, 0);
  bool sorted = true;
  for (std::int64_t i = 0; i < d.N; ++i) {
    const std::int64_t c = d.code[i];
    sorted = sorted && (i == 0 || c >= d.code[i - 1]);
    if (c < 0 || c >= d.J) throw std::invalid_argument("a cluster code lies outside 0 .. J-1");
    if (count[c]++ == 0) first[c] = i;
  }
  if (d.J == 0 || *std::min_element(count.begin(), count.end()) == 0) throw std::invalid_argument("a cluster has no rows");
  // rows in the order of their clusters: the sums of a chunk cover few clusters; otherwise all, so there are fewer chunks
  const std::size_t grain = std::max<std::size_t>(kGrain, sorted ? 0 : d.N / kUnsortedChunks);
  const int chunks = chunk_count(d.N, grain);
  std::vector<ChunkSums> parts(std::max(chunks, 1));
  parallel_chunks(d.N, grain, [&](int c, std::size_t begin, std::size_t end) { accumulate(d, first, begin, end, parts[c]); });
  s.cluster_means.setZero(d.J, d.p);
  Matrix cross = Matrix::Zero(d.p, d.p);
  for (const ChunkSums& part : parts) {
    cross += part.cross;
    for (std::int64_t j = part.low; j <= part.high; ++j)
      for (int k = 0; k < d.p; ++k) s.cluster_means(j, k) += part.sums[(j - part.low) * d.p + k];
  }
  cross = cross.selfadjointView<Eigen::Lower>();
  s.cluster_size.resize(d.J);
  for (std::int64_t j = 0; j < d.J; ++j) {
    const double n = s.cluster_size[j] = static_cast<double>(count[j]);
    cross.noalias() -= s.cluster_means.row(j).transpose() * s.cluster_means.row(j) / n;
    s.cluster_means.row(j) = s.cluster_means.row(j) / n + d.rows().row(first[j]);
  }
  if (!cross.allFinite() || !s.cluster_means.allFinite() || !(d.q == 0 || d.clusters().allFinite()))
    throw std::invalid_argument("the data hold a value that is not finite");
  s.S_within = d.N > d.J ? Matrix(cross / static_cast<double>(d.N - d.J)) : Matrix(Matrix::Zero(d.p, d.p));
  group_by_size(d, s);
  return s;
}

Matrix between_moment(const TwoLevelStats& s) {
  const double N = static_cast<double>(s.N), J = static_cast<double>(s.J);
  if (J < 2) return Matrix::Zero(s.p, s.p);
  Vector grand = Vector::Zero(s.p);
  double n2 = 0.0;
  for (std::int64_t j = 0; j < s.J; ++j) {
    grand += s.cluster_size[j] * s.cluster_means.row(j).transpose();
    n2 += s.cluster_size[j] * s.cluster_size[j];
  }
  grand /= N;
  Matrix SB = Matrix::Zero(s.p, s.p);
  for (std::int64_t j = 0; j < s.J; ++j) {
    const Vector d = s.cluster_means.row(j).transpose() - grand;
    SB.noalias() += s.cluster_size[j] * d * d.transpose();
  }
  return (SB / (J - 1) - s.S_within) * ((J - 1) / (N - n2 / N));
}

}  // namespace tanada::sem
