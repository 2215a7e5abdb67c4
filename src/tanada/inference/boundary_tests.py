"""Likelihood-ratio tests of variances, whose null value lies at the edge of their range.

Under the null the statistic is a mixture of chi-squares: dropping one of k correlated effects, half chi2(k - 1) and half chi2(k) (Self & Liang 1987;
Stram & Lee 1994), whose p value is exact in large samples. Where several variances go at once the same mixture of df - 1 and df is used, which is conservative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import chdtrc

from tanada.design.matrices import ComponentDesign, RandomDesign
from tanada.engine.fit import MixedFit
from tanada.engine.mixed_fit import fit_mixed


def chi_bar_p(chisq: float, df: float) -> float:
    """P value of the mixture half chi2(df - 1), half chi2(df)."""
    if not np.isfinite(chisq) or df < 1:
        return float("nan")
    if chisq <= 0:
        return 1.0
    lower = 0.0 if df == 1 else float(chdtrc(df - 1, chisq))
    return 0.5 * lower + 0.5 * float(chdtrc(df, chisq))


def variance_count(fit: MixedFit) -> int:
    """Number of variances of random effects."""
    return sum(1 if t.structure in ("homdiag", "cs", "homcs", "ar1", "homtoep") else len(t.names) for t in fit.terms)


def boundary_corrected(fits: Sequence[MixedFit], columns: dict[str, Any]) -> dict[str, Any]:
    """A likelihood-ratio table whose steps that add variances have the p value of the mixture."""
    ordered = sorted(fits, key=lambda f: f.npar)
    p = np.array(columns["p_value"], float)
    for i in range(1, len(ordered)):
        if variance_count(ordered[i]) > variance_count(ordered[i - 1]):
            p[i] = chi_bar_p(float(columns["chisq"][i]), float(columns["df"][i]))
    return {**columns, "p_value": p}


@dataclass(frozen=True)
class Reduced:
    """A model with one random effect less."""

    term: str
    fit: MixedFit


def reduced_fits(fit: MixedFit) -> list[Reduced]:
    """Fits without each random effect in turn: a slope leaves its term, an intercept goes when it is alone (as lmerTest's ranova)."""
    out = []
    for number, component in enumerate(fit.data.components):
        for position, term in enumerate(component.random):
            if term.k == 1 or term.structure not in ("us", "diag"):
                out.append(Reduced(_label(component, term.text or term.group), _without(fit, number, position, None)))
                continue
            for name in (n for n in term.names if n != "(Intercept)"):
                label = _label(component, f"{name} in {term.text or term.group}")
                out.append(Reduced(label, _without(fit, number, position, name)))
    return out


def _label(component: ComponentDesign, text: str) -> str:
    return text if component.name == "cond" else f"{component.name}| {text}"


def _without(fit: MixedFit, number: int, position: int, effect: str | None) -> MixedFit:
    component = fit.data.components[number]
    random: list[RandomDesign] = list(component.random)
    old = random[position]
    if effect is None:
        del random[position]
    else:
        keep = [i for i, n in enumerate(old.names) if n != effect]
        random[position] = replace(old, names=tuple(old.names[i] for i in keep), Z=np.ascontiguousarray(old.Z[:, keep]))
    components = tuple(replace(c, random=tuple(random)) if i == number else c for i, c in enumerate(fit.data.components))
    return fit_mixed(replace(fit.data, components=components), replace(fit.objective.options, start=None))


def ranova_table(fit: MixedFit, reduced: Sequence[Reduced]) -> dict[str, Any]:
    """term, npar, loglik, aic, chisq, df, p_value (plain), p_boundary (mixture); the first row is the model itself."""
    fits = [fit, *(r.fit for r in reduced)]
    npar = np.array([f.npar for f in fits])
    loglik = np.array([f.loglik for f in fits])
    chisq, df = np.full(len(fits), np.nan), np.full(len(fits), np.nan)
    chisq[1:], df[1:] = np.maximum(2 * (fit.loglik - loglik[1:]), 0.0), fit.npar - npar[1:]
    plain = np.array([np.nan if np.isnan(d) else float(chdtrc(d, c)) for c, d in zip(chisq, df)])
    return {
        "term": np.array(["<none>", *(r.term for r in reduced)], dtype=object),
        "npar": npar,
        "loglik": loglik,
        "aic": -2 * loglik + 2 * npar,
        "chisq": chisq,
        "df": df,
        "p_value": plain,
        "p_boundary": np.array([np.nan if np.isnan(d) else chi_bar_p(float(c), float(d)) for c, d in zip(chisq, df)]),
    }
