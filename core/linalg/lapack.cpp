#include "linalg/lapack.hpp"

namespace tanada {

namespace {
constexpr int kSmall = 128;  // below this a LAPACK call with threads of its own costs more than it saves
}

LapackTable& lapack() {
  static LapackTable table;
  return table;
}

bool cholesky_inplace(Matrix& a) {
  int n = static_cast<int>(a.rows());
  if (n == 0) return true;
  if (n < kSmall || !lapack().dpotrf) {
    Eigen::LLT<Eigen::Ref<Matrix>, Eigen::Lower> llt(a);
    return llt.info() == Eigen::Success && a.diagonal().allFinite();
  }
  char uplo = 'L';
  int info = 0;
  lapack().dpotrf(&uplo, &n, a.data(), &n, &info);
  return info == 0 && a.diagonal().allFinite();
}

bool inverse_from_cholesky(Matrix& a) {
  int n = static_cast<int>(a.rows());
  if (n == 0) return true;
  if (n < kSmall || !lapack().dpotri) {
    Matrix inv = Matrix::Identity(n, n);
    a.triangularView<Eigen::Lower>().solveInPlace(inv);
    a.noalias() = inv.transpose() * inv;
    return true;
  }
  char uplo = 'L';
  int info = 0;
  lapack().dpotri(&uplo, &n, a.data(), &n, &info);
  a.triangularView<Eigen::StrictlyUpper>() = a.transpose();
  return info == 0;
}

void solve_lower(const Matrix& L, Matrix& b, bool transpose) {
  int n = static_cast<int>(L.rows()), m = static_cast<int>(b.cols());
  if (n == 0 || m == 0) return;
  if (n < kSmall || m < 4 || !lapack().dtrsm) {
    if (transpose)
      L.triangularView<Eigen::Lower>().transpose().solveInPlace(b);
    else
      L.triangularView<Eigen::Lower>().solveInPlace(b);
    return;
  }
  char side = 'L', uplo = 'L', trans = transpose ? 'T' : 'N', diag = 'N';
  double one = 1.0;
  lapack().dtrsm(&side, &uplo, &trans, &diag, &n, &m, &one, const_cast<double*>(L.data()), &n, b.data(), &n);
}

}  // namespace tanada
