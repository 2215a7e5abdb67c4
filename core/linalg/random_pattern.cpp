#include "linalg/random_pattern.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <unordered_map>

#include "linalg/parallel.hpp"

namespace tanada {

RandomPattern::RandomPattern(std::size_t n, const std::vector<FactorInput>& factors, const std::vector<TermInput>& terms) : n_(n) {
  const int F = static_cast<int>(factors.size());
  std::vector<int> k(F, 0);
  for (const auto& t : terms) k.at(t.factor) += t.k;
  std::vector<int> internal(F);
  std::iota(internal.begin(), internal.end(), 0);
  auto columns = [&](int f) { return factors[f].penalised ? std::int64_t(factors[f].levels) * std::max(k[f], 1) : std::int64_t(-1); };
  std::stable_sort(internal.begin(), internal.end(), [&](int a, int b) { return columns(a) > columns(b); });
  std::vector<int> where(F);
  for (int f = 0; f < F; ++f) where[internal[f]] = f;

  if (F == 0) {
    order_.resize(n);
    std::iota(order_.begin(), order_.end(), 0);
    return;
  }
  sort_rows(factors[internal[0]]);
  blocks_.resize(F);
  for (int f = 0; f < F; ++f) {
    FactorBlock& b = blocks_[f];
    const FactorInput& in = factors[internal[f]];
    b.input = internal[f], b.levels = in.levels, b.k = k[internal[f]], b.penalised = in.penalised;
    b.offset = q_;
    q_ += Eigen::Index(b.levels) * b.k;
    b.Z.resize(n * b.k);
    b.codes.resize(n);
    b.predictor.resize(b.k);
  }
  rest_offset_ = Eigen::Index(blocks_[0].levels) * blocks_[0].k;
  std::vector<int> filled(F, 0);
  for (const auto& t : terms) {
    const int f = where[t.factor];
    places_.push_back({f, filled[f], t.k});
    for (int a = 0; a < t.k; ++a) blocks_[f].predictor[filled[f] + a] = t.predictor;
    filled[f] += t.k;
  }
  parallel_chunks(n, 1 << 15, [&](int, std::size_t begin, std::size_t end) {
    for (int f = 0; f < F; ++f)
      for (std::size_t i = begin; i < end; ++i) blocks_[f].codes[i] = factors[blocks_[f].input].codes[order_[i]];
    for (std::size_t t = 0; t < terms.size(); ++t) {
      FactorBlock& b = blocks_[places_[t].factor];
      const int at = places_[t].offset, kt = terms[t].k;
      for (std::size_t i = begin; i < end; ++i) {
        const double* from = terms[t].Z + order_[i] * kt;
        std::copy(from, from + kt, b.Z.data() + i * b.k + at);
      }
    }
  });
  build_partners();
  build_pairs();
}

void RandomPattern::sort_rows(const FactorInput& first) {
  level_start_.assign(first.levels + 1, 0);
  for (std::size_t i = 0; i < n_; ++i) {
    const std::int32_t c = first.codes[i];
    if (c < 0 || c >= first.levels) throw std::invalid_argument("grouping code outside its levels");
    ++level_start_[c + 1];
  }
  for (int l = 0; l < first.levels; ++l) level_start_[l + 1] += level_start_[l];
  order_.resize(n_);
  std::vector<std::int64_t> next(level_start_.begin(), level_start_.end() - 1);
  for (std::size_t i = 0; i < n_; ++i) order_[next[first.codes[i]]++] = static_cast<std::int64_t>(i);
}

void RandomPattern::build_partners() {
  const int F = factors(), others = F - 1, L = blocks_[0].levels;
  partner_start_.assign(L + 1, 0);
  width_start_.assign(L + 1, 0);
  if (others == 0) return;
  row_column_.resize(n_ * others);
  std::vector<std::vector<std::int32_t>> seen(F);  // position of a level in the list of the current l, or -1
  for (int f = 1; f < F; ++f) seen[f].assign(blocks_[f].levels, -1);
  std::vector<std::pair<std::int32_t, std::int32_t>> here;  // (factor, level)
  for (int l = 0; l < L; ++l) {
    here.clear();
    for (std::int64_t i = level_start_[l]; i < level_start_[l + 1]; ++i)
      for (int f = 1; f < F; ++f) {
        const std::int32_t c = blocks_[f].codes[i];
        if (seen[f][c] < 0) {
          seen[f][c] = 0;
          here.emplace_back(f, c);
        }
      }
    std::sort(here.begin(), here.end());
    std::int32_t column = 0;
    for (const auto& [f, c] : here) {
      partner_factor_.push_back(f);
      partner_level_.push_back(c);
      partner_column_.push_back(column);
      seen[f][c] = column;
      column += blocks_[f].k;
    }
    for (std::int64_t i = level_start_[l]; i < level_start_[l + 1]; ++i)
      for (int f = 1; f < F; ++f) row_column_[i * others + f - 1] = seen[f][blocks_[f].codes[i]];
    for (const auto& [f, c] : here) seen[f][c] = -1;
    partner_start_[l + 1] = static_cast<std::int64_t>(partner_level_.size());
    width_start_[l + 1] = width_start_[l] + column;
  }
}

void RandomPattern::build_pairs() {
  const int F = factors();
  for (int f = 1; f < F; ++f)
    for (int g = f + 1; g < F; ++g) {
      PairBlock p;
      p.f = f, p.g = g;
      p.row_slot.resize(n_);
      std::unordered_map<std::int64_t, std::int32_t> slot;
      for (std::size_t i = 0; i < n_; ++i) {
        const std::int32_t a = blocks_[f].codes[i], b = blocks_[g].codes[i];
        const auto [it, is_new] = slot.try_emplace(std::int64_t(a) * blocks_[g].levels + b, static_cast<std::int32_t>(p.a.size()));
        if (is_new) p.a.push_back(a), p.b.push_back(b);
        p.row_slot[i] = it->second;
      }
      pairs_.push_back(std::move(p));
    }
}

}  // namespace tanada
