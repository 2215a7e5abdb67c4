"""Least-squares samples: GLS, ULS, WLS, DWLS of continuous variables, and ordered variables by thresholds and polychoric correlations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada import _core
from tanada.engine.sem_base import H1, Built
from tanada.errors import DataError, ModelError
from tanada.partable.table import Block, ParameterTable
from tanada.semmodel.data import SemData
from tanada.semmodel.gamma import THRESHOLD, Statistics, continuous, weight
from tanada.semmodel.matrices import matrices
from tanada.semmodel.sample import Moments, check_positive_definite, moments

Array = NDArray[np.float64]


class LeastSquaresSample:
    """Sample statistics with their weights; the objective is n F, F = (s - sigma)' W (s - sigma).

    References
    ----------
    Browne (1984), British Journal of Mathematical and Statistical Psychology 37; Muthen (1984), Psychometrika 49.
    """

    kind = "least_squares"
    likelihood = False

    def __init__(self, data: SemData, table: ParameterTable, estimator: str, theta: bool = False) -> None:
        self.data, self.table, self.estimator, self.theta = data, table, estimator, theta
        where = {v: i for i, v in enumerate(data.names)}
        self._moments: dict[int, Moments] = {}
        self.statistics: dict[int, Statistics] = {}
        self.weights: dict[int, Array] = {}
        for b, g in zip(table.blocks, data.groups):
            pick = [where[v] for v in b.roles.ov]
            Y = None if g.Y is None else np.ascontiguousarray(g.Y[:, pick])
            if data.ordered:
                m, s = _ordered(data, b, Y)
            else:
                full = moments(g)
                m = Moments(full.n, full.cov[np.ix_(pick, pick)], full.mean[pick])
                check_positive_definite(m, b.roles.ov, g.label)
                s = continuous(m, table.meanstructure, Y, weights=g.weights)
            self._moments[b.number], self.statistics[b.number] = m, s
            self.weights[b.number] = weight(estimator, s, m)

    def ov(self, block: Block) -> tuple[str, ...]:
        return block.roles.ov

    def block_n(self, block: Block) -> float:
        return self._moments[block.number].n

    def threshold(self, block: int, variable: str, number: int) -> float:
        """Sample threshold of an ordered variable; `number` counts from 1."""
        b = next(b for b in self.table.blocks if b.number == block)
        s = self.statistics[block]
        mine = np.flatnonzero((s.kind == THRESHOLD) & (s.row == b.roles.ov.index(variable)))
        return float(s.values[mine[number - 1]])

    def start_moments(self) -> Mapping[int, tuple[Sequence[str], Moments]]:
        return {b.number: (b.roles.ov, self._moments[b.number]) for b in self.table.blocks}

    @cached_property
    def _h1(self) -> H1:
        if self.data.ordered:
            return H1(np.nan, self._moments)
        return H1(np.nan, {k: Moments(m.n, m.cov * (m.n / (m.n - 1)), m.mean) for k, m in self._moments.items()})

    def h1(self) -> H1:
        return self._h1

    def objective(self, model: Any, table: ParameterTable, values: Array) -> Any:
        return _core.WlsObjective(model, [self._group(b, table, values) for b in table.blocks])

    def _group(self, b: Block, table: ParameterTable, values: Array) -> Any:
        s = self.statistics[b.number]
        out: dict[str, Any] = {"stats": s.values, "weight": s.n * self.weights[b.number], "kind": s.kind.tolist(), "row": s.row.tolist(), "col": s.col.tolist()}
        if not self.data.ordered:
            return out
        ov = b.roles.ov
        tau: dict[tuple[str, int], tuple[int, float]] = {}
        delta_free, delta_value = [-1] * len(ov), [1.0] * len(ov)
        for i, r in enumerate(table.rows):
            if r.block != b.number:
                continue
            if r.op == "|":
                tau[r.lhs, int(r.rhs[1:])] = (r.free - 1, 0.0 if r.free else float(values[i]))
            elif r.op == "~*~":
                delta_free[ov.index(r.lhs)] = r.free - 1
                delta_value[ov.index(r.lhs)] = float(values[i])
        ordered = [tau[v, k + 1] for v in ov if v in self.data.ordered for k in range(len(self.data.ordered[v]) - 1)]
        out |= {"tau_free": [t[0] for t in ordered], "tau_value": [t[1] for t in ordered], "delta_free": delta_free, "delta_value": delta_value}
        if self.theta:
            out["standardized"] = [int(v in self.data.ordered) for v in ov]
        return out

    def test_statistic(self, built: Built, x: Array) -> float:
        """sum_g (n_g - 1) F_g."""
        return sum((s.n - 1.0) * self.distance(b, s.values - np.asarray(built.objective.implied_stats(x, k))) for k, (b, s) in enumerate(self.statistics.items()))

    def distance(self, block: int, e: Array) -> float:
        """e' W e with the weight of a block."""
        W = self.weights[block]
        return float(np.sum(e * e * W)) if W.ndim == 1 else float(e @ W @ e)

    def x_loglik(self) -> float:
        return 0.0

    def scores(self, built: Built, x: Array) -> Array:
        raise ModelError(f"estimator='{self.estimator}' has no likelihood scores; use se='robust' (or a maximum likelihood estimator).")


def _ordered(data: SemData, b: Block, Y: Array | None) -> tuple[Moments, Statistics]:
    """Thresholds, polychoric and polyserial correlations of a group, with their asymptotic covariance."""
    if Y is None:
        raise ModelError("ordered variables need the raw data; the model was given sample moments.")
    categories = [len(data.ordered.get(v, ())) for v in b.roles.ov]
    for j, (v, k) in enumerate(zip(b.roles.ov, categories)):
        if k:
            counts = np.bincount(Y[:, j][~np.isnan(Y[:, j])].astype(int), minlength=k)
            if (counts == 0).any():
                empty = data.ordered[v][int(np.argmin(counts))]
                raise DataError(f"ordered: category '{empty}' of '{v}' never occurs in group '{b.group_label}'; merge categories so that every group has all of them.")
    found = _core.polychoric(Y, categories)
    if not np.isfinite(found["correlation"]).all():
        raise DataError("a polychoric correlation could not be estimated; look for pairs of variables with an empty or perfect cross table.")
    sd = np.sqrt(np.asarray(found["variance"], float))
    sd = np.where(np.array(categories) > 0, 1.0, sd)
    cov = np.asarray(found["correlation"]) * np.outer(sd, sd)
    kind, row, col = (np.asarray(found[k], np.int32) for k in ("kind", "row", "col"))
    mean = np.where(np.array(categories) > 0, 0.0, np.asarray(found["mean"], float))
    values = np.asarray(found["stats"], float)
    on = kind == THRESHOLD
    col = np.where(on, np.cumsum(on) - 1, col).astype(np.int32)
    return Moments(float(len(Y)), cov, mean), Statistics(float(len(Y)), values, kind, row, col, np.asarray(found["gamma"]))


def settle_ordered(built: Built, x: Array, theta: bool) -> Built:
    """After the fit: residual variances of ordered variables (delta), or their scales (theta), put in place of the placeholders.

    Delta: the variance of the underlying variable is 1 / delta^2, and its residual variance what the model leaves of it. Theta: the scale is
    the inverse standard deviation of the underlying variable.
    """
    table, values = built.table, built.values.copy()
    maps = []
    for m in built.maps:
        lam, th, psi, beta, _, _ = matrices(m, x)
        A = np.linalg.inv(np.eye(len(m.lv)) - beta) if len(m.lv) else np.zeros((0, 0))
        total = np.diag(lam @ A @ psi @ A.T @ lam.T + th)
        cell = m.value.copy()
        rows = {(r.op, r.lhs): i for i, r in enumerate(table.rows) if r.block == m.block.number and (r.op == "~*~" or (r.op == "~~" and r.lhs == r.rhs))}
        for j, v in enumerate(m.ov):
            if v not in table.ordered:
                continue
            scale, own = rows["~*~", v], rows["~~", v]
            if theta:
                values[scale] = 1.0 / np.sqrt(total[j])
                continue
            r = table.rows[scale]
            delta = float(x[r.free - 1]) if r.free else values[scale]
            values[own] = 1.0 / delta**2 - (total[j] - values[own])
            cell[m.table_row == own] = values[own]
        maps.append(replace(m, value=cell))
    return replace(built, maps=tuple(maps), values=values)
