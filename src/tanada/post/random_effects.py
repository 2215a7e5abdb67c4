"""Tables of the random effects: variances and correlations, conditional modes, coefficients by group."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit, TermEstimate
from tanada.errors import ModelError, did_you_mean
from tanada.inference.workspace import Workspace

Array = NDArray[np.float64]


def has_residual_row(fit: MixedFit) -> bool:
    """Families whose dispersion parameter is a residual standard deviation."""
    return fit.family == "gaussian" and fit.sigma is not None


def variance_table(fit: MixedFit) -> dict[str, Any]:
    """component, group, term1, term2, variance, std_dev, covariance, correlation: SD rows have an empty term2, pair rows NaN variances."""
    rows: list[tuple[str, str, str, str, float, float, float, float]] = []
    for t in fit.terms:
        sd = np.sqrt(np.maximum(np.diag(t.cov), 0.0))
        rows += [(t.component, t.group, n, "", float(s**2), float(s), np.nan, np.nan) for n, s in zip(t.names, sd)]
        if t.structure in ("diag", "homdiag"):
            continue
        for i in range(1, len(sd)):
            for j in range(i):
                scale = sd[i] * sd[j]
                cor = float(t.cov[i, j] / scale) if scale > 0 else np.nan
                rows.append((t.component, t.group, t.names[j], t.names[i], np.nan, np.nan, float(t.cov[i, j]), cor))
    if has_residual_row(fit):
        s = float(fit.sigma or 0.0)
        rows.append(("cond", "Residual", "", "", s**2, s, np.nan, np.nan))
    names = ("component", "group", "term1", "term2", "variance", "std_dev", "covariance", "correlation")
    if not rows:
        return {n: np.array([], dtype=object if i < 4 else float) for i, n in enumerate(names)}
    return {n: np.array(c, dtype=object if i < 4 else float) for i, (n, c) in enumerate(zip(names, zip(*rows)))}


def groups_of(fit: MixedFit, component: str | None = None) -> list[str]:
    """Grouping factors, in the order of the terms."""
    return list(dict.fromkeys(t.group for t in fit.terms if component is None or t.component == component))


def check_group(fit: MixedFit, group: str | None) -> None:
    """An error that names the grouping factors when `group` is not one of them."""
    if group is not None and group not in groups_of(fit):
        known = groups_of(fit)
        hint = did_you_mean(group, known) if known else " This model has no random effects."
        raise ModelError(f"'{group}' is not a grouping factor of this model.{hint}")


def joint_variances(work: Workspace, number: int) -> Array:
    """Var(b-hat - b) (L, k) of a term, beta's uncertainty included: diag of Lambda M^-1 Lambda' + B C B' (Henderson 1975)."""
    term = work.fit.terms[number]
    B = work.system.level_blocks(work.system.drift, number)
    extra = np.einsum("lkp,pq,lkq->lk", B, work.known_vcov, B, optimize=True)
    return np.einsum("lkk->lk", term.cond_var) + extra


def modes_table(work: Workspace, group: str | None, joint: bool) -> dict[str, Any]:
    """component, group, level, term, estimate, std_error, effect by effect."""
    fit = work.fit
    check_group(fit, group)
    parts: dict[str, list[Any]] = {n: [] for n in ("component", "group", "level", "term", "estimate", "std_error")}
    for number, t in enumerate(fit.terms):
        if group is not None and t.group != group:
            continue
        variance = joint_variances(work, number) if joint else np.einsum("lkk->lk", t.cond_var)
        levels, L = np.array(t.levels, dtype=object), len(t.levels)
        for j, name in enumerate(t.names):
            parts["component"].append(np.full(L, t.component, dtype=object))
            parts["group"].append(np.full(L, t.group, dtype=object))
            parts["level"].append(levels)
            parts["term"].append(np.full(L, name, dtype=object))
            parts["estimate"].append(t.modes[:, j])
            parts["std_error"].append(np.sqrt(np.maximum(variance[:, j], 0.0)))
    text = ("component", "group", "level", "term")
    return {n: np.concatenate(v) if v else np.array([], dtype=object if n in text else float) for n, v in parts.items()}


def coefficients(fit: MixedFit, group: str | None, component: str = "cond") -> dict[str, Any]:
    """group, level, one column a coefficient: fixed plus random effect, for each level of each grouping factor."""
    check_group(fit, group)
    design = fit.data.component(component)
    beta = dict(zip(design.names, fit.beta[component]))
    terms = [t for t in fit.terms if t.component == component and (group is None or t.group == group)]
    names = list(design.names) + [n for n in dict.fromkeys(n for t in terms for n in t.names) if n not in beta]
    groups = list(dict.fromkeys(t.group for t in terms))
    blocks: dict[str, list[Any]] = {n: [] for n in ["group", "level", *names]}
    for g in groups:
        own = [t for t in terms if t.group == g]
        levels = own[0].levels
        blocks["group"].append(np.full(len(levels), g, dtype=object))
        blocks["level"].append(np.array(levels, dtype=object))
        for n in names:
            blocks[n].append(beta.get(n, 0.0) + _sum_modes(own, n, len(levels)))
    return {n: np.concatenate(v) if v else np.array([], dtype=object if n in ("group", "level") else float) for n, v in blocks.items()}


def _sum_modes(terms: list[TermEstimate], name: str, L: int) -> Array:
    out = np.zeros(L)
    for t in terms:
        if name in t.names:
            out = out + t.modes[:, t.names.index(name)]
    return out
