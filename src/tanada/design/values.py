"""Values of formula expressions: numeric vectors and matrices, or factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Labels
from tanada.errors import DataError

LOGICAL: Labels = ("FALSE", "TRUE")


@dataclass(frozen=True)
class Value:
    """What an expression gives on the rows of a frame.

    Attributes
    ----------
    array : array
        Numbers, float64 (n,) or (n, m); or int32 codes (n,) into `levels`, -1 where missing.
    levels : tuple of str or None
        Labels of a factor; None for numbers.
    ordered : bool
    coding : str, array or None
        Contrasts asked for by C(); None leaves the default.
    suffixes : tuple of str
        What the names of the columns of a matrix end in: ("1", "2").
    coords : array (levels, d) or None
        Positions of the levels of numFactor().
    """

    array: NDArray[Any]
    levels: Labels | None = None
    ordered: bool = False
    coding: Any = None
    suffixes: tuple[str, ...] = ()
    coords: NDArray[np.float64] | None = None

    @property
    def is_factor(self) -> bool:
        return self.levels is not None

    def numbers(self, what: str) -> NDArray[np.float64]:
        """As numbers; truth values count as 0 and 1. Any other factor is an error that names `what`."""
        if self.levels is None:
            return self.array
        if set(self.levels) <= set(LOGICAL):
            truth = np.array([float(label == "TRUE") for label in self.levels] + [np.nan])
            return truth[self.array]
        shown = ", ".join(f"'{v}'" for v in self.levels[:3]) + (", ..." if len(self.levels) > 3 else "")
        raise DataError(f"{what} needs numbers, and got text or categories ({shown}).")


def logical(mask: NDArray[np.bool_], missing: NDArray[np.bool_] | None = None) -> Value:
    codes = mask.astype(np.int32)
    if missing is not None:
        codes[missing] = -1
    return Value(codes, LOGICAL)


def recode(codes: NDArray[Any], labels: Labels, known: Labels) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Codes into `known` (-1 where unknown), and the labels that are not in it."""
    if labels == known:
        return codes, ()
    where = {label: i for i, label in enumerate(known)}
    table = np.array([*(where.get(label, -1) for label in labels), -1], dtype=np.int32)
    return table[codes], tuple(label for label in labels if label not in where)
