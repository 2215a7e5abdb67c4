"""Likelihood-ratio comparison of nested fits to the same rows of the same response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import chdtrc

from tanada.engine.fit import MixedFit
from tanada.errors import DataError, ModelError


def check_comparable(fits: Sequence[MixedFit], labels: Sequence[str]) -> None:
    """An error that says how two fits differ in their data, response or likelihood."""
    first = fits[0]
    for fit, label in zip(fits[1:], labels[1:]):
        if fit.data.response != first.data.response:
            raise DataError(
                f"anova: '{label}' models '{fit.data.response}' and '{labels[0]}' models '{first.data.response}'; models must share the response."
            )
        if fit.nobs != first.nobs:
            raise DataError(
                f"anova: '{label}' was fitted to {fit.nobs} rows and '{labels[0]}' to {first.nobs}; fit both to the same rows "
                "(missing values in a predictor drop rows of one model only)."
            )
        if not (np.array_equal(fit.data.y, first.data.y) and np.array_equal(fit.data.trials, first.data.trials)):
            raise DataError(f"anova: '{label}' and '{labels[0]}' were fitted to different values or another row order of '{first.data.response}'.")
        if not np.array_equal(fit.data.weights, first.data.weights):
            raise DataError(f"anova: '{label}' and '{labels[0]}' have different weights.")


def same_fixed_part(fits: Sequence[MixedFit]) -> bool:
    """Whether all conditional fixed-effects matrices span the same columns by name and value."""
    first = fits[0].data.components[0]
    return all(
        f.data.components[0].names == first.names and np.array_equal(f.data.components[0].X, first.X)
        for f in fits[1:]
    )


def comparison_table(fits: Sequence[MixedFit], labels: Sequence[str]) -> dict[str, Any]:
    """model, npar, aic, bic, loglik, deviance, chisq, df, p_value, ordered by number of parameters."""
    order = sorted(range(len(fits)), key=lambda i: fits[i].npar)
    npar = np.array([fits[i].npar for i in order])
    loglik = np.array([fits[i].loglik for i in order])
    n = fits[0].nobs
    chisq, df = np.full(len(order), np.nan), np.full(len(order), np.nan)
    chisq[1:], df[1:] = np.maximum(2 * np.diff(loglik), 0.0), np.diff(npar)
    p = np.full(len(order), np.nan)
    p[1:] = np.where(df[1:] > 0, chdtrc(np.maximum(df[1:], 1.0), chisq[1:]), np.nan)
    return {
        "model": np.array([labels[i] for i in order], dtype=object),
        "npar": npar.astype(np.int64),
        "aic": -2 * loglik + 2 * npar,
        "bic": -2 * loglik + np.log(n) * npar,
        "loglik": loglik,
        "deviance": -2 * loglik,
        "chisq": chisq,
        "df": df,
        "p_value": p,
    }


def check_two(n: int) -> None:
    """At least one model must be given."""
    if n == 0:
        raise ModelError("anova needs at least one fitted model.")
