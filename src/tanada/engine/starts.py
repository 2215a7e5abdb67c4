"""Start values of the coefficients of generalised linear mixed models, from the moments of the response.

The core improves them by a fit without random effects and finds the first standard deviations by the method of moments.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.engine.glmm_input import GlmmInput, Predictor
from tanada.errors import ModelError

Array = NDArray[np.float64]


def start_coefficients(inputs: GlmmInput, given: dict[str, object] | None = None) -> Array:
    """Coefficients in the core's order: location at the link of the mean, dispersion and shapes by moments, zero inflation by the zeros.

    Parameters
    ----------
    inputs : GlmmInput
    given : dict, optional
        The user's `start`: "beta" (array for the conditional part, or a dict by component), "theta" (not used here).

    Raises
    ------
    ModelError
        Start values of the wrong length.
    """
    data, info = inputs.data, inputs.info
    beta = np.zeros(inputs.beta_count)
    tail = iter(info.start(data.y, data.trials)) if not info.ordinal else iter(())
    for number, p in enumerate(inputs.predictors):
        if p.role == "threshold":
            if number == 1:
                _thresholds(inputs, beta)
            continue
        if p.role == "cond":
            target = None if info.ordinal else _location(inputs)
        elif p.role == "zi":
            target = _zero_inflation(inputs)
        else:
            target = float(next(tail))
        if target is not None:
            _level(p, target, beta)
    if given and given.get("beta") is not None:
        _given(inputs, given["beta"], beta)
    return beta


def _location(inputs: GlmmInput) -> float:
    data, info = inputs.data, inputs.info
    y = data.y
    if info.support == "trials":
        share = float(y.sum() / data.trials.sum())
        return float(info.linkfun(np.array([np.clip(share, 0.01, 0.99)]))[0])
    used = y[y > 0] if info.hurdle or (info.support == "positive" and inputs.zero_inflated) else y
    weight = float(np.mean(np.exp(np.clip(inputs.predictors[0].offset, -50, 50)))) if info.link == "log" else 1.0
    mean = float(used.mean()) / weight if used.size else 1.0
    if info.support in ("unit", "closed unit"):
        mean = float(np.clip(mean, 0.01, 0.99))
    elif info.support not in ("real",):
        mean = max(mean, 1e-8)
    elif info.link in ("log", "inverse", "sqrt"):
        mean = max(mean, 1e-3 * float(np.abs(used).max() or 1.0))
    value = float(info.linkfun(np.array([mean]))[0])
    return value if np.isfinite(value) else 0.0


def _zero_inflation(inputs: GlmmInput) -> float:
    zeros = float(np.mean(inputs.data.y == 0))
    share = zeros if inputs.info.hurdle or inputs.info.support == "positive" else 0.5 * zeros
    share = float(np.clip(share, 0.02, 0.9))
    return float(np.log(share / (1 - share)))


def _level(p: Predictor, target: float, beta: Array) -> None:
    """Coefficients that put the predictor at about `target` everywhere."""
    q = p.X.shape[1]
    if q == 0:
        return
    shift = target if p.role == "cond" and not np.any(p.offset) else target
    constant = next((j for j in range(q) if p.X[0, j] != 0 and np.all(p.X[:, j] == p.X[0, j])), None)
    if constant is not None:
        beta[p.first + constant] = shift / p.X[0, constant]
        return
    gram = p.X.T @ p.X
    beta[p.first : p.first + q] = np.linalg.lstsq(gram, p.X.T @ np.full(len(p.X), shift), rcond=None)[0]


def _thresholds(inputs: GlmmInput, beta: Array) -> None:
    at = np.array([i for i, b in enumerate(inputs.blocks) if b == "threshold"])
    y = inputs.data.y
    count = max(len(inputs.data.response_levels), int(y.max()) + 1) - 1
    share = np.array([np.mean(y <= k) for k in range(count)])
    share = np.clip(share, 0.5 / len(y), 1 - 0.5 / len(y))
    cuts = np.asarray(inputs.info.linkfun(share), float) + 1e-3 * np.arange(count)
    if inputs.names[at[-1]] == "spacing":
        slope = max((cuts[-1] - cuts[0]) / max(count - 1, 1), 1e-2)
        beta[at] = [cuts[0], slope]
    else:
        beta[at] = cuts


def _given(inputs: GlmmInput, values: object, beta: Array) -> None:
    parts = values if isinstance(values, dict) else {"cond": values}
    for name, part in parts.items():
        at = [i for i, b in enumerate(inputs.blocks) if b == f"fixed:{name}"]
        v = np.asarray(part, float).ravel()
        if len(v) != len(at):
            raise ModelError(
                f"start['beta'] has {len(v)} values for component '{name}'; it has {len(at)} coefficients."
            )
        beta[at] = v
