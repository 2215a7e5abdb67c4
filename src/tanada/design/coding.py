"""Contrast matrices of factors, with R's column names.

Each is (L, m): row l holds the values that stand for level l. `full` is the indicator coding used where a factor is not
reduced (no intercept, or an interaction without its margin).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Labels
from tanada.errors import FormulaError, did_you_mean

Matrix = NDArray[np.float64]
Coding = tuple[Matrix, tuple[str, ...]]


def full(levels: Labels) -> Coding:
    return np.eye(len(levels)), tuple(levels)


def treatment(levels: Labels, base: int = 0) -> Coding:
    keep = [i for i in range(len(levels)) if i != base]
    return np.eye(len(levels))[:, keep], tuple(levels[i] for i in keep)


def sas(levels: Labels) -> Coding:
    return treatment(levels, len(levels) - 1)


def sum_to_zero(levels: Labels) -> Coding:
    k = len(levels)
    return np.vstack([np.eye(k - 1), -np.ones((1, k - 1))]), _numbered(k - 1)


def helmert(levels: Labels) -> Coding:
    """Each level against the mean of those before it (R's contr.helmert)."""
    k = len(levels)
    out = np.zeros((k, k - 1))
    for j in range(k - 1):
        out[: j + 1, j] = -1.0
        out[j + 1, j] = j + 1.0
    return out, _numbered(k - 1)


def successive(levels: Labels) -> Coding:
    """Each level against the one before it (MASS's contr.sdif)."""
    k = len(levels)
    out = np.empty((k, k - 1))
    for j in range(k - 1):
        out[: j + 1, j] = (j + 1) / k - 1.0
        out[j + 1 :, j] = (j + 1) / k
    return out, tuple(f"{levels[j + 1]}-{levels[j]}" for j in range(k - 1))


def polynomial(levels: Labels) -> Coding:
    """Orthonormal polynomials over equally spaced levels (R's contr.poly): .L, .Q, .C, ^4, ..."""
    k = len(levels)
    centred = np.arange(k) - (k - 1) / 2
    q, r = np.linalg.qr(np.vander(centred, k, increasing=True))
    out = q * np.sign(np.diag(r))
    return out[:, 1:], tuple((".L", ".Q", ".C")[j] if j < 3 else f"^{j + 1}" for j in range(k - 1))


def _numbered(m: int) -> tuple[str, ...]:
    return tuple(str(j + 1) for j in range(m))


_BY_NAME: dict[str, Callable[[Labels], Coding]] = {
    "treatment": treatment,
    "sum": sum_to_zero,
    "helmert": helmert,
    "poly": polynomial,
    "polynomial": polynomial,
    "sdif": successive,
    "diff": successive,
    "sas": sas,
}


def contrast_name(text: str, factor: str) -> str:
    """The plain name of a contrast written as "contr.sum", "Sum" or "sum"."""
    name = text.removeprefix("contr.").lower()
    if name not in _BY_NAME:
        raise FormulaError(f"unknown contrasts '{text}' for '{factor}'.{did_you_mean(name, _BY_NAME)}")
    return name


def coding(levels: Labels, ordered: bool, wanted: Any, factor: str) -> Coding:
    """The reduced coding of a factor: what was asked for, else polynomial for ordered factors and treatment for others.

    `wanted` is None, a name, ("treatment", base level), or a matrix (L, m).
    """
    if wanted is None:
        return polynomial(levels) if ordered else treatment(levels)
    if isinstance(wanted, str):
        return _BY_NAME[contrast_name(wanted, factor)](levels)
    if isinstance(wanted, tuple | list) and len(wanted) == 2 and wanted[0] == "treatment":
        if str(wanted[1]) not in levels:
            raise FormulaError(f"'{factor}' has no level '{wanted[1]}' to compare with.{did_you_mean(str(wanted[1]), levels)}")
        return treatment(levels, levels.index(str(wanted[1])))
    matrix = np.asarray(wanted, dtype=float)
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    if matrix.ndim != 2 or matrix.shape[0] != len(levels) or not 0 < matrix.shape[1] < len(levels) or not np.isfinite(matrix).all():
        raise FormulaError(f"the contrast matrix of '{factor}' has shape {matrix.shape}; it takes {len(levels)} rows, one a level, and fewer columns than rows.")
    return matrix, _numbered(matrix.shape[1])
