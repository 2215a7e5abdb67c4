#include "mixed/laplace_model.hpp"

#include <algorithm>
#include <stdexcept>

namespace tanada {
namespace {

Vector permuted(const Vector& v, const std::vector<std::int64_t>& order) {
  Vector out(v.size());
  for (std::size_t i = 0; i < order.size(); ++i) out[i] = v[order[i]];
  return out;
}

bool is_identity(const std::vector<std::int64_t>& order) {
  for (std::size_t i = 0; i < order.size(); ++i)
    if (order[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

}  // namespace

LaplaceModel::LaplaceModel(MixedInput input, std::unique_ptr<Family> family)
    : family_(std::move(family)), designs_(std::move(input.predictors)), m_(family_->predictors()), beta_count_(input.beta_count) {
  const auto n = input.y.size();
  if (static_cast<int>(designs_.size()) != m_) throw std::invalid_argument("the family needs another number of linear predictors");
  for (const auto& d : designs_)
    if (d.X.rows() != n || d.offset.size() != n || d.first + d.X.cols() > beta_count_)
      throw std::invalid_argument("a design does not fit the response");
  for (const auto& t : input.terms)
    if (t.Z.rows() != n || static_cast<Eigen::Index>(t.codes.size()) != n || t.predictor >= m_)
      throw std::invalid_argument("a random term does not fit the response");
  y_ = std::move(input.y), trials_ = std::move(input.trials), weights_ = std::move(input.weights);
  add_terms(input.terms);
  sort_rows();
}

// Terms with the same codes share a factor.
void LaplaceModel::add_terms(const std::vector<TermDesign>& terms) {
  std::vector<const TermDesign*> leads;
  std::vector<TermInput> inputs;
  for (const auto& t : terms) {
    std::size_t f = 0;
    while (f < leads.size() && !(leads[f]->levels == t.levels && leads[f]->flat == t.flat && leads[f]->codes == t.codes)) ++f;
    if (f == leads.size()) leads.push_back(&t);
    inputs.push_back({static_cast<int>(f), static_cast<int>(t.Z.cols()), t.predictor, t.Z.data()});
    RandomTerm r;
    r.k = static_cast<int>(t.Z.cols());
    if (t.flat) {
      flat_effects_ += r.k * t.levels;
    } else {
      r.structure = make_structure(t.structure);
      r.theta_first = theta_count_;
      r.theta_count = r.structure->parameters();
      theta_count_ += r.theta_count;
    }
    terms_.push_back(std::move(r));
  }
  std::vector<FactorInput> factors;
  for (const auto* lead : leads) factors.push_back({lead->levels, lead->codes.data(), !lead->flat});
  pattern_ = std::make_unique<RandomPattern>(rows(), factors, inputs);
  precision_ = Vector::Ones(effects());
  for (int f = 0; f < pattern_->factors(); ++f) {
    const FactorBlock& g = pattern_->factor(f);
    if (!g.penalised) precision_.segment(g.offset, Eigen::Index(g.levels) * g.k).setZero();
  }
}

void LaplaceModel::sort_rows() {
  const auto& order = pattern_->order();
  if (is_identity(order)) return;
  y_ = permuted(y_, order), trials_ = permuted(trials_, order), weights_ = permuted(weights_, order);
  for (auto& d : designs_) {
    d.offset = permuted(d.offset, order);
    RowMatrix X(d.X.rows(), d.X.cols());
    for (std::size_t i = 0; i < order.size(); ++i) X.row(i) = d.X.row(order[i]);
    d.X = std::move(X);
  }
}

void LaplaceModel::set_response(const Vector& y) { y_ = permuted(y, pattern_->order()); }

bool LaplaceModel::templates(const double* theta, Templates& L) const {
  L.resize(pattern_->factors());
  for (int f = 0; f < pattern_->factors(); ++f) {
    const FactorBlock& g = pattern_->factor(f);
    if (g.penalised)
      L[f].setZero(g.k, g.k);
    else
      L[f].setIdentity(g.k, g.k);
  }
  for (std::size_t t = 0; t < terms_.size(); ++t) {
    const RandomTerm& r = terms_[t];
    const TermPlace& at = pattern_->term(static_cast<int>(t));
    if (r.structure && !r.structure->factor(theta + r.theta_first, L[at.factor].block(at.offset, at.offset, r.k, r.k))) return false;
  }
  return true;
}

void LaplaceModel::pullback(const double* theta, const Templates& dL, double* gradient) const {
  for (std::size_t t = 0; t < terms_.size(); ++t) {
    const RandomTerm& r = terms_[t];
    const TermPlace& at = pattern_->term(static_cast<int>(t));
    if (r.structure)
      r.structure->pullback(theta + r.theta_first, dL[at.factor].block(at.offset, at.offset, r.k, r.k), gradient + r.theta_first);
  }
}

int LaplaceModel::template_derivative(const Vector& theta, int j, Matrix& dL) const {
  for (std::size_t t = 0; t < terms_.size(); ++t) {
    const RandomTerm& r = terms_[t];
    if (!r.structure || j < r.theta_first || j >= r.theta_first + r.theta_count) continue;
    const TermPlace& place = pattern_->term(static_cast<int>(t));
    const int width = pattern_->factor(place.factor).k, at = j - r.theta_first;
    dL.setZero(width, width);
    Vector x = theta.segment(r.theta_first, r.theta_count);
    Matrix a = Matrix::Zero(r.k, r.k), b = Matrix::Zero(r.k, r.k);
    const double h = 1e-5 * std::max(std::abs(x[at]), 1.0), centre = x[at];
    auto at_point = [&](double shift, Matrix& out) {  // the centre where the shifted point is outside the domain
      x[at] = centre + shift;
      if (r.structure->factor(x.data(), out)) return std::abs(shift);
      x[at] = centre;
      r.structure->factor(x.data(), out);
      return 0.0;
    };
    const double step = at_point(h, a) + at_point(-h, b);
    if (step > 0) dL.block(place.offset, place.offset, r.k, r.k) = (a - b).triangularView<Eigen::Lower>().toDenseMatrix() / step;
    return place.factor;
  }
  return -1;
}

std::vector<ThetaInfo> LaplaceModel::theta_info() const {
  std::vector<ThetaInfo> out(theta_count_);
  for (const auto& t : terms_)
    if (t.structure) {
      const auto info = t.structure->info();
      std::copy(info.begin(), info.end(), out.begin() + t.theta_first);
    }
  return out;
}

}  // namespace tanada
