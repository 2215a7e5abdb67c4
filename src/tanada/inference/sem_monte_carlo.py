"""Monte Carlo intervals of defined parameters: draws from the estimates' normal distribution (MacKinnon, Lockwood & Williams 2004)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_fit import SemFit
from tanada.errors import ModelError

Array = NDArray[np.float64]


def monte_carlo(fit: SemFit, V: Array, level: float, n: int, seed: int) -> list[tuple[str, float, float, float]]:
    """Name, estimate and percentile limits of each defined parameter."""
    functions = fit.functions
    if not functions.defined:
        raise ModelError("monte_carlo: the model defines no parameter; write one, such as ind := a*b.")
    if not np.isfinite(V).all():
        raise ModelError("monte_carlo: the covariance matrix of the estimates is not available (the model is not identified, or se='none').")
    w, Q = np.linalg.eigh(V)
    root = Q * np.sqrt(np.maximum(w, 0.0))
    rng = np.random.default_rng(seed)
    values = np.empty((n, len(functions.defined)))
    for i, z in enumerate(rng.standard_normal((n, len(w)))):
        names = functions.names(fit.x + root @ z)
        values[i] = [names[name].value for name, _ in functions.defined]
    tail = (1.0 - level) / 2.0
    low, high = np.nanquantile(values, [tail, 1.0 - tail], axis=0)
    here = functions.names(fit.x)
    return [(name, here[name].value, float(a), float(b)) for (name, _), a, b in zip(functions.defined, low, high)]
