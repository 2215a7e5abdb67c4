// LAPACK and BLAS entry points the core uses for large dense blocks.
//
// The bindings fill the table from SciPy's cython_lapack / cython_blas capsules when the module is imported; where it
// is empty (the C++ tests) the functions below fall back on Eigen. Matrices are column-major, as in LAPACK.
#pragma once
#include <Eigen/Dense>

namespace tanada {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T> using Ref = Eigen::Ref<T>;

struct LapackTable {
  void (*dpotrf)(char* uplo, int* n, double* a, int* lda, int* info) = nullptr;
  void (*dpotri)(char* uplo, int* n, double* a, int* lda, int* info) = nullptr;
  void (*dtrsm)(char* side, char* uplo, char* trans, char* diag, int* m, int* n, double* alpha, double* a, int* lda,
                double* b, int* ldb) = nullptr;
  void (*dgemm)(char* ta, char* tb, int* m, int* n, int* k, double* alpha, double* a, int* lda, double* b, int* ldb,
                double* beta, double* c, int* ldc) = nullptr;
  void (*dsyrk)(char* uplo, char* trans, int* n, int* k, double* alpha, double* a, int* lda, double* beta, double* c,
                int* ldc) = nullptr;
};
LapackTable& lapack();

// Lower Cholesky factor of the symmetric matrix whose lower triangle is in `a`, in place. False when not positive definite.
bool cholesky_inplace(Matrix& a);
// From the lower Cholesky factor in `a`, the lower triangle of the inverse, in place; the upper triangle is then mirrored.
bool inverse_from_cholesky(Matrix& a);
// b <- L^{-1} b (or L^{-T} b when transpose), L lower triangular.
void solve_lower(const Matrix& L, Matrix& b, bool transpose);

}  // namespace tanada
