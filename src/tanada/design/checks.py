"""Checks of a design before it is fitted, and notes on designs that are valid but rarely meant."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Column
from tanada.design.matrices import ComponentDesign, ModelData, RandomDesign
from tanada.errors import DataError
from tanada.formula.bars import INDEXED, RandomTerm
from tanada.formula.mixed_formula import MixedFormula
from tanada.formula.nodes import deparse

Array = NDArray[np.float64]


def finite_columns(columns: Mapping[str, Column], arrays: Mapping[str, Array]) -> None:
    """Infinite numbers are an error that names the column and counts them."""
    for name, column in columns.items():
        if column.kind == "number" and column.values.dtype.kind == "f":
            _refuse_infinite(f"column '{name}'", column.values)
    for what, values in arrays.items():
        _refuse_infinite(what, values)


def _refuse_infinite(what: str, values: Array) -> None:
    if np.isfinite(values.sum()) or np.isfinite(values).all():
        return
    bad = ~np.isfinite(values)
    raise DataError(f"{what} holds {int(bad.sum())} infinite value{'s' if bad.sum() > 1 else ''} (first in used row {int(bad.argmax()) + 1}); make them finite or missing.")


def check_model(model: ModelData, family: str, weighted: bool) -> None:
    """Designs that no estimate can come from.

    Raises
    ------
    DataError
        Fewer rows than coefficients; a Gaussian model with one group a row (its variance and the residual's are the same thing).
    """
    cond = model.components[0]
    n, p = cond.X.shape
    if family != "gaussian":
        return
    if n <= p:
        raise DataError(f"{n} rows cannot estimate {p} coefficients and a residual variance.")
    if weighted or len(model.components) > 1:
        return
    for term in cond.random:
        if len(term.levels) >= n and term.structure not in INDEXED:
            raise DataError(
                f"grouping factor '{term.group}' has as many levels ({len(term.levels)}) as there are rows: "
                f"its variance cannot be told from the residual variance; leave {term.text} out, or group by something that repeats."
            )


def slope_notes(formula: MixedFormula, design: ComponentDesign) -> list[str]:
    """Random slopes whose mean is fixed at zero because the fixed part lacks them."""
    out = []
    present = {_key(formula.fixed.factors, t) for t in formula.fixed.terms}
    for term, random in zip(formula.random, design.random, strict=True):
        if term.structure not in ("us", "diag") and not term.terms.intercept:
            continue  # deviations over the levels of a factor, not slopes
        absent = [t for t in term.terms.terms if _key(term.terms.factors, t) not in present]
        for t in absent:
            label = term.terms.label(t)
            if not _spanned(_columns_of(term, random, t), design.X):
                zero = "mean slope of {} is" if label in random.names else "mean effects of {} are"
                out.append(f"the {zero.format(label)} fixed at zero: {label} is in {term.text} but not among the fixed effects; add it unless this is meant.")
    return out


def _key(factors: tuple[object, ...], term: tuple[int, ...]) -> frozenset[object]:
    return frozenset(factors[i] for i in term)


def _columns_of(term: RandomTerm, random: RandomDesign, t: tuple[int, ...]) -> Array:
    """Columns of Z whose name starts as the term's first factor does; all of them when names do not tell."""
    prefix = deparse(term.terms.factors[t[0]])
    at = [i for i, name in enumerate(random.names) if name.startswith(prefix) and (":" in name) == (len(t) > 1)]
    return random.Z[:, at] if at else random.Z


def _spanned(Z: Array, X: Array, rows: int = 5000) -> bool:
    """Whether the columns of Z are combinations of those of X (judged on up to `rows` rows)."""
    if X.shape[1] == 0:
        return False
    step = max(1, len(X) // rows)
    z, x = Z[::step], X[::step]
    solved = np.linalg.lstsq(x, z, rcond=None)[0]
    left = z - x @ solved
    return bool((np.abs(left).max(axis=0) <= 1e-8 * np.maximum(np.abs(z).max(axis=0), 1e-300)).all())
