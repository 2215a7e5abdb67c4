"""Sample moments of each group, and the log-likelihood of the unrestricted single-level model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.errors import DataError
from tanada.semmodel.data import SemData, SemGroup

Array = NDArray[np.float64]
LOG2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class Moments:
    """Moments of one group: covariance (p, p) with divisor n, and mean (p,)."""

    n: float
    cov: Array
    mean: Array


def moments(g: SemGroup, wishart: bool = False) -> Moments:
    """ML moments of complete rows (or of the matrices given); `wishart` keeps the divisor n - 1 and counts n - 1 rows."""
    if g.given_cov is not None:
        cov = g.given_cov if wishart else g.given_cov * ((g.n - 1) / g.n)
        mean = np.zeros(cov.shape[0]) if g.given_mean is None else g.given_mean
        return Moments(g.n - 1 if wishart else g.n, cov, mean)
    Y = g.Y
    assert Y is not None
    if g.weights is None:
        mean = Y.mean(axis=0)
        d = Y - mean
        cov = d.T @ d / g.n
    else:
        w = g.weights
        mean = w @ Y / w.sum()
        d = Y - mean
        cov = (d * w[:, None]).T @ d / w.sum()
    if wishart:
        return Moments(g.n - 1, cov * (g.n / (g.n - 1)), mean)
    return Moments(g.n, cov, mean)


def is_positive(r: Array, least: float) -> bool:
    """All eigenvalues of a symmetric matrix exceed `least` (by Cholesky factorisation, which is cheaper than finding them)."""
    try:
        np.linalg.cholesky(r - least * np.eye(len(r)))
    except np.linalg.LinAlgError:
        return False
    return True


def check_positive_definite(m: Moments, names: Sequence[str], label: str) -> None:
    """A covariance matrix of full rank, or an error that names the variables involved."""
    sd = np.sqrt(np.diag(m.cov))
    r = m.cov / np.outer(sd, sd)
    if is_positive(r, 1e-10):
        return
    w, v = np.linalg.eigh(r)
    if w[0] > 1e-10:
        return
    where = f" of group '{label}'" if label else ""
    if m.n <= len(names):
        raise DataError(f"{int(m.n)} rows for {len(names)} variables: the covariance matrix{where} is singular. A model needs more rows than observed variables.")
    involved = [names[int(i)] for i in np.flatnonzero(np.abs(v[:, 0]) > 0.1)]
    raise DataError(f"the covariance matrix{where} is singular: {', '.join(involved)} are linearly dependent (a duplicate, a sum or a mean of others). Leave one out.")


def normal_loglik(n: float, cov: Array, sample: Moments | None = None) -> float:
    """Log-likelihood of n rows with ML covariance `cov` at their own moments."""
    p = cov.shape[0]
    if p == 0:
        return 0.0
    sign, logdet = np.linalg.slogdet(cov)
    return -0.5 * n * (p * LOG2PI + float(logdet) + p) if sign > 0 else -np.inf


def group_positions(data: SemData, names: Sequence[str]) -> list[int]:
    where = {v: i for i, v in enumerate(data.names)}
    return [where[v] for v in names]


def smooth(cov: Array, tolerance: float) -> Array:
    """`cov` with eigenvalues of at least `tolerance` times the largest; `cov` itself when none is smaller."""
    w, v = np.linalg.eigh(cov)
    if not w.size or w[0] >= tolerance * w[-1]:
        return cov
    return (v * np.maximum(w, tolerance * w[-1])) @ v.T
