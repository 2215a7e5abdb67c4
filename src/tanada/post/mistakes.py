"""Common mistakes of multilevel models, found from the data and the formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from tanada.design.build import Design
from tanada.design.matrices import RandomDesign
from tanada.engine.fit import MixedFit
from tanada.engine.mixed_fit import fit_mixed
from tanada.errors import ModelError, TanadaError
from tanada.post.check import NOTE, OK, WARNING, Check, p_words
from tanada.post.effect_checks import uniform_groups
from tanada.post.grids import Predictors
from tanada.post.variance_parts import needs_null, variance_parts

Array = NDArray[np.float64]

FEW_GROUPS, SMALL_ICC = 10, 0.01
MIXED = 0.05  # share of a predictor's variance at each level from which on it mixes both
STRAY = 0.05  # share of within-group variance up to which a varying group-level variable looks like an error


def mistakes(fit: MixedFit, design: Design) -> list[Check]:
    """All findings; those that are fine are left out, but for one line when there is none."""
    found = [*_slopes_without_fixed(design), *_few_groups(fit), *_small_icc(fit), *_mixed_levels(fit, design)]
    if fit.family == "binomial":
        found += [c for c in uniform_groups(fit) if c.status != OK]
    if fit.reml:
        text = "This is a REML fit: likelihoods of REML fits with different fixed effects cannot be compared; tn.anova refits by ML."
        found.append(Check("REML", NOTE, text))
    return found or [Check("common mistakes", OK, "No common mistake was found.")]


def _slopes_without_fixed(design: Design) -> list[Check]:
    return [
        Check("slope without its fixed effect", WARNING, n[:1].upper() + n[1:])
        for n in design.notes
        if "fixed at zero" in n and "not among the fixed effects" in n
    ]


def _few_groups(fit: MixedFit) -> list[Check]:
    out = []
    for group, levels in {t.group: len(t.levels) for t in fit.terms}.items():
        if levels < FEW_GROUPS:
            advice = " Use reml=True and ddf='kenward-roger'" if fit.family == "gaussian" else " Give the variance a prior"
            text = f"{group} has {levels} groups only: its variance is estimated poorly and tests are too bold.{advice}, or use fixed effects for the groups."
            out.append(Check("few groups", WARNING, text, float(levels)))
    return out


def _small_icc(fit: MixedFit) -> list[Check]:
    if not fit.terms:
        return []
    try:
        parts = variance_parts(fit) if not needs_null(fit) else None
    except (ModelError, TanadaError):
        return []
    if parts is None or not parts.random:
        return []
    out = []
    total = parts.random_total + parts.residual
    for group, v in parts.by_group().items():
        if v / total < SMALL_ICC:
            text = f"The intraclass correlation of {group} is {v / total:.4f}: its groups hardly differ, and a model without it may do."
            out.append(Check("ICC near zero", NOTE, text, v / total))
    return out


def within_share(x: Array, codes: NDArray[np.int32], levels: int) -> tuple[float, Array]:
    """Share of a variable's variance within groups, and its group means by row."""
    count = np.bincount(codes, minlength=levels)
    means = np.bincount(codes, weights=x, minlength=levels) / np.maximum(count, 1)
    total = float(np.var(x))
    return (float(np.mean((x - means[codes]) ** 2)) / total if total > 0 else 0.0), means[codes]


def _mixed_levels(fit: MixedFit, design: Design) -> list[Check]:
    """Predictors that vary within and between groups without their group mean in the model; group-level predictors that stray within groups."""
    known = Predictors(design)
    groups = {r.group: r for r in fit.data.components[0].random if 1 < len(r.levels) < fit.nobs / 2}
    component = fit.data.components[0]
    out = []
    for name in known.names():
        if not known.is_numeric(name) or name not in component.names:
            continue
        x = known.numbers(name)
        for group in groups.values():
            share, means = within_share(x, group.codes, len(group.levels))
            constant = _constant_groups(x, means, group)
            if constant == 1.0:
                continue
            if share < STRAY and constant > 0.5:
                text = f"{name} is the same within most groups of {group.group} but not in {100 * (1 - constant):.0f}% of them: check the data, a group-level variable must not vary within its group."
                out.append(Check("group-level variable that varies", WARNING, text, share))
            elif share >= MIXED and 1 - share >= MIXED + len(group.levels) / fit.nobs and not _has_mean(component.X, means):
                out.append(_mixing(fit, name, means, group.group, share))
    return out


def _constant_groups(x: Array, means: Array, group: RandomDesign) -> float:
    """Share of groups within which x is constant."""
    spread = np.zeros(len(group.levels))
    np.maximum.at(spread, group.codes, np.abs(x - means))
    return float(np.mean(spread <= 1e-8 * max(float(np.abs(x).max()), 1e-300)))


def _has_mean(X: Array, means: Array) -> bool:
    """Whether the fixed effects span the group means, or a variable that differs from them by little."""
    coefficients, *_ = np.linalg.lstsq(np.column_stack([np.ones(len(X)), X]), means, rcond=None)
    rest = means - np.column_stack([np.ones(len(X)), X]) @ coefficients
    return float(np.var(rest)) < 0.05 * float(np.var(means))


def _mixing(fit: MixedFit, name: str, means: Array, group: str, share: float) -> Check:
    """Whether the effect between groups differs from that within: a likelihood-ratio test of the group mean."""
    text = f"{name} varies within ({100 * share:.0f}%) and between groups of {group}, so its coefficient mixes two effects"
    advice = f"use tn.center(data, '{name}', by='{group}') and put both parts in the model."
    try:
        base = fit if not fit.reml else fit_mixed(fit.data, replace(fit.objective.options, reml=False, start=None))
        c = base.data.components[0]
        more = replace(c, X=np.ascontiguousarray(np.column_stack([c.X, means])), names=(*c.names, f"{name} (mean)"), term_of_column=(), terms=())
        larger = fit_mixed(replace(base.data, components=(more, *base.data.components[1:])), replace(base.objective.options, start=None))
    except TanadaError:
        return Check("levels mixed", NOTE, f"{text}; {advice}")
    chisq = max(2 * (larger.loglik - base.loglik), 0.0)
    p = float(chdtrc(1, chisq))
    if p < 0.05:
        return Check("levels mixed", WARNING, f"{text}, and they differ (chi-square {chisq:.2f}, {p_words(p)}): {advice}", chisq, p)
    return Check("levels mixed", NOTE, f"{text}, though they do not differ clearly ({p_words(p)}); to keep them apart, {advice}", chisq, p)
