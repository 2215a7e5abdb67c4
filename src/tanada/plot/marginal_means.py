"""Figures of marginal means and slopes: lines with bands along a number, dots with bars across levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import ModelError
from tanada.plot.style import BLACK, GREY, PALETTE, finish, legend, new_axes, new_panels, number, show_fonts

MARKERS = "osD^vP*X"
MOST = 12  # panels


def grid_names(result: Any) -> list[str]:
    """The `by` columns of a result, in order."""
    names = list(result.columns)
    return names[: names.index("estimate")]


def plot_grid(result: Any, ylabel: str, zero: bool, ax: Any = None, band: bool = True) -> Any:
    """A table of estimates over a grid: first variable across, second as colours, others as panels."""
    names = grid_names(result)
    cols = {n: result.column(n) for n in result.columns}
    if len(names) <= 2:
        a = new_axes(ax, (6.2, 4.0))
        draw_grid(a, cols, names, np.ones(len(result), bool), band, zero)
        return finish(a, names[0] if names else "", ylabel)
    cells = list(dict.fromkeys(zip(*(cols[n].tolist() for n in names[2:]))))
    if ax is not None or len(cells) > MOST:
        raise ModelError(f"plot: {len(names)} variables give {len(cells)} panels; plot takes up to {MOST} and no ax= then. Give fewer values in by.")
    across = min(len(cells), 3)
    down = -(-len(cells) // across)
    figure, panels = new_panels(down, across, (3.4 * across + 1, 3.0 * down + 0.3))
    for a, cell in zip(panels, cells):
        keep = np.all([cols[n] == v for n, v in zip(names[2:], cell)], axis=0)
        draw_grid(a, cols, names[:2], keep, band, zero, with_legend=a is panels[across - 1])
        finish(a, names[0], ylabel, ", ".join(f"{n} = {label(v)}" for n, v in zip(names[2:], cell)))
    for a in panels[len(cells) :]:
        a.set_visible(False)
    show_fonts(figure)
    return figure


def draw_grid(ax: Any, cols: dict[str, NDArray[Any]], names: Sequence[str], keep: Any, band: bool, zero: bool, with_legend: bool = True) -> None:
    """One panel."""
    if zero:
        ax.axhline(0, color=GREY, lw=0.8)
    x = cols[names[0]][keep] if names else np.zeros(int(np.sum(keep)))
    est, low, high = (cols[n][keep] for n in ("estimate", "conf_low", "conf_high"))
    which = cols[names[1]][keep] if len(names) > 1 else np.zeros(len(x))
    values = list(dict.fromkeys(which.tolist()))
    numeric = x.dtype.kind in "fiu" and len(set(x.tolist())) > 1
    labels = [] if numeric else list(dict.fromkeys(x.tolist()))
    for k, v in enumerate(values):
        own = which == v
        colour = BLACK if len(values) == 1 else PALETTE[k % len(PALETTE)]
        name = None if len(values) == 1 else label(v)
        if numeric:
            order = np.argsort(x[own], kind="stable")
            at = x[own][order].astype(float)
            ax.plot(at, est[own][order], color=colour, lw=1.8, ls=("-", "--", "-.", ":")[k % 4], label=name)
            if band:
                ax.fill_between(at, low[own][order], high[own][order], color=colour, alpha=0.15, lw=0)
            continue
        gap = 0.0 if len(values) == 1 else 0.5 * (k / (len(values) - 1) - 0.5)
        at = np.array([labels.index(t) for t in x[own].tolist()]) + gap
        ax.vlines(at, low[own], high[own], color=colour, lw=1.4)
        ax.plot(at, est[own], MARKERS[k % len(MARKERS)], color=colour, ms=5.5, label=name)
    if not numeric:
        ax.set_xticks(range(len(labels)), [label(t) for t in labels] if names else [""])
        ax.set_xlim(-0.6, len(labels) - 0.4)
        ax.grid(False, axis="x")
        if sum(len(label(t)) for t in labels) > 45:
            ax.tick_params(axis="x", rotation=35)
            for t in ax.get_xticklabels():
                t.set_ha("right")
    if with_legend and len(values) > 1:
        legend(ax, names[1])


def label(value: Any) -> str:
    """A grid value as text."""
    return number(float(value)) if isinstance(value, (float, int)) and not isinstance(value, bool) else str(value)
