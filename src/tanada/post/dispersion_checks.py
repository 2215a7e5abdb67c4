"""Overdispersion, zero inflation and heteroscedasticity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr

from tanada.engine.fit import MixedFit
from tanada.post.check import NOTE, OK, SKIPPED, WARNING, Check, p_words
from tanada.post.family_rows import family_of, zero_inflated
from tanada.post.residuals import residuals

Array = NDArray[np.float64]

ALPHA = 0.05
WITHOUT_DISPERSION = ("poisson", "binomial", "truncated_poisson")


def overdispersion(fit: MixedFit) -> Check:
    """Sum of squared Pearson residuals over the residual degrees of freedom, against chi-square (as R's performance)."""
    name = "overdispersion"
    if fit.family not in WITHOUT_DISPERSION:
        return Check(name, SKIPPED, f"Family '{fit.family}' estimates its own dispersion; see the quantile residuals instead.")
    pearson = residuals(fit, "pearson", None)
    chisq, df = float(np.sum(pearson**2)), fit.nobs - fit.npar
    ratio, p = chisq / df, float(chdtrc(df, chisq))
    data = {"ratio": {"chisq": np.array([chisq]), "df": np.array([df]), "ratio": np.array([ratio]), "p_value": np.array([p])}}
    if fit.family == "binomial" and np.all(fit.data.trials == 1):
        text = f"Dispersion ratio {ratio:.3f} ({p_words(p)}); a response of zeros and ones cannot show overdispersion, so this says little."
        return Check(name, OK, text, ratio, p, data)
    if p < ALPHA and ratio > 1:
        other = "'betabinomial'" if fit.family == "binomial" else "'nbinom2'"
        text = f"Overdispersed: ratio {ratio:.2f} ({p_words(p)}). Use family={other} or a random effect for each row; standard errors are too small as it is."
        return Check(name, WARNING, text, ratio, p, data)
    low = " It is well below 1, which may mean underdispersion." if ratio < 0.5 else ""
    return Check(name, NOTE if low else OK, f"No overdispersion: ratio {ratio:.3f} ({p_words(p)}).{low}", ratio, p, data)


def zero_counts(fit: MixedFit) -> Check:
    """Zeros observed against the sum of the fitted probabilities of a zero, with the variance of independent rows."""
    name = "zero inflation"
    info = family_of(fit)
    if info.support not in ("count", "trials") or info.name.startswith("truncated"):
        return Check(name, SKIPPED, f"Family '{fit.family}' has no zeros to count.")
    if info.support == "trials" and np.all(fit.data.trials == 1):
        return Check(name, SKIPPED, "A response of zeros and ones has no excess of zeros.")
    eta = np.asarray(fit.extra["eta"], float)
    p0 = np.exp(info.log_density(np.zeros(fit.nobs), eta, fit.data.trials, zero_inflated(fit)))
    observed, expected = float(np.sum(fit.data.y == 0)), float(p0.sum())
    sd = float(np.sqrt(np.sum(p0 * (1 - p0))))
    z = (observed - expected) / sd if sd > 0 else 0.0
    p = 2 * float(ndtr(-abs(z)))
    ratio = expected / observed if observed else float("inf")
    data = {"zeros": {"observed": np.array([observed]), "expected": np.array([expected]), "ratio": np.array([ratio]), "p_value": np.array([p])}}
    counts = f"{observed:.0f} zeros observed, {expected:.1f} expected"
    if p < ALPHA and abs(ratio - 1) > 0.05:
        if z > 0:
            return Check(name, WARNING, f"Too many zeros: {counts} ({p_words(p)}). Try zi='~ 1' or family='nbinom2'.", ratio, p, data)
        return Check(name, NOTE, f"Fewer zeros than fitted: {counts} ({p_words(p)}).", ratio, p, data)
    return Check(name, OK, f"Zeros agree: {counts}.", ratio, p, data)


def heteroscedasticity(fit: MixedFit, scaled: Array, what: str) -> Check:
    """Koenker's studentized form of Breusch and Pagan's test: do squared residuals change with the fitted value?"""
    name = "heteroscedasticity"
    x = np.asarray(fit.fitted, float)
    finite = np.isfinite(scaled) & np.isfinite(x)
    if np.std(x[finite]) < 1e-12:
        return Check(name, SKIPPED, "All fitted values are the same.")
    squares = scaled[finite] ** 2
    r = float(np.corrcoef(x[finite], squares)[0, 1])
    statistic = len(squares) * r**2
    p = float(chdtrc(1, statistic))
    data = {"scale_location": {"fitted": x, "root_abs_residual": np.sqrt(np.abs(scaled))}}
    if p < ALPHA:
        trend = "grow" if r > 0 else "shrink"
        text = f"The {what} {trend} with the fitted value (Breusch-Pagan {statistic:.2f}, {p_words(p)}). Model the variance with disp='~ ...', transform the response, or use m.fixef(robust='CR2')."
        return Check(name, WARNING, text, statistic, p, data)
    return Check(name, OK, f"The spread of the {what} does not change with the fitted value (Breusch-Pagan {statistic:.2f}, {p_words(p)}).", statistic, p, data)
