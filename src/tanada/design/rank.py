"""Which columns of a model matrix are linear combinations of those before them.

Columns are taken in order, as R does: each is kept unless what is left of it after projection on those kept is negligible. Both the
test on the cross-products and the exact one work on columns scaled to unit length after centring, so units and large means do not matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TOLERANCE = 1e-7  # of the length of the centred column
_SAFE = 1e-5  # squared length above which the cross-products settle the question


def independent_columns(X: Array, intercept: bool) -> NDArray[np.intp]:
    """Positions of the columns to keep, in order.

    Parameters
    ----------
    X : array (n, p)
    intercept : bool
        Whether column 0 is constant 1.
    """
    n, p = X.shape
    if p == 0 or (p == 1 and intercept):
        return np.arange(p, dtype=np.intp)
    if n >= p and _clearly_full_rank(X, intercept):
        return np.arange(p, dtype=np.intp)
    return _by_projection(X, intercept)


def _clearly_full_rank(X: Array, intercept: bool) -> bool:
    """Cholesky of the scaled cross-products: cheap (n p^2 flops once), conclusive only when every pivot is large."""
    n = X.shape[0]
    gram = X.T @ X
    if intercept:
        mean = gram[0] / n
        centred = gram[1:, 1:] - n * np.outer(mean[1:], mean[1:])
        raw = np.diag(gram)[1:]
    else:
        centred, raw = gram, np.diag(gram)
    diagonal = np.diag(centred)
    if not (diagonal > 1e-6 * raw).all():  # cancellation in the centring, or a constant column
        return False
    scale = 1.0 / np.sqrt(diagonal)
    try:
        factor = np.linalg.cholesky(centred * scale[:, None] * scale[None, :])
    except np.linalg.LinAlgError:
        return False
    return bool((np.diag(factor) ** 2 > _SAFE).all())


def _by_projection(X: Array, intercept: bool) -> NDArray[np.intp]:
    """Gram-Schmidt with reorthogonalisation, column by column."""
    n, p = X.shape
    basis = np.empty((min(n, p), n))
    keep: list[int] = []
    if intercept:
        basis[0] = 1.0 / np.sqrt(n)
        keep.append(0)
    for j in range(len(keep), p):
        column = X[:, j]
        raw = float(np.max(np.abs(column))) if n else 0.0
        if raw == 0.0 or len(keep) == n:
            continue
        v = column / raw
        size = float(np.linalg.norm(v))
        if intercept:
            v = v - v.mean()
        length = float(np.linalg.norm(v))
        if length <= 1e-13 * size:
            continue
        v /= length
        used = basis[: len(keep)]
        for _ in range(2):
            v = v - used.T @ (used @ v)
        left = float(np.linalg.norm(v))
        if left <= max(TOLERANCE, 1e-14 * size / length):
            continue
        basis[len(keep)] = v / left
        keep.append(j)
    return np.array(keep, dtype=np.intp)
