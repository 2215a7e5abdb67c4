"""Second derivatives of the deviance by central differences of its exact gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.inference.structures import column_major, theta_is_relative

Array = NDArray[np.float64]

STEP = 6e-6  # near the cube root of the machine epsilon


def gradient_differences(fit: MixedFit, positions: NDArray[np.intp], gradient: Callable[[Array], Array] | None = None) -> Array:
    """Columns d gradient / d value_j of the Hessian of the deviance (d, len(positions)), at the optimum.

    `gradient` is that of the deviance unless given. A parameter whose bound is nearer than its step moves to one side only.
    """
    x = np.asarray(fit.values, float)
    gradient = fit.objective.gradient if gradient is None else gradient
    floor = step_floors(fit)
    out = np.empty((x.size, len(positions)))
    for column, j in enumerate(positions):
        h = STEP * max(abs(x[j]), floor[j])
        up, down = x.copy(), x.copy()
        up[j] = min(x[j] + h, fit.params.upper[j])
        down[j] = max(x[j] - h, fit.params.lower[j])
        g = np.asarray(gradient(up), float) - np.asarray(gradient(down), float)
        out[:, column] = g / (up[j] - down[j])
    return out


def step_floors(fit: MixedFit) -> Array:
    """Smallest size that the step of each parameter is relative to: a tenth of the effect's SD for entries of a Cholesky factor, so that
    differences do not depend on the units of a predictor; 0.1 for others.
    """
    floor = np.full(len(fit.values), 0.1)
    scale = float(fit.sigma or 1.0) if theta_is_relative(fit) else 1.0
    for t in fit.terms:
        if t.structure not in ("us", "diag", "homdiag"):
            continue
        sd = np.sqrt(np.maximum(np.diag(t.cov), 0.0)) / scale
        rows = {"us": column_major(len(sd))[0], "diag": np.arange(len(sd)), "homdiag": np.zeros(1, np.intp)}[t.structure]
        floor[t.theta_index] = np.where(sd[rows] > 0, 0.1 * sd[rows], 0.1)
    return floor
