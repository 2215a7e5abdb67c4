"""What every kind of SEM sample offers, and the model built on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tanada import _core
from tanada.partable.table import Block, ParameterTable
from tanada.semmodel.data import SemData
from tanada.semmodel.matrices import BlockMap, block_map
from tanada.semmodel.sample import Moments

Array = NDArray[np.float64]


@dataclass(frozen=True)
class H1:
    """The unrestricted model: log-likelihood (joint in outcomes and predictors) and moments of each block, ordered as `Sample.ov(block)`."""

    loglik: float
    moments: dict[int, Moments]


@dataclass(frozen=True)
class Built:
    """A parameter table turned into matrices and an objective; `values` are the fixed or starting values by table row."""

    table: ParameterTable
    maps: tuple[BlockMap, ...]
    model: Any
    objective: Any
    values: Array


class Sample(Protocol):
    """Data as one engine sees them.

    `kind` is "moments", "fiml", "twolevel", "twolevel_fiml" or "least_squares"; `likelihood` says whether the objective is -2 log-likelihood.
    """

    kind: str
    likelihood: bool
    data: SemData
    table: ParameterTable

    def ov(self, block: Block) -> tuple[str, ...]: ...

    def block_n(self, block: Block) -> float: ...

    def start_moments(self) -> Mapping[int, tuple[Sequence[str], Moments]]: ...

    def h1(self) -> H1: ...

    def objective(self, model: Any, table: ParameterTable, values: Array) -> Any: ...

    def x_loglik(self) -> float:
        """Log-likelihood of the fixed exogenous variables, which the reported log-likelihood leaves out."""
        ...

    def scores(self, built: Built, x: Array) -> Array:
        """d log-likelihood / d x, one row per independent unit (row, or cluster)."""
        ...


def build(sample: Sample, table: ParameterTable, values: Array) -> Built:
    """Matrices and objective of a table; `values` fills what the table leaves to the data."""
    maps = tuple(block_map(table, b, sample.ov(b), values) for b in table.blocks)
    model = _core.SemModel(
        table.n_free, [_core.SemBlock(len(m.ov), len(m.lv), m.slot.astype(np.int8), m.row, m.col, m.free, m.value) for m in maps]
    )
    return Built(table, maps, model, sample.objective(model, table, values), values)


def exogenous_values(table: ParameterTable, values: Array, ov: Mapping[int, Sequence[str]], moments: Mapping[int, Moments]) -> Array:
    """`values` with the moments of fixed exogenous variables put in."""
    out = values.copy()
    for i, r in enumerate(table.rows):
        if r.exo and r.value is None and not r.free:
            names, m = ov[r.block], moments[r.block]
            j = list(names).index(r.lhs)
            out[i] = m.mean[j] if r.op == "~1" else m.cov[j, list(names).index(r.rhs)]
    return out


def free_start(table: ParameterTable, values: Array) -> Array:
    """The start of each free parameter, from values by row."""
    out = np.zeros(table.n_free)
    for r, v in zip(reversed(table.rows), values[::-1]):
        if r.free:
            out[r.free - 1] = v
    return out


def bounds(table: ParameterTable, positive: bool = False) -> tuple[Array, Array]:
    """Lower and upper bounds from `lower()` and `upper()`; `positive` keeps variances at 0 or above."""
    low, high = np.full(table.n_free, -np.inf), np.full(table.n_free, np.inf)
    for r in table.rows:
        if not r.free:
            continue
        k = r.free - 1
        if r.lower is not None:
            low[k] = max(low[k], r.lower)
        elif positive and r.op == "~~" and r.lhs == r.rhs:
            low[k] = max(low[k], 0.0)
        if r.upper is not None:
            high[k] = min(high[k], r.upper)
    return low, high
