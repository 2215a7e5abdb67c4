"""Grouping factors: codes and labels of the levels, crossed where the formula says a:b, matched by label at prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Codes, Column, Labels
from tanada.design.values import recode
from tanada.errors import DataError
from tanada.formula.nodes import Call, Name, Node

Factor = tuple[Codes, Labels]


def group_factor(ev: Any, node: Node) -> Factor:
    """Codes and labels of one grouping expression; numbers group by value."""
    if isinstance(node, Name):
        column: Column = ev.columns[node.name]
        return column.factor
    from tanada.design.transforms import as_column, make_factor

    if isinstance(node, Call) and node.func in ("factor", "as.factor", "ordered") and len(node.args) == 1:
        return as_column(ev, node.args[0][1]).factor
    if isinstance(node, Call) and node.func in ("factor", "as.factor", "ordered", "relevel", "C"):
        value = make_factor(ev, node)
        return value.array, value.levels or ()
    return as_column(ev, node).factor


def cross(factors: Sequence[Factor]) -> tuple[Codes, Labels, NDArray[np.int64]]:
    """The interaction of factors: only combinations that occur, ordered by the first factor, then the second, ...

    Returns
    -------
    codes : int32 (n,)
    levels : tuple of str
        "a:b" labels.
    keys : int64 (levels,)
        Mixed-radix number of each combination, sorted.
    """
    key, sizes = mixed_radix([f[0] for f in factors], [len(f[1]) for f in factors])
    codes, keys = _compress(key, int(np.prod([float(s) for s in sizes])))
    return codes, joint_labels(keys, [f[1] for f in factors]), keys


def mixed_radix(codes: Sequence[Codes], sizes: Sequence[int]) -> tuple[NDArray[np.int64], Sequence[int]]:
    """One number a combination of codes; -1 where any code is -1."""
    if np.prod([float(s) for s in sizes]) > 2.0**62:
        raise DataError("too many combinations of grouping factors.")
    key = codes[0].astype(np.int64)
    missing = codes[0] < 0
    for c, size in zip(codes[1:], sizes[1:], strict=True):
        key = key * size + c
        missing = missing | (c < 0)
    if missing.any():
        key[missing] = -1
    return key, sizes


def _compress(key: NDArray[np.int64], total: int) -> tuple[Codes, NDArray[np.int64]]:
    if total <= 4 * key.size + 100_000:
        used = np.zeros(total + 1, dtype=bool)
        used[key] = True
        used[total] = False
        rank = np.cumsum(used, dtype=np.int32) - 1
        rank[total] = -1
        return rank[key].astype(np.int32, copy=False), np.flatnonzero(used)
    import pandas as pd

    codes, keys = pd.factorize(key, sort=True)
    if keys.size and keys[0] == -1:
        return (codes - 1).astype(np.int32), keys[1:]
    return codes.astype(np.int32), keys


def joint_labels(keys: NDArray[np.int64], levels: Sequence[Labels]) -> Labels:
    parts = []
    rest = keys
    for labels in reversed(levels):
        parts.append(np.array(labels, dtype=object)[rest % len(labels)])
        rest = rest // len(labels)
    out = parts.pop()
    while parts:
        out = out + ":" + parts.pop()
    return tuple(out.tolist())


def match_known(factors: Sequence[Factor], known: Sequence[Labels], keys: NDArray[np.int64]) -> Codes:
    """Codes of new data into the levels of the fit; -1 where the level (or the combination) is new or missing."""
    codes = [recode(f[0], f[1], labels)[0] for f, labels in zip(factors, known, strict=True)]
    if len(codes) == 1:
        return codes[0]
    key, _ = mixed_radix(codes, [len(labels) for labels in known])
    at = np.minimum(np.searchsorted(keys, key), max(len(keys) - 1, 0))
    return np.where(keys[at] == key, at, -1).astype(np.int32)


def check_levels(levels: Labels, label: str) -> None:
    if len(levels) < 2:
        only = f" ('{levels[0]}')" if levels else ""
        raise DataError(f"grouping factor '{label}' has a single level{only} in the rows used; a random effect needs at least two groups.")
