#include "sem/model.hpp"

#include <stdexcept>

namespace tanada::sem {

Block::Block(int n_ov, int n_lv, std::vector<Cell> cells, int n_free) : p_(n_ov), m_(n_lv), cells_(std::move(cells)) {
  if (p_ < 0 || m_ < 0) throw std::invalid_argument("a block needs non-negative numbers of variables");
  for (const Cell& c : cells_) {
    int rows = 0, cols = 1;
    switch (c.slot) {
      case Slot::lambda: rows = p_, cols = m_; break;
      case Slot::theta: rows = cols = p_; break;
      case Slot::psi: rows = cols = m_; break;
      case Slot::beta: rows = cols = m_, has_beta_ = true; break;
      case Slot::nu: rows = p_; break;
      case Slot::alpha: rows = m_; break;
      default: throw std::invalid_argument("unknown matrix code in a block");
    }
    if (c.row < 0 || c.row >= rows || c.col < 0 || c.col >= cols)
      throw std::invalid_argument("a cell of a block lies outside its matrix");
    if (c.free < -1 || c.free >= n_free) throw std::invalid_argument("a cell of a block names a parameter that does not exist");
  }
}

bool Block::evaluate(const Vector& x, BlockState& s) const {
  s.lambda.setZero(p_, m_), s.theta.setZero(p_, p_), s.psi.setZero(m_, m_);
  s.nu.setZero(p_), s.alpha.setZero(m_);
  Matrix IB = Matrix::Identity(m_, m_);
  for (const Cell& c : cells_) {
    const double v = c.free >= 0 ? x[c.free] : c.value;
    switch (c.slot) {
      case Slot::lambda: s.lambda(c.row, c.col) = v; break;
      case Slot::theta: s.theta(c.row, c.col) = s.theta(c.col, c.row) = v; break;
      case Slot::psi: s.psi(c.row, c.col) = s.psi(c.col, c.row) = v; break;
      case Slot::beta: IB(c.row, c.col) -= v; break;
      case Slot::nu: s.nu[c.row] = v; break;
      case Slot::alpha: s.alpha[c.row] = v; break;
    }
  }
  if (has_beta_) {
    Eigen::PartialPivLU<Matrix> lu(IB);
    if (m_ > 0 && !(lu.matrixLU().diagonal().cwiseAbs().minCoeff() > 1e-12)) return false;
    s.A = lu.inverse();
  } else {
    s.A = IB;
  }
  s.D2.resize(p_, 2 * m_);
  auto L = s.D2.leftCols(m_);
  auto F = s.D2.rightCols(m_);
  if (has_beta_) {
    L.noalias() = s.lambda * s.A;
    const Matrix LP = L * s.psi;
    F.noalias() = LP * s.A.transpose();
    s.eta_mean.noalias() = s.A * s.alpha;
  } else {
    L = s.lambda;
    F.noalias() = L * s.psi;
    s.eta_mean = s.alpha;
  }
  s.sigma = s.theta;
  s.sigma.noalias() += F * s.lambda.transpose();
  s.mu = s.nu;
  s.mu.noalias() += s.lambda * s.eta_mean;
  s.directions.clear();
  for (const Cell& c : cells_) {
    if (c.free < 0) continue;
    const double half = c.row == c.col ? 0.5 : 1.0;
    Direction d{c.free, c.row, -1, 0.0, 0.0, c.slot, c.row, c.col};
    switch (c.slot) {
      case Slot::lambda: d.b = p_ + m_ + c.col, d.cov = 1.0, d.mean = s.eta_mean[c.col]; break;
      case Slot::theta: d.b = c.col, d.cov = half; break;
      case Slot::psi: d.a = p_ + c.row, d.b = p_ + c.col, d.cov = half; break;
      case Slot::beta: d.a = p_ + c.row, d.b = p_ + m_ + c.col, d.cov = 1.0, d.mean = s.eta_mean[c.col]; break;
      case Slot::nu: d.mean = 1.0; break;
      case Slot::alpha: d.a = p_ + c.row, d.mean = 1.0; break;
    }
    s.directions.push_back(d);
  }
  return s.sigma.allFinite() && s.mu.allFinite();
}

void Block::pullback(const BlockState& s, const Matrix& G, const Vector& g, Vector& gradient) const {
  const Matrix GD = G * s.D2;                          // p x 2m
  const Matrix DGD = s.D2.transpose() * GD;            // 2m x 2m
  const Vector Dg = s.D2.transpose() * g;
  for (const Direction& d : s.directions) {
    double out = 0.0;
    if (d.b >= 0) {
      const double ab = d.a < p_ ? (d.b < p_ ? G(d.a, d.b) : GD(d.a, d.b - p_)) : DGD(d.a - p_, d.b - p_);
      out = 2.0 * d.cov * ab;
    }
    if (d.mean != 0.0) out += d.mean * (d.a < p_ ? g[d.a] : Dg[d.a - p_]);
    gradient[d.free] += out;
  }
}

Matrix Block::jacobian(const BlockState& s, int n_free) const {
  const int pstar = p_ * (p_ + 1) / 2;
  Matrix J = Matrix::Zero(pstar + p_, n_free);
  auto column = [&](int k) -> Vector {
    if (k >= p_) return s.D2.col(k - p_);
    return Vector::Unit(p_, k);
  };
  for (const Direction& d : s.directions) {
    const Vector a = column(d.a);
    if (d.b >= 0) {
      const Vector b = column(d.b);
      int r = 0;
      for (int j = 0; j < p_; ++j)
        for (int i = j; i < p_; ++i) J(r++, d.free) += d.cov * (a[i] * b[j] + b[i] * a[j]);
    }
    if (d.mean != 0.0) J.col(d.free).tail(p_) += d.mean * a;
  }
  return J;
}

Matrix gram(const Matrix& V, const Matrix& D2) {
  const Eigen::Index p = V.rows(), k = D2.cols();
  Matrix out(p + k, p + k);
  out.topLeftCorner(p, p) = V;
  out.topRightCorner(p, k).noalias() = V * D2;
  out.bottomLeftCorner(k, p) = out.topRightCorner(p, k).transpose();
  out.bottomRightCorner(k, k).noalias() = D2.transpose() * out.topRightCorner(p, k);
  return out;
}

void add_information(const Matrix& gram, const std::vector<Direction>& directions, double n, Matrix& information) {
  const int e = static_cast<int>(directions.size());
  for (int i = 0; i < e; ++i) {
    const Direction& d = directions[i];
    const double* ga = gram.col(d.a).data();
    const double* gb = d.b >= 0 ? gram.col(d.b).data() : nullptr;
    for (int j = 0; j <= i; ++j) {
      const Direction& f = directions[j];
      double v = d.mean * f.mean * ga[f.a];
      if (gb && f.b >= 0) v += d.cov * f.cov * (ga[f.a] * gb[f.b] + ga[f.b] * gb[f.a]);
      v *= n;
      information(d.free, f.free) += v;
      if (i != j) information(f.free, d.free) += v;
    }
  }
}

}  // namespace tanada::sem
