"""Influence of each group on the fixed effects: Cook's distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.plot.model_data import groups_for
from tanada.plot.style import BLUE, GREY, RED, finish, legend, new_axes
from tanada.post.influence import influence


def plot_influence(m: Any, group: str | None = None, named: int = 5, ax: Any = None, data_only: bool = False) -> Any:
    """Cook's distance of each group, the largest ones named.

    Parameters
    ----------
    m : MixedResult
    group : str, optional
    named : int
        Groups whose names are written.
    ax : matplotlib Axes, optional
    data_only : bool
        Return level, n, cook, and one column a coefficient: how much larger it is with the group than without, in standard errors.

    Returns
    -------
    matplotlib Axes, or a data frame

    Notes
    -----
    Variance parameters are held at their estimates. Exact for Gaussian models with nested groups, one Fisher step otherwise.
    The dashed line stands at 4 / (number of groups), beyond which a group deserves a look.

    References
    ----------
    Demidenko & Stukel (2005), Statistics in Medicine 24, 893-909. Van der Meer, Te Grotenhuis & Pelzer (2010), American Sociological Review 75.

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", tn.load_dataset("school_survey"))
    >>> m.plot(kind="influence", data_only=True).columns.tolist()
    ['level', 'n', 'cook', '(Intercept)', 'escs']
    """
    name = groups_for(m, group).name
    found = influence(m.work, name, False)
    if data_only:
        changes = {n: found.dfbetas[:, j] for j, n in enumerate(found.names)}
        return m.table({"level": np.array(found.levels, dtype=object), "n": found.sizes, "cook": found.cooks, **changes})
    return draw_influence(new_axes(ax, (5.6, 3.7)), np.array(found.levels, dtype=object), found.cooks, named, name)


def draw_influence(ax: Any, levels: Any, d: Any, named: int, name: str) -> Any:
    """Stems, the largest ones named."""
    limit = 4 / len(d)
    x = np.arange(len(d))
    far = d > limit
    for keep, colour in ((~far, GREY), (far, BLUE)):
        ax.vlines(x[keep], 0, d[keep], color=colour, lw=1.2 if len(d) < 100 else 0.8)
        ax.plot(x[keep], d[keep], "o", ms=3.5, mec="none", color=colour)
    ax.axhline(limit, color=RED, lw=1.0, ls="--", label="4 / number of groups")
    ranked = np.argsort(np.where(np.isfinite(d), d, -1.0))[::-1][: max(named, 0)]
    for i in ranked:
        if d[i] > limit:
            ax.annotate(str(levels[i]), (x[i], d[i]), xytext=(0, 3), textcoords="offset points", ha="center", va="bottom", fontsize="x-small")
    ax.margins(y=0.12)
    ax.set_ylim(bottom=0)
    ax.set_xticks([])
    ax.grid(False, axis="x")
    legend(ax, where="top")
    return finish(ax, name, "Cook's distance")
