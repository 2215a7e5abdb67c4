// Margins and pairwise maximum likelihood.
#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>

#include "sem/bivariate_normal.hpp"
#include "sem/ordinal.hpp"

namespace tanada::sem {
namespace {

constexpr double kRhoLimit = 0.9999;
constexpr double kTiny = 1e-300;

// Upper and lower limit of category c.
double upper(const Vector& tau, int c) { return c < tau.size() ? tau[c] : std::numeric_limits<double>::infinity(); }
double lower(const Vector& tau, int c) { return c > 0 ? tau[c - 1] : -std::numeric_limits<double>::infinity(); }

// Scoring in one correlation: `terms(rho)` gives log-likelihood, score and information.
struct Terms {
  double loglik, score, information;
};
double maximise(double start, const std::function<Terms(double)>& terms, bool& converged) {
  double rho = std::clamp(start, -0.95, 0.95);
  Terms t = terms(rho);
  converged = false;
  for (int it = 0; it < 100; ++it) {
    double step = t.information > 0 ? t.score / t.information : 0.0;
    if (std::abs(step) < 1e-10) {
      converged = true;
      break;
    }
    bool moved = false;
    for (int half = 0; half < 30; ++half, step *= 0.5) {
      double next = rho + step;
      if (std::abs(next) > kRhoLimit) next = rho + 0.5 * ((step > 0 ? kRhoLimit : -kRhoLimit) - rho);
      const Terms u = terms(next);
      if (u.loglik >= t.loglik - 1e-12 * std::abs(t.loglik)) {
        moved = std::abs(next - rho) > 1e-12;
        rho = next, t = u;
        break;
      }
    }
    if (!moved) {
      converged = std::abs(rho) < 0.999;
      break;
    }
  }
  return rho;
}

// Cell probabilities of a pair and their derivatives by rho.
void cells(const Vector& ta, const Vector& tb, double rho, Matrix& P, Matrix* dP) {
  const int ka = static_cast<int>(ta.size()) + 1, kb = static_cast<int>(tb.size()) + 1;
  Matrix F = Matrix::Zero(ka + 1, kb + 1), f = Matrix::Zero(ka + 1, kb + 1);
  for (int i = 1; i <= ka; ++i)
    for (int j = 1; j <= kb; ++j) {
      F(i, j) = bivariate_cdf(upper(ta, i - 1), upper(tb, j - 1), rho);
      f(i, j) = bivariate_pdf(upper(ta, i - 1), upper(tb, j - 1), rho);
    }
  auto difference = [&](const Matrix& M) -> Matrix {
    return M.bottomRightCorner(ka, kb) - M.topRightCorner(ka, kb) - M.bottomLeftCorner(ka, kb) + M.topLeftCorner(ka, kb);
  };
  P = difference(F).cwiseMax(kTiny);
  if (dP) *dP = difference(f);
}

// An empty cell of a 2 x 2 table gets half a case, margins kept.
void fill_empty_cell(Matrix& n) {
  if (n.rows() != 2 || n.cols() != 2 || n.minCoeff() > 0) return;
  const double sign = (n(0, 0) == 0 || n(1, 1) == 0) ? 1.0 : -1.0;
  n(0, 0) += 0.5 * sign, n(1, 1) += 0.5 * sign, n(0, 1) -= 0.5 * sign, n(1, 0) -= 0.5 * sign;
}

}  // namespace

Margin margin_of(const OrdinalVariable& v) {
  Margin m;
  if (v.categories == 0) {
    double ss = 0.0;
    for (double x : v.values) {
      if (std::isnan(x)) continue;
      const double d = x - m.mean;
      m.n += 1.0, m.mean += d / m.n, ss += d * (x - m.mean);
    }
    if (!(ss > 0) || !std::isfinite(ss)) throw std::invalid_argument("a continuous variable is constant or not finite");
    m.variance = ss / m.n;
    return m;
  }
  Vector count = Vector::Zero(v.categories);
  for (double x : v.values) {
    if (std::isnan(x)) continue;
    if (!(x >= 0 && x < v.categories) || x != std::floor(x)) throw std::invalid_argument("a category code is out of range");
    count[static_cast<int>(x)] += 1.0;
  }
  if (!(count.minCoeff() > 0)) throw std::invalid_argument("a category was never chosen");
  m.n = count.sum();
  m.thresholds.resize(v.categories - 1);
  double cumulative = 0.0;
  for (int c = 0; c + 1 < v.categories; ++c) m.thresholds[c] = normal_quantile((cumulative += count[c]) / m.n);
  return m;
}

Matrix margin_scores(const OrdinalVariable& v, const Margin& m) {
  Matrix out = Matrix::Zero(v.values.size(), m.parameters());
  for (std::size_t i = 0; i < v.values.size(); ++i) {
    const double x = v.values[i];
    if (std::isnan(x)) continue;
    if (v.categories == 0) {
      const double d = x - m.mean;
      out(i, 0) = d / m.variance;
      out(i, 1) = 0.5 * (d * d / m.variance - 1.0) / m.variance;
      continue;
    }
    const int c = static_cast<int>(x);
    const double hi = upper(m.thresholds, c), lo = lower(m.thresholds, c), P = normal_cdf(hi) - normal_cdf(lo);
    if (c < m.thresholds.size()) out(i, c) = normal_pdf(hi) / P;
    if (c > 0) out(i, c - 1) = -normal_pdf(lo) / P;
  }
  return out;
}

PairFit polychoric_pair(const OrdinalVariable& a, const Margin& ma, const OrdinalVariable& b, const Margin& mb, bool scores) {
  PairFit out;
  const Vector &ta = ma.thresholds, &tb = mb.thresholds;
  Matrix n = Matrix::Zero(a.categories, b.categories);
  double sab = 0, sa = 0, sb = 0, saa = 0, sbb = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double u = a.values[i], w = b.values[i];
    if (std::isnan(u) || std::isnan(w)) continue;
    n(static_cast<int>(u), static_cast<int>(w)) += 1.0;
    sab += u * w, sa += u, sb += w, saa += u * u, sbb += w * w;
  }
  const double N = n.sum();
  if (!(N > 0)) throw std::invalid_argument("two variables are never observed together");
  const double va = saa - sa * sa / N, vb = sbb - sb * sb / N;
  const double start = va > 0 && vb > 0 ? 1.1 * (sab - sa * sb / N) / std::sqrt(va * vb) : 0.0;
  fill_empty_cell(n);
  Matrix P, dP;
  auto terms = [&](double rho) {
    cells(ta, tb, rho, P, &dP);
    Terms t{0.0, 0.0, 0.0};
    for (Eigen::Index i = 0; i < P.size(); ++i) {
      const double ratio = dP(i) / P(i);
      if (n(i) > 0) t.loglik += n(i) * std::log(P(i)), t.score += n(i) * ratio;
      t.information += N * dP(i) * ratio;
    }
    return t;
  };
  out.rho = maximise(start, terms, out.converged);
  if (!scores) return out;
  const double rho = out.rho, s = std::sqrt(1.0 - rho * rho);
  cells(ta, tb, rho, P, &dP);
  // derivative of a cell by one limit of the first variable: phi(t) [Phi((hi - rho t)/s) - Phi((lo - rho t)/s)]
  auto edge = [&](double t, double hi, double lo) {
    if (!std::isfinite(t)) return 0.0;
    return normal_pdf(t) * (normal_cdf((hi - rho * t) / s) - normal_cdf((lo - rho * t) / s));
  };
  const Eigen::Index rows = static_cast<Eigen::Index>(a.values.size());
  out.score = Vector::Zero(rows);
  out.score_a = Matrix::Zero(rows, ta.size()), out.score_b = Matrix::Zero(rows, tb.size());
  for (Eigen::Index i = 0; i < rows; ++i) {
    if (std::isnan(a.values[i]) || std::isnan(b.values[i])) continue;
    const int c = static_cast<int>(a.values[i]), d = static_cast<int>(b.values[i]);
    const double p = P(c, d), ah = upper(ta, c), al = lower(ta, c), bh = upper(tb, d), bl = lower(tb, d);
    out.score[i] = dP(c, d) / p;
    if (c < ta.size()) out.score_a(i, c) = edge(ah, bh, bl) / p;
    if (c > 0) out.score_a(i, c - 1) = -edge(al, bh, bl) / p;
    if (d < tb.size()) out.score_b(i, d) = edge(bh, ah, al) / p;
    if (d > 0) out.score_b(i, d - 1) = -edge(bl, ah, al) / p;
  }
  return out;
}

PairFit polyserial_pair(const OrdinalVariable& o, const Margin& mo, const OrdinalVariable& y, const Margin& mc, bool scores) {
  PairFit out;
  const Vector& tau = mo.thresholds;
  const double sd = std::sqrt(mc.variance);
  const Eigen::Index rows = static_cast<Eigen::Index>(o.values.size());
  // one row's category probability given z, and derivatives: by rho, z and the two limits
  struct Row {
    double P, rho, z, hi, lo;
  };
  auto row = [&](Eigen::Index i, double rho, double z) {
    const int c = static_cast<int>(o.values[i]);
    const double s = std::sqrt(1.0 - rho * rho), hi = upper(tau, c), lo = lower(tau, c);
    const double uh = (hi - rho * z) / s, ul = (lo - rho * z) / s, fh = normal_pdf(uh), fl = normal_pdf(ul);
    // tail differences taken on the side where they lose no digits
    const double P = std::max(ul > 0 ? normal_cdf(-ul) - normal_cdf(-uh) : normal_cdf(uh) - normal_cdf(ul), kTiny);
    auto by_rho = [&](double t, double f) { return std::isfinite(t) ? f * (rho * t - z) / (s * s * s) : 0.0; };
    return Row{P, by_rho(hi, fh) - by_rho(lo, fl), -rho / s * (fh - fl), fh / s, fl / s};
  };
  auto known = [&](Eigen::Index i) { return !std::isnan(o.values[i]) && !std::isnan(y.values[i]); };
  double start = 0.0, N = 0.0, mean_o = 0.0, ss = 0.0;
  for (Eigen::Index i = 0; i < rows; ++i)
    if (known(i)) N += 1.0, mean_o += o.values[i];
  if (!(N > 0)) throw std::invalid_argument("two variables are never observed together");
  mean_o /= N;
  for (Eigen::Index i = 0; i < rows; ++i)
    if (known(i)) start += (o.values[i] - mean_o) * (y.values[i] - mc.mean) / sd, ss += (o.values[i] - mean_o) * (o.values[i] - mean_o);
  start = ss > 0 ? 1.1 * start / std::sqrt(ss * N) : 0.0;
  auto terms = [&](double rho) {
    Terms t{0.0, 0.0, 0.0};
    for (Eigen::Index i = 0; i < rows; ++i) {
      if (!known(i)) continue;
      const Row r = row(i, rho, (y.values[i] - mc.mean) / sd);
      const double g = r.rho / r.P;
      t.loglik += std::log(r.P), t.score += g, t.information += g * g;
    }
    return t;
  };
  out.rho = maximise(start, terms, out.converged);
  if (!scores) return out;
  out.score = Vector::Zero(rows);
  out.score_a = Matrix::Zero(rows, tau.size()), out.score_b = Matrix::Zero(rows, 2);
  for (Eigen::Index i = 0; i < rows; ++i) {
    if (!known(i)) continue;
    const int c = static_cast<int>(o.values[i]);
    const double z = (y.values[i] - mc.mean) / sd;
    const Row r = row(i, out.rho, z);
    out.score[i] = r.rho / r.P;
    if (c < tau.size()) out.score_a(i, c) = r.hi / r.P;
    if (c > 0) out.score_a(i, c - 1) = -r.lo / r.P;
    // the pair's density is P(c | z) phi(z) / sd: both parts depend on mean and variance
    const double dz = r.z / r.P - z;
    out.score_b(i, 0) = -dz / sd;
    out.score_b(i, 1) = (-dz * z - 1.0) / (2.0 * mc.variance);
  }
  return out;
}

PairFit pearson_pair(const OrdinalVariable& a, const Margin& ma, const OrdinalVariable& b, const Margin& mb, bool scores) {
  PairFit out;
  const double sa = std::sqrt(ma.variance), sb = std::sqrt(mb.variance);
  const Eigen::Index rows = static_cast<Eigen::Index>(a.values.size());
  double N = 0.0, suv = 0.0, suu = 0.0, svv = 0.0;
  for (Eigen::Index i = 0; i < rows; ++i) {
    const double u = (a.values[i] - ma.mean) / sa, v = (b.values[i] - mb.mean) / sb;
    if (std::isnan(u) || std::isnan(v)) continue;
    N += 1.0, suv += u * v, suu += u * u, svv += v * v;
  }
  if (!(N > 0)) throw std::invalid_argument("two variables are never observed together");
  auto terms = [&](double r) {
    const double w = 1.0 - r * r, q = suu - 2.0 * r * suv + svv;
    return Terms{-0.5 * N * std::log(w) - 0.5 * q / w, N * r / w + suv / w - r * q / (w * w), N * (1.0 + r * r) / (w * w)};
  };
  out.rho = maximise(suv / N, terms, out.converged);
  if (!scores) return out;
  const double r = out.rho, w = 1.0 - r * r;
  out.score = Vector::Zero(rows);
  out.score_a = Matrix::Zero(rows, 2), out.score_b = Matrix::Zero(rows, 2);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const double u = (a.values[i] - ma.mean) / sa, v = (b.values[i] - mb.mean) / sb;
    if (std::isnan(u) || std::isnan(v)) continue;
    out.score[i] = r / w + u * v / w - r * (u * u - 2.0 * r * u * v + v * v) / (w * w);
    out.score_a(i, 0) = (u - r * v) / (w * sa);
    out.score_b(i, 0) = (v - r * u) / (w * sb);
    out.score_a(i, 1) = (u * (u - r * v) / w - 1.0) / (2.0 * ma.variance);
    out.score_b(i, 1) = (v * (v - r * u) / w - 1.0) / (2.0 * mb.variance);
  }
  return out;
}

}  // namespace tanada::sem
