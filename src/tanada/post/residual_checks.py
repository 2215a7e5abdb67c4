"""Quantile residuals by simulation (Hartig's DHARMa): uniformity, dispersion, outliers.

Data sets are simulated with new random effects; a row's residual is the rank of its response among its simulated values, ties broken at random, uniform
on (0, 1) when the model is right. Rows of a group are not independent, so the distribution of each statistic comes from the simulated data sets
themselves, ranked in the same pool: the p values hold whatever the grouping (estimated parameters are taken as known).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.post.check import OK, WARNING, Check, p_words
from tanada.post.family_rows import family_of
from tanada.post.simulation import simulate

Array = NDArray[np.float64]

ALPHA = 0.05
MAX_ROWS = 50_000  # rows ranked; of more, a random part is taken
MAX_CELLS = 20_000_000  # simulated values held at once


@dataclass(frozen=True)
class Simulated:
    """Ranks of observed (column 0) and simulated responses.

    Attributes
    ----------
    rows : int array (n,)
        Rows of the fit: all, or a random part of very many.
    u : array (n, 1 + nsim)
        Residuals of the observed and of each simulated data set.
    sums : array (1 + nsim,)
        Mean squared distance from the mean of the simulations, relative to its variance.
    """

    rows: NDArray[np.intp]
    u: Array
    sums: Array

    @property
    def residuals(self) -> Array:
        return np.asarray(self.u[:, 0], float)


def simulated_residuals(fit: MixedFit, n: int, seed: int | None, re: str) -> Simulated:
    """Residuals of the fit by `n` simulated data sets."""
    rng = np.random.default_rng(seed)
    rows = np.arange(fit.nobs) if fit.nobs <= MAX_ROWS else np.sort(rng.choice(fit.nobs, MAX_ROWS, replace=False))
    pool = np.empty((len(rows), n + 1))
    pool[:, 0] = fit.data.y[rows]
    part = max(1, MAX_CELLS // fit.nobs)
    for start in range(0, n, part):
        size = min(part, n - start)
        pool[:, 1 + start : 1 + start + size] = simulate(fit, size, rng, re)[rows]
    mean, sd = pool.mean(axis=1, keepdims=True), pool.std(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = np.nanmean(np.where(sd > 0, ((pool - mean) / sd) ** 2, np.nan), axis=0)
    discrete = fit.family != "gaussian" and family_of(fit).discrete
    jitter = rng.random(pool.shape) * (0.5 if discrete else 1e-9 * np.maximum(sd, 1e-300))
    ranks = np.argsort(np.argsort(pool + jitter, axis=1), axis=1)
    return Simulated(rows, (ranks + rng.random(pool.shape)) / (n + 1), sums)


def kolmogorov(u: Array) -> Array:
    """Kolmogorov-Smirnov distance from the uniform distribution of each column."""
    n = len(u)
    x = np.sort(u, axis=0)
    upper = np.arange(1, n + 1)[:, None] / n
    return np.asarray(np.maximum((upper - x).max(axis=0), (x - (upper - 1 / n)).max(axis=0)))


def _p_upper(values: Array) -> float:
    return float((1 + np.sum(values[1:] >= values[0] - 1e-12)) / len(values))


def _p_two_sided(values: Array) -> float:
    above, below = np.mean(values[1:] >= values[0]), np.mean(values[1:] <= values[0])
    return float(min(1.0, 2 * (min(above, below) * (len(values) - 1) + 1) / len(values)))


def residual_checks(fit: MixedFit, s: Simulated) -> list[Check]:
    """Uniformity, dispersion, outliers."""
    n = s.u.shape[1] - 1
    data = {"residuals": {"fitted": np.asarray(fit.fitted, float)[s.rows], "residual": s.residuals}}
    distance = kolmogorov(s.u)
    p = _p_upper(distance)
    if p < ALPHA:
        text = f"Quantile residuals are not uniform (KS distance {distance[0]:.3f}, {p_words(p)}): the distribution or a predictor's shape is wrong; plot them."
        uniform = Check("residuals: uniformity", WARNING, text, float(distance[0]), p, data)
    else:
        uniform = Check("residuals: uniformity", OK, f"Quantile residuals are uniform (KS distance {distance[0]:.3f}, {p_words(p)}).", float(distance[0]), p, data)
    ratio = float(s.sums[0] / np.mean(s.sums[1:]))
    p = _p_two_sided(s.sums)
    if p < ALPHA:
        what = "more" if ratio > 1 else "less"
        spread = Check("residuals: dispersion", WARNING, f"The data vary {what} than the model's simulations (ratio {ratio:.2f}, {p_words(p)}).", ratio, p)
    else:
        spread = Check("residuals: dispersion", OK, f"The data vary as the model's simulations do (ratio {ratio:.2f}, {p_words(p)}).", ratio, p)
    edge = 1.0 / (n + 1)
    out = np.sum((s.u < edge) | (s.u > 1 - edge), axis=0).astype(float)
    p = _p_two_sided(out)
    share = f"{out[0]:.0f} of {len(s.rows)} rows lie outside all {n} simulations ({2 * edge * len(s.rows):.1f} expected, {p_words(p)})"
    few = Check("residuals: outliers", WARNING if p < ALPHA else OK, ("Outliers: " if p < ALPHA else "No excess of outliers: ") + share + ".", float(out[0]), p)
    return [uniform, spread, few]
