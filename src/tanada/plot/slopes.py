"""The figure of `tn.estimate_slopes`."""

from __future__ import annotations

from typing import Any

from tanada.plot.marginal_means import plot_grid


def plot_slopes(result: Any, ax: Any = None, data_only: bool = False, band: bool = True) -> Any:
    """Slopes along a grid, with a line at zero.

    Parameters
    ----------
    result : TableResult of `tn.estimate_slopes`
    ax : matplotlib Axes, optional
    data_only : bool
        Return the table.
    band : bool
        Whether to draw the confidence bands.

    Returns
    -------
    matplotlib Axes, a Figure for several panels, or a data frame

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ escs * sch_escs_mean + (1 | school_id)", tn.load_dataset("school_survey"))
    >>> len(tn.estimate_slopes(m, "escs", "sch_escs_mean").plot(data_only=True))
    10
    """
    if data_only:
        return result.table
    return plot_grid(result, str(result.info.get("label", "slope")), True, ax, band)
