"""Which rows a model uses: those without a missing value in any of its variables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Column
from tanada.errors import DataError, ModelError


def complete_rows(
    columns: Mapping[str, Column], arrays: Mapping[str, NDArray[np.float64]], n: int, na: str
) -> tuple[NDArray[np.intp], dict[str, int], list[str]]:
    """Positions of the complete rows, missing values by variable, and a note for the user.

    Raises
    ------
    DataError
        When nothing is left, or values are missing and `na` is "error".
    """
    if na not in ("drop", "error"):
        raise ModelError(f"na = {na!r}; accepted are 'drop' and 'error'.")
    if n == 0:
        raise DataError("the data have no rows.")
    missing = {name: c.missing for name, c in columns.items() if c.missing is not None}
    for what, v in arrays.items():
        mask = np.isnan(v)
        if mask.any():
            missing[what] = mask
    if not missing:
        return np.arange(n, dtype=np.intp), {}, []
    counts = {name: int(mask.sum()) for name, mask in missing.items()}
    empty = [name for name, count in counts.items() if count == n]
    if empty:
        raise DataError(f"column '{empty[0]}' is missing in all {n} rows.")
    listed = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items(), key=lambda item: -item[1]))
    incomplete = np.logical_or.reduce(list(missing.values()))
    total = int(incomplete.sum())
    if na == "error":
        raise DataError(f"{total} of {n} rows have missing values: {listed}; na='drop' leaves them out.")
    if total == n:
        raise DataError(f"no row is complete: {listed} of {n} rows.")
    return np.flatnonzero(~incomplete), counts, [f"{total} of {n} rows dropped because of missing values: {listed}."]
