"""How figures look: a palette that colour-blind readers can tell apart (Okabe & Ito 2008), plain axes, fonts that can show their labels."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from tanada.plot.path_fonts import CJK_FONTS
from tanada.results.notices import TanadaWarning

BLUE, ORANGE, GREEN, RED, SKY, PURPLE, YELLOW, BLACK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442", "#222222"
GREY, LIGHT = "#8A8A8A", "#D4D4D4"
PALETTE = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK, GREY)
POSITIVE, NEGATIVE = RED, BLUE
MANY = 3000  # points from which a scatter plot is drawn as an image inside vector files

HINT = (
    "the labels of this figure hold East Asian characters and matplotlib finds no font for them, so boxes will stand in their place: install one "
    "(Debian and Ubuntu: apt install fonts-noto-cjk; Windows and macOS have one; or pip install matplotlib-fontja and import matplotlib_fontja), then restart Python."
)


def new_axes(ax: Any, size: tuple[float, float] = (5.6, 4.0)) -> Any:
    """The axes given, or those of a new figure, with the package's look.

    Parameters
    ----------
    ax : matplotlib Axes or None
    size : (float, float)
        Inches of a new figure.

    Returns
    -------
    matplotlib Axes
    """
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)
    ax.tick_params(color=GREY, labelsize="small")
    ax.grid(color="#EEEEEE", linewidth=0.8)
    ax.set_axisbelow(True)
    return ax


def new_panels(rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, list[Any]]:
    """A figure of several panels and its axes, row by row."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    return figure, [new_axes(a) for a in axes.ravel()]


def finish(ax: Any, x: str | None = None, y: str | None = None, title: str | None = None) -> Any:
    """Label the axes and give every text a font that can show it.

    Parameters
    ----------
    ax : matplotlib Axes
    x, y, title : str, optional

    Returns
    -------
    matplotlib Axes
    """
    if x is not None:
        ax.set_xlabel(x)
    if y is not None:
        ax.set_ylabel(y)
    if title is not None:
        ax.set_title(title, fontsize="medium", loc="left")
    show_fonts(ax)
    return ax


def show_fonts(artist: Any) -> None:
    """Give texts with East Asian characters a font that has them; warn, once a figure, when none is installed."""
    from matplotlib.text import Text

    texts = [t for t in artist.findobj(Text) if t.get_text()]
    ticks = [t for a in _axes_in(artist) for axis in (a.xaxis, a.yaxis) for t in axis.get_ticklabels() if t.get_text()]
    families = fonts_for(t.get_text() for t in (*texts, *ticks))
    if families is None:
        return
    for t in texts:
        t.set_fontfamily(families)
    for a in _axes_in(artist):
        for axis in (a.xaxis, a.yaxis):
            axis.set_tick_params(labelfontfamily=families)
        legend = a.get_legend()
        if legend is not None:
            for t in (*legend.get_texts(), legend.get_title()):
                t.set_fontfamily(families)


def _axes_in(artist: Any) -> list[Any]:
    return list(artist.axes) if isinstance(artist.axes, list) else [artist.axes]


def fonts_for(labels: Iterable[str]) -> list[str] | None:
    """Font families, first to last choice, for labels with East Asian characters; None when the default font will do.

    Parameters
    ----------
    labels : iterable of str

    Returns
    -------
    list of str or None
    """
    wide = {c for label in labels for c in label if unicodedata.east_asian_width(c) in "WF"}
    if not wide or _default_has(frozenset(wide)):
        return None
    from matplotlib import rcParams

    found = installed_font()
    if found is None:
        warnings.warn(HINT, TanadaWarning, stacklevel=4)
        return None
    return [*rcParams["font.family"], found]


def _default_has(characters: frozenset[str]) -> bool:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties()))
    return all(font.get_char_index(ord(c)) for c in characters)


@lru_cache(maxsize=1)
def installed_font() -> str | None:
    """The first East Asian font that is installed; None without one."""
    from matplotlib import font_manager

    names = {f.name for f in font_manager.fontManager.ttflist}
    return next((f for f in CJK_FONTS if f in names), None)


def legend(ax: Any, title: str | None = None, where: str = "right") -> None:
    """A legend beside the data ("right"), above them in one line ("top"), or within them where there is most room ("inside")."""
    handles, _ = ax.get_legend_handles_labels()
    if not handles:
        return
    places: dict[str, dict[str, Any]] = {
        "right": {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)},
        "top": {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": len(handles), "borderaxespad": 0.2},
        "inside": {"loc": "best"},
    }
    place = places[where]
    ax.legend(title=title, frameon=where == "inside", framealpha=0.85, edgecolor="none", fontsize="small", title_fontsize="small", alignment="left", **place)


def alpha_for(n: int) -> float:
    """Opacity of one of n points."""
    return 0.75 if n <= 200 else max(0.12, 0.75 * (200 / n) ** 0.5)


def number(value: float) -> str:
    """A value for a legend: three significant digits."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
