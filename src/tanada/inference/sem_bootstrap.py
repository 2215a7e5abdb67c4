"""Bootstrap of SEM estimates: rows (or clusters) drawn with replacement within groups, the model refitted from its optimum."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_fit import SemFit, fit_sem
from tanada.engine.sem_model import make_sample
from tanada.errors import DataError, ModelError
from tanada.semmodel.data import SemData, SemGroup

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """Estimates of the table's rows and the defined parameters, one row a successful draw; `failed` draws did not converge."""

    rows: Array  # (draws, table rows)
    free: Array  # (draws, n_free)
    defined: Array  # (draws, defined)
    failed: int


def draws(fit: SemFit) -> Draws:
    """The bootstrap of a fit; the last one is kept, so that standard errors and intervals come from the same draws."""
    if _last.fit is not fit:
        _last.fit, _last.draws = fit, _run(fit)
    assert _last.draws is not None
    return _last.draws


class _Last:
    """The bootstrap computed last."""

    fit: SemFit | None = None
    draws: Draws | None = None


_last = _Last()


def _run(fit: SemFit) -> Draws:
    o = fit.options
    if any(g.Y is None for g in fit.sample.data.groups):
        raise ModelError("se='bootstrap' needs the raw data; the model was given sample moments.")
    if o.bootstrap < 2:
        raise ModelError(f"bootstrap = {o.bootstrap}; it takes the number of draws, such as 1000.")
    rng = np.random.default_rng(o.seed)
    start = fit.estimates
    quiet = replace(o, se="none")
    rows, free, defined, failed = [], [], [], 0
    for _ in range(o.bootstrap):
        try:
            sample = make_sample(resample(fit.sample.data, rng), fit.table, quiet)
            again = fit_sem(sample, fit.table, quiet, start)
        except (DataError, ModelError, ValueError):
            failed += 1
            continue
        if not again.verdict.converged:
            failed += 1
            continue
        names = again.functions.names(again.x)
        rows.append(again.estimates)
        free.append(again.x)
        defined.append([names[n].value for n, _ in again.functions.defined])
    if len(rows) < max(2, o.bootstrap // 2):
        raise ModelError(f"bootstrap: {failed} of {o.bootstrap} draws could not be fitted; the model is too fragile for these data.")
    return Draws(np.array(rows), np.array(free), np.array(defined).reshape(len(rows), -1), failed)


def resample(data: SemData, rng: np.random.Generator) -> SemData:
    """Rows, or whole clusters, drawn with replacement within each group."""
    return replace(data, groups=tuple(_resample_group(g, rng) for g in data.groups))


def _resample_group(g: SemGroup, rng: np.random.Generator) -> SemGroup:
    assert g.Y is not None
    if g.code is None:
        pick = rng.integers(0, g.n, g.n)
        return replace(g, Y=np.ascontiguousarray(g.Y[pick]), rows=None if g.rows is None else g.rows[pick], weights=None if g.weights is None else g.weights[pick])
    J = len(g.clusters)
    order = np.argsort(g.code, kind="stable")
    bounds = np.searchsorted(g.code[order], np.arange(J + 1))
    chosen = rng.integers(0, J, J)
    parts = [order[bounds[c] : bounds[c + 1]] for c in chosen]
    pick = np.concatenate(parts)
    code = np.repeat(np.arange(J), [p.size for p in parts]).astype(np.int64)
    return replace(g, n=pick.size, Y=np.ascontiguousarray(g.Y[pick]), rows=None if g.rows is None else g.rows[pick], code=code, clusters=tuple(g.clusters[c] for c in chosen))


def bootstrap_vcov(fit: SemFit) -> Array:
    return np.atleast_2d(np.cov(draws(fit).free, rowvar=False))


def percentile_interval(fit: SemFit, level: float) -> tuple[Array, Array]:
    """Percentile limits of table rows, then defined parameters; NaN for fixed rows."""
    d = draws(fit)
    values = np.concatenate([d.rows, d.defined], axis=1)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail], axis=0)
    fixed = np.array([not r.free for r in fit.table.rows] + [False] * d.defined.shape[1])
    return np.where(fixed, np.nan, low), np.where(fixed, np.nan, high)


def defined_errors(fit: SemFit) -> Array:
    """Bootstrap standard errors of the defined parameters."""
    return draws(fit).defined.std(axis=0, ddof=1)
