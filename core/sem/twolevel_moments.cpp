// Moments of the two blocks in the common order (z, y), gradients and information back to the parameters.
#include <stdexcept>

#include "sem/hessian.hpp"
#include "sem/twolevel.hpp"

namespace tanada::sem {

void check_positions(const Model& model, const std::vector<TwoLevelGroup>& groups) {
  if (model.blocks.size() != 2 * groups.size()) throw std::invalid_argument("two blocks per group are needed");
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const TwoLevelGroup& d = groups[g];
    const int q = d.data.q, rows_end = q + d.data.p, P = d.positions();
    if (static_cast<int>(d.within.size()) != model.blocks[2 * g].p() || static_cast<int>(d.between.size()) != model.blocks[2 * g + 1].p())
      throw std::invalid_argument("the index of a level and its block differ in size");
    std::vector<int> in_w(P, 0), in_b(P, 0);
    for (int k : d.within) {
      if (k < q || k >= rows_end || in_w[k]++) throw std::invalid_argument("the within index must name each row variable once");
    }
    for (int k : d.between) {
      if (k < 0 || k >= P || in_b[k]++) throw std::invalid_argument("the between index names a variable twice or one that does not exist");
    }
    for (int k = 0; k < P; ++k)
      if (k < q || k >= rows_end ? !in_b[k] : !in_w[k])
        throw std::invalid_argument(k < q || k >= rows_end ? "a between-only variable or slope is missing from the between block"
                                                           : "a row variable is missing from the within block");
  }
}

std::vector<int> to_positions(const std::vector<int>& index, int p, int q) {
  std::vector<int> out;
  for (int k : index) out.push_back(k < p ? q + k : (k < p + q ? k - p : k));
  return out;
}

bool two_level_moments(const Model& model, int group, const TwoLevelGroup& d, const Vector& x, TwoLevelMoments& m) {
  if (!model.blocks[2 * group].evaluate(x, m.w) || !model.blocks[2 * group + 1].evaluate(x, m.b)) return false;
  const int q = d.data.q, p = d.data.p;
  m.sigma_w.setZero(p, p), m.sigma_b.setZero(d.positions(), d.positions()), m.mu.setZero(d.positions());
  for (std::size_t i = 0; i < d.within.size(); ++i) {
    m.mu[d.within[i]] += m.w.mu[i];
    for (std::size_t k = 0; k < d.within.size(); ++k) m.sigma_w(d.within[i] - q, d.within[k] - q) = m.w.sigma(i, k);
  }
  for (std::size_t i = 0; i < d.between.size(); ++i) {
    m.mu[d.between[i]] += m.b.mu[i];
    for (std::size_t k = 0; k < d.between.size(); ++k) m.sigma_b(d.between[i], d.between[k]) = m.b.sigma(i, k);
  }
  return true;
}

namespace {

// Rows and columns `at` (less `shift`) of a symmetric matrix, and entries of a vector.
Matrix part_of(const Matrix& full, const std::vector<int>& at, int shift) {
  const Eigen::Index k = static_cast<Eigen::Index>(at.size());
  Matrix out(k, k);
  for (Eigen::Index i = 0; i < k; ++i)
    for (Eigen::Index j = 0; j < k; ++j) out(i, j) = full(at[i] - shift, at[j] - shift);
  return out;
}

Vector part_of(const Vector& full, const std::vector<int>& at) {
  Vector out(at.size());
  for (std::size_t i = 0; i < at.size(); ++i) out[i] = full[at[i]];
  return out;
}

// One dictionary for both levels in the order (z, y): the columns of the between block, then those of the within block.
Matrix joint_dictionary(const TwoLevelGroup& d, const TwoLevelMoments& m, int rows) {
  const int pb = static_cast<int>(d.between.size()), pw = static_cast<int>(d.within.size());
  const int kb = pb + static_cast<int>(m.b.D2.cols()), kw = pw + static_cast<int>(m.w.D2.cols());
  Matrix D = Matrix::Zero(rows, kb + kw);
  for (int i = 0; i < pb; ++i) {
    D(d.between[i], i) = 1.0;
    D.row(d.between[i]).segment(pb, m.b.D2.cols()) = m.b.D2.row(i);
  }
  for (int i = 0; i < pw; ++i) {
    D(d.within[i], kb + i) = 1.0;
    D.row(d.within[i]).segment(kb + pw, m.w.D2.cols()) = m.w.D2.row(i);
  }
  return D;
}

// Directions of the covariance of a mean of n rows in that dictionary.
std::vector<Direction> joint_directions(const TwoLevelGroup& d, const TwoLevelMoments& m, double n) {
  const int kb = static_cast<int>(d.between.size() + m.b.D2.cols());
  std::vector<Direction> all = m.b.directions;
  for (Direction f : m.w.directions) {
    f.a += kb;
    if (f.b >= 0) f.b += kb;
    f.cov /= n;
    all.push_back(f);
  }
  return all;
}

// Deviations from cluster means hold nothing about mu.
std::vector<Direction> covariance_directions(const BlockState& s) {
  std::vector<Direction> out = s.directions;
  for (Direction& f : out) f.mean = 0.0;
  return out;
}

}  // namespace

void two_level_pullback(const Model& model, int group, const TwoLevelGroup& d, const TwoLevelMoments& m, const Matrix& Gw,
                        const Matrix& Gb, const Vector& g, Vector& gradient) {
  model.blocks[2 * group].pullback(m.w, part_of(Gw, d.within, d.data.q), part_of(g, d.within), gradient);
  model.blocks[2 * group + 1].pullback(m.b, part_of(Gb, d.between, 0), part_of(g, d.between), gradient);
}

void add_two_level_structure(const TwoLevelGroup& d, const TwoLevelMoments& m, const Matrix& Gw, const Matrix& Gb, const Vector& g,
                             Matrix& out) {
  add_structure_terms(m.w, part_of(Gw, d.within, d.data.q), part_of(g, d.within), out);
  add_structure_terms(m.b, part_of(Gb, d.between, 0), part_of(g, d.between), out);
}

void add_between_information(const TwoLevelGroup& d, const TwoLevelMoments& m, const Matrix& V, double n, double count, Matrix& out) {
  const Matrix D = joint_dictionary(d, m, static_cast<int>(V.rows()));
  const Matrix VD = V * D;
  add_information(D.transpose() * VD, joint_directions(d, m, n), count, out);
}

void add_between_pairs(const TwoLevelGroup& d, const TwoLevelMoments& m, const Matrix& V, const Matrix& H, const Vector& Vd, double n,
                       double count, Matrix& out) {
  const Matrix D = joint_dictionary(d, m, static_cast<int>(V.rows()));
  const Matrix VD = V * D, HD = H * D;
  add_pair_terms(D.transpose() * VD, D.transpose() * HD, D.transpose() * Vd, joint_directions(d, m, n), count, out);
}

void add_within_information(const TwoLevelGroup& d, const TwoLevelMoments& m, const Matrix& Vw, double rows, Matrix& out) {
  add_information(gram(part_of(Vw, d.within, d.data.q), m.w.D2), covariance_directions(m.w), rows, out);
}

void add_within_pairs(const TwoLevelGroup& d, const TwoLevelMoments& m, const Matrix& Vw, const Matrix& Hw, double rows, Matrix& out) {
  const Matrix gV = gram(part_of(Vw, d.within, d.data.q), m.w.D2), gH = gram(part_of(Hw, d.within, d.data.q), m.w.D2);
  add_pair_terms(gV, gH, Vector::Zero(gV.rows()), covariance_directions(m.w), rows, out);
}

}  // namespace tanada::sem
