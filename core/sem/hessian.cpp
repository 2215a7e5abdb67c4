#include "sem/hessian.hpp"

namespace tanada::sem {

Vector dictionary_products(const BlockState& s, const Vector& v) {
  Vector out(v.size() + s.D2.cols());
  out.head(v.size()) = v;
  out.tail(s.D2.cols()).noalias() = s.D2.transpose() * v;
  return out;
}

void add_pair_terms(const Matrix& gV, const Matrix& gH, const Vector& Vd, const std::vector<Direction>& directions, double n,
                    Matrix& hessian) {
  const int e = static_cast<int>(directions.size());
  for (int i = 0; i < e; ++i) {
    const Direction& k = directions[i];
    const double *Va = gV.col(k.a).data(), *Ha = gH.col(k.a).data();
    const double *Vb = k.b >= 0 ? gV.col(k.b).data() : nullptr, *Hb = k.b >= 0 ? gH.col(k.b).data() : nullptr;
    for (int j = 0; j <= i; ++j) {
      const Direction& l = directions[j];
      double v = 2.0 * k.mean * l.mean * Va[l.a];
      if (l.b >= 0) v += 2.0 * k.mean * l.cov * (Va[l.a] * Vd[l.b] + Va[l.b] * Vd[l.a]);
      if (Vb) v += 2.0 * l.mean * k.cov * (Va[l.a] * Vd[k.b] + Vb[l.a] * Vd[k.a]);
      if (Vb && l.b >= 0) {
        const double traces = Vb[l.a] * Ha[l.b] + Vb[l.b] * Ha[l.a] + Va[l.a] * Hb[l.b] + Va[l.b] * Hb[l.a];
        v += 2.0 * k.cov * l.cov * (traces - Va[l.a] * Vb[l.b] - Va[l.b] * Vb[l.a]);
      }
      v *= n;
      hessian(k.free, l.free) += v;
      if (i != j) hessian(l.free, k.free) += v;
    }
  }
}

namespace {

// What the second derivatives of one block need.
struct Structure {
  int p, m;
  const BlockState& s;
  Matrix E;   // A Psi A'
  Matrix gG;  // D' G D
  Vector ag;  // D' g

  // d/dx_l of 2 c a'G b + w a'g of direction k.
  double second(const Direction& k, const Direction& l) const {
    const bool moves_L = l.slot == Slot::lambda || l.slot == Slot::beta;  // dL_i = a_l A(col, i)
    double out = 0.0;
    if (k.b >= 0) {
      double t = 0.0;
      if (k.a >= p && moves_L) t += s.A(l.col, k.a - p) * gG(l.a, k.b);
      if (k.b >= p + m) {
        const int j = k.b - p - m;
        if (moves_L) t += E(l.col, j) * gG(k.a, l.a);
        if (l.slot == Slot::beta) t += s.A(j, l.row) * gG(k.a, p + m + l.col);
        if (l.slot == Slot::psi) t += l.cov * (s.A(j, l.col) * gG(k.a, p + l.row) + s.A(j, l.row) * gG(k.a, p + l.col));
      } else if (k.b >= p && moves_L) {
        t += s.A(l.col, k.b - p) * gG(k.a, l.a);
      }
      out += 2.0 * k.cov * t;
    }
    if (k.a >= p && moves_L) out += k.mean * s.A(l.col, k.a - p) * ag[l.a];
    if (k.slot == Slot::lambda || k.slot == Slot::beta) {  // w = (A alpha)_col
      if (l.slot == Slot::beta) out += s.A(k.col, l.row) * s.eta_mean[l.col] * ag[k.a];
      if (l.slot == Slot::alpha) out += s.A(k.col, l.row) * ag[k.a];
    }
    return out;
  }
};

}  // namespace

void add_structure_terms(const BlockState& s, const Matrix& G, const Vector& g, Matrix& hessian) {
  const int p = static_cast<int>(s.sigma.rows()), m = static_cast<int>(s.A.rows());
  const Structure structure{p, m, s, s.A * s.psi * s.A.transpose(), gram(G, s.D2), dictionary_products(s, g)};
  for (const Direction& k : s.directions) {
    if (k.slot == Slot::theta || k.slot == Slot::nu) continue;  // Sigma and mu are linear in them alone
    for (const Direction& l : s.directions) hessian(k.free, l.free) += structure.second(k, l);
  }
}

}  // namespace tanada::sem
