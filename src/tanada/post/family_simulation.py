"""Responses of generalized models simulated from their linear predictors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.engine.family import simulate_categories
from tanada.engine.fit import MixedFit
from tanada.post.family_rows import all_predictors, family_of, zero_inflated

Array = NDArray[np.float64]


def simulate_family(fit: MixedFit, etas: dict[str, Array], rng: np.random.Generator) -> Array:
    """(rows, n) responses: numbers of successes for families with trials, category numbers for ordinal ones."""
    info, zi = family_of(fit), zero_inflated(fit)
    out = np.empty_like(etas["cond"])
    for s in range(out.shape[1]):
        one = {k: v[:, s] for k, v in etas.items()}
        if info.ordinal:
            out[:, s] = simulate_categories(info, one["cond"], np.asarray(fit.extra["thresholds"], float), rng)
        else:
            out[:, s] = info.simulate(all_predictors(fit, one), rng, fit.data.trials, zi)
    return out
