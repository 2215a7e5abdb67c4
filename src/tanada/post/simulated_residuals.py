"""Quantile residuals by simulation: where each response lies among responses simulated with new random effects.

Discrete responses are placed at random within their step, so that the residuals are standard normal when the model is right. Residuals given the
predicted random effects (Dunn & Smyth 1996) are too small where a group has few rows; these are not. Cost: n simulations.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.errors import ModelError
from tanada.post.simulation import simulate

Array = NDArray[np.float64]


def simulated_residuals(fit: MixedFit, n: int = 250, seed: int | None = None) -> Array:
    """Normal scores (rows,) of the responses among n simulations.

    Raises
    ------
    ModelError
        When n is too small to say anything.
    """
    if n < 20:
        raise ModelError(f"n = {n}; residuals by simulation take 20 simulations or more.")
    from scipy.special import ndtri

    drawn = np.asarray(simulate(fit, n, seed, "new"), float)
    y = np.asarray(fit.data.y, float)[:, None]
    below, equal = (drawn < y).sum(axis=1), (drawn == y).sum(axis=1)
    u = (below + (equal + 1) * np.random.default_rng(seed).random(len(below))) / (n + 1)
    return np.asarray(ndtri(np.clip(u, 0.25 / (n + 1), 1 - 0.25 / (n + 1))), float)
