"""Responses simulated from a fitted model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.errors import ModelError, did_you_mean

Array = NDArray[np.float64]

RE = ("new", "conditional")


def simulate(fit: MixedFit, n: int, seed: int | np.random.Generator | None, re: str) -> Array:
    """(rows, n) simulated responses.

    Parameters
    ----------
    fit : MixedFit
    n : int
        Number of data sets.
    seed : int, Generator or None
    re : {"new", "conditional"}
        New random effects for each data set, or the conditional modes of the fit.
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ModelError(f"simulate: n = {n!r}; it takes a whole number of 1 or more.")
    if re not in RE:
        raise ModelError(f"simulate: re = {re!r}; accepted are 'new' and 'conditional'.{did_you_mean(str(re), RE)}")
    rng = np.random.default_rng(seed)
    etas = {c.name: linear_predictor(fit, c.name, int(n), re, rng) for c in fit.data.components}
    if "predictors" in fit.extra:
        from tanada.post.family_simulation import simulate_family

        return simulate_family(fit, etas, rng)
    scale = float(fit.sigma or 0.0) / np.sqrt(fit.data.weights)
    return etas["cond"] + scale[:, None] * rng.standard_normal((fit.nobs, int(n)))


def linear_predictor(fit: MixedFit, component: str, n: int, re: str, rng: np.random.Generator) -> Array:
    """(rows, n) linear predictors of a component with new or conditional random effects."""
    design = fit.data.component(component)
    base = design.offset + design.X @ fit.beta[component]
    eta = np.repeat(base[:, None], n, axis=1)
    for t, d in zip([t for t in fit.terms if t.component == component], design.random):
        if re == "conditional":
            eta += np.einsum("nk,nk->n", d.Z, t.modes[d.codes])[:, None]
            continue
        b = rng.standard_normal((n, len(t.levels), len(t.names))) @ t.factor.T
        for s in range(n):
            eta[:, s] += np.einsum("nk,nk->n", d.Z, b[s][d.codes])
    return eta
