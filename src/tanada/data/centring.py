"""Group-mean and grand-mean centring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Column
from tanada.errors import DataError
from tanada.frame import Frame, read_frame, with_columns

Array = NDArray[np.float64]


def center(data: Any, cols: str | Sequence[str], by: str | Sequence[str] | None = None) -> Any:
    """Add centred columns.

    Parameters
    ----------
    data : data frame of any library, or a mapping of columns
    cols : str or sequence of str
        Numeric columns.
    by : str or sequence of str, optional
        Grouping column(s). With it each column gets `<col>_mean`, the mean of its group, and `<col>_cwc`, the deviation from it (centred
        within cluster); without it `<col>_gmc`, the deviation from the grand mean.

    Returns
    -------
    data frame
        The data with the new columns at the end, in the caller's library; columns of these names are replaced.

    Raises
    ------
    DataError
        When a column is missing or not numeric.

    Notes
    -----
    Means leave missing values out; a row with a missing value or a missing group gets a missing deviation. A level-1 predictor in raw form
    mixes the effect within groups and between groups; its two parts separate them.

    References
    ----------
    Enders, C. K., & Tofighi, D. (2007). Centering predictor variables in cross-sectional multilevel models. Psychological Methods, 12(2),
    121-138.

    Examples
    --------
    >>> import tanada as tn
    >>> survey = tn.center(tn.load_dataset("school_survey"), "escs", by="school_id")
    >>> [c for c in survey.columns if c.startswith("escs")]
    ['escs', 'escs_mean', 'escs_cwc']
    >>> bool(abs(survey["escs_cwc"].mean()) < 1e-12)
    True
    """
    frame = read_frame(data)
    names = [cols] if isinstance(cols, str) else list(cols)
    if not names:
        raise DataError("center: cols is empty; name at least one column.")
    new: dict[str, Array] = {}
    groups = None if by is None else group_codes(frame, by)
    for name in names:
        x = numeric(frame, name, "center")
        if groups is None:
            new[f"{name}_gmc"] = x - _mean(x, name)
            continue
        means = group_means(x, *groups)
        new[f"{name}_mean"] = means
        new[f"{name}_cwc"] = x - means
    return with_columns(frame, new)


def _mean(x: Array, name: str) -> float:
    if np.isnan(x).all():
        raise DataError(f"column '{name}' is missing in all rows.")
    return float(np.nanmean(x))


def numeric(frame: Frame, name: str, what: str) -> Array:
    """A numeric or truth-value column; NaN where missing."""
    column: Column = frame.column(name)
    if column.is_factor:
        raise DataError(f"{what}: column '{name}' holds text or categories; a numeric column is accepted.")
    x = column.numbers
    if np.isinf(x).any():
        raise DataError(f"{what}: column '{name}' holds {int(np.isinf(x).sum())} infinite values.")
    return x


def group_codes(frame: Frame, by: str | Sequence[str]) -> tuple[NDArray[np.int64], int]:
    """Codes of the groups (-1 where missing) and their number; several columns mean their combinations."""
    names = [by] if isinstance(by, str) else list(by)
    if not names:
        raise DataError("by is empty; name the grouping column.")
    codes = np.zeros(frame.n, dtype=np.int64)
    missing = np.zeros(frame.n, dtype=bool)
    for name in names:
        c, levels = frame.column(name).factor
        codes = codes * max(len(levels), 1) + c
        missing |= c < 0
        codes = np.unique(codes, return_inverse=True)[1].ravel() if len(names) > 1 else codes
    codes = np.where(missing, -1, codes)
    return codes, int(codes.max(initial=-1)) + 1


def group_means(x: Array, codes: NDArray[np.int64], count: int) -> Array:
    """The mean of each row's group, over values that are not missing."""
    use = (codes >= 0) & ~np.isnan(x)
    total = np.bincount(codes[use], weights=x[use], minlength=count)
    size = np.bincount(codes[use], minlength=count)
    with np.errstate(invalid="ignore"):
        means = total / size
    return np.append(means, np.nan)[codes]
