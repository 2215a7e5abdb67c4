"""Contrasts of marginal means or slopes, within the cells of other variables, with corrections for multiplicity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import ModelError, did_you_mean
from tanada.inference.wald import critical, p_values
from tanada.post.adjust import adjusted, method_name
from tanada.post.contrast_rows import contrast_rows
from tanada.post.functionals import Functional
from tanada.post.marginal import Marginal

Array = NDArray[np.float64]

COMPARISONS = ("difference", "ratio", "odds_ratio")


@dataclass(frozen=True)
class ContrastAsk:
    """What to compare: method, reference, scale of comparison, correction."""

    method: Any = "pairwise"
    reference: Any = None
    comparison: str = "difference"
    adjust: str | None = None


def contrast_table(m: Marginal, names: list[str], by: list[str], ask: ContrastAsk, level: float) -> dict[str, Any]:
    """The `by` columns, contrast, estimate, std_error, conf_low, conf_high, statistic, df, p_value.

    Parameters
    ----------
    m : Marginal
        Estimates on a grid of `names` and `by`.
    names : list of str
        Variables whose combinations are compared.
    by : list of str
        Variables within whose combinations they are compared; each combination is a family of its own for the correction.
    """
    name = method_name(ask.adjust)
    if ask.comparison not in COMPARISONS:
        raise ModelError(f"comparison = {ask.comparison!r}.{did_you_mean(str(ask.comparison), COMPARISONS)}")
    f = _transformed(m, ask.comparison)
    by = [*by, "category"] if "category" in m.grid and "category" not in [*by, *names] else by
    rows = []
    for cell in _cells(m.grid, by, len(f.estimate)):
        labels = [_label(m.grid, names, k) for k in cell]
        titles, L = contrast_rows(ask.method, labels, ask.reference)
        rows.append((cell[0], len(cell), titles, f.combine(_embed(L, cell, len(f.estimate)))))
    if name == "tukey" and ask.method not in ("pairwise", "revpairwise"):
        raise ModelError("adjust = 'tukey' is for all pairwise differences; use 'mvt', 'holm' or 'bonferroni' for other contrasts.")
    blocks = [_family(m, first, by, k, titles, g, name, ask.comparison, level) for first, k, titles, g in rows]
    return {c: np.concatenate([b[c] for b in blocks]) for c in blocks[0]}


def _cells(grid: dict[str, NDArray[Any]], by: list[str], n: int) -> list[NDArray[np.intp]]:
    if not by:
        return [np.arange(n)]
    keys = list(zip(*(grid[v] for v in by), strict=True))
    return [np.array([i for i, k in enumerate(keys) if k == key]) for key in dict.fromkeys(keys)]


def _embed(L: Array, cell: NDArray[np.intp], n: int) -> Array:
    out = np.zeros((len(L), n))
    out[:, cell] = L
    return out


def _transformed(m: Marginal, comparison: str) -> Functional:
    """Estimates whose differences are compared: as they are, their logarithms, or their log odds."""
    e, g = m.functional.estimate, m.functional.gradient
    if comparison == "difference":
        return m.functional
    if m.slope:
        raise ModelError("slopes are compared by their differences.")
    if comparison == "ratio":
        if np.any(e <= 0):
            raise ModelError("comparison = 'ratio' needs positive means; use 'difference'.")
        return Functional(np.log(e), g / e[:, None])
    if np.any((e <= 0) | (e >= 1)):
        raise ModelError("comparison = 'odds_ratio' needs means between 0 and 1.")
    return Functional(np.log(e) - np.log1p(-e), g / (e * (1 - e))[:, None])


def _family(
    m: Marginal, first: int, by: list[str], means: int, titles: list[str], f: Functional, adjust: str, comparison: str, level: float
) -> dict[str, NDArray[Any]]:
    V = f.gradient @ m.tests.vcov @ f.gradient.T
    se = np.sqrt(np.maximum(np.diag(V), 0.0))
    df = np.array([m.tests.tests.df(row) if np.any(row) and np.isfinite(row).all() else np.nan for row in f.gradient])
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(se > 0, f.estimate / se, np.nan)
        correlation = V / np.outer(se, se)
    p, crit = adjusted(adjust, statistic, df, p_values(statistic, df), correlation, means, level)
    crit = np.where(np.isfinite(crit), crit, critical(level, df))
    estimate, low, high = f.estimate, f.estimate - crit * se, f.estimate + crit * se
    if comparison != "difference":
        estimate, low, high = np.exp(estimate), np.exp(low), np.exp(high)
        se = se * estimate
        titles = [t.replace(" - ", " / ") for t in titles]
    n = len(titles)
    return {
        **{v: np.repeat(m.grid[v][first : first + 1], n) for v in by},
        "contrast": np.array(titles, dtype=object),
        "estimate": estimate,
        "std_error": se,
        "conf_low": low,
        "conf_high": high,
        "statistic": statistic,
        "df": df,
        "p_value": p,
    }


def _label(grid: dict[str, NDArray[Any]], names: list[str], k: int) -> str:
    return " ".join(_text(grid[v][k]) for v in names)


def _text(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    return f"{float(value):.4g}" if isinstance(value, (int, float, np.number)) else str(value)
