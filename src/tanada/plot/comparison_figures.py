"""Figures of `tn.compare`, of tests of linear hypotheses, and of cross-validation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.plot.coef import forest
from tanada.plot.style import BLUE, finish, new_axes


def plot_comparison(result: Any, by: str = "aic", ax: Any = None, data_only: bool = False) -> Any:
    """Models by their distance from the best one.

    Parameters
    ----------
    result : TableResult of `tn.compare`
    by : {"aic", "aicc", "bic"}
    ax : matplotlib Axes, optional
    data_only : bool
        Return the table.

    Returns
    -------
    matplotlib Axes, or a data frame
    """
    if data_only:
        return result.table
    names, value = [str(v) for v in result.column("model")], np.asarray(result.column(by), float)
    gap = value - np.nanmin(value)
    ax = new_axes(ax, (6.0, max(1.8, 0.9 + 0.35 * len(names))))
    y = -np.arange(len(names))
    ax.hlines(y, 0, gap, color=BLUE, lw=1.4)
    ax.plot(gap, y, "o", color=BLUE, ms=6)
    ax.set_yticks(y, names)
    ax.set_ylim(-len(names) + 0.4, 0.6)
    ax.set_xlim(left=min(-0.02 * float(np.nanmax(gap) or 1.0), 0))
    ax.grid(False, axis="y")
    return finish(ax, f"{by.upper() if by != 'aicc' else 'AICc'} above the best model", "")


def plot_hypotheses(result: Any, ax: Any = None, data_only: bool = False) -> Any:
    """Left side minus right side of each hypothesis with its interval."""
    if data_only:
        return result.table
    columns = {k: np.asarray(result.column(k), float) for k in ("estimate", "conf_low", "conf_high")}
    return finish(forest(ax, [str(h) for h in result.column("hypothesis")], columns, None, 0.0), "left side minus right side", "")


def plot_cross_validation(result: Any, measure: str = "rmse", ax: Any = None, data_only: bool = False) -> Any:
    """A measure of error in each fold, with that of all rows."""
    if data_only:
        return result.table
    fold, value = [str(f) for f in result.column("fold")], np.asarray(result.column(measure), float)
    ax = new_axes(ax, (5.0, 3.4))
    own = [i for i, f in enumerate(fold) if f != "all"]
    ax.plot(range(len(own)), value[own], "o", color=BLUE, ms=6)
    if "all" in fold:
        ax.axhline(value[fold.index("all")], color=BLUE, lw=1.0, ls="--")
    ax.set_xticks(range(len(own)), [fold[i] for i in own])
    return finish(ax, "fold", measure)
