#include "mixed/random_terms.hpp"

#include <algorithm>

#include "covariance/correlation.hpp"

namespace tanada {

namespace {

// Structures with an effect a row (ar1, toep, exp, ...) can take over the residual: their standard deviations, relative to the residual's, then
// grow without end and the criterion loses its digits. Beyond this ratio the residual variance is zero for all purposes.
constexpr double kMostRelativeSd = 1e4;

}  // namespace

RandomTerms::RandomTerms(const RandomPattern& pattern, const std::vector<StructureSpec>& specs) : pattern_(&pattern) {
  for (const auto& spec : specs) {
    structures_.push_back(make_structure(spec));
    start_.push_back(parameters_);
    parameters_ += structures_.back()->parameters();
  }
}

std::vector<ThetaInfo> RandomTerms::info() const {
  std::vector<ThetaInfo> out;
  for (const auto& s : structures_)
    for (auto& i : s->info()) {
      if (dynamic_cast<const Correlated*>(s.get()) && i.name.starts_with("sd")) i.upper = std::min(i.upper, kMostRelativeSd);
      out.push_back(i);
    }
  return out;
}

Matrix RandomTerms::factor(int t, const double* theta) const {
  Matrix L = Matrix::Zero(structures_[t]->size(), structures_[t]->size());
  structures_[t]->factor(theta + start_[t], L);
  return L.triangularView<Eigen::Lower>();
}

bool RandomTerms::templates(const double* theta, Templates& lambda) const {
  lambda.resize(pattern_->factors());
  for (int f = 0; f < pattern_->factors(); ++f) lambda[f].setZero(pattern_->factor(f).k, pattern_->factor(f).k);
  for (int t = 0; t < terms(); ++t) {
    const TermPlace& at = pattern_->term(t);
    Matrix L = Matrix::Zero(at.k, at.k);
    if (!structures_[t]->factor(theta + start_[t], L)) return false;
    lambda[at.factor].block(at.offset, at.offset, at.k, at.k) = L.triangularView<Eigen::Lower>();
  }
  return true;
}

void RandomTerms::pullback(const double* theta, const Templates& d_lambda, double* gradient) const {
  for (int t = 0; t < terms(); ++t) {
    const TermPlace& at = pattern_->term(t);
    const Matrix dL = d_lambda[at.factor].block(at.offset, at.offset, at.k, at.k);
    structures_[t]->pullback(theta + start_[t], dL, gradient + start_[t]);
  }
}

}  // namespace tanada
