"""A SEM from its parameter table to its optimum: start, linear and general constraints, verdict."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_base import H1, Built, Sample, bounds, build, exogenous_values, free_start
from tanada.engine.sem_verdict import heywood, sem_verdict
from tanada.engine.verdict import Verdict
from tanada.errors import ModelError, did_you_mean
from tanada.partable.evaluate import Functions
from tanada.partable.table import ParameterTable
from tanada.semmodel.matrices import matrices
from tanada.semmodel.options import SemOptions
from tanada.semmodel.start import start_values

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SemFit:
    """An optimum.

    Attributes
    ----------
    sample : Sample
    built : Built
        Table, matrices and objective.
    functions : Functions
        Constraints and defined parameters.
    x : array (n_free,)
        Free parameters at the optimum.
    value : float
        -2 log-likelihood, joint in outcomes and predictors (or the discrepancy, for least squares).
    basis : array (n_free, d) or None
        Directions that the active constraints leave free; None without constraints.
    verdict : Verdict
    notes : tuple of str
    """

    sample: Sample
    built: Built
    functions: Functions
    options: SemOptions
    x: Array
    value: float
    basis: Array | None
    verdict: Verdict
    notes: tuple[str, ...]

    @property
    def table(self) -> ParameterTable:
        return self.built.table

    @cached_property
    def estimates(self) -> Array:
        """Value of every table row."""
        free = np.array([r.free for r in self.table.rows])
        return np.where(free > 0, self.x[np.maximum(free - 1, 0)] if self.x.size else 0.0, self.built.values)

    @property
    def npar(self) -> int:
        """Free parameters less active equality constraints."""
        return int(self.x.size if self.basis is None else self.basis.shape[1])

    @cached_property
    def h1(self) -> H1:
        return self.sample.h1()

    @cached_property
    def loglik(self) -> float:
        return self.scale * (-0.5 * self.value - self.sample.x_loglik())

    @property
    def scale(self) -> float:
        """1, or n / (n - 1) where the objective counts n - 1 rows (Wishart likelihood) and the log-likelihood n."""
        return getattr(self.sample, "scale", 1.0)

    def implied(self, block: int) -> tuple[Array, Array]:
        """Sigma and mu of a block (number from 1); ordered variables in units of their underlying variable's standard deviation."""
        if self.table.ordered:
            return self._implied_ordered(block)
        cov, mean = self.built.model.implied(block - 1, self.x)
        return np.asarray(cov), np.asarray(mean)

    def _implied_ordered(self, block: int) -> tuple[Array, Array]:
        m = self.built.maps[block - 1]
        lam, theta, psi, beta, nu, alpha = matrices(m, self.x)
        A = np.linalg.inv(np.eye(len(m.lv)) - beta) if len(m.lv) else np.zeros((0, 0))
        cov, mean = lam @ A @ psi @ A.T @ lam.T + theta, nu + lam @ A @ alpha
        d = np.array([1.0 / np.sqrt(abs(cov[i, i])) if v in self.table.ordered else 1.0 for i, v in enumerate(m.ov)])
        return cov * np.outer(d, d), np.where(d == 1.0, mean, 0.0)


def fit_sem(sample: Sample, table: ParameterTable, options: SemOptions, start: Array | None = None, keep_values: bool = False) -> SemFit:
    """Fit a table to a sample.

    Parameters
    ----------
    sample : Sample
    table : ParameterTable
    options : SemOptions
    start : array (rows,), optional
        Starting values by table row; by default from the data.
    keep_values : bool
        Take the moments of exogenous variables from `start` instead of the unrestricted model.
    """
    values = start_values(table, sample.start_moments()) if start is None else start
    if start is None and options.start is not None:
        values = given_start(table, values, options.start)
    if table.ordered and not keep_values:
        for i, r in enumerate(table.rows):
            if r.op == "|" and r.start is None and r.value is None:
                values[i] = sample.threshold(r.block, r.lhs, int(r.rhs[1:]))  # type: ignore[attr-defined]
            elif r.op == "~*~" and r.free:
                values[i] = 1.0
    if not keep_values and any(r.exo for r in table.rows):
        values = exogenous_values(table, values, {b.number: sample.ov(b) for b in table.blocks}, sample.h1().moments)
    built = build(sample, table, values)
    functions = Functions.of(table)
    x0 = free_start(table, values)
    low, high = bounds(table, options.bounds)
    if not table.n_free:
        value = float(built.objective.value(x0))
        return SemFit(sample, built, functions, options, x0, value, None, Verdict("ok", "The model has no free parameter."), table.notes)
    out, basis = _optimise(built, functions, x0, low, high, options)
    x = np.asarray(out.x)
    if table.ordered:
        from tanada.engine.sem_wls import settle_ordered

        built = settle_ordered(built, x, options.parameterization == "theta")
    verdict = sem_verdict(table, built, x, out, basis, (low, high))
    notes = (*table.notes, *heywood(table, x, built.values))
    return SemFit(sample, built, functions, options, x, float(out.value), basis, verdict, notes)


def given_start(table: ParameterTable, values: Array, start: Any) -> Array:
    """`values` with those of a mapping {parameter in words, or label: value} put in, and of a fit's parameters of the same names."""
    known: dict[Any, float] = {}
    if isinstance(start, SemFit):
        labels = {b.number: b.group_label for b in start.table.blocks}
        known = {(r.lhs, r.op, r.rhs, labels[r.block], r.level): float(v) for r, v in zip(start.table.rows, start.estimates) if r.free}
    else:
        known = {str(k).replace(" ", ""): float(v) for k, v in dict(start).items()}
    out = values.copy()
    used = set()
    for i, r in enumerate(table.rows):
        for key in ((r.lhs, r.op, r.rhs, table.blocks[r.block - 1].group_label, r.level), f"{r.lhs}{r.op}{r.rhs}", r.label):
            if r.free and key in known and r.start is None:
                out[i] = known[key]
                used.add(key)
                break
    missing = [k for k in known if isinstance(k, str) and k not in used]
    if missing:
        raise ModelError(f"start: '{missing[0]}' is no free parameter of the model.{did_you_mean(missing[0], [f'{r.lhs}{r.op}{r.rhs}' for r in table.rows if r.free])}")
    return out


def _optimise(built: Built, functions: Functions, x0: Array, low: Array, high: Array, options: SemOptions) -> tuple[Any, Array | None]:
    objective = built.objective
    o = {"max_iterations": options.max_iterations, "tol_gradient": options.tolerance}
    linear = None
    functions.check(x0)
    if functions.equal:
        linear = functions.linear_equalities(x0)
    if functions.equal and linear is None or functions.above or linear is not None and (np.isfinite(low).any() or np.isfinite(high).any()):
        from tanada.engine.sem_constrained import constrained_fit

        return constrained_fit(objective, functions, linear, x0, low, high, o)
    if linear is None:
        return _with_restart(objective, x0, low, high, o), None
    basis, offset = null_space(*linear, x0)
    z0 = basis.T @ (x0 - offset)
    free = np.full(basis.shape[1], np.inf)
    out = objective.fit(z0, -free, free, basis=basis, offset=offset, **o)
    return out, basis


def _with_restart(objective: Any, x0: Array, low: Array, high: Array, o: dict[str, Any]) -> Any:
    if not np.isfinite(objective.value(np.clip(x0, low, high))):
        x0 = _make_feasible(objective, np.clip(x0, low, high))
    out = objective.fit(x0, low, high, **o)
    if not out.converged and np.isfinite(out.value):
        again = objective.fit(np.asarray(out.x), low, high, **o)
        if again.converged or again.value < out.value:
            return again
    return out


def _make_feasible(objective: Any, x0: Array) -> Array:
    for shrink in (0.8, 0.5, 0.2, 0.05):
        if np.isfinite(objective.value(x0 * shrink)):
            return x0 * shrink
    raise ModelError(
        "the starting values imply a covariance matrix that is not positive definite, and so do smaller ones. "
        "Check fixed values, or give start values with start(value)*variable."
    )


def null_space(A: Array, b: Array, x0: Array) -> tuple[Array, Array]:
    """Orthonormal basis of {d: A d = 0} and the point of {x: A x = b} nearest to x0."""
    u, s, vt = np.linalg.svd(A)
    rank = int((s > 1e-10 * max(s.max(initial=0.0), 1.0)).sum())
    step = np.linalg.lstsq(A, b - A @ x0, rcond=None)[0]
    offset = x0 + step
    if not np.allclose(A @ offset, b, atol=1e-8 * (1.0 + np.abs(b).max(initial=0.0))):
        raise ModelError("the equality constraints contradict each other; no parameter values satisfy all of them.")
    return np.ascontiguousarray(vt[rank:].T), offset
