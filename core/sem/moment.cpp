#include "sem/moment.hpp"

#include <cmath>
#include <stdexcept>

#include "linalg/parallel.hpp"
#include "sem/hessian.hpp"

namespace tanada::sem {

MomentObjective::MomentObjective(std::shared_ptr<const Model> model, std::vector<MomentGroup> groups)
    : SemObjective(std::move(model)), groups_(std::move(groups)) {
  if (groups_.size() != this->model().blocks.size()) throw std::invalid_argument("one sample per block is needed");
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const int p = this->model().blocks[g].p();
    const MomentGroup& s = groups_[g];
    if (s.S.rows() != p || s.S.cols() != p || (s.mean.size() != 0 && s.mean.size() != p))
      throw std::invalid_argument("sample moments and block differ in size");
  }
}

Evaluation MomentObjective::evaluate(const Vector& x, Vector* gradient) const {
  Evaluation e;
  if (gradient) gradient->setZero(size());
  BlockState s;
  Matrix V, M, VM;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const MomentGroup& data = groups_[g];
    const Block& block = model().blocks[g];
    if (!block.evaluate(x, s)) return {0.0, Status::outside};
    double log_det;
    if (!invert_spd(s.sigma, V, log_det)) return {0.0, Status::not_positive_definite};
    const bool means = data.mean.size() > 0;
    const Vector d = means ? Vector(data.mean - s.mu) : Vector::Zero(block.p());
    const Vector Vd = V * d;
    e.value += data.n * (block.p() * kLog2Pi + log_det + V.cwiseProduct(data.S).sum() + d.dot(Vd));
    if (!gradient) continue;
    VM.noalias() = V * data.S;
    M = V - Vd * Vd.transpose();
    M.noalias() -= VM * V;
    block.pullback(s, data.n * M, -2.0 * data.n * Vd, *gradient);
  }
  if (!std::isfinite(e.value)) e.status = Status::not_finite;
  return e;
}

bool MomentObjective::information(const Vector& x, Matrix& out) const {
  out.setZero(size(), size());
  BlockState s;
  Matrix V;
  double log_det;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (!model().blocks[g].evaluate(x, s) || !invert_spd(s.sigma, V, log_det)) return false;
    if (groups_[g].mean.size() == 0)
      for (Direction& d : s.directions) d.mean = 0.0;
    add_information(gram(V, s.D2), s.directions, groups_[g].n, out);
  }
  return true;
}

bool MomentObjective::exact_hessian(const Vector& x, Matrix& out) const {
  BlockState s;
  Matrix V;
  double log_det;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const MomentGroup& data = groups_[g];
    if (!model().blocks[g].evaluate(x, s) || !invert_spd(s.sigma, V, log_det)) return false;
    const bool means = data.mean.size() > 0;
    const Vector Vd = means ? Vector(V * (data.mean - s.mu)) : Vector::Zero(V.rows());
    const Matrix VS = V * data.S;
    const Matrix H = VS * V + Vd * Vd.transpose();
    add_structure_terms(s, data.n * (V - H), -2.0 * data.n * Vd, out);
    if (!means)
      for (Direction& d : s.directions) d.mean = 0.0;
    add_pair_terms(gram(V, s.D2), gram(H, s.D2), dictionary_products(s, Vd), s.directions, data.n, out);
  }
  return true;
}

Matrix MomentObjective::scores(const Vector& x, int g, const Eigen::Ref<const RowMatrix>& Y) const {
  if (g < 0 || g >= static_cast<int>(groups_.size())) throw std::invalid_argument("no such group");
  const Block& block = model().blocks[g];
  if (Y.cols() != block.p()) throw std::invalid_argument("the data and the block differ in their number of variables");
  Matrix out = Matrix::Constant(Y.rows(), size(), std::numeric_limits<double>::quiet_NaN());
  BlockState s;
  Matrix V;
  double log_det;
  if (!block.evaluate(x, s) || !invert_spd(s.sigma, V, log_det)) return out;
  const bool means = groups_[g].mean.size() > 0;
  const Vector centre = means ? s.mu : Vector(Y.colwise().mean().transpose());
  parallel_chunks(Y.rows(), 256, [&](int, std::size_t begin, std::size_t end) {
    Vector score(size());
    for (std::size_t i = begin; i < end; ++i) {
      const Vector Vd = V * (Y.row(i).transpose() - centre);
      score.setZero();
      block.pullback(s, 0.5 * (Vd * Vd.transpose() - V), means ? Vd : Vector(Vector::Zero(block.p())), score);
      out.row(i) = score.transpose();
    }
  });
  return out;
}

}  // namespace tanada::sem
