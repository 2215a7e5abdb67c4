"""A term's covariance factor as a function of its parameters, and the directions in which a covariance is linear."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada import _core
from tanada.design.matrices import RandomDesign
from tanada.engine.fit import MixedFit

Array = NDArray[np.float64]


def theta_is_relative(fit: MixedFit) -> bool:
    """Whether theta is relative to sigma (the profiled Gaussian engine)."""
    return fit.family == "gaussian" and "predictors" not in fit.extra


def template(structure: str, k: int, theta: Array, design: RandomDesign | None = None) -> Array:
    """Lower-triangular factor (k, k) of one level's covariance on the scale of theta."""
    L = np.zeros((k, k))
    if structure == "us":
        L[column_major(k)] = theta
    elif structure == "diag":
        L[np.diag_indices(k)] = theta
    elif structure == "homdiag":
        L[np.diag_indices(k)] = theta[0]
    else:
        options = {} if design is None else design.options
        found = _core.structure_factor(
            structure, k, options.get("coords"), options.get("known"), int(options.get("rank") or 0), np.asarray(theta, float)
        )
        L = np.full((k, k), np.nan) if found is None else np.tril(found)
    return L


def column_major(k: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of each entry of the lower triangle, column by column."""
    c, r = np.triu_indices(k)
    return r, c


def linear_directions(structure: str, k: int) -> Array | None:
    """Matrices E_r with cov = sum_r gamma_r E_r, gamma free; None where the covariance is not linear in its parameters."""
    if structure == "us":
        out = []
        for r, c in zip(*column_major(k)):
            E = np.zeros((k, k))
            E[r, c] = E[c, r] = 1.0
            out.append(E)
        return np.array(out)
    if structure == "diag":
        return np.array([np.diag(np.eye(k)[r]) for r in range(k)])
    if structure == "homdiag":
        return np.eye(k)[None]
    return None
