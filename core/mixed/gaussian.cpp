#include "mixed/gaussian.hpp"

#include <cmath>

namespace tanada {
namespace {

constexpr double kLog2Pi = 1.8378770664093453;
constexpr double kRounding = 2.3e-16 / 1e-6;  // machine epsilon over the error of the deviance that is still allowed

}  // namespace

Status GaussianModel::factor(const Vector& theta, State& s) {
  if (!theta.allFinite()) return Status::not_finite;
  if (!terms_->templates(theta.data(), lambda_)) return Status::outside;
  s.cross.resize(p_ + 1, p_ + 1);
  s.cross.topLeftCorner(p_, p_) = XX_;
  s.cross.col(p_).head(p_) = Xy_;
  s.cross.row(p_).head(p_) = Xy_.transpose();
  s.cross(p_, p_) = yy_;
  if (pattern_->factors() > 0) {
    if (!system_->factor(lambda_)) return Status::not_positive_definite;
    s.U = R_;
    system_->apply_lambda_t(s.U);
    const RowMatrix right = s.U;
    system_->solve(s.U);
    s.cross.noalias() -= right.transpose() * s.U;
  }
  s.logdet_M = system_->logdet();
  Matrix chol = s.cross.topLeftCorner(p_, p_);
  chol = (0.5 * (chol + chol.transpose())).eval();
  if (p_ > 0 && !cholesky_inplace(chol)) return Status::not_positive_definite;
  s.beta = s.cross.col(p_).head(p_);
  s.logdet_X = 0.0;
  s.r2 = s.cross(p_, p_);
  s.K.resize(p_, p_);
  if (p_ > 0) {
    s.logdet_X = 2.0 * (chol.diagonal().array().log().sum() + scale_.array().abs().log().sum());
    chol.triangularView<Eigen::Lower>().solveInPlace(s.beta);
    s.r2 -= s.beta.squaredNorm();
    chol.triangularView<Eigen::Lower>().transpose().solveInPlace(s.beta);
    inverse_from_cholesky(chol);
    s.K = chol;
  }
  // r^2 comes from a subtraction: once rounding in y'Wy could move the deviance, theta is too large to be evaluated
  if (!(s.r2 > static_cast<double>(n_) * kRounding * yy_) || !std::isfinite(s.r2) || !std::isfinite(s.logdet_M)) return Status::not_finite;
  return Status::ok;
}

double GaussianModel::criterion(const State& s, bool reml) const {
  const double nu = static_cast<double>(n_) - (reml ? p_ : 0);
  return s.logdet_M + (reml ? s.logdet_X : 0.0) + nu * (1.0 + kLog2Pi + std::log(s.r2 / nu)) - sum_log_w_;
}

// With e = y - X beta, u = M^-1 Lambda'Z'We, s = Z'V^-1e, H = Z'V^-1X, U = M^-1 Lambda'Z'WX, K = (X'V^-1X)^-1, per template
//   d log|M| = 2 sum (A Lambda M^-1)_ll,   d r^2 = -2 sum s_l u_l',   d log|X'V^-1X| = -2 sum H_l K U_l'.
void GaussianModel::template_gradients(const State& s, bool reml, Templates& d_logdet, Templates& d_r2) {
  system_->selected_inverse();
  system_->traces(d_logdet);
  const Eigen::Index q = pattern_->effects();
  const int wide = reml ? p_ : 0;
  RowMatrix V(q, wide + 1), S(q, wide + 1), right(q, wide + 1);
  V.col(wide) = s.U.col(p_) - s.U.leftCols(p_) * s.beta;
  right.col(wide) = R_.col(p_) - R_.leftCols(p_) * s.beta;
  if (reml) V.leftCols(p_) = s.U.leftCols(p_), right.leftCols(p_) = R_.leftCols(p_);
  RowMatrix LV = V;
  system_->apply_lambda(LV);
  system_->multiply(LV, S);
  S = right - S;
  d_r2.assign(pattern_->factors(), Matrix());
  for (int f = 0; f < pattern_->factors(); ++f) {
    const FactorBlock& b = pattern_->factor(f);
    d_r2[f] = Matrix::Zero(b.k, b.k);
    Matrix dx = Matrix::Zero(b.k, b.k);
    // rows of one effect lie b.k apart: sums over levels as products of strided columns
    using Strided = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>;
    const Eigen::Index stride = Eigen::Index(b.k) * (wide + 1);
    for (int a = 0; a < b.k; ++a)
      for (int c = 0; c <= a; ++c) {
        const Strided Sa(S.data() + (b.offset + a) * (wide + 1), wide + 1, b.levels, Eigen::OuterStride<>(stride));
        const Strided Vc(V.data() + (b.offset + c) * (wide + 1), wide + 1, b.levels, Eigen::OuterStride<>(stride));
        d_r2[f](a, c) = -2.0 * Sa.row(wide).dot(Vc.row(wide));
        if (wide > 0) dx(a, c) = -2.0 * (Sa.topRows(wide) * Vc.topRows(wide).transpose()).cwiseProduct(s.K).sum();
      }
    d_logdet[f] = 2.0 * d_logdet[f] + dx;
  }
}

Evaluation GaussianModel::evaluate(const Vector& theta, bool reml, Vector* gradient) {
  State s;
  Evaluation e;
  e.status = factor(theta, s);
  if (e.status != Status::ok) return e;
  e.value = criterion(s, reml);
  if (!gradient) return e;
  gradient->setZero(theta.size());
  if (pattern_->factors() == 0) return e;
  Templates d_logdet, d_r2;
  template_gradients(s, reml, d_logdet, d_r2);
  const double nu = static_cast<double>(n_) - (reml ? p_ : 0);
  for (std::size_t f = 0; f < d_logdet.size(); ++f) d_logdet[f] += (nu / s.r2) * d_r2[f];
  terms_->pullback(theta.data(), d_logdet, gradient->data());
  return e;
}

Evaluation GaussianModel::evaluate_sigma(const Vector& theta, double sigma, bool reml, Vector* gradient) {
  State s;
  Evaluation e;
  e.status = sigma > 0 ? factor(theta, s) : Status::outside;
  if (e.status != Status::ok) return e;
  const double nu = static_cast<double>(n_) - (reml ? p_ : 0), s2 = sigma * sigma;
  e.value = s.logdet_M + (reml ? s.logdet_X : 0.0) + nu * (kLog2Pi + std::log(s2)) + s.r2 / s2 - sum_log_w_;
  if (!gradient) return e;
  gradient->setZero(theta.size() + 1);
  if (pattern_->factors() > 0) {
    Templates d_logdet, d_r2;
    template_gradients(s, reml, d_logdet, d_r2);
    for (std::size_t f = 0; f < d_logdet.size(); ++f) d_logdet[f] += d_r2[f] / s2;
    terms_->pullback(theta.data(), d_logdet, gradient->data());
  }
  (*gradient)[theta.size()] = 2.0 * nu / sigma - 2.0 * s.r2 / (s2 * sigma);
  return e;
}

bool GaussianModel::solution(const Vector& theta, bool reml, GaussianSolution& out) {
  State s;
  if (factor(theta, s) != Status::ok) return false;
  const double nu = static_cast<double>(n_) - (reml ? p_ : 0);
  out.deviance = criterion(s, reml);
  out.r2 = s.r2, out.sigma2 = s.r2 / nu;
  out.beta = to_user(Vector(beta0_ + s.beta));
  out.unscaled = to_user(s.K);
  out.b.resize(0);
  if (pattern_->factors() > 0) {
    system_->selected_inverse();
    RowMatrix u = s.U.col(p_) - s.U.leftCols(p_) * s.beta;
    system_->apply_lambda(u);
    out.b = u.col(0);
  }
  return true;
}

// dC_j = K H' dSigma_j H K with dSigma_j = Lambda_j Lambda' + Lambda Lambda_j' and Lambda'H = U: sums H_l,a U_l,b' over levels.
bool GaussianModel::unscaled_derivatives(const Vector& theta, std::vector<Matrix>& out) {
  State s;
  if (factor(theta, s) != Status::ok) return false;
  out.assign(theta_size(), Matrix::Zero(p_, p_));
  if (pattern_->factors() == 0) return true;
  const RowMatrix U = s.U.leftCols(p_);
  RowMatrix LU = U, AU;
  system_->apply_lambda(LU);
  system_->multiply(LU, AU);
  const RowMatrix H = R_.leftCols(p_) - AU;
  for (int a = 0; a < p_; ++a)
    for (int b = 0; b < p_; ++b) {
      Templates T(pattern_->factors());
      for (int f = 0; f < pattern_->factors(); ++f) {
        const FactorBlock& g = pattern_->factor(f);
        T[f] = Matrix::Zero(g.k, g.k);
        for (int l = 0; l < g.levels; ++l) {
          const auto at = g.offset + Eigen::Index(l) * g.k;
          T[f].noalias() += H.col(a).segment(at, g.k) * U.col(b).segment(at, g.k).transpose();
        }
      }
      Vector gradient = Vector::Zero(theta_size());
      terms_->pullback(theta.data(), T, gradient.data());
      for (int j = 0; j < theta_size(); ++j) {
        out[j](a, b) += gradient[j];
        out[j](b, a) += gradient[j];
      }
    }
  for (auto& D : out) D = to_user(Matrix(s.K * D * s.K));
  return true;
}

// Expected Hessian of the profiled deviance, coupling between grouping factors left out: with G_l = A_l (I + Sigma A_l)^-1 and
// dSigma_i = L_i L' + L L_i', H_ij = sum_l tr(G_l dSigma_i G_l dSigma_j) - tr(G dSigma_i) tr(G dSigma_j) / n. Serves as the first
// curvature of the optimiser only.
bool GaussianModel::information(const Vector& theta, Matrix& info) {
  const int d = theta_size();
  info.setZero(d, d);
  Vector trace = Vector::Zero(d);
  for (int t = 0; t < terms_->terms(); ++t) {
    const TermPlace& at = pattern_->term(t);
    const FactorBlock& f = pattern_->factor(at.factor);
    const int first = terms_->theta_start(t), m = terms_->structure(t).parameters(), k = at.k;
    if (k > 8) return false;
    Matrix L = terms_->factor(t, theta.data());
    for (int a = 0; a < k; ++a) L(a, a) = std::max(L(a, a), 0.05);  // at zero the information vanishes
    std::vector<Matrix> dS(m, Matrix::Zero(k, k));  // from the pullback of unit entries of L
    for (int r = 0; r < k; ++r)
      for (int c = 0; c <= r; ++c) {
        Matrix unit = Matrix::Zero(k, k);
        unit(r, c) = 1.0;
        Vector g = Vector::Zero(m);
        terms_->structure(t).pullback(theta.data() + first, unit, g.data());
        for (int j = 0; j < m; ++j)
          if (g[j] != 0.0) dS[j].row(r) += g[j] * L.col(c).transpose();
      }
    for (auto& D : dS) D = (D + D.transpose()).eval();
    const Matrix Sigma = L * L.transpose();
    const auto& A = system_->diagonal(at.factor);
    const int step = std::max(1, f.levels / 4000);  // a sample of levels is enough
    double seen = 0.0;
    Matrix part = Matrix::Zero(m, m);
    Vector sum = Vector::Zero(m);
    std::vector<Matrix> GD(m);
    for (int l = 0; l < f.levels; l += step, seen += 1.0) {
      const Matrix Al = Eigen::Map<const Matrix>(A.data() + std::size_t(l) * f.k * f.k, f.k, f.k).block(at.offset, at.offset, k, k);
      const Matrix G = (Matrix::Identity(k, k) + Al * Sigma).partialPivLu().solve(Al);
      for (int i = 0; i < m; ++i) {
        GD[i] = G * dS[i];
        sum[i] += GD[i].trace();
        for (int j = 0; j <= i; ++j) part(i, j) += (GD[i].cwiseProduct(GD[j].transpose())).sum();
      }
    }
    const double scale = f.levels / seen;
    for (int i = 0; i < m; ++i) {
      trace[first + i] = scale * sum[i];
      for (int j = 0; j <= i; ++j) info(first + i, first + j) = info(first + j, first + i) = scale * part(i, j);
    }
  }
  info -= trace * trace.transpose() / static_cast<double>(n_);
  return info.allFinite() && (info.diagonal().array() > 0).all();
}

MinimizeOutcome GaussianModel::fit(const Vector& start, bool reml, const MinimizeOptions& options) {
  const auto info = terms_->info();
  Vector lower(start.size()), upper(start.size());
  for (Eigen::Index j = 0; j < start.size(); ++j) lower[j] = info[j].lower, upper[j] = info[j].upper;
  Objective objective = [&](const Vector& theta, Vector* gradient) { return evaluate(theta, reml, gradient); };
  Curvature curvature = [&](const Vector& theta, Matrix& H) { return information(theta, H); };
  MinimizeOptions o = options;
  if (pattern_->factors() > 1) o.scoring_iterations = 2;  // the approximation ignores coupling: good for first steps only
  return minimize(objective, start, lower, upper, o, curvature);
}

}  // namespace tanada
