"""Derivatives of a term's covariance matrix with respect to its parameters, in Python; the structures themselves are the core's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.design.matrices import RandomDesign
from tanada.engine.fit import MixedFit, TermEstimate

Array = NDArray[np.float64]


def theta_is_relative(fit: MixedFit) -> bool:
    """Whether theta is relative to sigma (the profiled Gaussian engine)."""
    return fit.family == "gaussian" and len(fit.params.index("sigma")) == 1 and "curvature" not in fit.extra


def relative_scale(fit: MixedFit) -> float:
    """Factor between the scale of theta and that of the linear predictor: sigma where theta is relative to it, else 1."""
    return float(fit.sigma) if theta_is_relative(fit) and fit.sigma is not None else 1.0


def template(structure: str, k: int, theta: Array, design: RandomDesign | None = None) -> Array:
    """Lower-triangular factor (k, k) of one level's covariance on the scale of theta."""
    L = np.zeros((k, k))
    if structure == "us":
        L[_column_major(k)] = theta
    elif structure == "diag":
        L[np.diag_indices(k)] = theta
    elif structure == "homdiag":
        L[np.diag_indices(k)] = theta[0]
    else:
        from tanada.engine.structures import factor

        L = factor(structure, k, theta, {} if design is None else design.options)
    return L


def _column_major(k: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of each entry of the lower triangle, column by column."""
    c, r = np.triu_indices(k)
    return r, c


def covariance_derivatives(term: TermEstimate, theta: Array, scale: float, design: RandomDesign | None = None) -> Array:
    """d cov / d theta_j, (d, k, k), on the scale of the linear predictor: scale^2 (L_j L' + L L_j')."""
    k, d = len(term.names), len(theta)
    L = template(term.structure, k, theta, design)
    out = np.empty((d, k, k))
    for j in range(d):
        if term.structure in ("us", "diag", "homdiag"):
            unit = np.zeros(d)
            unit[j] = 1.0
            dL = template(term.structure, k, unit)
        else:
            h = 6e-6 * max(abs(theta[j]), 0.1)
            step = np.zeros(d)
            step[j] = h
            dL = (template(term.structure, k, theta + step, design) - template(term.structure, k, theta - step, design)) / (2 * h)
        out[j] = scale**2 * (dL @ L.T + L @ dL.T)
    return out


def linear_directions(structure: str, k: int) -> Array | None:
    """Matrices E_r with cov = sum_r gamma_r E_r, gamma free; None where the covariance is not linear in its parameters."""
    if structure == "us":
        out = []
        for r, c in zip(*_column_major(k)):
            E = np.zeros((k, k))
            E[r, c] = E[c, r] = 1.0
            out.append(E)
        return np.array(out)
    if structure == "diag":
        return np.array([np.diag(np.eye(k)[r]) for r in range(k)])
    if structure == "homdiag":
        return np.eye(k)[None]
    return None
