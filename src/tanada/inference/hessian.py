"""Second derivatives of the deviance by central differences of its exact gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit

Array = NDArray[np.float64]

STEP = 6e-6  # near the cube root of the machine epsilon


def gradient_differences(fit: MixedFit, positions: NDArray[np.intp], gradient: Callable[[Array], Array] | None = None) -> Array:
    """Columns d gradient / d value_j of the Hessian of the deviance (d, len(positions)), at the optimum.

    `gradient` is that of the deviance unless given. Steps are relative to max(|value|, 0.1); a parameter whose bound is nearer than its step moves to one side only.
    """
    x = np.asarray(fit.values, float)
    gradient = fit.objective.gradient if gradient is None else gradient
    out = np.empty((x.size, len(positions)))
    for column, j in enumerate(positions):
        h = STEP * max(abs(x[j]), 0.1)
        up, down = x.copy(), x.copy()
        up[j] = min(x[j] + h, fit.params.upper[j])
        down[j] = max(x[j] - h, fit.params.lower[j])
        g = np.asarray(gradient(up), float) - np.asarray(gradient(down), float)
        out[:, column] = g / (up[j] - down[j])
    return out
