"""Residuals of generalized models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.errors import ModelError
from tanada.post.family_rows import family_of, zero_inflated

Array = NDArray[np.float64]


def family_residuals(fit: MixedFit, kind: str, seed: int | None) -> Array:
    """Residuals of one kind, (n,); responses with trials count as proportions."""
    data, info, zi = fit.data, family_of(fit), zero_inflated(fit)
    eta = np.asarray(fit.extra["eta"], float)
    if kind == "quantile":
        return info.quantile_residuals(data.y, eta, data.trials, zi, seed)
    observed = data.y / data.trials if info.support == "trials" else data.y
    raw = observed - fit.fitted
    if kind == "response":
        return raw
    if info.ordinal:
        raise ModelError(f"kind = '{kind}': an ordinal response has 'response' and 'quantile' residuals.")
    if kind == "deviance":
        if zi:
            raise ModelError("deviance residuals are not defined for zero-inflated models; use 'quantile' or 'pearson'.")
        return info.deviance_residuals(data.y, fit.fitted, eta, data.trials) * np.sqrt(data.weights)
    variance = info.variance(eta, data.trials, zi)
    return raw * np.sqrt(data.weights / variance)
