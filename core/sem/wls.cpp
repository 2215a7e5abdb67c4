#include "sem/wls.hpp"

#include <cmath>
#include <utility>
#include <stdexcept>

namespace tanada::sem {
namespace {

// Row of (i, j) in vech by columns of the lower triangle.
int vech_row(int i, int j, int p) {
  if (i < j) std::swap(i, j);
  return j * p - j * (j - 1) / 2 + (i - j);
}

void check(const WlsGroup& g, int p, int n_free) {
  const Eigen::Index r = static_cast<Eigen::Index>(g.elements.size());
  if (g.s.size() != r || g.W.rows() != r || (g.W.cols() != r && g.W.cols() != 1))
    throw std::invalid_argument("statistics, weights and elements differ in size");
  if (static_cast<int>(g.delta.size()) != p || static_cast<int>(g.scale.size()) != p)
    throw std::invalid_argument("one scale per variable is needed");
  for (const WlsElement& e : g.elements) {
    const bool threshold = e.kind == Element::threshold;
    const int limit = threshold ? static_cast<int>(g.tau.size()) : p;
    if (e.row < 0 || e.row >= p || e.col < 0 || e.col >= limit) throw std::invalid_argument("an element names a variable that does not exist");
  }
  for (const auto* list : {&g.tau, &g.delta})
    for (const Slotted& t : *list)
      if (t.free < -1 || t.free >= n_free) throw std::invalid_argument("an element names a parameter that does not exist");
}

Vector weighted(const Matrix& W, const Vector& d) {
  if (W.cols() == 1 && W.rows() > 1) return W.col(0).cwiseProduct(d);
  return W * d;
}

}  // namespace

WlsObjective::WlsObjective(std::shared_ptr<const Model> model, std::vector<WlsGroup> groups)
    : SemObjective(std::move(model)), groups_(std::move(groups)) {
  if (groups_.size() != this->model().blocks.size()) throw std::invalid_argument("one sample per block is needed");
  for (std::size_t g = 0; g < groups_.size(); ++g) check(groups_[g], this->model().blocks[g].p(), this->model().n_free);
}

bool WlsObjective::implied(const Vector& x, int g, Vector& sigma, Matrix* J) const {
  const WlsGroup& data = groups_.at(g);
  const Block& block = model().blocks[g];
  const int p = block.p(), pstar = p * (p + 1) / 2;
  BlockState s;
  if (!block.evaluate(x, s)) return false;
  Matrix all;
  if (J) all = block.jacobian(s, size());
  Vector d(p);
  Matrix Jd = Matrix::Zero(J ? p : 0, size());
  for (int i = 0; i < p; ++i) {
    if (data.scale[i] == Scale::given) {
      d[i] = data.delta[i].at(x);
      if (J && data.delta[i].free >= 0) Jd(i, data.delta[i].free) = 1.0;
    } else {
      const double v = s.sigma(i, i);
      if (!(v > 0)) return false;
      d[i] = 1.0 / std::sqrt(v);
      if (J) Jd.row(i) = -0.5 * d[i] / v * all.row(vech_row(i, i, p));
    }
  }
  const Eigen::Index r = static_cast<Eigen::Index>(data.elements.size());
  sigma.resize(r);
  if (J) J->setZero(r, size());
  for (Eigen::Index k = 0; k < r; ++k) {
    const WlsElement& e = data.elements[k];
    const int i = e.row;
    if (e.kind == Element::covariance) {
      const int j = e.col;
      sigma[k] = d[i] * d[j] * s.sigma(i, j);
      if (J) J->row(k) = d[i] * d[j] * all.row(vech_row(i, j, p)) + s.sigma(i, j) * (d[j] * Jd.row(i) + d[i] * Jd.row(j));
    } else if (e.kind == Element::mean) {
      sigma[k] = d[i] * s.mu[i];
      if (J) J->row(k) = d[i] * all.row(pstar + i) + s.mu[i] * Jd.row(i);
    } else {
      const Slotted& tau = data.tau[e.col];
      const double gap = tau.at(x) - s.mu[i];
      sigma[k] = d[i] * gap;
      if (!J) continue;
      J->row(k) = gap * Jd.row(i) - d[i] * all.row(pstar + i);
      if (tau.free >= 0) (*J)(k, tau.free) += d[i];
    }
  }
  return sigma.allFinite();
}

Evaluation WlsObjective::evaluate(const Vector& x, Vector* gradient) const {
  Evaluation e;
  if (gradient) gradient->setZero(size());
  Vector sigma;
  Matrix J;
  for (int g = 0; g < groups(); ++g) {
    if (!implied(x, g, sigma, gradient ? &J : nullptr)) return {0.0, Status::outside};
    const Vector d = groups_[g].s - sigma;
    const Vector Wd = weighted(groups_[g].W, d);
    e.value += d.dot(Wd);
    if (gradient) gradient->noalias() -= 2.0 * J.transpose() * Wd;
  }
  if (!std::isfinite(e.value)) e.status = Status::not_finite;
  return e;
}

bool WlsObjective::information(const Vector& x, Matrix& out) const {
  out.setZero(size(), size());
  Vector sigma;
  Matrix J;
  for (int g = 0; g < groups(); ++g) {
    if (!implied(x, g, sigma, &J)) return false;
    const Matrix& W = groups_[g].W;
    if (W.cols() == 1 && W.rows() > 1)
      out.noalias() += J.transpose() * W.col(0).asDiagonal() * J;
    else
      out.noalias() += J.transpose() * (W * J);
  }
  return true;
}

}  // namespace tanada::sem
