"""Random effects of all groups in order, with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.errors import ModelError, did_you_mean
from tanada.inference.wald import check_level
from tanada.plot.model_data import groups_for
from tanada.plot.style import BLUE, GREY, RED, finish, new_axes, new_panels, show_fonts

NAMED = 40  # groups up to which their names are written


def plot_caterpillar(
    m: Any, group: str | None = None, term: str | None = None, level: float = 0.95, names: bool | None = None, ax: Any = None, data_only: bool = False
) -> Any:
    """Random effects sorted by size, with intervals; one panel an effect.

    Parameters
    ----------
    m : MixedResult
    group : str, optional
    term : str, optional
        One effect; default all of the grouping factor, each in a panel.
    level : float
        Of the intervals, which are normal with the conditional standard deviations of the effects.
    names : bool, optional
        Whether to write the names of the groups; default up to 40 of them.
    ax : matplotlib Axes, optional
        For one effect.
    data_only : bool
        Return level, term, estimate, std_error, conf_low, conf_high.

    Returns
    -------
    matplotlib Axes, a Figure for several effects, or a data frame

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ (1 | school_id)", tn.load_dataset("school_survey"))
    >>> len(m.plot(kind="caterpillar", data_only=True))
    183
    """
    from scipy.special import ndtri

    groups = groups_for(m, group)
    crit = float(ndtri(0.5 + check_level(level) / 2))
    own = [t for t in m.fit.terms if t.component == "cond" and t.group == groups.name]
    effects = {n: (t.modes[:, j], np.sqrt(np.maximum(t.cond_var[:, j, j], 0.0))) for t in own for j, n in enumerate(t.names)}
    if term is not None and term not in effects:
        raise ModelError(f"term = '{term}' is not a random effect of '{groups.name}'.{did_you_mean(str(term), effects)}")
    shown = [term] if term is not None else list(effects)
    if data_only:
        return m.table(_columns(groups.levels, {n: effects[n] for n in shown}, crit))
    if ax is not None and len(shown) > 1:
        raise ModelError(f"ax= takes one panel and there are {len(shown)} effects; choose one with term=, or leave ax out.")
    written = len(groups.levels) <= NAMED if names is None else bool(names)
    height = 4.4 if not written else min(max(2.2, 0.9 + 0.17 * len(groups.levels)), 30.0)
    if len(shown) == 1:
        return _panel(new_axes(ax, (4.6, height)), groups, shown[0], effects[shown[0]], crit, written)
    figure, panels = new_panels(1, len(shown), (3.8 * len(shown), height))
    for a, n in zip(panels, shown):
        _panel(a, groups, n, effects[n], crit, written)
    show_fonts(figure)
    return figure


def _columns(levels: Any, effects: Any, crit: float) -> dict[str, Any]:
    L = len(levels)
    est = np.concatenate([e for e, _ in effects.values()])
    se = np.concatenate([s for _, s in effects.values()])
    names = np.repeat(np.array(list(effects), dtype=object), L)
    return {"level": np.tile(levels, len(effects)), "term": names, "estimate": est, "std_error": se, "conf_low": est - crit * se, "conf_high": est + crit * se}


def _panel(ax: Any, groups: Any, name: str, effect: Any, crit: float, written: bool) -> Any:
    estimate, error = effect
    order = np.argsort(estimate, kind="stable")
    e, s, y = estimate[order], crit * error[order], np.arange(len(order))
    apart = np.abs(e) > s
    for keep, colour in ((~apart, GREY), (apart, BLUE)):
        ax.hlines(y[keep], e[keep] - s[keep], e[keep] + s[keep], color=colour, lw=1.0 if len(e) < 100 else 0.7, alpha=0.6, rasterized=len(e) > 500)
        ax.plot(e[keep], y[keep], "o", ms=3.5 if len(e) < 100 else 2, mec="none", color=colour, rasterized=len(e) > 500)
    ax.axvline(0, color=RED, lw=1.0)
    ax.set_ylim(-1, len(e))
    ax.grid(False, axis="y")
    ax.set_yticks(y if written else [], list(groups.levels[order]) if written else [])
    return finish(ax, "random " + ("intercept" if name == "(Intercept)" else f"slope of {name}"), groups.name)
