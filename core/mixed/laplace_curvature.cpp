// Curvature of the deviance for the outer optimiser, and how the effects move with the parameters.
#include <algorithm>
#include <cmath>

#include "mixed/laplace_objective.hpp"
#include "mixed/laplace_rows.hpp"

namespace tanada {
namespace {

// Diagonal blocks of G = Z'V^-1 Z of one factor: exact for a single factor, G = A - A C A with C the conditional variance of the effects; with
// several factors from S^-1 - S^-1 C S^-1, S = Lambda Lambda', where Lambda is well conditioned.
void working_block(const Matrix& A, const Matrix& C, const Matrix& L, bool single, Matrix& G) {
  const double smallest = L.diagonal().minCoeff(), largest = L.diagonal().maxCoeff();
  if (single || !(smallest > 1e-3 * largest)) {
    G = A - A * C * A;
  } else {
    const auto T = L.triangularView<Eigen::Lower>();
    const Matrix half = T.solve(C);
    const Matrix inner = Matrix::Identity(A.rows(), A.rows()) - T.solve(half.transpose()).transpose();
    G = T.transpose().solve(inner);
    G = T.transpose().solve(G.transpose().eval()).eval();
  }
  G = (0.5 * (G + G.transpose())).eval();
  for (Eigen::Index a = 0; a < G.rows(); ++a)
    if (G(a, a) < 0) G.row(a).setZero(), G.col(a).setZero();
}

}  // namespace

bool LaplaceObjective::curvature(Matrix& information) {
  if (!warm_) return false;
  const int p = model_.beta_count(), d = model_.parameters(), m = model_.predictors(), factors = model_.pattern().factors();
  Matrix beta;
  fixed_information(model_, D_.data(), beta);
  if (factors > 0 && p > 0) {  // X'DX - C' M^-1 C, C = Lambda'Z'DX
    RowMatrix C(model_.effects(), p);
    Vector zt;
    for (int j = 0; j < p; ++j) {
      column_direction(j, t_);
      std::fill(w_.begin(), w_.end(), 0.0);
      subtract_curvature(model_.rows(), m, D_.data(), t_.data(), w_.data());
      system_.adjoint(w_.data(), m, zt);
      C.col(j) = zt;
    }
    system_.apply_lambda_t(C);
    RowMatrix Y = C;
    system_.solve(Y);
    beta.noalias() -= C.transpose() * Y;
  }
  information.setZero(d, d);
  information.topLeftCorner(p, p) = 2.0 * beta;
  if (model_.theta_count() > 0) theta_information(information);
  return information.allFinite();
}

// sum over levels of tr(G dS_i G dS_j), dS_j = Lambda_j Lambda' + Lambda Lambda_j', in one factor at a time.
void LaplaceObjective::theta_information(Matrix& information) {
  const int p = model_.beta_count(), q = model_.theta_count(), factors = model_.pattern().factors();
  const Vector theta = psi_.tail(q);
  std::vector<std::vector<int>> members(factors);
  std::vector<Matrix> dS(q);
  for (int j = 0; j < q; ++j) {
    Matrix dL;
    const int f = model_.template_derivative(theta, j, dL);
    dS[j] = dL * L_[f].transpose();
    dS[j] += dS[j].transpose().eval();
    members[f].push_back(j);
  }
  for (int f = 0; f < factors; ++f) {
    if (members[f].empty()) continue;
    const FactorBlock& g = model_.pattern().factor(f);
    const int k = g.k, area = k * k;
    const std::vector<double> C = conditional_variances(f);
    const std::vector<double>& A = system_.diagonal(f);
    Matrix G(k, k), moments = k <= 4 ? Matrix::Zero(area, area) : Matrix();
    std::vector<Matrix> products(members[f].size());
    for (int l = 0; l < g.levels; ++l) {
      const Eigen::Map<const Matrix> Al(A.data() + std::size_t(l) * area, k, k), Cl(C.data() + std::size_t(l) * area, k, k);
      if (k == 1 && factors == 1)
        G(0, 0) = Al(0, 0) * (1.0 - Cl(0, 0) * Al(0, 0));
      else
        working_block(Al, Cl, L_[f], factors == 1, G);
      if (k <= 4) {
        const Eigen::Map<const Vector> vec(G.data(), area);
        moments.noalias() += vec * vec.transpose();
        continue;
      }
      for (std::size_t i = 0; i < products.size(); ++i) products[i].noalias() = G * dS[members[f][i]];
      for (std::size_t i = 0; i < products.size(); ++i)
        for (std::size_t j = 0; j <= i; ++j) {
          const double s = products[i].cwiseProduct(products[j].transpose()).sum();
          information(p + members[f][i], p + members[f][j]) += s;
        }
    }
    for (std::size_t i = 0; i < members[f].size(); ++i)
      for (std::size_t j = 0; j <= i; ++j) {
        double& entry = information(p + members[f][i], p + members[f][j]);
        if (k <= 4)  // tr(G S G T) = sum_abcd G_ab S_bc G_cd T_da
          for (int a = 0; a < k; ++a)
            for (int b = 0; b < k; ++b)
              for (int c = 0; c < k; ++c)
                for (int e = 0; e < k; ++e) entry += moments(a + b * k, c + e * k) * dS[members[f][i]](b, c) * dS[members[f][j]](e, a);
        information(p + members[f][j], p + members[f][i]) = entry;
      }
  }
}

void LaplaceObjective::column_direction(int j, std::vector<double>& eta) const {
  const int m = model_.predictors();
  std::fill(eta.begin(), eta.end(), 0.0);
  for (int a = 0; a < m; ++a) {
    const PredictorDesign& d = model_.designs()[a];
    if (j < d.first || j >= d.first + d.X.cols()) continue;
    const double* x = d.X.data() + (j - d.first);
    const auto q = d.X.cols();
    for (std::size_t i = 0; i < model_.rows(); ++i) eta[i * m + a] = x[i * q];
  }
}

// Column j: the move of u (spherical) or of b = Lambda u with parameter j.
Matrix LaplaceObjective::derivatives(bool spherical) {
  const int p = model_.beta_count(), m = model_.predictors(), factors = model_.pattern().factors();
  Matrix out(model_.effects(), model_.parameters());
  std::vector<double> deta(eta_.size());
  Vector du, db, moved;
  for (int j = 0; j < model_.parameters(); ++j) {
    Templates dL(factors);
    for (int f = 0; f < factors; ++f) dL[f].setZero(L_[f].rows(), L_[f].cols());
    db.setZero(model_.effects());
    if (j < p) {
      column_direction(j, deta);
    } else {
      Matrix D;
      const int f = model_.template_derivative(psi_.tail(model_.theta_count()), j - p, D);
      dL[f] = D;
      const FactorBlock& g = model_.pattern().factor(f);
      Eigen::Map<Matrix>(db.data() + g.offset, g.k, g.levels).noalias() = D * Eigen::Map<const Matrix>(u_.data() + g.offset, g.k, g.levels);
      std::fill(deta.begin(), deta.end(), 0.0);
      system_.add_effects(db, deta.data(), m);
    }
    mode_shift(deta, dL, du);
    if (spherical) {
      out.col(j) = du;
      continue;
    }
    to_effects(du, moved);
    out.col(j) = db + moved;
  }
  return out;
}

}  // namespace tanada
