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

    def objective(self, model: Any) -> Any:
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
            s = np.asarray(built.objective.scores(x, k, self.rows(b)))
            parts.append(s if g.weights is None else s * g.weights[:, None])
        return np.concatenate(parts)
