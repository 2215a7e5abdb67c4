"""The figure of `tn.johnson_neyman`: the slope along the moderator, its band coloured where it differs from zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.plot.style import BLACK, BLUE, GREY, RED, finish, legend, new_axes, number


def plot_johnson_neyman(result: Any, ax: Any = None, data_only: bool = False, bounds: bool = True) -> Any:
    """Slope with its confidence band, blue where significant, grey where not.

    Parameters
    ----------
    result : NeymanResult
    ax : matplotlib Axes, optional
    data_only : bool
        Return the curve: moderator, estimate, std_error, conf_low, conf_high, significant.
    bounds : bool
        Whether to mark the ends of the intervals.

    Returns
    -------
    matplotlib Axes, or a data frame

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ escs * sch_escs_mean + (1 | school_id)", tn.load_dataset("school_survey"))
    >>> tn.johnson_neyman(m, "escs", "sch_escs_mean").plot(data_only=True).shape
    (200, 6)
    """
    curve = result.data["curve"]
    if data_only:
        return curve
    ax = new_axes(ax, (6.4, 4.0))
    v, est, low, high = (np.asarray(curve[n], float) for n in (result.by, "estimate", "conf_low", "conf_high"))
    ax.axhline(0, color=BLACK, lw=0.9)
    starts, ends = (np.asarray(result.table[n], float) for n in ("start", "end"))
    named: set[str] = set()
    for a, b, flag in zip(starts, ends, np.asarray(result.table["significant"], bool)):
        at = np.unique(np.concatenate([[a], v[(v > a) & (v < b)], [b]]))
        colour, name = (BLUE, f"p < {1 - result.level:.2g}") if flag else (GREY, "not significant")
        ax.fill_between(at, np.interp(at, v, low), np.interp(at, v, high), color=colour, alpha=0.3, lw=0, label=None if name in named else name)
        ax.plot(at, np.interp(at, v, est), color=colour, lw=2)
        named.add(name)
    inside = [b for b in result.bounds if result.observed[0] < b < result.observed[1]]
    if bounds:
        for b in inside:
            ax.axvline(b, color=RED, lw=1.0, ls="--")
            ax.annotate(number(b), (b, 1), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points", ha="center", va="bottom", fontsize="small", color=RED)
    legend(ax)
    return finish(ax, result.by, f"slope of {result.trend}")
