"""Single-level samples: moments of complete data, and raw data with missing values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada import _core
from tanada.engine.sem_base import H1, Built
from tanada.partable.table import Block, ParameterTable
from tanada.semmodel.data import SemData
from tanada.semmodel.sample import Moments, check_positive_definite, moments, normal_loglik

Array = NDArray[np.float64]


class MomentSample:
    """Complete data of one level: the sample moments of each group are sufficient."""

    kind = "moments"
    likelihood = True

    def __init__(self, data: SemData, table: ParameterTable, wishart: bool = False) -> None:
        self.data, self.table, self.wishart = data, table, wishart
        where = {v: i for i, v in enumerate(data.names)}
        self._pick = {b.number: [where[v] for v in b.roles.ov] for b in table.blocks}
        self._moments: dict[int, Moments] = {}
        for b, g in zip(table.blocks, data.groups):
            m = moments(g, wishart)
            pick = self._pick[b.number]
            if pick != list(range(len(where))):
                m = Moments(m.n, m.cov[np.ix_(pick, pick)], m.mean[pick])
            check_positive_definite(m, b.roles.ov, g.label)
            self._moments[b.number] = m

    @property
    def scale(self) -> float:
        n = self.data.nobs
        return n / (n - len(self.data.groups)) if self.wishart else 1.0

    def ov(self, block: Block) -> tuple[str, ...]:
        return block.roles.ov

    def block_n(self, block: Block) -> float:
        return self._moments[block.number].n

    def start_moments(self) -> Mapping[int, tuple[Sequence[str], Moments]]:
        return {b.number: (b.roles.ov, self._moments[b.number]) for b in self.table.blocks}

    @cached_property
    def _h1(self) -> H1:
        return H1(sum(normal_loglik(m.n, m.cov) for m in self._moments.values()), self._moments)

    def h1(self) -> H1:
        return self._h1

    def objective(self, model: Any, table: ParameterTable, values: Array) -> Any:
        mean = self.table.meanstructure
        return _core.MomentObjective(model, [(m.n, m.cov, m.mean if mean else None) for m in self._moments.values()])

    def x_loglik(self) -> float:
        out = 0.0
        for b in self.table.blocks:
            fixed = [r.lhs for r in self.table.rows if r.exo and r.op == "~~" and r.lhs == r.rhs and r.block == b.number]
            i = [b.roles.ov.index(v) for v in fixed]
            m = self._moments[b.number]
            out += normal_loglik(m.n, m.cov[np.ix_(i, i)])
        return out

    def rows(self, block: Block) -> Array:
        """The rows of the block's group, variables in the order of Sigma."""
        g = self.data.groups[block.group - 1]
        if g.Y is None:
            from tanada.errors import ModelError

            raise ModelError("this needs the raw data; the model was fitted to sample moments. Pass data= instead of sample_cov=.")
        pick = self._pick[block.number]
        return g.Y if pick == list(range(g.Y.shape[1])) else np.ascontiguousarray(g.Y[:, pick])

    def scores(self, built: Built, x: Array) -> Array:
        parts = []
        for k, (b, g) in enumerate(zip(self.table.blocks, self.data.groups)):
            Y = self.rows(b)
            if g.weights is None:
                parts.append(np.asarray(built.objective.scores(x, k, Y)))
                continue
            # without modelled means the core centres at the mean of the rows it gets: one more row makes that the weighted mean
            extra = (len(Y) + 1) * self._moments[b.number].mean - Y.sum(axis=0)
            s = np.asarray(built.objective.scores(x, k, np.vstack([Y, extra])))[:-1]
            parts.append(s * g.weights[:, None])
        return np.concatenate(parts)


class FimlSample:
    """Rows with missing values: every observed value counts, by missing pattern."""

    kind = "fiml"
    likelihood = True

    def __init__(self, data: SemData, table: ParameterTable) -> None:
        self.data, self.table = data, table
        where = {v: i for i, v in enumerate(data.names)}
        self._rows = {}
        for b in table.blocks:
            Y = data.groups[b.group - 1].Y
            assert Y is not None
            self._rows[b.number] = np.ascontiguousarray(Y[:, [where[v] for v in b.roles.ov]])

    def ov(self, block: Block) -> tuple[str, ...]:
        return block.roles.ov

    def block_n(self, block: Block) -> float:
        return float(len(self._rows[block.number]))

    def rows(self, block: Block) -> Array:
        return self._rows[block.number]

    @cached_property
    def _start(self) -> dict[int, tuple[Sequence[str], Moments]]:
        return {b.number: (b.roles.ov, available_moments(self._rows[b.number])) for b in self.table.blocks}

    def start_moments(self) -> Mapping[int, tuple[Sequence[str], Moments]]:
        return self._start

    @cached_property
    def covered(self) -> bool:
        """Every pair of variables is observed together somewhere."""
        return all(bool(((k := (~np.isnan(Y)).astype(float)).T @ k > 0).all()) for Y in self._rows.values())

    @cached_property
    def _h1(self) -> H1:
        loglik, found = 0.0, {}
        for k, (_, m) in self._start.items():
            ll, found[k] = saturated_rows(self._rows[k], m)
            loglik += ll
        return H1(loglik, found)

    def h1(self) -> H1:
        return self._h1

    def objective(self, model: Any, table: ParameterTable, values: Array) -> Any:
        return _core.FimlObjective(model, list(self._rows.values()))

    def x_loglik(self) -> float:
        out = 0.0
        for b in self.table.blocks:
            x = [b.roles.ov.index(r.lhs) for r in self.table.rows if r.exo and r.op == "~~" and r.lhs == r.rhs and r.block == b.number]
            if x:
                v = self._rows[b.number][:, x]
                d = v - v.mean(axis=0)
                out += normal_loglik(len(v), d.T @ d / len(v))
        return out

    def scores(self, built: Built, x: Array) -> Array:
        return np.concatenate([np.asarray(built.objective.scores(x, k)) for k in range(len(self._rows))])


def available_moments(Y: Array) -> Moments:
    """Means and variances of the observed values, and correlations of the values observed together, shrunk until positive definite."""
    known = ~np.isnan(Y)
    mean = np.nanmean(Y, axis=0)
    d = np.where(known, Y - mean, 0.0)
    k = known.astype(float)
    both = k.T @ k
    with np.errstate(invalid="ignore", divide="ignore"):
        cov = np.where(both > 2, d.T @ d / both, 0.0)
        sd = np.sqrt(np.diag(cov))
        R = cov / np.outer(sd, sd)
    R = np.clip(np.nan_to_num(R), -0.95, 0.95) * np.minimum(1.0, both / (both + 10.0))
    np.fill_diagonal(R, 1.0)
    w = float(np.linalg.eigvalsh(R)[0])
    if w < 0.05:
        R = R * (1.0 - 0.05) / (1.0 - w) if w < 1.0 else R
        np.fill_diagonal(R, 1.0)
    return Moments(float(len(Y)), R * np.outer(sd, sd), mean)


def saturated_rows(Y: Array, m: Moments) -> tuple[float, Moments]:
    """The unrestricted model of rows with missing values: its log-likelihood and moments.

    NaN where two variables are never observed together: their covariance is then not identified.
    """
    known = (~np.isnan(Y)).astype(float)
    if (known.T @ known == 0).any():
        return np.nan, m
    found = _core.h1_fiml(Y)
    return float(found["loglik"]), Moments(m.n, np.asarray(found["cov"]), np.asarray(found["mean"]))
