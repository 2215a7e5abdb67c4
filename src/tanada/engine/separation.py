"""Separation: coefficients whose maximum likelihood estimates are infinite.

Complete or quasi-complete separation of a response of successes and failures means that some combination d of the predictors has
x_i'd >= 0 in every row of successes and <= 0 in every row of failures, not all zero; a linear programme finds it (Konis 2007).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tanada.engine.glmm_input import GlmmInput

Array = NDArray[np.float64]

SUSPECT_SE = 20.0  # standard error of a coefficient of a unit-variance predictor, on the link scale
SUSPECT_ETA = 12.0


def separation_note(inputs: GlmmInput, eta: Array, vcov: Array) -> str:
    """A sentence on the separated coefficients of the conditional part; empty when there is nothing to say.

    The linear programme runs only when the fit looks suspicious: very large standard errors or predictors.
    """
    if inputs.info.support != "trials":
        return ""
    X, names = inputs.predictors[0].X, [n for n, b in zip(inputs.names, inputs.blocks) if b == "fixed:cond"]
    if X.shape[1] == 0:
        return ""
    at = [i for i, b in enumerate(inputs.blocks) if b == "fixed:cond"]
    spread = X.std(axis=0)
    spread[spread == 0] = np.abs(X[0, spread == 0])
    se = np.sqrt(np.abs(np.diag(vcov)[at])) * spread
    if np.all(np.isfinite(se)) and se.max() < SUSPECT_SE and float(np.abs(eta[:, 0]).max()) < SUSPECT_ETA:
        return ""
    found = separated_columns(X, inputs.data.y, inputs.data.trials, names)
    if not found:
        return ""
    listed = ", ".join(f"'{n}'" for n in found)
    return (
        f"separation: successes and failures are split by {listed}, whose coefficients have no finite estimate. "
        "Add priors={'b': 'normal(0, 2.5)'} for finite estimates, or drop the predictor."
    )


def separated_columns(X: Array, y: Array, trials: Array, names: Sequence[str]) -> list[str]:
    """Names of the columns in a separating direction, empty when there is none.

    Parameters
    ----------
    X : array (n, p)
    y, trials : arrays (n,)
        Successes and trials of each row.
    names : sequence of str, length p
    """
    from scipy.optimize import linprog

    side = np.where(y == 0, -1.0, np.where(y == trials, 1.0, 0.0))
    scale = np.abs(X).max(axis=0)
    scale[scale == 0] = 1.0
    rows = np.unique(np.column_stack([X / scale, side]), axis=0)
    Xs, side = rows[:, :-1], rows[:, -1]
    sure = side != 0
    A = -(side[sure][:, None] * Xs[sure])
    if not sure.any():
        return []
    equal = Xs[~sure] if (~sure).any() else None
    answer = linprog(
        A.sum(axis=0),
        A_ub=A,
        b_ub=np.zeros(len(A)),
        A_eq=equal,
        b_eq=None if equal is None else np.zeros(len(equal)),
        bounds=[(-1.0, 1.0)] * X.shape[1],
        method="highs",
    )
    if answer.status != 0 or answer.fun > -1e-6:
        return []
    direction = answer.x
    moving = [j for j in range(X.shape[1]) if abs(direction[j]) > 1e-6 * np.abs(direction).max()]
    named = [names[j] for j in moving if names[j] != "(Intercept)"]
    return named or [names[j] for j in moving]


def uniform_groups(y: Array, trials: Array, codes: NDArray[np.int32], levels: int) -> int:
    """Number of groups whose responses are all successes or all failures: they carry no information on slopes within groups."""
    successes = np.bincount(codes, weights=y, minlength=levels)
    total = np.bincount(codes, weights=trials, minlength=levels)
    return int(np.sum((total > 0) & ((successes == 0) | (successes == total))))
