"""The family of a fit and the (n, m) array of all its linear predictors, from those of its components."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.inference.system import family_of as family_of

Array = NDArray[np.float64]


def all_predictors(fit: MixedFit, etas: Mapping[str, Array]) -> Array:
    """Predictors (n, m) in the family's order: components as given, constant dispersion and shapes from the estimates."""
    n = len(etas["cond"])
    constants = list(fit.values[np.concatenate([fit.params.index(b) for b in ("dispersion", "sigma", "shape")])])
    columns = []
    for role in fit.extra["predictors"]:
        if role in etas:
            columns.append(np.asarray(etas[role], float))
        elif role == "threshold":
            columns.append(np.zeros(n))
        else:
            columns.append(np.full(n, constants.pop(0)))
    return np.ascontiguousarray(np.column_stack(columns))


def zero_inflated(fit: MixedFit) -> bool:
    """Whether the last predictor is that of zero inflation."""
    return bool(fit.extra["zero_inflated"])
