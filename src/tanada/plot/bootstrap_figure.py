"""Histograms of bootstrap replicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tanada.errors import ModelError, did_you_mean
from tanada.plot.style import BLUE, GREY, RED, finish, new_axes, new_panels, show_fonts


def plot_bootstrap(result: Any, parm: str | Sequence[str] | None = None, bins: int | str = "auto", ax: Any = None, data_only: bool = False) -> Any:
    """Histogram of each statistic over the refits, with estimate (red) and limits (dashed).

    Parameters
    ----------
    result : BootstrapResult, or TableResult of `tn.bootstrap_lrt`
    parm : str or sequence of str, optional
        Statistics to show; default all.
    bins : int or str
        As in numpy.histogram.
    ax : matplotlib Axes, optional
        For one statistic.
    data_only : bool
        Return the replicates.

    Returns
    -------
    matplotlib Axes, a Figure for several statistics, or a data frame
    """
    replicates = result.data["replicates"]
    if data_only:
        return replicates
    known = [str(c) for c in replicates.columns]
    wanted = known if parm is None else [parm] if isinstance(parm, str) else list(parm)
    for name in wanted:
        if name not in known:
            raise ModelError(f"parm: '{name}' is not among the statistics.{did_you_mean(str(name), known)}")
    if ax is not None and len(wanted) > 1:
        raise ModelError(f"ax= takes one panel and there are {len(wanted)} statistics; choose one with parm=, or leave ax out.")
    marks = _marks(result)
    if len(wanted) == 1:
        return _panel(new_axes(ax, (4.8, 3.5)), wanted[0], replicates, marks, bins)
    across = min(len(wanted), 3)
    down = -(-len(wanted) // across)
    figure, panels = new_panels(down, across, (3.4 * across, 2.6 * down))
    for a, name in zip(panels, wanted):
        _panel(a, name, replicates, marks, bins)
    for a in panels[len(wanted) :]:
        a.set_visible(False)
    show_fonts(figure)
    return figure


def _marks(result: Any) -> dict[str, tuple[float, float, float]]:
    """Estimate and limits by statistic; the observed statistic of a test has no limits."""
    if "term" not in result.columns:
        return {"chisq": (float(result.column("chisq")[0]), np.nan, np.nan)}
    rows = zip(*(result.column(c) for c in ("term", "estimate", "conf_low", "conf_high")))
    return {str(t): (float(e), float(a), float(b)) for t, e, a, b in rows}


def _panel(ax: Any, name: str, replicates: Any, marks: dict[str, tuple[float, float, float]], bins: int | str) -> Any:
    values = np.asarray(replicates[name], float)
    values = values[np.isfinite(values)]
    if np.ptp(values) > 0:
        ax.hist(values, bins=bins, color=BLUE, alpha=0.7, edgecolor="white", linewidth=0.4)
    else:
        ax.bar([float(values[0])], [len(values)], width=0.1 * max(abs(float(values[0])), 1.0), color=BLUE)
    estimate, low, high = marks.get(name, (np.nan, np.nan, np.nan))
    if np.isfinite(estimate):
        ax.axvline(estimate, color=RED, lw=1.6)
    for limit in (low, high):
        if np.isfinite(limit):
            ax.axvline(limit, color=GREY, lw=1.2, ls="--")
    ax.grid(False, axis="x")
    return finish(ax, name, "refits")
