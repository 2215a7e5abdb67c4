"""Distances between unrestricted and implied moments: residuals, RMR, SRMR, CRMR, goodness of fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_fit import SemFit
from tanada.partable.table import Block
from tanada.semmodel.gamma import THRESHOLD
from tanada.semmodel.sample import Moments, smooth

Array = NDArray[np.float64]


def pairs(fit: SemFit) -> list[tuple[Block, Moments, Array, Array]]:
    """Block, unrestricted moments, implied covariance and mean, block by block."""
    h1 = fit.h1.moments
    return [(b, h1[b.number], *fit.implied(b.number)) for b in fit.table.blocks]


def block_distances(fit: SemFit, m: Moments, cov: Array, mean: Array) -> dict[str, float]:
    """RMR, SRMR (Bentler and Mplus) and CRMR of one block, with and without means.

    References
    ----------
    Bentler (1995). EQS structural equations program manual. Maydeu-Olivares (2017), Psychometrika 82.
    """
    p = len(mean)
    lower = np.tril_indices(p)
    off = np.tril_indices(p, -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        s, t = np.sqrt(np.diag(m.cov)), np.sqrt(np.diag(cov))
        raw = m.cov - cov
        bentler = raw / np.outer(s, s)
        cor = m.cov / np.outer(s, s) - cov / np.outer(t, t)
        mplus = cor + np.diag(np.diag(bentler) - np.diag(cor))
        d_raw, d_scaled, d_cor = m.mean - mean, (m.mean - mean) / s, m.mean / s - mean / t
    means = fit.table.meanstructure
    extra = p
    if fit.table.ordered:  # thresholds stand in for means
        d_raw = d_scaled = d_cor = _threshold_residuals(fit, m)
        extra = len(d_raw)
    stars = p * (p + 1) // 2
    out: dict[str, float] = {}
    for name, matrix, shift, index, count in (
        ("rmr", raw, d_raw, lower, stars), ("srmr_bentler", bentler, d_scaled, lower, stars),
        ("crmr", cor, d_scaled, off, p * (p - 1) // 2), ("srmr_mplus", mplus, d_cor, lower, stars),
    ):  # fmt: skip
        total = float((matrix[index] ** 2).sum())
        out[name + "_nomean"] = float(np.sqrt(total / count)) if count else 0.0
        out[name] = float(np.sqrt((total + float((shift**2).sum())) / (count + extra))) if means else out[name + "_nomean"]
    return out


def _threshold_residuals(fit: SemFit, m: Moments) -> Array:
    block = next(b for b, other, _, _ in pairs(fit) if other is m)
    s = fit.sample.statistics[block.number]  # type: ignore[attr-defined]
    return (s.values - np.asarray(fit.built.objective.implied_stats(fit.x, block.number - 1)))[s.kind == THRESHOLD]


def distances(fit: SemFit) -> dict[str, float]:
    """Distances of single-level models, groups weighted by their sizes."""
    total: dict[str, float] = {}
    n = sum(m.n for _, m, _, _ in pairs(fit))
    for _, m, cov, mean in pairs(fit):
        for k, v in block_distances(fit, m, cov, mean).items():
            total[k] = total.get(k, 0.0) + v * m.n / n
    return total


def level_srmr(fit: SemFit) -> tuple[float, float]:
    """SRMR of each level: root mean square of cor(unrestricted) - cor(implied), p(p+1)/2 elements, groups weighted by size.

    Notes
    -----
    As in lavaan, eigenvalues of the implied matrix below a millionth of the largest are raised to it (`smooth=False` leaves them).
    """
    out = []
    for level in (1, 2):
        parts = [(b, m, cov) for b, m, cov, _ in pairs(fit) if b.level == level]
        weight = {b.group: fit.sample.data.groups[b.group - 1].n for b, _, _ in parts}
        n = sum(weight.values())
        value = 0.0
        for b, m, cov in parts:
            p = cov.shape[0]
            cov = smooth(cov, 1e-6) if fit.options.smooth else cov
            with np.errstate(invalid="ignore", divide="ignore"):
                s, t = np.sqrt(np.diag(m.cov)), np.sqrt(np.diag(cov))
                d = m.cov / np.outer(s, s) - cov / np.outer(t, t)
            value += float(np.sqrt((d[np.tril_indices(p)] ** 2).sum() / (p * (p + 1) / 2))) * weight[b.group] / n
        out.append(value)
    return out[0], out[1]


def gfi(fit: SemFit) -> float:
    """Goodness of fit with the model's normal-theory weight, 1 - e'We / s'Ws (Joreskog & Sorbom); moments of fixed predictors left out of s.

    Groups are averaged by size.
    """
    top = bottom = share = 0.0
    n = sum(m.n for _, m, _, _ in pairs(fit))
    if fit.sample.kind == "least_squares":
        for k, (block, s) in enumerate(fit.sample.statistics.items()):  # type: ignore[attr-defined]
            e = s.values - np.asarray(fit.built.objective.implied_stats(fit.x, k))
            top += s.n * fit.sample.distance(block, e)  # type: ignore[attr-defined]
            bottom += s.n * fit.sample.distance(block, s.values)  # type: ignore[attr-defined]
        return 1.0 - top / bottom
    for b, m, cov, mean in pairs(fit):
        inverse = np.linalg.inv(cov)
        fixed = {r.lhs for r in fit.table.rows if r.exo and r.block == b.number}
        x = [i for i, v in enumerate(b.roles.ov) if v in fixed]
        S, level = m.cov.copy(), m.mean.copy()
        S[np.ix_(x, x)] = 0.0
        level[x] = 0.0
        e = (m.cov - cov) @ inverse
        a = S @ inverse
        num, den = 0.5 * float(np.trace(e @ e)), 0.5 * float(np.trace(a @ a))
        if fit.table.meanstructure:
            d = m.mean - mean
            num += float(d @ inverse @ d)
            den += float(level @ inverse @ level)
        share += m.n / n * num / den
    return 1.0 - share
