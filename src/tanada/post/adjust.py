"""Multiplicity: adjusted p values and critical values for a family of estimates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.errors import ModelError, did_you_mean
from tanada.inference.wald import critical

Array = NDArray[np.float64]

METHODS = ("none", "bonferroni", "sidak", "holm", "hochberg", "fdr", "by", "tukey", "mvt")
ALIASES = {"bh": "fdr", "benjamini-hochberg": "fdr", "none": "none"}
DRAWS = 2**16


def method_name(adjust: str | None) -> str:
    """The canonical name of an adjustment.

    Raises
    ------
    ModelError
        When it is unknown.
    """
    if adjust is None:
        return "none"
    name = ALIASES.get(str(adjust).lower(), str(adjust).lower())
    if name not in METHODS:
        raise ModelError(f"adjust = {adjust!r} is not a correction.{did_you_mean(str(adjust), METHODS)}")
    return name


def adjusted(name: str, statistic: Array, df: Array, p: Array, correlation: Array, means: int, level: float) -> tuple[Array, Array]:
    """Adjusted p values and critical values of one family.

    Parameters
    ----------
    name : str
        From `method_name`.
    statistic, df, p : arrays (q,)
    correlation : array (q, q)
        Correlations of the estimates ("mvt").
    means : int
        Number of means behind pairwise differences ("tukey").
    level : float

    Returns
    -------
    p_value, critical : arrays (q,)
        Holm, Hochberg and false-discovery-rate corrections leave the critical values as they are.
    """
    q = int(np.sum(np.isfinite(p)))
    plain = critical(level, df)
    if name == "none" or q <= 1:
        return p, plain
    if name == "bonferroni":
        return np.minimum(p * q, 1.0), critical(1 - (1 - level) / q, df)
    if name == "sidak":
        return -np.expm1(q * np.log1p(-np.minimum(p, 1 - 1e-16))), critical(level ** (1 / q), df)
    if name in ("holm", "hochberg", "fdr", "by"):
        return _stepwise(name, p, q), plain
    if name == "tukey":
        return _tukey(statistic, df, means, level)
    return _multivariate(statistic, df, correlation, level)


def _stepwise(name: str, p: Array, q: int) -> Array:
    out = np.full(len(p), np.nan)
    at = np.flatnonzero(np.isfinite(p))
    order = at[np.argsort(p[at], kind="stable")]
    rank = np.arange(1, q + 1)
    sorted_p = p[order]
    if name == "holm":
        out[order] = np.minimum(np.maximum.accumulate(sorted_p * (q - rank + 1)), 1.0)
        return out
    factor = q / rank * (np.sum(1.0 / rank) if name == "by" else 1.0) if name != "hochberg" else (q - rank + 1).astype(float)
    out[order] = np.minimum(np.minimum.accumulate((sorted_p * factor)[::-1])[::-1], 1.0)
    return out


def _tukey(statistic: Array, df: Array, means: int, level: float) -> tuple[Array, Array]:
    """Studentized range of `means` means (Tukey-Kramer)."""
    from scipy.stats import studentized_range

    nu = np.where(np.isfinite(df), df, 1e5)
    p = np.array([studentized_range.sf(abs(t) * np.sqrt(2), means, v) if np.isfinite(t) else np.nan for t, v in zip(statistic, nu)])
    distinct = {float(v): float(studentized_range.ppf(level, means, v)) / np.sqrt(2) for v in np.unique(nu)}
    return np.clip(p, 0.0, 1.0), np.array([distinct[float(v)] for v in nu])


def _multivariate(statistic: Array, df: Array, correlation: Array, level: float) -> tuple[Array, Array]:
    """Maximum of |t| under the multivariate t distribution with the smallest df, by quasi-random draws (error about 1e-3)."""
    from scipy.special import ndtri
    from scipy.stats import chi2, qmc

    w, Q = np.linalg.eigh(np.nan_to_num(correlation))
    keep = w > 1e-10
    root = Q[:, keep] * np.sqrt(w[keep])
    u = qmc.Sobol(int(keep.sum()) + 1, seed=1).random(DRAWS)
    u = np.clip(u, 1e-12, 1 - 1e-12)
    z = ndtri(u[:, :-1]) @ root.T
    nu = float(np.nanmin(df))
    if np.isfinite(nu):
        z /= np.sqrt(chi2.ppf(u[:, -1], nu) / nu)[:, None]
    largest = np.sort(np.abs(z).max(axis=1))
    p = 1.0 - np.searchsorted(largest, np.abs(statistic)) / DRAWS
    return np.where(np.isfinite(statistic), p, np.nan), np.full(len(statistic), float(np.quantile(largest, level)))
