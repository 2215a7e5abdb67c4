"""Rows and clusters of one group, variables split by level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import DataError, ModelError
from tanada.partable.table import Block
from tanada.semmodel.data import SemData, SemGroup

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ClusterGroup:
    """One group of a two-level model.

    Attributes
    ----------
    within, between : Block
    y : array (N, p)
        Variables of the within block, in its order.
    z : array (J, q)
        Between-only variables, in the order of the between block.
    code : int64 array (N,)
    within_index, between_index : int arrays
        Place of each block's variables among (y, z).
    """

    within: Block
    between: Block
    y: Array
    z: Array
    code: NDArray[np.int64]
    n_clusters: int
    within_index: NDArray[np.int32]
    between_index: NDArray[np.int32]
    between_only: tuple[str, ...]
    clusters: tuple[str, ...]

    def as_core(self) -> Any:
        """The group as the core takes it."""
        return {"y": self.y, "code": self.code, "z": self.z if self.z.shape[1] else None, "within_index": self.within_index, "between_index": self.between_index}


def cluster_group(data: SemData, g: SemGroup, within: Block, between: Block) -> ClusterGroup:
    """Split the variables of a group by level and check that the data allow it."""
    if g.Y is None or g.code is None:
        raise ModelError("a two-level model needs raw data and cluster=, the column that says which cluster a row belongs to.")
    J = len(g.clusters)
    where = f" in group '{g.label}'" if g.label else ""
    if J < 2:
        raise DataError(f"cluster='{data.cluster_name}' has {J} cluster{where}; a two-level model needs at least two, and in practice dozens.")
    if g.n == J:
        raise DataError(f"cluster='{data.cluster_name}': every row is its own cluster{where}; the two levels cannot be told apart.")
    column = {v: i for i, v in enumerate(data.names)}
    first = np.full(J, -1, np.int64)
    first[g.code[::-1]] = np.arange(g.n - 1, -1, -1)
    only = tuple(v for v in between.roles.ov if v not in within.roles.ov)
    z = np.empty((J, len(only)))
    for k, v in enumerate(only):
        z[:, k] = _cluster_values(g, v, g.Y[:, column[v]], first, J)
    pick = [column[v] for v in within.roles.ov]
    y = g.Y if pick == list(range(g.Y.shape[1])) else np.ascontiguousarray(g.Y[:, pick])
    _check_varies(y, g, first, within.roles.ov, where)
    place = {v: i for i, v in enumerate((*within.roles.ov, *only))}
    return ClusterGroup(
        within, between, y, z, g.code, J, np.arange(len(pick), dtype=np.int32),
        np.array([place[v] for v in between.roles.ov], np.int32), only, g.clusters,
    )  # fmt: skip


def _cluster_values(g: SemGroup, name: str, v: Array, first: NDArray[np.int64], J: int) -> Array:
    """The one value of a between-only variable in each cluster (NaN where all are missing)."""
    assert g.code is not None
    known = ~np.isnan(v)
    value = v[first]
    if not known.all():
        value = np.full(J, np.nan)
        value[g.code[known][::-1]] = v[known][::-1]
    off = known & (np.abs(v - value[g.code]) > 1e-10 * (1.0 + np.abs(v)))
    if off.any():
        bad = np.unique(g.code[off])
        names = ", ".join(f"'{g.clusters[i]}'" for i in bad[:4]) + (f" and {bad.size - 4} more" if bad.size > 4 else "")
        raise DataError(
            f"'{name}' stands only under level: 2, but its values differ within {bad.size} cluster{'s' * (bad.size != 1)} ({names}). "
            f"Use it at level 1 too, or replace it by its cluster mean."
        )
    return value


def _check_varies(y: Array, g: SemGroup, first: NDArray[np.int64], names: tuple[str, ...], where: str) -> None:
    assert g.code is not None
    constant = np.ones(y.shape[1], bool)
    for j in range(y.shape[1]):
        d = y[:, j] - y[first, j][g.code]
        constant[j] = not (np.abs(np.nan_to_num(d)) > 0).any()
        if constant[j] and np.isnan(y[:, j]).any():
            constant[j] = False
        if constant[j]:
            raise DataError(f"'{names[j]}' stands under level: 1 but is constant within every cluster{where}; put it under level: 2 only.")
