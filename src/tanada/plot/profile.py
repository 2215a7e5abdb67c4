"""Profiles of the likelihood: signed root of the rise in deviance along each parameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tanada.engine.mixed_fit import fit_mixed
from tanada.errors import ModelError, did_you_mean
from tanada.inference.profile import Target, targets
from tanada.inference.workspace import Workspace
from tanada.plot.style import BLACK, BLUE, GREY, RED, finish, new_axes, new_panels, show_fonts

REACH = 2.7  # signed roots


def plot_profile(m: Any, parm: str | Sequence[str] | None = None, points: int = 15, ax: Any = None, data_only: bool = False) -> Any:
    """Profile plot: straight lines mean that Wald intervals are good.

    Parameters
    ----------
    m : MixedResult
        REML fits are profiled by ML.
    parm : str or sequence of str, optional
        Names as in `m.confint()`; default all parameters.
    points : int
        Values of each parameter at which the model is fitted again.
    ax : matplotlib Axes, optional
        For one parameter.
    data_only : bool
        Return term, value, zeta.

    Returns
    -------
    matplotlib Axes, a Figure for several parameters, or a data frame

    References
    ----------
    Bates, Maechler, Bolker & Walker (2015), Journal of Statistical Software 67(1), section 5.1.

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ (1 | school_id)", tn.load_dataset("school_survey"))
    >>> m.plot(kind="profile", parm="sigma", points=5, data_only=True).columns.tolist()
    ['term', 'value', 'zeta']
    """
    fit = fit_mixed(m.fit.data, replace(m.fit.objective.options, reml=False, start=None)) if m.fit.reml else m.fit
    known = dict(targets(Workspace(fit)))
    wanted = list(known) if parm is None else [parm] if isinstance(parm, str) else list(parm)
    for name in wanted:
        if name not in known:
            raise ModelError(f"parm: '{name}' is not a parameter of this model.{did_you_mean(str(name), known)}")
    if ax is not None and len(wanted) > 1:
        raise ModelError(f"ax= takes one panel and there are {len(wanted)} parameters; choose one with parm=, or leave ax out.")
    curves = {name: curve(known[name](), max(int(points), 5)) for name in wanted}
    if data_only:
        names = np.repeat(np.array(list(curves), dtype=object), [len(c[0]) for c in curves.values()])
        return m.table({"term": names, "value": np.concatenate([c[0] for c in curves.values()]), "zeta": np.concatenate([c[1] for c in curves.values()])})
    if len(wanted) == 1:
        return _panel(new_axes(ax, (4.8, 3.6)), wanted[0], *curves[wanted[0]])
    across = min(len(wanted), 3)
    down = -(-len(wanted) // across)
    figure, panels = new_panels(down, across, (3.4 * across, 2.7 * down))
    for a, name in zip(panels, wanted):
        _panel(a, name, *curves[name])
    for a in panels[len(wanted) :]:
        a.set_visible(False)
    show_fonts(figure)
    return figure


def curve(target: Target, points: int) -> tuple[Any, Any]:
    """Values of one parameter and the signed roots there, from the ends of the 99 % interval inwards."""
    ends = [target._end(z) for z in (-REACH, REACH)]
    low, high = (e if np.isfinite(e) else target.estimate + s * REACH * target.step for e, s in zip(ends, (-1, 1)))
    at = np.unique(np.concatenate([np.linspace(low, high, points), [target.estimate]]))
    zeta = np.array([0.0 if t == target.estimate else target.zeta(float(t)) for t in at])
    return np.array([target.back(float(t)) for t in at]), zeta


def _panel(ax: Any, name: str, value: Any, zeta: Any) -> Any:
    ax.plot(value, zeta, "-o", color=BLUE, ms=3, lw=1.5)
    ax.axhline(0, color=BLACK, lw=0.8)
    for limit in (-1.959964, 1.959964):
        ax.axhline(limit, color=GREY, lw=0.9, ls="--")
        if zeta.min() < limit < zeta.max():
            ax.axvline(float(np.interp(limit, zeta, value)), color=RED, lw=0.9, ls=":")
    return finish(ax, name, "signed root (zeta)")
