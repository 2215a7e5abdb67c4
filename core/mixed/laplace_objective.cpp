#include "mixed/laplace_objective.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "linalg/parallel.hpp"
#include "mixed/laplace_rows.hpp"

namespace tanada {
namespace {

constexpr int kMaxInner = 200;
constexpr double kFold = 25.0;  // conditional over prior variance

RowMatrix as_column(const Vector& v) { return Eigen::Map<const RowMatrix>(v.data(), v.size(), 1); }
Vector as_vector(const RowMatrix& m) { return Eigen::Map<const Vector>(m.data(), m.size()); }

}  // namespace

LaplaceObjective::LaplaceObjective(const LaplaceModel& model, int nagq) : model_(model), system_(model.pattern()) {
  const std::size_t n = model.rows(), m = model.predictors();
  fixed_.resize(n * m), eta_.resize(n * m), value_.resize(n), d1_.resize(n * m), D_.resize(n * model.pairs());
  d3_.resize(n * model.triples()), h_.resize(D_.size()), t_.resize(n * m), w_.resize(n * m);
  u_.setZero(model.effects()), b_.setZero(model.effects());
  if (nagq > 1) quadrature_ = std::make_unique<AdaptiveQuadrature>(model, nagq);
}

// b = Lambda u
void LaplaceObjective::to_effects(const Vector& u, Vector& b) const {
  b.resize(u.size());
  for (std::size_t f = 0; f < L_.size(); ++f) {
    const FactorBlock& g = model_.pattern().factor(static_cast<int>(f));
    const Eigen::Index length = Eigen::Index(g.levels) * g.k;
    if (g.k == 1)
      b.segment(g.offset, length) = L_[f](0, 0) * u.segment(g.offset, length);
    else
      Eigen::Map<Matrix>(b.data() + g.offset, g.k, g.levels).noalias() = L_[f] * Eigen::Map<const Matrix>(u.data() + g.offset, g.k, g.levels);
  }
}

// out = Lambda' zt
void LaplaceObjective::to_spherical(const Vector& zt, Vector& out) const {
  out.resize(zt.size());
  for (std::size_t f = 0; f < L_.size(); ++f) {
    const FactorBlock& g = model_.pattern().factor(static_cast<int>(f));
    const Eigen::Index length = Eigen::Index(g.levels) * g.k;
    if (g.k == 1)
      out.segment(g.offset, length) = L_[f](0, 0) * zt.segment(g.offset, length);
    else
      Eigen::Map<Matrix>(out.data() + g.offset, g.k, g.levels).noalias() = L_[f].transpose() * Eigen::Map<const Matrix>(zt.data() + g.offset, g.k, g.levels);
  }
}

double LaplaceObjective::point(int order) {
  to_effects(u_, b_);
  std::copy(fixed_.begin(), fixed_.end(), eta_.begin());
  system_.add_effects(b_, eta_.data(), model_.predictors());
  order_reached_ = order;
  concave_ = false;
  return evaluate_rows(model_, order, eta_.data(), value_.data(), d1_.data(), D_.data(), d3_.data()) - 0.5 * effects_quadratic();
}

bool LaplaceObjective::factorise() {
  if (model_.effects() == 0) return true;
  system_.accumulate(D_.data(), model_.predictors());
  return system_.factor(L_);
}

// Damped Newton on the joint log-density. Where M is not positive definite the step uses the concave part of every row; the reported M
// is never that one. Ends with third derivatives and the factor of M at the mode.
Status LaplaceObjective::find_modes() {
  const int needed = model_.effects() == 0 ? 2 : 3;  // third derivatives serve the gradient of log|M|
  const int top = model_.predictors() == 1 ? needed : 2;
  joint_ = point(top);
  if (!std::isfinite(joint_)) return Status::not_finite;
  decrement_ = 0.0;
  for (int iteration = 0; iteration < kMaxInner; ++iteration) {
    system_.adjoint(d1_.data(), model_.predictors(), zs_);
    to_spherical(zs_, score_);
    score_.array() -= model_.precision().array() * u_.array();
    bool exact = factorise();
    if (!exact) {
      make_concave(model_.rows(), model_.predictors(), D_.data());
      concave_ = true;
      if (!factorise()) return Status::not_positive_definite;
    }
    RowMatrix x = as_column(score_);
    system_.solve(x);
    step_ = as_vector(x);
    decrement_ = score_.dot(step_);
    if (!std::isfinite(decrement_)) return Status::not_finite;
    const bool close = decrement_ < tolerance_;
    if (close && exact && order_reached_ >= needed) return Status::ok;
    if (close && !exact) return Status::not_positive_definite;
    const int order = top == 3 || decrement_ < 1e-3 ? needed : 2;
    // line search
    trial_ = u_;
    const double before = joint_, noise = 1e-13 * std::max(std::abs(before), 1.0);
    double t = 1.0;
    bool found = false;
    for (int k = 0; k < 40 && !found; ++k, t *= std::isfinite(joint_) ? 0.5 : 0.25) {
      u_ = trial_ + t * step_;
      joint_ = point(order);
      found = std::isfinite(joint_) && joint_ >= before + 1e-4 * t * decrement_ - noise;
    }
    if (!found) {
      u_ = trial_;
      joint_ = point(needed);
      if (decrement_ > 1e-4 || !factorise()) return Status::inner_failed;  // rounding allows no more
      return Status::ok;
    }
  }
  return Status::inner_failed;
}

// du = M^-1 [dLambda' Z'l' - Lambda'Z'D deta], deta (n, m) the change of the predictors at fixed u.
void LaplaceObjective::mode_shift(const std::vector<double>& deta, const Templates& dL, Vector& du) {
  std::fill(w_.begin(), w_.end(), 0.0);
  subtract_curvature(model_.rows(), model_.predictors(), D_.data(), deta.data(), w_.data());
  Vector zt;
  system_.adjoint(w_.data(), model_.predictors(), zt);
  to_spherical(zt, du);
  for (int f = 0; f < model_.pattern().factors(); ++f) {
    const FactorBlock& g = model_.pattern().factor(f);
    Eigen::Map<Matrix> to(du.data() + g.offset, g.k, g.levels);
    to.noalias() += dL[f].transpose() * Eigen::Map<const Matrix>(zs_.data() + g.offset, g.k, g.levels);
  }
  RowMatrix x = as_column(du);
  system_.solve(x);
  du = as_vector(x);
}

void LaplaceObjective::predict(const Vector& psi) {
  const int m = model_.predictors();
  Templates L;
  if (!model_.templates(psi.data() + model_.beta_count(), L)) return;
  fixed_predictors(model_, psi.data(), eta_.data());
  std::vector<double>& deta = t_;
  for (std::size_t i = 0; i < deta.size(); ++i) deta[i] = eta_[i] - fixed_[i];
  Vector db = Vector::Zero(model_.effects());
  for (std::size_t f = 0; f < L.size(); ++f) {
    const FactorBlock& g = model_.pattern().factor(static_cast<int>(f));
    L[f] -= L_[f];
    Eigen::Map<Matrix>(db.data() + g.offset, g.k, g.levels).noalias() = L[f] * Eigen::Map<const Matrix>(u_.data() + g.offset, g.k, g.levels);
  }
  system_.add_effects(db, deta.data(), m);
  Vector du;
  mode_shift(deta, L, du);
  if (du.allFinite()) u_ += du;
}

Evaluation LaplaceObjective::evaluate(const Vector& psi, Vector* out) {
  Evaluation e;
  inverted_ = false;
  const Vector last_mode = u_;
  if (warm_ && model_.effects() > 0) predict(psi);
  psi_ = psi;
  if (!model_.templates(psi.data() + model_.beta_count(), L_)) {
    warm_ = false;
    e.status = Status::outside;
    return e;
  }
  fixed_predictors(model_, psi.data(), fixed_.data());
  e.status = find_modes();
  if (e.status != Status::ok && warm_) {  // a poor prediction: from the last mode, then from zero
    u_ = last_mode;
    e.status = find_modes();
  }
  if (e.status != Status::ok) {
    u_.setZero();
    e.status = find_modes();
  }
  warm_ = e.status == Status::ok;
  if (!warm_) {
    u_ = last_mode;
    return e;
  }
  double f;
  RowAverages average;
  if (quadrature_) {
    f = quadrature_->evaluate(u_, fixed_.data(), L_[0], system_.diagonal(0), out ? &average : nullptr);
  } else {
    f = joint_ - 0.5 * system_.logdet() + 0.5 * model_.flat_effects() * std::log(2.0 * std::numbers::pi) + 0.5 * decrement_;
  }
  if (!std::isfinite(f)) {
    e.status = Status::not_finite;
    return e;
  }
  e.value = -2.0 * f;
  if (!out) return e;
  system_.selected_inverse();
  inverted_ = true;
  if (near_fold()) {
    e.status = Status::not_positive_definite;
    return e;
  }
  if (!quadrature_) {
    system_.row_variances(h_.data(), model_.predictors());
    average.score = d1_.data(), average.leverage = h_.data();
    system_.traces(average.trace);
    average.direct.resize(L_.size());
    for (std::size_t i = 0; i < L_.size(); ++i) {
      const FactorBlock& g = model_.pattern().factor(static_cast<int>(i));
      average.direct[i].noalias() = Eigen::Map<const Matrix>(zs_.data() + g.offset, g.k, g.levels) *
                                    Eigen::Map<const Matrix>(u_.data() + g.offset, g.k, g.levels).transpose();
    }
  }
  out->resize(model_.parameters());
  const double correction = gradient(average, *out);
  e.value -= 2.0 * correction;
  *out *= -2.0;
  return e;
}

// Where a family is not log-concave a mode can merge with a saddle: M becomes singular there and Laplace's approximation infinite, which is no
// likelihood. A conditional variance far above the prior variance is the sign (it is below it for log-concave families).
bool LaplaceObjective::near_fold() const {
  const int pairs = model_.pairs();
  bool concave = true;
  for (std::size_t i = 0; i < model_.rows() && concave; ++i)
    for (int a = 0; a < model_.predictors(); ++a) concave = concave && D_[i * pairs + packed(a, a, model_.predictors())] >= 0.0;
  if (concave) return false;
  for (int f = 0; f < model_.pattern().factors(); ++f) {
    const FactorBlock& g = model_.pattern().factor(f);
    if (!g.penalised) continue;
    const Vector prior = L_[f].rowwise().squaredNorm();
    const std::vector<double> C = system_.conditional_variances(f);
    for (int l = 0; l < g.levels; ++l)
      for (int a = 0; a < g.k; ++a)
        if (C[(std::size_t(l) * g.k + a) * g.k + a] > kFold * prior[a] && prior[a] > 0) return true;
  }
  return false;
}

// Gradient of f; returns the first-order effect of the remaining distance to the mode on f.
double LaplaceObjective::gradient(const RowAverages& average, Vector& out) {
  const std::size_t n = model_.rows();
  const int m = model_.predictors(), factors = model_.pattern().factors();
  double correction = 0.0;
  Vector v, zt, adjoint;
  if (factors > 0) {
    third_contraction(n, m, d3_.data(), average.leverage, t_.data());
    system_.adjoint(t_.data(), m, zt);
    to_spherical(zt, adjoint);
    if (average.mode.size()) adjoint += average.mode;
    RowMatrix x = as_column(adjoint);
    system_.solve(x);
    v = as_vector(x);
    correction = v.dot(score_);
    Vector bv;
    to_effects(v, bv);
    std::fill(w_.begin(), w_.end(), 0.0);
    system_.add_effects(bv, w_.data(), m);
    subtract_curvature(n, m, D_.data(), w_.data(), t_.data());
    system_.adjoint(t_.data(), m, zt);
    for (std::size_t i = 0; i < t_.size(); ++i) t_[i] += average.score[i];
  } else {
    std::copy(d1_.begin(), d1_.end(), t_.begin());
  }
  out.setZero();
  fixed_adjoint(model_, t_.data(), out.data());
  Templates dL(factors);
  for (int f = 0; f < factors; ++f) {
    const FactorBlock& g = model_.pattern().factor(f);
    using Levels = Eigen::Map<const Matrix>;
    dL[f] = average.direct[f] - average.trace[f];
    dL[f].noalias() += Levels(zt.data() + g.offset, g.k, g.levels) * Levels(u_.data() + g.offset, g.k, g.levels).transpose();
    dL[f].noalias() += Levels(zs_.data() + g.offset, g.k, g.levels) * Levels(v.data() + g.offset, g.k, g.levels).transpose();
  }
  model_.pullback(psi_.data() + model_.beta_count(), dL, out.data() + model_.beta_count());
  return correction;
}

std::vector<double> LaplaceObjective::conditional_variances(int factor) {
  if (!inverted_) system_.selected_inverse();
  inverted_ = true;
  return system_.conditional_variances(factor);
}

void LaplaceObjective::warm_start(const Vector& u) {
  if (u.size() == u_.size()) u_ = u;
  warm_ = false;
}

}  // namespace tanada
