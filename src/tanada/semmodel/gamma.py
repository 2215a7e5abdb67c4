"""Asymptotic covariance of sample moments, and the weights of least-squares estimators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.errors import ModelError
from tanada.semmodel.sample import Moments

Array = NDArray[np.float64]
COVARIANCE, MEAN, THRESHOLD = 0, 1, 2


@dataclass(frozen=True)
class Statistics:
    """Sample statistics of one group.

    Attributes
    ----------
    n : float
    values : array (r,)
    kind, row, col : int arrays (r,)
        0 covariance of variables (row, col), 1 mean of variable row, 2 threshold number col of variable row (col counts over all thresholds).
    gamma : array (r, r) or None
        n times their asymptotic covariance, without distributional assumption.
    """

    n: float
    values: Array
    kind: NDArray[np.int32]
    row: NDArray[np.int32]
    col: NDArray[np.int32]
    gamma: Array | None


def continuous(
    m: Moments, means: bool, Y: Array | None, unbiased: bool = True, weights: Array | None = None, fixed: Sequence[int] = ()
) -> Statistics:
    """Means (when `means`) and the lower triangle of the covariance matrix by columns; gamma from the rows when given.

    With `fixed` predictors gamma is that given their values: only the residuals of the other variables' regression on them vary.
    """
    p = len(m.mean)
    col, row = np.triu_indices(p)
    cov = m.cov * (m.n / (m.n - 1)) if unbiased else m.cov
    values = cov[row, col]
    kind = np.zeros(values.size, np.int32)
    gamma = None
    if Y is not None:
        d = Y - m.mean
        a = _predicted(d, m.cov, fixed)
        Z = d[:, row] * d[:, col] - a[:, row] * a[:, col]
        if means:
            Z = np.concatenate([d - a, Z], axis=1)
        w = np.ones(len(Y)) if weights is None else weights
        e = Z - (w @ Z) / w.sum()
        gamma = (e * w[:, None]).T @ e / w.sum()
    if means:
        values = np.concatenate([m.mean, values])
        kind = np.concatenate([np.full(p, MEAN, np.int32), kind])
        row, col = np.concatenate([np.arange(p), row]), np.concatenate([np.zeros(p, int), col])
    return Statistics(m.n, values, kind, row.astype(np.int32), col.astype(np.int32), gamma)


def _predicted(d: Array, cov: Array, fixed: Sequence[int]) -> Array:
    """Linear prediction of every variable from the fixed ones (which predict themselves); 0 without any."""
    if not len(fixed):
        return np.zeros_like(d)
    x = list(fixed)
    return d[:, x] @ np.linalg.solve(cov[np.ix_(x, x)], cov[x])


def normal_weight(s: Statistics, inverse: Array) -> Array:
    """Weight of normal-theory least squares, (r, r): half of D'(V x V)D for covariances and V for means, V = Sigma^-1."""
    r = s.values.size
    W = np.zeros((r, r))
    c = s.kind == COVARIANCE
    i, j = s.row[c], s.col[c]
    two = np.where(i == j, 1.0, 2.0)
    block = inverse[np.ix_(i, i)] * inverse[np.ix_(j, j)] + inverse[np.ix_(i, j)] * inverse[np.ix_(j, i)]
    W[np.ix_(c, c)] = 0.25 * block * np.outer(two, two)
    k = np.flatnonzero(s.kind == MEAN)
    W[np.ix_(k, k)] = inverse[np.ix_(s.row[k], s.row[k])]
    return W


def weight(estimator: str, s: Statistics, m: Moments) -> Array:
    """Weight matrix (r, r), or its diagonal (r,), of an estimator; without n.

    ULS is the sum of squared differences of the distinct elements, as in lavaan.
    """
    if estimator.startswith("ULS"):
        return np.ones(s.values.size)
    if estimator == "GLS":
        cov = m.cov * (m.n / (m.n - 1))
        return normal_weight(s, np.asarray(np.linalg.inv(cov), float))
    if s.gamma is None:
        raise ModelError(f"estimator='{estimator}' needs the raw data; the model was given sample moments.")
    if estimator.startswith(("DWLS", "WLSM")):
        d = np.diag(s.gamma)
        return 1.0 / np.where(d > 0, d, np.inf)
    if s.n <= s.values.size:
        raise ModelError(f"estimator='WLS' inverts the covariance matrix of {s.values.size} sample statistics and needs more rows than that ({int(s.n)} given); use 'DWLS', 'WLSMV' or 'MLR'.")
    return np.asarray(np.linalg.inv(s.gamma), float)
