"""Predictions on the scale asked for: linear predictors, means, zero probabilities, dispersion, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tanada.design.matrices import ComponentDesign
from tanada.engine.fit import MixedFit
from tanada.inference.wald import critical
from tanada.inference.workspace import Workspace
from tanada.post.prediction import Predictor, Request, linear_predictors

Array = NDArray[np.float64]


def predictions(work: Workspace, components: Sequence[ComponentDesign], request: Request, weights: Array, trials: Array) -> dict[str, Array]:
    """estimate (and std_error, conf_low, conf_high when asked for), one entry a row.

    Parameters
    ----------
    work : Workspace
    components : sequence of ComponentDesign
        The rows to predict, fitted or new.
    request : Request
    weights, trials : arrays (n,)
        Prior weights and binomial trials of the rows (for prediction intervals).
    """
    fit = work.fit
    found = linear_predictors(work, components, request)
    identity = fit.family == "gaussian" and fit.link == "identity" and "zi" not in found
    if request.kind == "link" or (identity and request.kind in ("response", "conditional")):
        noise = _noise(fit, found, weights) if request.interval == "prediction" else None
        return _linear(fit, found["cond"], request, noise)
    from tanada.post.family_prediction import predict_family

    return predict_family(work, components, found, request, trials)


def _noise(fit: MixedFit, found: dict[str, Predictor], weights: Array) -> Array:
    """Variance of a new observation around its mean."""
    if "disp" in found:
        return np.asarray(np.exp(2 * found["disp"].eta) / weights, float)
    return np.asarray(float(fit.sigma or 0.0) ** 2 / weights, float)


def _linear(fit: MixedFit, p: Predictor, request: Request, noise: Array | None) -> dict[str, Array]:
    out = {"estimate": p.eta}
    if p.variance is None:
        return out
    se = np.where(np.isnan(p.eta), np.nan, np.sqrt(np.maximum(p.variance, 0.0)))
    out["std_error"] = se
    if request.interval is not None:
        spread = se if noise is None else np.sqrt(se**2 + p.unknown + noise)
        exact = fit.family == "gaussian" and not fit.terms
        df = float(fit.nobs - len(fit.vcov_beta)) if exact else np.inf
        half = float(critical(request.level, np.array(df))) * spread
        out["conf_low"], out["conf_high"] = p.eta - half, p.eta + half
    return out
