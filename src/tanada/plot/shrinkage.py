"""Group means as observed against group means as predicted: how far each is pulled to the overall mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.plot.model_data import groups_for, observed, response_label
from tanada.plot.style import BLUE, GREEN, RED, alpha_for, finish, legend, new_axes


def plot_shrinkage(m: Any, group: str | None = None, sized: bool = True, ax: Any = None, data_only: bool = False) -> Any:
    """Scatter of observed against predicted group means.

    Parameters
    ----------
    m : MixedResult
    group : str, optional
        Grouping factor.
    sized : bool
        Whether the area of a dot shows the number of rows.
    ax : matplotlib Axes, optional
    data_only : bool
        Return level, n, observed, predicted.

    Returns
    -------
    matplotlib Axes, or a data frame

    Notes
    -----
    In a model without predictors the predicted means are the intercepts of `m.coef()`. With predictors they are means of the fitted values.

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ (1 | school_id)", tn.load_dataset("school_survey"))
    >>> m.plot(kind="shrinkage", data_only=True).columns.tolist()
    ['level', 'n', 'observed', 'predicted']
    """
    groups = groups_for(m, group)
    raw, shrunken = groups.mean(observed(m)), groups.mean(_fitted(m))
    if data_only:
        return m.table({"level": groups.levels, "n": groups.size, "observed": raw, "predicted": shrunken})
    ax = new_axes(ax, (4.6, 4.4))
    area = 6 + 30 * groups.size / groups.size.max() if sized else 16
    ax.scatter(raw, shrunken, s=area, color=BLUE, alpha=alpha_for(len(raw)), edgecolors="none", zorder=3, label=f"one dot a {groups.name}")
    both = np.concatenate([raw, shrunken])
    room = 0.03 * float(np.ptp(both) or 1.0)
    ends = (float(both.min()) - room, float(both.max()) + room)
    ax.plot(ends, ends, color=RED, lw=1.2, zorder=2, label="no shrinkage (y = x)")
    ax.axhline(float(np.mean(_fitted(m))), color=GREEN, lw=1.0, ls="--", zorder=1, label="overall mean")
    ax.set_aspect("equal", adjustable="datalim")
    legend(ax, where="inside")
    name = response_label(m)
    return finish(ax, f"observed mean of {name}", f"predicted mean of {name}")


def _fitted(m: Any) -> Any:
    return np.asarray(m.fit.fitted, float)
