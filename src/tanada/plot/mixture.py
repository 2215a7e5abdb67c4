"""Counts as observed, as one distribution without random effects would have them, and as the mixture over random effects has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import DataError, ModelError
from tanada.plot.model_data import count_label, random_terms
from tanada.plot.style import BLUE, GREY, LIGHT, RED, finish, legend, new_axes
from tanada.post.family_rows import all_predictors, family_of, zero_inflated

Array = NDArray[np.float64]

NODES = 161
REACH = 8.0  # standard deviations
MOST = 200_000  # rows times counts times nodes at once


def plot_mixture(m: Any, at: Mapping[str, Any] | None = None, single: bool = True, components: int = 0, ax: Any = None, data_only: bool = False) -> Any:
    """Observed counts against the fitted mixture distribution.

    Parameters
    ----------
    m : MixedResult
        Of a count family, or binomial with a number of trials.
    at : mapping, optional
        Rows to show: values of variables, such as {"x": 4}. Default all rows.
    single : bool
        Whether to show the distribution at random effects of zero too.
    components : int
        Number of values of the random effect whose distributions are drawn in grey, darker where the effect is more probable: what is mixed.
    ax : matplotlib Axes, optional
    data_only : bool
        Return y, observed, mixture, at_zero: numbers of rows.

    Returns
    -------
    matplotlib Axes, or a data frame

    Notes
    -----
    The mixture is P(y) = E_r[ P(y | eta + r) ], r normal with the variance of the row's random effects, summed over the rows; by the
    trapezoidal rule on 161 points, which for smooth integrands that vanish at both ends is as good as exact.

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("cbind(y, N - y) ~ x + (1 | id)", tn.load_dataset("seed_survival"), family="binomial")
    >>> len(m.plot(kind="mixture", at={"x": 4}, data_only=True))
    9
    """
    info = family_of(m.fit)
    if not info.discrete or getattr(info, "ordinal", False):
        raise ModelError(f"kind='mixture' shows counts; the family '{m.family}' has none. Use kind='predictive'.")
    rows = _rows(m, at)
    y = m.fit.data.y[rows]
    top = int(max(y.max(), m.fit.data.trials[rows].max() if m.family in ("binomial", "betabinomial") else min(y.max() * 1.3 + 2, y.max() + 200)))
    if top < 2:
        raise ModelError("kind='mixture' needs counts above 1; 0/1 responses have the same distribution with and without random effects. Use kind='population'.")
    values = np.arange(top + 1)
    columns = {
        "y": values,
        "observed": np.bincount(y.astype(int), minlength=top + 1).astype(float),
        "mixture": count_mixture(m, rows, values, np.linspace(-REACH, REACH, NODES)),
        "at_zero": count_mixture(m, rows, values, np.zeros(1)),
    }
    if data_only:
        return m.table(columns)
    ax = new_axes(ax, (6.6, 3.8))
    ax.bar(values, columns["observed"], color=LIGHT, width=0.8, label="observed")
    style = {"ms": 4.5, "lw": 1.5} if top < 40 else {"ms": 0, "lw": 1.5}
    for r in np.linspace(-2.5, 2.5, components) if components else ():
        own = count_mixture(m, rows, values, np.array([r]))
        ax.plot(values, own, color=GREY, lw=0.9, alpha=float(0.15 + 0.7 * np.exp(-0.5 * r * r)), label="parts of the mixture" if r == -2.5 else None)
    if single:
        ax.plot(values, columns["at_zero"], "s--", color=RED, label="without random effects", **style)
    ax.plot(values, columns["mixture"], "o-", color=BLUE, label="mixture over random effects", **style)
    ax.set_ylim(0, 1.12 * max(float(columns[k].max()) for k in ("observed", "mixture", "at_zero")))
    if top < 15:
        ax.set_xticks(values)
    ax.grid(False, axis="x")
    legend(ax)
    where = "" if not at else " (" + ", ".join(f"{k} = {v}" for k, v in at.items()) + ")"
    return finish(ax, f"{count_label(m)}{where}", "number of rows")


def _rows(m: Any, at: Mapping[str, Any] | None) -> NDArray[np.intp]:
    keep = np.ones(m.nobs, bool)
    for name, value in (at or {}).items():
        v = np.asarray(m.design.variable(name))
        keep &= np.isclose(v.astype(float), float(value)) if v.dtype.kind in "fiu" else v.astype(str) == str(value)
    if not keep.any():
        raise DataError(f"at = {dict(at or {})}: no row of the fit has these values.")
    return np.flatnonzero(keep)


def count_mixture(m: Any, rows: NDArray[np.intp], values: NDArray[np.intp], base: Array) -> Array:
    """Expected number of rows with each count: sum over rows of E_r[P(y | eta + sd r)], r at the points `base` with normal weights."""
    fit, info = m.fit, family_of(m.fit)
    etas = {c.name: np.asarray(c.offset + c.X @ fit.beta[c.name], float) for c in fit.data.components}
    plain, inflated = all_predictors(fit, etas)[rows], zero_inflated(fit)
    spread = np.zeros(len(rows))
    for design, term in zip(random_terms(m), fit.terms):
        z = design.Z[rows]
        spread += np.einsum("ij,jk,ik->i", z, term.cov, z)
    nodes = len(base)
    weight = np.exp(-0.5 * base**2)
    weight = weight / weight.sum()
    trials, sd = fit.data.trials[rows], np.sqrt(spread)
    total = np.zeros(len(values))
    size = max(1, MOST // (len(values) * nodes))
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        k = len(plain[part])
        eta = np.repeat(plain[part], nodes * len(values), axis=0).reshape(k, nodes, len(values), -1).copy()
        eta[..., 0] += (sd[part, None] * base)[:, :, None]
        flat = eta.reshape(-1, eta.shape[-1])
        y = np.broadcast_to(values.astype(float), (k, nodes, len(values))).ravel()
        n = np.broadcast_to(trials[part, None, None], (k, nodes, len(values))).ravel()
        p = _probability(info, y, flat, n, inflated).reshape(k, nodes, len(values))
        total += np.einsum("j,kjv->v", weight, p)
    return total


def _probability(info: Any, y: Array, eta: Array, trials: Array, inflated: bool) -> Array:
    allowed = y <= trials if info.name in ("binomial", "betabinomial") else np.ones(len(y), bool)
    y = np.where(allowed, y, 0.0)
    with np.errstate(all="ignore"):
        return np.where(allowed, np.exp(info.log_density(y, eta, trials, inflated)), 0.0)
