"""Regression lines of the groups with the overall line (curves on the scale of the response for generalized models)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import ModelError
from tanada.plot.model_data import (
    Groups,
    groups_for,
    numeric_predictors,
    observed,
    pick_predictor,
    predicted,
    response_label,
    typical_rows,
)
from tanada.plot.style import BLACK, GREEN, GREY, MANY, NEGATIVE, POSITIVE, alpha_for, finish, legend, new_axes

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GroupLines:
    """Lines of the groups (L, K) over x (L, K), the overall line with its band, and the group means of predictor and response."""

    groups: Groups
    x: Array
    y: Array
    overall: dict[str, Array]
    means: dict[str, Array]


def plot_lines(
    m: Any, x: str | None = None, group: str | None = None, between: str | None = None, points: bool = True, pooled: bool = False, sign: bool = True,
    span: str = "group", scale: str = "response", band: bool = True, length: int = 60, ax: Any = None, data_only: bool = False,
) -> Any:  # fmt: skip
    """Lines of the groups, coloured by the sign of their slopes, and the overall line.

    Parameters
    ----------
    m : MixedResult
    x : str, optional
        Predictor of the horizontal axis; by default one with a random slope, else the first numeric one. A predictor that is constant within groups
        is drawn as one line through the groups.
    group : str, optional
        Grouping factor.
    between : str, optional
        Group mean of `x` that is a predictor too, when `x` is centred within groups: each group's line then stands at its own mean, and the line
        between groups is drawn through them.
    points : bool
        Whether to draw the data.
    pooled : bool
        Whether to add the regression line that ignores the groups.
    sign : bool
        Whether rising and falling lines have different colours.
    span : {"group", "all"}
        Lines over the group's own range of `x`, or over the range of all rows.
    scale : {"response", "link"}
    band : bool
        Confidence band of the overall line.
    length : int
        Points a line.
    ax : matplotlib Axes, optional
    data_only : bool
        Return the data behind the lines: group, level, x, estimate.

    Returns
    -------
    matplotlib Axes, or a data frame

    Raises
    ------
    ModelError
        For unknown variables or options.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.center(tn.load_dataset("school_survey"), "escs", by="school_id")
    >>> m = tn.mixed("read_score ~ escs_cwc + (escs_cwc | school_id)", d)
    >>> m.plot(kind="lines", data_only=True, length=2).shape
    (366, 4)
    """
    _check_options(m, span, scale, between)
    x = pick_predictor(m, x)
    groups = groups_for(m, group)
    values = np.asarray(m.design.variable(x), float)
    constant = bool(np.all(groups.variance(values) <= 1e-12 * max(float(np.var(values)), 1e-300)))
    lines = line_data(m, x, groups, between, span, scale, max(int(length), 2), constant)
    if data_only:
        return lines_table(m, lines, x)
    ax = new_axes(ax, (6.6, 4.2))
    at = values + lines.means["shift"][groups.codes] if between else values
    if points and not constant:
        _draw_points(ax, m, at, scale)
    if constant:
        ax.plot(lines.means["x"], lines.means["y"], "o", ms=4, color=GREEN, alpha=0.7, mec="none", label=f"means by {groups.name}")
    else:
        _draw_lines(ax, lines, sign, groups.name)
    if band and "conf_low" in lines.overall:
        ax.fill_between(lines.overall["x"], lines.overall["conf_low"], lines.overall["conf_high"], color=BLACK, alpha=0.15, lw=0, zorder=3)
    label = "between groups" if between else "overall"
    ax.plot(lines.overall["x"], lines.overall["estimate"], color=GREEN if between else BLACK, lw=2.0, ls="-" if constant or between else "--", zorder=4, label=label)
    if between:
        ax.plot(lines.means["x"], lines.means["y"], "o", ms=3, color=GREEN, mec="none", alpha=0.7, zorder=4)
    if pooled:
        _draw_pooled(ax, m, at, scale)
    legend(ax)
    y = response_label(m, m.family in ("binomial", "betabinomial")) if scale == "response" else f"linear predictor ({m.link})"
    return finish(ax, x if not between else x.removesuffix("_cwc"), y)


def _check_options(m: Any, span: str, scale: str, between: str | None) -> None:
    if span not in ("group", "all"):
        raise ModelError(f"span = {span!r}; it takes 'group' or 'all'.")
    if scale not in ("response", "link"):
        raise ModelError(f"scale = {scale!r}; it takes 'response' or 'link'.")
    if between is not None and between not in numeric_predictors(m):
        raise ModelError(f"between = '{between}' is not a numeric predictor of this model.")


def line_data(m: Any, x: str, groups: Groups, between: str | None, span: str, scale: str, length: int, constant: bool) -> GroupLines:
    """Predictions of all lines."""
    values = np.asarray(m.design.variable(x), float)
    L = len(groups.levels)
    low, high = np.full(L, values.min()), np.full(L, values.max())
    if span == "group":
        low, high = np.full(L, np.inf), np.full(L, -np.inf)
        np.minimum.at(low, groups.codes, values)
        np.maximum.at(high, groups.codes, values)
    grid = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, length)
    rows = typical_rows(m, groups.codes, L)
    y = np.empty((L, 0))
    if not constant:
        tall = {k: np.repeat(v, length) for k, v in rows.items()} | {x: grid.ravel()}
        y = np.asarray(predicted(m, tall, [groups.name], scale)["estimate"], float).reshape(L, length)
    moving = between if between is not None else x
    centre = typical_rows(m, np.zeros(m.nobs, np.intp), 1)
    at = np.asarray(m.design.variable(moving), float)
    line = np.linspace(at.min(), at.max(), max(length, 60))
    path = {k: np.repeat(v, len(line)) for k, v in centre.items()} | {moving: line}
    found = predicted(m, path, False, scale, interval=True)
    overall = {"x": line} | {k: np.asarray(found[k], float) for k in ("estimate", "conf_low", "conf_high")}
    shift = rows[between] if between else np.zeros(L)
    own = np.asarray(predicted(m, rows, [groups.name], scale)["estimate"], float)
    means = {"x": np.asarray(shift if between else rows[x], float), "y": own, "shift": np.asarray(shift, float)}
    return GroupLines(groups, grid + means["shift"][:, None], y, overall, means)


def lines_table(m: Any, lines: GroupLines, x: str) -> Any:
    """group, level, the predictor and the estimate; the overall line has the group "(overall)"."""
    L, K = lines.y.shape
    if K == 0:
        name, level, xs, ys = [lines.groups.name] * L, list(lines.groups.levels), lines.means["x"], lines.means["y"]
    else:
        name, level, xs, ys = [lines.groups.name] * (L * K), list(np.repeat(lines.groups.levels, K)), lines.x.ravel(), lines.y.ravel()
    return m.table({"group": np.array(name, dtype=object), "level": np.array(level, dtype=object), x: xs, "estimate": ys})


def _draw_points(ax: Any, m: Any, at: Array, scale: str) -> None:
    if scale == "link" and m.link != "identity":
        return
    y = observed(m)
    if np.isin(y, (0.0, 1.0)).all():
        y = y + np.random.default_rng(0).uniform(-0.025, 0.025, len(y))
    ax.plot(at, y, ".", ms=4, mec="none", color=GREY, alpha=max(0.3, 0.7 * alpha_for(len(y))), zorder=1, rasterized=len(y) > MANY)


def _draw_lines(ax: Any, lines: GroupLines, sign: bool, name: str) -> None:
    from matplotlib.collections import LineCollection

    paths = np.stack([lines.x, lines.y], axis=2)
    up = lines.y[:, -1] >= lines.y[:, 0]
    width = 0.9 if len(paths) < 60 else 0.6
    parts = [(up, POSITIVE, "rising"), (~up, NEGATIVE, "falling")] if sign and not up.all() else [(np.ones_like(up), POSITIVE, f"one line a {name}")]
    for keep, colour, label in parts:
        count = f" ({int(keep.sum())})" if len(parts) > 1 else ""
        ax.add_collection(LineCollection(list(paths[keep]), colors=colour, linewidths=width, alpha=0.7, label=label + count, zorder=2, rasterized=len(paths) > 500))
    ax.autoscale_view()


def _draw_pooled(ax: Any, m: Any, values: Array, scale: str) -> None:
    if m.family != "gaussian" or m.link != "identity":
        raise ModelError("pooled=True draws an ordinary regression line, for Gaussian models with the identity link.")
    slope, start = np.polyfit(values, observed(m), 1)
    ends = np.array([values.min(), values.max()])
    ax.plot(ends, start + slope * ends, color=BLACK, lw=1.4, ls=":", zorder=4, label="without groups")
