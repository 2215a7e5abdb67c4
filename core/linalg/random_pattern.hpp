// Sparsity of the random-effects normal equations, built once per model.
//
// Terms that share a grouping factor form one block per level. The factor with most columns (internal number 0) is eliminated
// level by level; rows are sorted by it, so that all row data of a level lie together. For each of its levels l the pattern lists the
// blocks of other factors ("partners") that occur in the rows of l; co-occurring pairs of other factors are listed too.
//
// Vectors of all effects ("u", length q) are laid out factor by factor (internal order), level by level, effect by effect.
// Row data handed out or taken are in sorted order: sorted row i is the caller's row order()[i].
#pragma once
#include <cstdint>
#include <vector>

#include "linalg/lapack.hpp"

namespace tanada {

struct FactorInput {
  int levels;
  const std::int32_t* codes;  // (n), 0-based
  bool penalised = true;      // false: no unit prior precision (fixed effects integrated out, as in REML)
};

struct TermInput {
  int factor;       // index into the factors given
  int k;            // effects
  int predictor;    // which linear predictor they enter
  const double* Z;  // (n, k) row-major, caller's row order
};

struct FactorBlock {
  int input;                   // the caller's number of this factor
  int levels, k;
  bool penalised;
  Eigen::Index offset;         // first position in u
  std::vector<int> predictor;  // (k)
  std::vector<double> Z;       // (n, k) row-major, sorted rows
  std::vector<std::int32_t> codes;  // (n) sorted rows
};

struct TermPlace {
  int factor;  // internal number
  int offset;  // first effect inside the factor's block
  int k;
};

// A pair of factors other than the eliminated one that occur together in rows.
struct PairBlock {
  int f, g;                            // internal numbers, f < g
  std::vector<std::int32_t> a, b;      // levels of each distinct pair
  std::vector<std::int32_t> row_slot;  // (n) which pair a row has
};

class RandomPattern {
 public:
  RandomPattern(std::size_t n, const std::vector<FactorInput>& factors, const std::vector<TermInput>& terms);

  std::size_t rows() const { return n_; }
  Eigen::Index effects() const { return q_; }
  int factors() const { return static_cast<int>(blocks_.size()); }
  const FactorBlock& factor(int f) const { return blocks_[f]; }
  const TermPlace& term(int t) const { return places_[t]; }
  int terms() const { return static_cast<int>(places_.size()); }
  const std::vector<std::int64_t>& order() const { return order_; }
  const std::vector<std::int64_t>& level_start() const { return level_start_; }  // (levels of factor 0) + 1, sorted rows

  // Partners of level l of factor 0: positions partner_start()[l] .. partner_start()[l+1] in the partner arrays.
  const std::vector<std::int64_t>& partner_start() const { return partner_start_; }
  const std::vector<std::int32_t>& partner_factor() const { return partner_factor_; }
  const std::vector<std::int32_t>& partner_level() const { return partner_level_; }
  const std::vector<std::int32_t>& partner_column() const { return partner_column_; }  // first column inside the row block of l
  const std::vector<std::int64_t>& width_start() const { return width_start_; }        // prefix sums of row-block widths
  // Column inside the row block of its level where factor f >= 1 of sorted row i begins.
  std::int32_t row_column(std::size_t i, int f) const { return row_column_[i * (blocks_.size() - 1) + f - 1]; }
  const std::vector<PairBlock>& pairs() const { return pairs_; }
  // Position of block (f >= 1, level) among the columns left after elimination.
  Eigen::Index rest_index(int f, int level) const { return blocks_[f].offset - rest_offset_ + Eigen::Index(level) * blocks_[f].k; }
  Eigen::Index rest() const { return q_ - rest_offset_; }

 private:
  void sort_rows(const FactorInput& first);
  void build_partners();
  void build_pairs();

  std::size_t n_;
  Eigen::Index q_ = 0, rest_offset_ = 0;
  std::vector<FactorBlock> blocks_;
  std::vector<TermPlace> places_;
  std::vector<std::int64_t> order_, level_start_, partner_start_, width_start_;
  std::vector<std::int32_t> partner_factor_, partner_level_, partner_column_, row_column_;
  std::vector<PairBlock> pairs_;
};

}  // namespace tanada
