"""Standard errors of functions of the free parameters, by the delta method with a numerical Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_fit import SemFit
from tanada.engine.sem_wls import settle_ordered

Array = NDArray[np.float64]


def moved(fit: SemFit, x: Array) -> SemFit:
    """The fit at other parameter values."""
    built = settle_ordered(fit.built, x, fit.options.parameterization == "theta") if fit.table.ordered else fit.built
    return replace(fit, x=x, built=built)


def delta_method(fit: SemFit, V: Array, f: Callable[[SemFit], Array]) -> Array:
    """Standard errors of f(fit), a vector, by central differences; 0 where f does not depend on the parameters."""
    x = fit.x
    se = np.sqrt(np.maximum(np.nan_to_num(np.diag(V)), 0.0))
    step = np.where(se > 0, 1e-3 * se, 1e-6 * (1.0 + np.abs(x)))
    columns = []
    for k, h in enumerate(step):
        up, down = x.copy(), x.copy()
        up[k] += h
        down[k] -= h
        columns.append((f(moved(fit, up)) - f(moved(fit, down))) / (2.0 * h))
    if not columns:
        return np.zeros_like(f(fit))
    J = np.stack(columns, axis=1)
    return np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", J, V, J), 0.0))
