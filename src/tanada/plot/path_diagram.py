"""Path diagrams: one panel a level (and group), latent variables as ellipses, observed ones as boxes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tanada.errors import ModelError
from tanada.plot.path_fonts import font_for
from tanada.post.sem_paths import Edge, Graph, graphs

COLOURS = {"loading": "#1f5f99", "path": "#d2691e", "covariance": "#777777"}


def plot_path_diagram(
    result: Any, values: str = "std_all", loadings: str | None = None, paths: str | None = None, digits: int = 2, level: int | None = None,
    labels: Mapping[str, str] | None = None, ax: Any = None, fontsize: float = 10.0,
) -> Any:  # fmt: skip
    """Draw the path diagram of a fitted structural equation model.

    Parameters
    ----------
    result : SemResult
    values : "std_all", "std_lv", "estimate" or "none"
        What stands beside the arrows.
    loadings, paths : str, optional
        The same for loadings (blue) and for paths and covariances (orange, grey) alone.
    digits : int
    level : 1 or 2, optional
        One level only.
    labels : mapping, optional
        Names to show instead of variable names.
    ax : matplotlib Axes, optional
        For a diagram of one panel.
    fontsize : float

    Returns
    -------
    matplotlib Figure, or the Axes given

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import tanada as tn
    >>> f = tn.cfa("teach =~ teach1 + teach2 + teach3 + teach4", tn.load_dataset("school_survey"))
    >>> from tanada.plot.path_diagram import plot_path_diagram
    >>> len(plot_path_diagram(f).axes)
    1
    """
    panels = graphs(result._fit, loadings or values, paths or values, level)
    names = dict(labels or {})
    font = font_for([names.get(v, v) for g in panels for v in g.position] + [g.title for g in panels])
    if ax is not None:
        if len(panels) != 1:
            raise ModelError(f"plot: ax= takes one panel and this model has {len(panels)}; choose one with level=, or leave ax out.")
        _draw(ax, panels[0], names, digits, font, fontsize)
        return ax
    from matplotlib.figure import Figure

    sizes = [_size(g) for g in panels]
    figure = Figure(figsize=(max(max(w for w, _ in sizes), 4.0), sum(h for _, h in sizes)), layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[h for _, h in sizes])[:, 0]
    for a, g in zip(axes, panels):
        _draw(a, g, names, digits, font, fontsize)
    return figure


def _limits(g: Graph) -> tuple[float, float, float, float]:
    xs, ys = zip(*g.position.values())
    arcs = any(e.kind == "covariance" for e in g.edges)
    return min(xs) - 0.9, max(xs) + 0.9, min(ys) - 0.7, max(ys) + (1.5 if arcs else 0.7)


def _size(g: Graph) -> tuple[float, float]:
    left, right, low, high = _limits(g)
    return 1.15 * (right - left), 1.0 * (high - low) + 0.4


def _draw(ax: Any, g: Graph, names: Mapping[str, str], digits: int, font: str | None, fontsize: float) -> None:
    from matplotlib.patches import Ellipse, FancyBboxPatch

    left, right, low, high = _limits(g)
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
    ax.set_axis_off()
    style = {"fontsize": fontsize} | ({"fontfamily": font} if font else {})
    if g.title:
        ax.set_title(g.title, loc="left", **style)
    patches: dict[str, Any] = {}
    for v, (x, y) in g.position.items():
        label = names.get(v, v)
        size = fontsize * min(1.0, 9.0 / max(len(label), 1))
        if v in g.latent:
            patch: Any = Ellipse((x, y), 1.15, 0.62, facecolor="#eef4fa", edgecolor="black", zorder=3)
        else:
            patch = FancyBboxPatch((x - 0.42, y - 0.19), 0.84, 0.38, boxstyle="square,pad=0", facecolor="white", edgecolor="black", zorder=3)
        ax.add_patch(patch)
        patches[v] = patch
        ax.text(x, y, label, ha="center", va="center", zorder=4, **(style | {"fontsize": size}))
    centre = sum(y for _, y in g.position.values()) / len(g.position)
    for e in g.edges:
        _arrow(ax, g, e, patches, digits, style, centre)


def _arrow(ax: Any, g: Graph, e: Edge, patches: Mapping[str, Any], digits: int, style: Mapping[str, Any], centre: float) -> None:
    from matplotlib.patches import FancyArrowPatch

    a, b = g.position[e.source], g.position[e.target]
    bend = 0.0
    if e.kind == "covariance":
        outward = 1.0 if (a[1] + b[1]) / 2 >= centre else -1.0
        strength = min(0.35, 2.2 / max(abs(a[0] - b[0]) + abs(a[1] - b[1]), 1e-9))
        bend = -strength * outward if a[0] <= b[0] else strength * outward
        if abs(a[0] - b[0]) < 1e-9:
            bend = strength if a[0] <= 0 else -strength
    arrow = FancyArrowPatch(
        a, b, patchA=patches[e.source], patchB=patches[e.target], arrowstyle="<|-|>" if e.kind == "covariance" else "-|>", mutation_scale=10,
        connectionstyle=f"arc3,rad={bend}", color=COLOURS[e.kind], linestyle="-", linewidth=1.2, shrinkA=1, shrinkB=1, zorder=2,
    )  # fmt: skip
    ax.add_patch(arrow)
    if e.value is None:
        return
    share = 0.58 if e.kind == "loading" else 0.5
    x, y = a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
    if bend:
        x, y = x + 0.5 * bend * (b[1] - a[1]), y - 0.5 * bend * (b[0] - a[0])
    text = f"{e.value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.9}
    ax.text(x, y, text, ha="center", va="center", color=COLOURS[e.kind], zorder=5, bbox=box, fontsize=float(style["fontsize"]) * 0.85)
