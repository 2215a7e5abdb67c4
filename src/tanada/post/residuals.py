"""Residuals and fitted values on the rows of the fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.errors import ModelError, did_you_mean

Array = NDArray[np.float64]

KINDS = ("response", "pearson", "deviance", "scaled", "quantile")


def residuals(fit: MixedFit, kind: str, seed: int | None = None) -> Array:
    """Residuals of one kind, (n,).

    response: y - mean (proportions for binomial counts); pearson: divided by the square root of the variance function and prior
    weight; scaled: Pearson residuals divided by the dispersion (sigma); deviance: signed square roots of the deviance contributions; quantile: randomized
    quantile residuals (Dunn & Smyth 1996), standard normal when the model is right.
    """
    if kind not in KINDS:
        raise ModelError(f"kind = {kind!r} is not a kind of residual.{did_you_mean(str(kind), KINDS)}")
    if fit.family != "gaussian" or "predictors" in fit.extra:
        from tanada.post.family_residuals import family_residuals

        return family_residuals(fit, kind, seed)
    raw = fit.data.y - fit.fitted
    if kind == "response":
        return raw
    weighted = raw * np.sqrt(fit.data.weights)
    if kind in ("pearson", "deviance"):
        return weighted
    return weighted / float(fit.sigma or 1.0)
