"""The figure of `tn.estimate_means`."""

from __future__ import annotations

from typing import Any

from tanada.plot.marginal_means import plot_grid


def plot_means(result: Any, ax: Any = None, data_only: bool = False, band: bool = True) -> Any:
    """Marginal means with confidence bands: an interaction plot.

    Parameters
    ----------
    result : TableResult of `tn.estimate_means`
        The first variable of `by` goes along the horizontal axis, the second has colours, others have panels.
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
    >>> len(tn.estimate_means(m, ["escs", "sch_escs_mean = [sd]"]).plot(data_only=True))
    30
    """
    if data_only:
        return result.table
    return plot_grid(result, str(result.info.get("label", "estimate")), False, ax, band)
