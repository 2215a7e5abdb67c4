"""Histogram of the predicted means of the groups: shares, for binary responses."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.plot.model_data import groups_for, predicted, response_label, typical_rows
from tanada.plot.style import BLUE, RED, finish, legend, new_axes


def plot_groups(m: Any, group: str | None = None, bins: int | str = "auto", ax: Any = None, data_only: bool = False) -> Any:
    """Histogram of predicted group means on the scale of the response.

    Parameters
    ----------
    m : MixedResult
    group : str, optional
    bins : int or str
        As in numpy.histogram.
    ax : matplotlib Axes, optional
    data_only : bool
        Return level, estimate.

    Returns
    -------
    matplotlib Axes, or a data frame

    Notes
    -----
    Numeric predictors are at the group's means, other variables at the group's most frequent value. The means are predictions: they vary less than
    the means of the groups in the population (see kind="population").

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("wants_univ ~ (1 | school_id)", tn.load_dataset("school_survey"), family="binomial")
    >>> len(m.plot(kind="groups", data_only=True))
    183
    """
    groups = groups_for(m, group)
    rows = typical_rows(m, groups.codes, len(groups.levels)) or {"_": np.zeros(len(groups.levels))}
    value = np.asarray(predicted(m, rows, [groups.name], "response")["estimate"], float)
    if data_only:
        return m.table({"level": groups.levels, "estimate": value})
    ax = new_axes(ax, (5.2, 3.6))
    ax.hist(value, bins=max(10, min(40, len(value) // 8)) if bins == "auto" else bins, color=BLUE, edgecolor="white", linewidth=0.5)
    ax.axvline(float(np.mean(value)), color=RED, lw=1.4, ls="--", label="mean of the groups")
    legend(ax, where="top")
    ax.grid(False, axis="x")
    return finish(ax, f"predicted {response_label(m, True)}", f"number of groups ({groups.name})")
