// Sufficient statistics of clustered rows, complete data: one pass over the rows.
//
// y (N x p) belongs to N rows, z (J x q) to J clusters. Within cross-products are taken about the first row of each cluster, so a large
// between-cluster variance costs no digits. Clusters of the same size share one record: count, mean and covariance of b_j = (z_j, ybar_j).
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "linalg/lapack.hpp"

namespace tanada::sem {

// Borrowed arrays of one group; the owner keeps them alive.
struct ClusterData {
  const double* y = nullptr;  // N x p, row-major
  const double* z = nullptr;  // J x q, row-major
  const std::int64_t* code = nullptr;  // cluster of each row, 0 .. J-1
  std::int64_t N = 0, J = 0;
  int p = 0, q = 0;
  std::shared_ptr<const void> owner = nullptr;  // holds the arrays, when they have an owner to hold
  Eigen::Map<const RowMatrix> rows() const { return {y, N, p}; }
  Eigen::Map<const RowMatrix> clusters() const { return {z, J, q}; }
};

struct SizeGroup {
  double n;       // cluster size
  double count;   // clusters of this size
  Vector mean;    // of b_j, q + p
  Matrix cov;     // of b_j, divisor `count`
};

struct TwoLevelStats {
  std::int64_t N = 0, J = 0;
  int p = 0, q = 0;
  Matrix S_within;           // pooled, divisor N - J (zero when N = J)
  RowMatrix cluster_means;   // J x p
  std::vector<double> cluster_size;
  std::vector<SizeGroup> sizes;
};

// Throws std::invalid_argument for codes outside 0 .. J-1, an empty cluster, or values that are not finite.
TwoLevelStats two_level_stats(const ClusterData& data);

// Moment estimate of the between covariance (S_b - S_pw) / s, s = (N - sum n^2 / N) / (J - 1), for the p row variables.
Matrix between_moment(const TwoLevelStats& stats);

}  // namespace tanada::sem
