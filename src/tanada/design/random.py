"""Designs of random-effects terms, at the fit and at prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Labels
from tanada.design.expressions import Evaluator
from tanada.design.groups import check_levels, cross, group_factor, match_known
from tanada.design.matrices import RandomDesign
from tanada.design.terms import LARGEST, build_matrix
from tanada.design.transforms import position_labels
from tanada.design.values import Value, recode
from tanada.errors import DataError, did_you_mean
from tanada.formula.bars import INDEXED, RandomTerm
from tanada.formula.nodes import Node, deparse

Array = NDArray[np.float64]
_EVENLY_SPACED = ("ar1", "hetar1")
_POSITIONS = ("ou", "exp", "gau", "mat")


@dataclass(frozen=True)
class RandomSpec:
    """What prediction needs of one random term.

    Attributes
    ----------
    names : tuple of str
    parts : tuple of tuple of str
        Levels of each grouping column at the fit.
    keys : int64 array
        Combinations of these that occur (empty for a single column).
    levels : tuple of str
    index_levels : tuple of str
        Levels of the time or position factor of ar1(), ou(), ...; empty for other structures.
    coords : array (k, d) or None
    options : dict
    """

    names: tuple[str, ...]
    parts: tuple[Labels, ...]
    keys: NDArray[np.int64]
    levels: Labels
    index_levels: Labels = ()
    coords: Array | None = None
    options: dict[str, Any] = field(default_factory=dict)


def design_random(term: RandomTerm, ev: Evaluator, contrasts: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[RandomDesign, RandomSpec]:
    """The design of one term on the fitted rows."""
    factors = [group_factor(ev, g) for g in term.group]
    keys = np.empty(0, dtype=np.int64)
    if len(factors) == 1:
        codes, levels = factors[0]
    else:
        codes, levels, keys = cross(factors)
    if term.structure not in INDEXED and term.structure not in ("propto", "equalto"):  # one realisation over known positions will do
        check_levels(levels, term.group_label)
    options = _options(term, known)
    index_levels: Labels = ()
    coords: Array | None = None
    if term.structure in INDEXED:
        node = term.terms.factors[0]
        index, index_levels, coords = _index(term, node, ev)
        Z, options["column"] = _indicators(index, len(index_levels), term.text), index
        if coords is not None:
            options["coords"] = coords
        names: tuple[str, ...] = tuple(deparse(node) + v for v in index_levels)
    else:
        matrix = build_matrix(term.terms, ev, contrasts)
        Z, names = matrix.X, matrix.names
    _check_known(options, len(names), term)
    spec = RandomSpec(names, tuple(f[1] for f in factors), keys, levels, index_levels, coords, {k: v for k, v in options.items() if k != "column"})
    return RandomDesign(term.group_label, names, term.structure, codes, levels, Z, options, term.text), spec


def rebuild_random(term: RandomTerm, spec: RandomSpec, ev: Evaluator, contrasts: Mapping[str, Any]) -> RandomDesign:
    """The design of one term on new rows; codes are -1 where the group is unknown."""
    codes = match_known([group_factor(ev, g) for g in term.group], spec.parts, spec.keys)
    options = dict(spec.options)
    if term.structure in INDEXED:
        node = term.terms.factors[0]
        index = _known_index(term, node, ev, spec)
        Z, options["column"] = _indicators(index, len(spec.index_levels), term.text), index
    else:
        Z = build_matrix(term.terms, ev, contrasts).X
    return RandomDesign(term.group_label, spec.names, term.structure, codes, spec.levels, Z, options, term.text)


def _options(term: RandomTerm, known: Mapping[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if term.rank is not None:
        options["rank"] = term.rank
    if term.known is not None:
        if term.known not in known:
            raise DataError(f"{term.text}: no matrix called '{term.known}' was given; pass it as control={{'known': {{'{term.known}': matrix}}}}.{did_you_mean(term.known, known)}")
        options["known"] = np.asarray(known[term.known], dtype=np.float64)
    return options


def _check_known(options: Mapping[str, Any], k: int, term: RandomTerm) -> None:
    if "rank" in options and options["rank"] > k:
        raise DataError(f"{term.text}: a rank of {options['rank']} is more than its {k} effects.")
    if "known" not in options:
        return
    V = options["known"]
    if V.shape != (k, k):
        raise DataError(f"{term.text}: the matrix '{term.known}' has shape {V.shape}; its {k} effects need ({k}, {k}).")
    if not np.isfinite(V).all() or not np.allclose(V, V.T) or np.linalg.eigvalsh(V).min() <= 0:
        raise DataError(f"{term.text}: the matrix '{term.known}' must be symmetric and positive definite.")


def _indicators(index: NDArray[np.int32], k: int, text: str) -> Array:
    n = index.shape[0]
    if n * k > LARGEST:
        raise DataError(f"{text} has {k} positions on {n} rows, too many to hold.")
    Z = np.zeros((n, k))
    rows = np.flatnonzero(index >= 0)
    Z[rows, index[rows]] = 1.0
    Z[index < 0] = np.nan
    return Z


def _index(term: RandomTerm, node: Node, ev: Evaluator) -> tuple[NDArray[np.int32], Labels, Array | None]:
    """Position of each row among the times or places of the term, their labels, and coordinates where they have any."""
    value = ev.value(node)
    if value.is_factor:
        return _factor_index(term, node, value)
    times = value.array
    if times.ndim != 1:
        raise DataError(f"{term.text}: '{deparse(node)}' has {times.shape[1]} columns; one column of times or numFactor(x, y) is accepted.")
    if term.structure in _EVENLY_SPACED:
        if not np.equal(np.round(times), times).all():
            raise DataError(
                f"{term.text}: {term.structure}() needs whole-number times or a factor, and '{deparse(node)}' is not whole; use ou({deparse(node)} + 0 | ...)."
            )
        low, high = int(times.min()), int(times.max())
        if high - low >= 10_000:
            raise DataError(f"{term.text}: '{deparse(node)}' spans {high - low + 1} times; {term.structure}() takes up to 10000, ou() takes irregular times.")
        grid = np.arange(low, high + 1)
        return (times - low).astype(np.int32), tuple(str(t) for t in grid.tolist()), grid[:, None].astype(float)
    unique, inverse = np.unique(times, return_inverse=True)
    return inverse.astype(np.int32), position_labels(unique[:, None]), unique[:, None]


def _factor_index(term: RandomTerm, node: Node, value: Value) -> tuple[NDArray[np.int32], Labels, Array | None]:
    levels = value.levels or ()
    if value.coords is not None:
        return value.array, levels, value.coords
    if term.structure in _EVENLY_SPACED:
        return value.array, levels, np.arange(len(levels), dtype=float)[:, None]
    coords = [_read_position(label) for label in levels]
    if any(c is None for c in coords) or len({len(c) for c in coords if c}) != 1:
        raise DataError(f"{term.text}: {term.structure}() needs positions; write {term.structure}(numFactor(x, y) + 0 | ...) with numeric columns.")
    return value.array, levels, np.array(coords, dtype=float)


def _read_position(label: str) -> list[float] | None:
    try:
        return [float(part) for part in label.strip("()").split(",")]
    except ValueError:
        return None


def _known_index(term: RandomTerm, node: Node, ev: Evaluator, spec: RandomSpec) -> NDArray[np.int32]:
    value = ev.value(node)
    if value.is_factor:
        return recode(value.array, value.levels or (), spec.index_levels)[0]
    assert spec.coords is not None
    at = np.clip(np.searchsorted(spec.coords[:, 0], value.array), 0, len(spec.coords) - 1)
    same = spec.coords[at, 0] == value.array
    if not same.all():
        raise DataError(f"{term.text}: '{deparse(node)}' holds times that were not in the fitted data; predict without this term (re=False).")
    return at.astype(np.int32)
