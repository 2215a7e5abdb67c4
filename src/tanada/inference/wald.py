"""Wald tables of the fixed effects: t or z statistics, p values, intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from tanada.errors import ModelError
from tanada.inference.ddf import FixedTests
from tanada.inference.workspace import Workspace

Array = NDArray[np.float64]


def check_level(level: float) -> float:
    """A confidence level as a number between 0 and 1."""
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise ModelError(f"level = {level!r}; it takes a number between 0 and 1, such as 0.95.")
    return float(level)


def critical(level: float, df: Array) -> Array:
    """Two-sided critical values of t with `df` degrees of freedom; normal where df is infinite."""
    df = np.asarray(df, float)
    finite = np.isfinite(df)
    t = stdtrit(np.where(finite & (df > 0), df, 1.0), 0.5 + level / 2)
    return np.where(finite, np.where(df > 0, t, np.nan), np.where(np.isnan(df), np.nan, ndtri(0.5 + level / 2)))


def p_values(statistic: Array, df: Array) -> Array:
    """Two-sided p values."""
    statistic, df = np.asarray(statistic, float), np.asarray(df, float)
    finite = np.isfinite(df)
    t = 2 * stdtr(np.where(finite & (df > 0), df, 1.0), -np.abs(statistic))
    return np.where(finite, np.where(df > 0, t, np.nan), np.where(np.isnan(df), np.nan, 2 * ndtr(-np.abs(statistic))))


def fixed_table(work: Workspace, tests: FixedTests, level: float) -> dict[str, Any]:
    """component, term, estimate, std_error, statistic, df, p_value, conf_low, conf_high; aliased terms last, with NaN."""
    component, term, aliased = [], [], []
    for c in work.fit.data.components:
        component += [c.name] * len(c.names)
        term += list(c.names)
        aliased += [(c.name, a) for a in c.aliased]
    estimate = tests.beta
    se = np.sqrt(np.maximum(np.diag(tests.vcov), 0.0)) if len(estimate) else np.zeros(0)
    df = np.array([tests.tests.df(row) for row in np.eye(len(estimate))])
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / se
    half = critical(level, df) * se
    columns = {
        "estimate": estimate,
        "std_error": se,
        "statistic": statistic,
        "df": df,
        "p_value": p_values(statistic, df),
        "conf_low": estimate - half,
        "conf_high": estimate + half,
    }
    cuts = threshold_columns(work, level)
    missing = np.full(len(aliased), np.nan)
    return {
        "component": np.array(component + ["threshold"] * len(cuts["estimate"]) + [a[0] for a in aliased], dtype=object),
        "term": np.array([*term, *cuts["term"], *(a[1] for a in aliased)], dtype=object),
        **{k: np.concatenate([v, cuts[k], missing]) for k, v in columns.items()},
    }


def threshold_columns(work: Workspace, level: float) -> dict[str, Any]:
    """The thresholds of an ordinal model with z tests; empty columns for other models."""
    at = work.fit.params.index("threshold")
    estimate = np.asarray(work.fit.values, float)[at]
    se = np.sqrt(np.maximum(np.diag(work.full_vcov)[at], 0.0)) if len(at) else np.zeros(0)
    df = np.full(len(at), np.inf)
    half = critical(level, df) * se
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / se
    return {
        "term": [work.fit.params.names[j] for j in at],
        "estimate": estimate,
        "std_error": se,
        "statistic": statistic,
        "df": df,
        "p_value": p_values(statistic, df),
        "conf_low": estimate - half,
        "conf_high": estimate + half,
    }
