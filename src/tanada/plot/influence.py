"""Influence of each group on the fixed effects: Cook's distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.plot.model_data import groups_for
from tanada.plot.style import BLUE, GREY, RED, finish, legend, new_axes
from tanada.post.group_influence import group_influence


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
        Return level, n, cook, and one column a coefficient: its change, in standard errors, when the group is left out.

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
    groups = groups_for(m, group)
    found = group_influence(m.work, groups.codes, len(groups.levels))
    if data_only:
        changes = {n: found.change[:, j] for j, n in enumerate(found.names)}
        return m.table({"level": groups.levels, "n": groups.size, "cook": found.distance, **changes})
    ax = new_axes(ax, (5.6, 3.7))
    d = found.distance
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
            ax.annotate(str(groups.levels[i]), (x[i], d[i]), xytext=(0, 3), textcoords="offset points", ha="center", va="bottom", fontsize="x-small")
    ax.set_ylim(bottom=0)
    ax.margins(y=0.12)
    ax.set_xticks([])
    ax.grid(False, axis="x")
    legend(ax, where="top")
    return finish(ax, groups.name, "Cook's distance")
