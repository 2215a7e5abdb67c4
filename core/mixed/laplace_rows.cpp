#include "mixed/laplace_rows.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/parallel.hpp"

namespace tanada {

void fixed_predictors(const LaplaceModel& model, const double* beta, double* eta) {
  const int m = model.predictors();
  parallel_chunks(model.rows(), kRowGrain, [&](int, std::size_t begin, std::size_t end) {
    for (int p = 0; p < m; ++p) {
      const PredictorDesign& d = model.designs()[p];
      const int q = static_cast<int>(d.X.cols());
      const double* b = beta + d.first;
      const double* x = d.X.data() + begin * q;
      for (std::size_t i = begin; i < end; ++i, x += q) {
        double s = d.offset[i];
        for (int j = 0; j < q; ++j) s += x[j] * b[j];
        eta[i * m + p] = s;
      }
    }
  });
}

void fixed_adjoint(const LaplaceModel& model, const double* r, double* gradient) {
  const int m = model.predictors(), count = model.beta_count();
  Matrix part = Matrix::Zero(count, kMaxChunks);
  parallel_chunks(model.rows(), kRowGrain, [&](int chunk, std::size_t begin, std::size_t end) {
    for (int p = 0; p < m; ++p) {
      const PredictorDesign& d = model.designs()[p];
      const int q = static_cast<int>(d.X.cols());
      double* g = part.col(chunk).data() + d.first;
      const double* x = d.X.data() + begin * q;
      for (std::size_t i = begin; i < end; ++i, x += q) {
        const double s = r[i * m + p];
        for (int j = 0; j < q; ++j) g[j] += x[j] * s;
      }
    }
  });
  Eigen::Map<Vector>(gradient, count) += part.rowwise().sum();
}

void fixed_information(const LaplaceModel& model, const double* D, Matrix& information) {
  const int m = model.predictors(), pairs = model.pairs(), count = model.beta_count();
  std::vector<Matrix> part(kMaxChunks);
  parallel_chunks(model.rows(), kRowGrain, [&](int chunk, std::size_t begin, std::size_t end) {
    Matrix& S = part[chunk];
    S = Matrix::Zero(count, count);
    const auto rows = static_cast<Eigen::Index>(end - begin);
    for (int a = 0; a < m; ++a)
      for (int b = a; b < m; ++b) {
        const PredictorDesign &da = model.designs()[a], &db = model.designs()[b];
        const Eigen::Map<const Vector, 0, Eigen::InnerStride<>> w(D + begin * pairs + packed(a, b, m), rows, Eigen::InnerStride<>(pairs));
        const Matrix product = da.X.middleRows(begin, rows).transpose() * (w.asDiagonal() * db.X.middleRows(begin, rows));
        S.block(da.first, db.first, product.rows(), product.cols()) += product;
        if (a != b) S.block(db.first, da.first, product.cols(), product.rows()) += product.transpose();
      }
  });
  information.setZero(count, count);
  for (const auto& S : part)
    if (S.size()) information += S;
}

double evaluate_rows(const LaplaceModel& model, int order, const double* eta, double* value, double* d1, double* D, double* d3) {
  const Rows rows = model.rows_at(eta);
  const int pairs = model.pairs();
  double part[kMaxChunks] = {};
  parallel_chunks(model.rows(), kRowGrain / 4, [&](int chunk, std::size_t begin, std::size_t end) {
    model.family().evaluate(order, begin, end, rows, {value, d1, D, d3});
    double s = 0.0;
    for (std::size_t i = begin; i < end; ++i) s += value[i];
    part[chunk] = s;
    if (order >= 2)
      for (std::size_t i = begin * pairs; i < end * pairs; ++i) D[i] = -D[i];
  });
  double total = 0.0;
  for (double s : part) total += s;
  return total;
}

void third_contraction(std::size_t n, int m, const double* d3, const double* h, double* t) {
  const int pairs = m * (m + 1) / 2, triples = m * (m + 1) * (m + 2) / 6;
  parallel_chunks(n, kRowGrain, [&](int, std::size_t begin, std::size_t end) {
    if (m == 1) {
      for (std::size_t i = begin; i < end; ++i) t[i] = 0.5 * d3[i] * h[i];
      return;
    }
    for (std::size_t i = begin; i < end; ++i) {
      double* out = t + i * m;
      const double* T = d3 + i * triples;
      const double* H = h + i * pairs;
      std::fill(out, out + m, 0.0);
      for (int a = 0, at = 0; a < m; ++a)
        for (int b = a; b < m; ++b)
          for (int c = b; c < m; ++c, ++at) {
            // each distinct arrangement of (a, b, c) adds T to the predictor it puts first, with the pair of the other two
            const double T_abc = T[at];
            const double ab = H[packed(a, b, m)], ac = H[packed(a, c, m)], bc = H[packed(b, c, m)];
            if (a == b && b == c) {
              out[a] += T_abc * bc;
            } else if (a == b) {
              out[a] += 2.0 * T_abc * ac, out[c] += T_abc * ab;
            } else if (b == c) {
              out[a] += T_abc * bc, out[b] += 2.0 * T_abc * ab;
            } else {
              out[a] += 2.0 * T_abc * bc, out[b] += 2.0 * T_abc * ac, out[c] += 2.0 * T_abc * ab;
            }
          }
      for (int a = 0; a < m; ++a) out[a] *= 0.5;
    }
  });
}

void subtract_curvature(std::size_t n, int m, const double* D, const double* w, double* r) {
  const int pairs = m * (m + 1) / 2;
  parallel_chunks(n, kRowGrain, [&](int, std::size_t begin, std::size_t end) {
    if (m == 1) {
      for (std::size_t i = begin; i < end; ++i) r[i] -= D[i] * w[i];
      return;
    }
    for (std::size_t i = begin; i < end; ++i) {
      const double* d = D + i * pairs;
      for (int a = 0; a < m; ++a) {
        double s = 0.0;
        for (int b = 0; b < m; ++b) s += d[packed(a, b, m)] * w[i * m + b];
        r[i * m + a] -= s;
      }
    }
  });
}

void make_concave(std::size_t n, int m, double* D) {
  const int pairs = m * (m + 1) / 2;
  parallel_chunks(n, kRowGrain, [&](int, std::size_t begin, std::size_t end) {
    Matrix S(m, m);
    Eigen::SelfAdjointEigenSolver<Matrix> solver(m);
    for (std::size_t i = begin; i < end; ++i) {
      double* d = D + i * pairs;
      if (m == 1) {
        d[0] = std::max(d[0], 0.0);
        continue;
      }
      for (int a = 0; a < m; ++a)
        for (int b = a; b < m; ++b) S(a, b) = S(b, a) = d[packed(a, b, m)];
      solver.compute(S);
      S = solver.eigenvectors() * solver.eigenvalues().cwiseMax(0.0).asDiagonal() * solver.eigenvectors().transpose();
      for (int a = 0; a < m; ++a)
        for (int b = a; b < m; ++b) d[packed(a, b, m)] = S(a, b);
    }
  });
}

}  // namespace tanada
