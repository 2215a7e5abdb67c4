"""Predictions on fitted or new rows, with standard errors that join the uncertainty of fixed and random effects.

On the scale of a linear predictor, a row x'beta + z'b has variance z'Var(b|y)z + (x - B'z)' C (x - B'z) (Henderson 1975; B is the drift
of b-hat with beta-hat, see inference.system): the mean squared error of prediction with the variance parameters taken as known. A
group that was not in the fit is predicted at b = 0 with variance z'Sigma z added, as its own effect is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tanada.design.matrices import ComponentDesign, RandomDesign
from tanada.engine.fit import MixedFit, TermEstimate
from tanada.errors import ModelError, did_you_mean
from tanada.inference.system import random_matrix
from tanada.inference.workspace import Workspace
from tanada.post.random_effects import groups_of

Array = NDArray[np.float64]

KINDS = ("response", "link", "conditional", "zprob", "disp")
INTERVALS = ("confidence", "prediction")


@dataclass(frozen=True)
class Request:
    """What is asked of a prediction.

    `groups` are the grouping factors whose effects count (empty: population level); `missing` leaves NaN where a group is new.
    """

    kind: str
    groups: tuple[str, ...]
    interval: str | None
    missing: bool
    std_error: bool
    level: float


def check_request(
    fit: MixedFit, kind: str, re: bool | Sequence[str], interval: str | None, new_levels: str, std_error: bool, level: float
) -> Request:
    """Arguments of predict as a Request; errors name what is accepted."""
    if kind not in KINDS:
        raise ModelError(f"kind = {kind!r} is not a kind of prediction.{did_you_mean(str(kind), KINDS)}")
    if interval is not None and interval not in INTERVALS:
        raise ModelError(f"interval = {interval!r}; accepted are 'confidence', 'prediction' and None.{did_you_mean(str(interval), INTERVALS)}")
    if new_levels not in ("population", "missing", "error"):
        raise ModelError(f"new_levels = {new_levels!r}.{did_you_mean(str(new_levels), ('population', 'missing', 'error'))}")
    if interval == "prediction" and kind != "response":
        raise ModelError("a prediction interval is for a new observation: it needs kind='response'.")
    components = [c.name for c in fit.data.components]
    if kind == "zprob" and "zi" not in components:
        raise ModelError("kind='zprob' needs a zero-inflation model; fit with zi='~ 1' or a formula.")
    return Request(kind, chosen_groups(fit, re), interval, new_levels == "missing", std_error or interval is not None, level)


def chosen_groups(fit: MixedFit, re: bool | Sequence[str]) -> tuple[str, ...]:
    """Grouping factors of `re`: all for True, none for False, or those named."""
    known = groups_of(fit)
    if isinstance(re, bool):
        return tuple(known) if re else ()
    wanted = [re] if isinstance(re, str) else list(re)
    for g in wanted:
        if g not in known:
            raise ModelError(f"re: '{g}' is not a grouping factor of this model.{did_you_mean(str(g), known)}")
    return tuple(wanted)


@dataclass(frozen=True)
class Predictor:
    """One linear predictor on the rows asked for: value, variance (None when not wanted), and the variance of unknown effects.

    `unknown` is z'Sigma z over the terms whose effects are not conditioned on: the other groups of a population-level prediction.
    """

    eta: Array
    variance: Array | None
    unknown: Array
    missing: NDArray[np.bool_]


def linear_predictors(work: Workspace, components: Sequence[ComponentDesign], request: Request) -> dict[str, Predictor]:
    """All linear predictors of the rows in `components`."""
    fit = work.fit
    out, first, number = {}, 0, 0
    for position, c in enumerate(components):
        own = [t for t in fit.terms if t.component == c.name]
        pairs = _matched(own, c.random)
        out[c.name] = _predictor(work, c, pairs, request, position, first, number)
        first += c.X.shape[1]
        number += len(own)
    return out


def _matched(terms: list[TermEstimate], designs: Sequence[RandomDesign]) -> list[tuple[int, TermEstimate, RandomDesign]]:
    """Terms of the fit with the designs that were rebuilt for them (a design left out has no rows here)."""
    out, free = [], list(enumerate(terms))
    for d in designs:
        at = next(i for i, (_, t) in enumerate(free) if t.group == d.group and t.names == d.names and t.structure == d.structure)
        number, term = free.pop(at)
        out.append((number, term, d))
    return out


def _predictor(
    work: Workspace,
    c: ComponentDesign,
    pairs: list[tuple[int, TermEstimate, RandomDesign]],
    request: Request,
    position: int,
    first: int,
    number: int,
) -> Predictor:
    n = c.X.shape[0]
    eta = c.offset + c.X @ work.fit.beta[c.name]
    own, unknown, missing = np.zeros(n), np.zeros(n), np.zeros(n, dtype=bool)
    used: list[tuple[int, RandomDesign]] = []
    for i, t, d in pairs:
        spread = np.einsum("na,ab,nb->n", d.Z, t.cov, d.Z)
        if t.group not in request.groups:
            unknown += spread
            continue
        known = d.codes >= 0
        eta = eta + np.where(known, np.einsum("nk,nk->n", d.Z, t.modes[np.maximum(d.codes, 0)]), 0.0)
        own += np.where(known, 0.0, spread)
        missing |= ~known
        used.append((number + i, d))
    if request.missing:
        eta = np.where(missing, np.nan, eta)
    variance = _variance(work, c, used, position, first) + own if request.std_error else None
    return Predictor(eta, variance, unknown, missing)


def _variance(work: Workspace, c: ComponentDesign, used: list[tuple[int, RandomDesign]], position: int, first: int) -> Array:
    """Variance of x'beta-hat + z'b-hat - (x'beta + z'b) over the rows of one component."""
    n, p = c.X.shape
    C = work.known_vcov
    if not used:
        block = C[first : first + p, first : first + p]
        return np.einsum("np,pq,nq->n", c.X, block, c.X)
    X0 = np.zeros((n, C.shape[0]))
    X0[:, first : first + p] = c.X
    system = work.system
    Z0 = sparse.csr_matrix((n, system.q))
    for number, d in used:
        starts = np.array([system.starts[number], system.q])
        Z0 = Z0 + random_matrix([(d,)], starts, n)
    return system.linear_variance(X0, Z0.tocsr(), C)


def joint_variance(work: Workspace, components: Sequence[ComponentDesign], request: Request, slopes: dict[str, Array]) -> Array:
    """Variance of sum_c slope_c eta_c over the rows: the delta method for a function of several linear predictors."""
    n, C = components[0].X.shape[0], work.known_vcov
    X0, Z0, own = np.zeros((n, C.shape[0])), sparse.csr_matrix((n, work.system.q)), np.zeros(n)
    first = number = 0
    for c in components:
        terms = [t for t in work.fit.terms if t.component == c.name]
        p = c.X.shape[1]
        slope = slopes.get(c.name)
        if slope is not None:
            X0[:, first : first + p] = slope[:, None] * c.X
            for i, t, d in _matched(terms, c.random):
                if t.group not in request.groups:
                    continue
                starts = np.array([work.system.starts[number + i], work.system.q])
                Z0 = Z0 + sparse.diags(slope) @ random_matrix([(d,)], starts, n)
                own += np.where(d.codes >= 0, 0.0, slope**2 * np.einsum("na,ab,nb->n", d.Z, t.cov, d.Z))
        first += p
        number += len(terms)
    if Z0.nnz == 0:
        return np.einsum("np,pq,nq->n", X0, C, X0) + own
    return work.system.linear_variance(X0, sparse.csr_matrix(Z0), C) + own
