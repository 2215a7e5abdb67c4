// Dense kernels for the small blocks of one level (column-major): plain loops, unrolled by the compiler where the size is a
// compile-time constant, LAPACK/BLAS from kLargeBlock on. Kept apart from Eigen's expression templates, whose general kernels would be compiled
// again for each block size.
#pragma once
#include <cmath>

#include "linalg/lapack.hpp"

namespace tanada::small {

constexpr int kLargeBlock = 32;

// C (r x t) += alpha A (r x s) B (s x t)
inline void add_ab(const double* A, const double* B, double* C, int r, int s, int t, double alpha = 1.0) {
  if (r >= kLargeBlock && lapack().dgemm) {
    char n = 'N';
    double one = 1.0;
    lapack().dgemm(&n, &n, &r, &t, &s, &alpha, const_cast<double*>(A), &r, const_cast<double*>(B), &s, &one, C, &r);
    return;
  }
  for (int j = 0; j < t; ++j)
    for (int m = 0; m < s; ++m) {
      const double b = alpha * B[m + j * s];
      if (b == 0.0) continue;
      for (int i = 0; i < r; ++i) C[i + j * r] += A[i + m * r] * b;
    }
}

// C (r x t) += alpha A' (s x r)' B (s x t)
inline void add_atb(const double* A, const double* B, double* C, int r, int s, int t, double alpha = 1.0) {
  if (r >= kLargeBlock && lapack().dgemm) {
    char yes = 'T', n = 'N';
    double one = 1.0;
    lapack().dgemm(&yes, &n, &r, &t, &s, &alpha, const_cast<double*>(A), &s, const_cast<double*>(B), &s, &one, C, &r);
    return;
  }
  for (int j = 0; j < t; ++j)
    for (int i = 0; i < r; ++i) {
      double sum = 0.0;
      for (int m = 0; m < s; ++m) sum += A[m + i * s] * B[m + j * s];
      C[i + j * r] += alpha * sum;
    }
}

// C (r x t) += alpha A (r x s) B' (t x s)'
inline void add_abt(const double* A, const double* B, double* C, int r, int s, int t, double alpha = 1.0) {
  if (r >= kLargeBlock && lapack().dgemm) {
    char n = 'N', yes = 'T';
    double one = 1.0;
    lapack().dgemm(&n, &yes, &r, &t, &s, &alpha, const_cast<double*>(A), &r, const_cast<double*>(B), &t, &one, C, &r);
    return;
  }
  for (int m = 0; m < s; ++m)
    for (int j = 0; j < t; ++j) {
      const double b = alpha * B[j + m * t];
      if (b == 0.0) continue;
      for (int i = 0; i < r; ++i) C[i + j * r] += A[i + m * r] * b;
    }
}

// Lower Cholesky factor in place (only the lower triangle is read and written); false when not positive definite.
inline bool cholesky(double* M, int k) {
  if (k >= kLargeBlock && lapack().dpotrf) {
    char uplo = 'L';
    int info = 0;
    lapack().dpotrf(&uplo, &k, M, &k, &info);
    return info == 0;
  }
  for (int j = 0; j < k; ++j) {
    double d = M[j + j * k];
    for (int m = 0; m < j; ++m) d -= M[j + m * k] * M[j + m * k];
    if (!(d > 0.0) || !std::isfinite(d)) return false;
    const double root = std::sqrt(d);
    M[j + j * k] = root;
    for (int i = j + 1; i < k; ++i) {
      double s = M[i + j * k];
      for (int m = 0; m < j; ++m) s -= M[i + m * k] * M[j + m * k];
      M[i + j * k] = s / root;
    }
  }
  return true;
}

// X (k x m) <- R^{-1} X, R lower triangular
inline void solve_lower(const double* R, double* X, int k, int m) {
  if (k >= kLargeBlock && lapack().dtrsm) {
    char side = 'L', uplo = 'L', trans = 'N', diag = 'N';
    double one = 1.0;
    lapack().dtrsm(&side, &uplo, &trans, &diag, &k, &m, &one, const_cast<double*>(R), &k, X, &k);
    return;
  }
  for (int c = 0; c < m; ++c)
    for (int j = 0; j < k; ++j) {
      const double v = X[j + c * k] / R[j + j * k];
      X[j + c * k] = v;
      for (int i = j + 1; i < k; ++i) X[i + c * k] -= R[i + j * k] * v;
    }
}

// X (k x m) <- R^{-T} X
inline void solve_lower_t(const double* R, double* X, int k, int m) {
  if (k >= kLargeBlock && lapack().dtrsm) {
    char side = 'L', uplo = 'L', trans = 'T', diag = 'N';
    double one = 1.0;
    lapack().dtrsm(&side, &uplo, &trans, &diag, &k, &m, &one, const_cast<double*>(R), &k, X, &k);
    return;
  }
  for (int c = 0; c < m; ++c)
    for (int j = k - 1; j >= 0; --j) {
      double v = X[j + c * k];
      for (int i = j + 1; i < k; ++i) v -= R[i + j * k] * X[i + c * k];
      X[j + c * k] = v / R[j + j * k];
    }
}

// X (k x c, row-major) <- (R R')^{-1} X
inline void solve_rows(const double* R, double* X, int k, int c) {
  for (int j = 0; j < k; ++j) {
    const double inv = 1.0 / R[j + j * k];
    for (int t = 0; t < c; ++t) X[j * c + t] *= inv;
    for (int i = j + 1; i < k; ++i)
      for (int t = 0; t < c; ++t) X[i * c + t] -= R[i + j * k] * X[j * c + t];
  }
  for (int j = k - 1; j >= 0; --j) {
    for (int i = j + 1; i < k; ++i)
      for (int t = 0; t < c; ++t) X[j * c + t] -= R[i + j * k] * X[i * c + t];
    const double inv = 1.0 / R[j + j * k];
    for (int t = 0; t < c; ++t) X[j * c + t] *= inv;
  }
}

}  // namespace tanada::small
