"""Influence of groups on the fixed effects: Cook's distance and changes of the estimates when a group is left out.

With variance parameters held at their estimates, leaving out group g changes beta by -(A - A_g)^-1 s_g with A = X'V^-1X, A_g the part of the rows of g and
s_g = X_g' l'(eta) its part of the score (zero over all rows). Exact for Gaussian models whose V is block diagonal over the groups, one step of Newton's method for
others. `refit` leaves each group out and fits again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada import _core
from tanada.design.matrices import ComponentDesign, ModelData, RandomDesign
from tanada.engine.fit import MixedFit
from tanada.engine.mixed_fit import fit_mixed
from tanada.errors import ConvergenceError, DataError, ModelError
from tanada.inference.workspace import Workspace
from tanada.post.family_rows import family_of, zero_inflated
from tanada.post.random_effects import check_group, groups_of

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Influence:
    """One row a group: Cook's distance, changes of the fixed effects in standard errors, and the estimates without the group."""

    group: str
    levels: tuple[str, ...]
    sizes: Index
    cooks: Array
    dfbetas: Array  # (L, p)
    names: tuple[str, ...]
    how: str

    def columns(self) -> dict[str, Any]:
        out: dict[str, Any] = {"level": np.array(self.levels, dtype=object), "n": self.sizes, "cooks_distance": self.cooks}
        return out | {f"dfbetas: {n}": self.dfbetas[:, j] for j, n in enumerate(self.names)}


def influence(work: Workspace, group: str | None, refit: bool) -> Influence:
    """Influence of the levels of a grouping factor (default: the one with the fewest levels).

    Raises
    ------
    ModelError
        When the model has no such factor, or has several linear predictors and `refit` is False.
    """
    fit = work.fit
    if not fit.terms:
        raise ModelError("check_influence: this model has no grouping factor.")
    check_group(fit, group)
    counts = {t.group: len(t.levels) for t in fit.terms}
    name = min(groups_of(fit), key=lambda g: counts[g]) if group is None else group
    design = next(r for c in fit.data.components for r in c.random if r.group == name)
    C = fit.vcov_beta
    move = _refitted(fit, design) if refit else _one_step(work, design)
    se = np.sqrt(np.diag(C))
    cooks = np.einsum("lp,pq,lq->l", move, np.linalg.pinv(C), move) / len(C)
    names = tuple(n if c.name == "cond" else f"{c.name}|{n}" for c in fit.data.components for n in c.names)
    sizes = np.bincount(design.codes, minlength=len(design.levels)).astype(np.intp)
    how = "every group left out and refitted" if refit else "one step, variance parameters held"
    return Influence(name, design.levels, sizes, cooks, move / se, names, how)


def _one_step(work: Workspace, design: RandomDesign) -> Array:
    """Changes of beta (L, p), estimate minus estimate without the group."""
    fit, system = work.fit, work.system
    m = len(system.components)
    X = system.X
    VX = np.asarray(system.v_inverse(X))
    codes = np.tile(design.codes, m)
    L, p = len(design.levels), X.shape[1]
    score = X * _scores(fit)[:, None]
    S = np.zeros((L, p))
    A = np.zeros((L, p, p))
    np.add.at(S, codes, score)
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(L + 1))
    for g in range(L):
        rows = order[ends[g] : ends[g + 1]]
        A[g] = X[rows].T @ VX[rows]
    whole = X.T @ VX
    rest = whole - 0.5 * (A + A.transpose(0, 2, 1))
    return np.stack([np.linalg.lstsq(rest[g], S[g], rcond=None)[0] for g in range(L)])


def _scores(fit: MixedFit) -> Array:
    """Derivative of the log-density in each linear predictor of a component, stacked (m n,)."""
    if "eta" not in fit.extra:
        return np.asarray(fit.data.weights * (fit.data.y - fit.eta) / float(fit.sigma or 1.0) ** 2)
    info = family_of(fit)
    eta = np.ascontiguousarray(fit.extra["eta"], float)
    d = fit.data
    found = _core.family_evaluate(info.name, info.link, zero_inflated(fit), list(info.options), d.y, d.trials, d.weights, eta, 1)[1]
    assert found is not None
    roles = list(fit.extra["predictors"])
    return np.concatenate([np.asarray(found)[:, roles.index(c.name)] for c in fit.data.components])


def _refitted(fit: MixedFit, design: RandomDesign) -> Array:
    options = replace(fit.objective.options, start={"theta": np.asarray(fit.values, float)[fit.params.index("theta")]})
    beta = np.concatenate([fit.beta[c.name] for c in fit.data.components])
    out = np.full((len(design.levels), len(beta)), np.nan)
    for g in range(len(design.levels)):
        try:
            again = fit_mixed(subset(fit.data, np.flatnonzero(design.codes != g)), options)
        except (ConvergenceError, DataError):
            continue
        out[g] = beta - np.concatenate([again.beta[c.name] for c in again.data.components])
    return out


def subset(data: ModelData, rows: Index) -> ModelData:
    """The rows of a model's data, levels that no longer occur dropped."""
    components = tuple(_component_rows(c, rows) for c in data.components)
    return replace(data, y=data.y[rows], weights=data.weights[rows], trials=data.trials[rows], components=components)


def _component_rows(c: ComponentDesign, rows: Index) -> ComponentDesign:
    random = tuple(_random_rows(r, rows) for r in c.random)
    return replace(c, X=np.ascontiguousarray(c.X[rows]), offset=c.offset[rows], random=random)


def _random_rows(r: RandomDesign, rows: Index) -> RandomDesign:
    used, codes = np.unique(r.codes[rows], return_inverse=True)
    levels = tuple(r.levels[i] for i in used)
    return replace(r, codes=codes.astype(np.int32), levels=levels, Z=np.ascontiguousarray(r.Z[rows]))
