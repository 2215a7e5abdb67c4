"""Residuals against fitted values, and their size against fitted values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.plot.style import BLACK, BLUE, GREY, MANY, RED, alpha_for, finish, legend, new_axes
from tanada.post.family_rows import family_of
from tanada.post.residuals import residuals

Array = NDArray[np.float64]

BINS = 20


def plot_residuals(m: Any, kind: str | None = None, ax: Any = None, data_only: bool = False) -> Any:
    """Residuals against fitted values with their running mean.

    Parameters
    ----------
    m : MixedResult
    kind : str, optional
        As in `m.residuals`; default "scaled", for ordinal responses "quantile".
    ax : matplotlib Axes, optional
    data_only : bool
        Return fitted, residual.

    Returns
    -------
    matplotlib Axes, or a data frame

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", tn.load_dataset("school_survey"))
    >>> m.plot(kind="residuals", data_only=True).columns.tolist()
    ['fitted', 'residual']
    """
    kind = kind or ("quantile" if m.fit.data.response_levels and family_of(m.fit).ordinal else "scaled")
    fitted, r = np.asarray(m.fit.fitted, float), residuals(m.fit, kind, 1)
    if data_only:
        return m.table({"fitted": fitted, "residual": r})
    ax = new_axes(ax, (5.2, 3.7))
    scatter(ax, fitted, r)
    ax.axhline(0, color=BLACK, lw=0.9)
    x, mean = running(fitted, r)
    ax.plot(x, mean, color=RED, lw=1.6, label="running mean")
    legend(ax, where="inside")
    return finish(ax, "fitted value", f"{kind} residual")


def plot_scale(m: Any, ax: Any = None, data_only: bool = False) -> Any:
    """Square root of the absolute scaled residuals against fitted values: flat when the variance is as the model says.

    Parameters
    ----------
    m : MixedResult
    ax : matplotlib Axes, optional
    data_only : bool
        Return fitted, size.

    Returns
    -------
    matplotlib Axes, or a data frame
    """
    fitted, size = np.asarray(m.fit.fitted, float), np.sqrt(np.abs(residuals(m.fit, "scaled")))
    if data_only:
        return m.table({"fitted": fitted, "size": size})
    ax = new_axes(ax, (5.2, 3.7))
    scatter(ax, fitted, size)
    x, mean = running(fitted, size)
    ax.plot(x, mean, color=RED, lw=1.6, label="running mean")
    ax.axhline(float(np.mean(size)), color=GREY, lw=1.0, ls="--", label="overall mean")
    ax.set_ylim(bottom=0)
    legend(ax, where="inside")
    return finish(ax, "fitted value", "square root of |scaled residual|")


def scatter(ax: Any, x: Array, y: Array) -> None:
    """Dots, light where there are many."""
    many = len(x) > MANY
    ax.plot(x, y, "o", ms=3 if not many else 2.2, mec="none", color=BLUE, alpha=alpha_for(len(x)), rasterized=many, zorder=2)


def running(x: Array, y: Array, bins: int = BINS) -> tuple[Array, Array]:
    """Means of x and y in groups of equal numbers of rows, ordered by x; equal values of x stay together."""
    order = np.argsort(x, kind="stable")
    edges = np.unique(np.quantile(x, np.linspace(0, 1, min(bins, max(2, len(x) // 8)) + 1)))
    if len(edges) < 3:
        return x[order][[0, -1]], np.full(2, float(np.mean(y)))
    which = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(edges) - 2)
    size = np.bincount(which, minlength=len(edges) - 1)
    keep = size > 0
    return np.bincount(which, x, len(size))[keep] / size[keep], np.bincount(which, y, len(size))[keep] / size[keep]
