"""One column of a data frame as the models see it: numbers, truth values, or a factor (codes and labels)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import DataError

Codes = NDArray[np.int32]
Labels = tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A column, read once.

    Attributes
    ----------
    name : str
    kind : str
        "number", "bool", "text", "factor" (categorical), or "date".
    values : array (n,)
        Numbers as given (any integer or float type), truth values, or int32 codes into `levels` (-1 where missing).
    levels : tuple of str or None
        Labels of "text" (sorted), "factor" (order of the categories) and "date" columns.
    ordered : bool
        An ordered categorical.
    missing : bool array (n,) or None
        None when nothing is missing.
    """

    name: str
    kind: str
    values: NDArray[Any]
    levels: Labels | None = None
    ordered: bool = False
    missing: NDArray[np.bool_] | None = None

    @property
    def is_factor(self) -> bool:
        return self.levels is not None

    @property
    def n_missing(self) -> int:
        return 0 if self.missing is None else int(self.missing.sum())

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """The values of a number or bool column as float64, NaN where missing."""
        out = np.ascontiguousarray(self.values, dtype=np.float64)
        if self.missing is not None:
            out = np.where(self.missing, np.nan, out)
        return out

    @cached_property
    def factor(self) -> tuple[Codes, Labels]:
        """Codes and labels with unused levels dropped; numbers in numeric order, False before True."""
        if self.levels is not None:
            return drop_unused(self.values, self.levels)
        if self.kind == "bool":
            codes = self.values.astype(np.int32)
            if self.missing is not None:
                codes[self.missing] = -1
            return drop_unused(codes, ("FALSE", "TRUE"))
        return factor_of_numbers(self.values, self.missing)

    def take(self, rows: NDArray[np.intp]) -> Column:
        missing = None if self.missing is None else self.missing[rows]
        if missing is not None and not missing.any():
            missing = None
        return replace(self, values=self.values[rows], missing=missing)

    def labels(self) -> NDArray[Any]:
        """The values as users know them: numbers, truth values, or label text (None where missing)."""
        if self.levels is None:
            return self.numbers if self.missing is not None else self.values
        table = np.array([*self.levels, None], dtype=object)
        return table[self.values]


def drop_unused(codes: NDArray[Any], levels: Sequence[str]) -> tuple[Codes, Labels]:
    """Codes and labels of the levels that occur, in the order given; -1 stays -1."""
    count = len(levels)
    used = np.zeros(count + 1, dtype=bool)
    used[codes] = True  # code -1 marks the extra last entry
    used = used[:count]
    if used.all():
        return np.ascontiguousarray(codes, dtype=np.int32), tuple(levels)
    new = np.full(count + 1, -1, dtype=np.int32)
    new[:count][used] = np.arange(int(used.sum()), dtype=np.int32)
    return new[codes], tuple(label for label, u in zip(levels, used, strict=True) if u)


def number_labels(values: NDArray[Any]) -> Labels:
    """Text of distinct numbers as factor labels: whole numbers without a decimal point."""
    if values.dtype.kind in "iu":
        return tuple(str(v) for v in values.tolist())
    return tuple(str(int(v)) if v.is_integer() and abs(v) < 1e15 else repr(v) for v in values.tolist())


def factor_of_numbers(values: NDArray[Any], missing: NDArray[np.bool_] | None) -> tuple[Codes, Labels]:
    """Codes and labels of a numeric column, levels in numeric order."""
    keep = values if missing is None else values[~missing]
    if keep.dtype.kind == "b":
        keep = keep.astype(np.int8)
    if keep.size == 0:
        return np.full(values.shape, -1, dtype=np.int32), ()
    if keep.dtype.kind in "iu":
        low, high = int(keep.min()), int(keep.max())
        if high - low <= 4 * keep.size + 1000:  # a table of the range is cheaper than sorting
            shifted = (keep - keep.dtype.type(low)).astype(np.intp) if keep.dtype.kind == "u" else keep.astype(np.int64) - low
            used = np.zeros(high - low + 1, dtype=bool)
            used[shifted] = True
            codes = (np.cumsum(used, dtype=np.int32) - 1)[shifted]
            return _with_missing(codes, missing), number_labels(np.flatnonzero(used) + low)
    if keep.size > 100_000:  # hashing beats sorting
        import pandas as pd

        inverse, unique = pd.factorize(keep, sort=True)
    else:
        unique, inverse = np.unique(keep, return_inverse=True)
    return _with_missing(inverse.astype(np.int32), missing), number_labels(unique)


def _with_missing(codes: NDArray[Any], missing: NDArray[np.bool_] | None) -> Codes:
    if missing is None:
        return np.ascontiguousarray(codes, dtype=np.int32)
    out = np.full(missing.shape, -1, dtype=np.int32)
    out[~missing] = codes
    return out


def sort_levels(codes: NDArray[Any], labels: Sequence[Any]) -> tuple[Codes, Labels]:
    """Recode so that the labels are sorted; `codes` index `labels` in any order, -1 where missing."""
    text = [str(v) for v in labels]
    order = sorted(range(len(text)), key=text.__getitem__)
    rank = np.empty(len(text) + 1, dtype=np.int32)
    rank[order] = np.arange(len(text), dtype=np.int32)
    rank[-1] = -1
    return rank[codes], tuple(text[i] for i in order)


def missing_of_codes(codes: NDArray[Any]) -> NDArray[np.bool_] | None:
    mask = codes < 0
    return mask if mask.any() else None


def number_column(name: str, values: NDArray[Any], missing: NDArray[np.bool_] | None = None) -> Column:
    """A column from a NumPy array of numbers or truth values; NaN counts as missing."""
    kind = values.dtype.kind
    if values.ndim != 1:
        raise DataError(f"column '{name}' has {values.ndim} dimensions; a column is a vector.")
    if missing is not None and not missing.any():
        missing = None
    if kind == "f":
        if not np.isfinite(values.sum()):
            mask = np.isnan(values)
            missing = mask if missing is None else mask | missing
            missing = missing if missing.any() else None
        return Column(name, "number", values, missing=missing)
    if kind == "b":
        return Column(name, "bool", values, missing=missing)
    if kind in "iu":
        return Column(name, "number", values, missing=missing)
    raise DataError(f"column '{name}' holds {values.dtype} values; numbers, truth values, text or categories are accepted.")


def text_column(name: str, codes: NDArray[Any], labels: Sequence[Any], kind: str = "text") -> Column:
    sorted_codes, levels = sort_levels(codes, labels)
    return Column(name, kind, sorted_codes, levels, missing=missing_of_codes(sorted_codes))


def factor_column(name: str, codes: NDArray[Any], categories: Sequence[Any], ordered: bool) -> Column:
    codes = np.array(codes, dtype=np.int32)  # a copy: the caller may change a categorical in place
    labels = tuple(_label(c) for c in categories)
    if len(set(labels)) != len(labels):
        raise DataError(f"column '{name}': two categories have the same text.")
    return Column(name, "factor", codes, labels, ordered=ordered, missing=missing_of_codes(codes))


def _label(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
