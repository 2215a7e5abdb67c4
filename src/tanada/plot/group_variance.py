"""Variance within groups as the model expects it, against the variance observed."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.errors import ModelError
from tanada.plot.model_data import groups_for, observed
from tanada.plot.style import BLUE, RED, alpha_for, finish, legend, new_axes
from tanada.post.residuals import residuals


def plot_variance(m: Any, group: str | None = None, ax: Any = None, data_only: bool = False) -> Any:
    """Scatter of expected against observed variance, one dot a group.

    Parameters
    ----------
    m : MixedResult
    group : str, optional
    ax : matplotlib Axes, optional
    data_only : bool
        Return level, n, expected, observed.

    Returns
    -------
    matplotlib Axes, or a data frame

    Notes
    -----
    Expected: the mean of the variance function at the fitted means (for 0/1 responses, mean of p (1 - p)). Observed: mean squared response residual.
    Dots above the line on the whole mean overdispersion.

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("wants_univ ~ (1 | school_id)", tn.load_dataset("school_survey"), family="binomial")
    >>> m.plot(kind="variance", data_only=True).shape
    (183, 4)
    """
    groups = groups_for(m, group)
    raw, pearson = residuals(m.fit, "response"), residuals(m.fit, "scaled")
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(pearson != 0, (raw / pearson) ** 2, np.nan)
    if not np.isfinite(variance).any():
        raise ModelError("kind='variance' needs a variance function, and every residual of this model is zero.")
    expected, found = groups.mean(np.where(np.isfinite(variance), variance, np.nanmean(variance))), groups.mean(raw**2)
    if data_only:
        return m.table({"level": groups.levels, "n": groups.size, "expected": expected, "observed": found})
    ax = new_axes(ax, (4.6, 4.2))
    ax.plot(expected, found, "o", ms=4, mec="none", color=BLUE, alpha=alpha_for(len(found)), label=f"one dot a {groups.name}")
    top = float(max(expected.max(), found.max()))
    low = float(min(expected.min(), found.min()))
    ax.plot([low, top], [low, top], color=RED, lw=1.2, label="equal")
    legend(ax, where="inside")
    word = " of the proportion" if np.any(m.fit.data.trials != 1) else f" of {m.fit.data.response}" if np.any(observed(m)) else ""
    return finish(ax, "variance the model expects", f"observed variance{word}")
