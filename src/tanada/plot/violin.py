"""The response by group as violins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tanada.errors import ModelError, did_you_mean
from tanada.plot.model_data import groups_for, observed, response_label
from tanada.plot.style import BLACK, BLUE, RED, finish, legend, new_axes

FEW = 12


def plot_violin(m: Any, group: str | None = None, levels: int | Sequence[str] = FEW, ax: Any = None, data_only: bool = False) -> Any:
    """Distribution of the response in groups, with observed and predicted means.

    Parameters
    ----------
    m : MixedResult
    group : str, optional
    levels : int or sequence of str
        Names of the groups, or how many: spread evenly from the lowest to the highest observed mean.
    ax : matplotlib Axes, optional
    data_only : bool
        Return level, n, mean, std_dev, predicted.

    Returns
    -------
    matplotlib Axes, or a data frame

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ (1 | school_id)", tn.load_dataset("school_survey"))
    >>> len(m.plot(kind="violin", levels=3, data_only=True))
    3
    """
    groups = groups_for(m, group)
    y = observed(m)
    mean = groups.mean(y)
    chosen = _chosen(groups, mean, levels)
    predicted = groups.mean(m.fit.fitted)
    if data_only:
        sd = np.sqrt(groups.variance(y))
        return m.table(
            {"level": groups.levels[chosen], "n": groups.size[chosen], "mean": mean[chosen], "std_dev": sd[chosen], "predicted": predicted[chosen]}
        )
    ax = new_axes(ax, (max(4.2, 1.6 + 0.45 * len(chosen)), 3.9))
    parts = [y[groups.codes == k] for k in chosen]
    for i, values in enumerate(parts):
        if len(values) > 1 and np.ptp(values) > 0:
            body = ax.violinplot([values], [i], showextrema=False, widths=0.85)["bodies"][0]
            body.set(facecolor=BLUE, alpha=0.3, edgecolor=BLUE)
        else:
            ax.plot(np.full(len(values), i), values, ".", color=BLUE)
    at = np.arange(len(chosen))
    ax.plot(at, mean[chosen], "o", color=BLACK, ms=5, label="observed mean")
    ax.plot(at, predicted[chosen], "D", color=RED, ms=4.5, label="predicted mean")
    ax.axhline(float(np.mean(y)), color=BLACK, lw=0.9, ls="--", label="overall mean")
    names = [str(v) for v in groups.levels[chosen]]
    ax.set_xticks(at, names, rotation=0 if sum(map(len, names)) < 5 * len(chosen) + 20 and len(chosen) < 16 else 60)
    ax.grid(False, axis="x")
    legend(ax)
    return finish(ax, groups.name, response_label(m))


def _chosen(groups: Any, mean: Any, levels: int | Sequence[str]) -> Any:
    order = np.argsort(mean, kind="stable")
    if isinstance(levels, (int, np.integer)):
        if levels < 1:
            raise ModelError(f"levels = {levels}; it takes a number of groups of 1 or more, or names of groups.")
        count = min(int(levels), len(order))
        return order[np.unique(np.round(np.linspace(0, len(order) - 1, count)).astype(int))]
    known = {str(v): i for i, v in enumerate(groups.levels)}
    for name in levels:
        if str(name) not in known:
            raise ModelError(f"levels: '{name}' is not a level of '{groups.name}'.{did_you_mean(str(name), known)}")
    return np.array([known[str(n)] for n in levels])
