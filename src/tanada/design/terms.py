"""Model matrices from terms: R's coding rule and column names.

A factor in a term is coded by contrasts when the term without it lies within an earlier term, otherwise by indicators of all its levels
(Chambers & Hastie 1992, section 2.4). Columns of an interaction run through the first factor fastest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.design import coding as coding_of
from tanada.design.expressions import Evaluator
from tanada.design.values import Value
from tanada.errors import DataError
from tanada.formula.nodes import Node, deparse, strip
from tanada.formula.terms import Terms

Array = NDArray[np.float64]
LARGEST = 400_000_000  # entries of a dense model matrix (3.2 GB)


@dataclass(frozen=True)
class Matrix:
    """A model matrix: X (n, p), column names, the term of each column (-1 is the intercept) and the labels of the terms."""

    X: Array
    names: tuple[str, ...]
    assign: tuple[int, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class _Piece:
    """One factor as it enters one term: numbers (n, m) or (n,), or codes with their coding table (L + 1, m)."""

    names: tuple[str, ...]
    array: NDArray[Any]
    table: Array | None = None

    def columns(self) -> Array:
        if self.table is not None:
            return self.table[self.array]
        return self.array[:, None] if self.array.ndim == 1 else self.array


def full_coding(terms: Terms) -> dict[tuple[tuple[int, ...], int], bool]:
    """For each term and factor in it: whether the factor is coded by all its levels."""
    before: list[frozenset[int]] = []
    out: dict[tuple[tuple[int, ...], int], bool] = {}
    for term in terms.terms:
        whole = frozenset(term)
        for i in term:
            rest = whole - {i}
            out[term, i] = bool(rest) and not any(rest <= earlier for earlier in before)
        before.append(whole)
    return out


def build_matrix(terms: Terms, ev: Evaluator, contrasts: Mapping[str, Any] | None = None) -> Matrix:
    """The model matrix of `terms` on the rows of `ev`.

    Raises
    ------
    DataError
        When a factor has a single level, or the matrix would be too large to hold.
    """
    if not terms.terms:
        X = np.ones((ev.n, 1)) if terms.intercept else np.empty((ev.n, 0))
        return Matrix(X, ("(Intercept)",) if terms.intercept else (), (-1,) if terms.intercept else (), ())
    values = [ev.value(f) for f in terms.factors]
    pieces = _pieces(terms, values, contrasts or {})
    names: list[str] = ["(Intercept)"] if terms.intercept else []
    assign = [-1] if terms.intercept else []
    for number, group in enumerate(pieces):
        found = _joined([p.names for p in group])
        names += found
        assign += [number] * len(found)
    if ev.n * len(names) > LARGEST:
        raise DataError(f"the fixed part has {len(names)} columns on {ev.n} rows, too many to hold; is a factor with many levels better a random effect (1 | g)?")
    X = np.empty((ev.n, len(names)))
    at = 0
    if terms.intercept:
        X[:, 0] = 1.0
        at = 1
    for group in pieces:
        at = _fill(X, at, group)
    return Matrix(X, tuple(names), tuple(assign), terms.labels())


def _fill(X: Array, at: int, group: list[_Piece]) -> int:
    if len(group) == 1:
        piece = group[0]
        if piece.table is None and piece.array.ndim == 1:
            X[:, at] = piece.array
            return at + 1
        block = piece.columns()
        X[:, at : at + block.shape[1]] = block
        return at + block.shape[1]
    if all(p.table is None and p.array.ndim == 1 for p in group):
        column = group[0].array * group[1].array
        for p in group[2:]:
            column *= p.array
        X[:, at] = column
        return at + 1
    block = group[0].columns()
    for p in group[1:]:
        right = p.columns()
        block = (right[:, :, None] * block[:, None, :]).reshape(block.shape[0], -1)
    X[:, at : at + block.shape[1]] = block
    return at + block.shape[1]


def _joined(names: list[tuple[str, ...]]) -> list[str]:
    out = list(names[0])
    for more in names[1:]:
        out = [f"{a}:{b}" for b in more for a in out]
    return out


def _pieces(terms: Terms, values: list[Value], contrasts: Mapping[str, Any]) -> list[list[_Piece]]:
    full = full_coding(terms)
    if not terms.intercept:  # the first factor of a main effect carries the mean (R)
        for term in terms.terms:
            first = next((i for i in term if values[i].is_factor), None)
            if first is not None:
                full[term, first] = True
                break
    made: dict[tuple[int, bool], _Piece] = {}
    out = []
    for term in terms.terms:
        group = []
        for i in term:
            key = i, full[term, i] and values[i].is_factor
            if key not in made:
                made[key] = _piece(terms.factors[i], values[i], key[1], contrasts)
            group.append(made[key])
        out.append(group)
    return out


def _piece(node: Node, value: Value, full: bool, contrasts: Mapping[str, Any]) -> _Piece:
    name = deparse(strip(node))
    if not value.is_factor:
        names = tuple(name + s for s in value.suffixes) if value.array.ndim == 2 else (name,)
        return _Piece(names, value.array)
    levels = value.levels or ()
    if len(levels) < 2:
        only = f" ('{levels[0]}')" if levels else ""
        raise DataError(f"factor '{name}' has a single level{only} in the rows used; a predictor needs at least two.")
    wanted = value.coding if value.coding is not None else contrasts.get(name)
    table, suffixes = coding_of.full(levels) if full else coding_of.coding(levels, value.ordered, wanted, name)
    missing = np.full((1, table.shape[1]), np.nan)
    return _Piece(tuple(name + s for s in suffixes), value.array, np.vstack([table, missing]))
