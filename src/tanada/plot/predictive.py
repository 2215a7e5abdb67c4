"""The response as observed against responses simulated from the fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.errors import ModelError
from tanada.plot.model_data import count_label, response_label
from tanada.plot.style import BLACK, LIGHT, SKY, finish, legend, new_axes
from tanada.post.family_rows import family_of
from tanada.post.simulation import simulate

POINTS = 120


def plot_predictive(m: Any, n: int = 40, seed: int = 1, ax: Any = None, data_only: bool = False) -> Any:
    """Distribution of the data and of data sets simulated from the model.

    Parameters
    ----------
    m : MixedResult
    n : int
        Data sets.
    seed : int
    ax : matplotlib Axes, optional
    data_only : bool
        Return y, observed, low, high: shares (counts) or densities, and the range of the simulated ones that holds 95 %.

    Returns
    -------
    matplotlib Axes, or a data frame
    """
    if n < 2:
        raise ModelError(f"n = {n}; it takes a whole number of data sets of 2 or more.")
    y = np.asarray(m.fit.data.y, float)
    drawn = np.asarray(simulate(m.fit, int(n), seed, "new"), float)
    discrete = m.family != "gaussian" and family_of(m.fit).discrete
    if discrete:
        top = int(np.quantile(np.concatenate([y, drawn.ravel()]), 0.999)) + 1
        top = min(top, int(m.fit.data.trials.max())) if family_of(m.fit).support == "trials" else top
        at = np.arange(min(top, 200) + 1, dtype=float)
        share = lambda v: np.bincount(np.minimum(v.astype(int), len(at)), minlength=len(at) + 1)[: len(at)] / len(v)  # noqa: E731
    else:
        low, high = np.quantile(np.concatenate([y, drawn.ravel()]), [0.0005, 0.9995])
        edges = np.linspace(low, high, 61)
        at = (edges[:-1] + edges[1:]) / 2
        share = lambda v: np.histogram(v, edges)[0] / (len(v) * np.diff(edges))  # noqa: E731
    mine = share(y)
    others = np.column_stack([share(drawn[:, j]) for j in range(drawn.shape[1])])
    low_, high_ = np.quantile(others, [0.025, 0.975], axis=1)
    if data_only:
        return m.table({"y": at, "observed": mine, "low": low_, "high": high_})
    ax = new_axes(ax, (6.4, 3.7))
    if discrete and len(at) <= 30:
        ax.bar(at, mine, color=LIGHT, width=0.8, label="observed")
        ax.vlines(at, low_, high_, color=SKY, lw=3, label="simulated (95 %)")
        ax.plot(at, others.mean(1), "o", color=SKY, mec=BLACK, mew=0.6, ms=5, label="simulated, mean")
        if len(at) <= 12:
            ax.set_xticks(at)
    else:
        ax.fill_between(at, low_, high_, color=SKY, alpha=0.5, lw=0, label="simulated (95 %)", step="mid")
        ax.step(at, mine, color=BLACK, lw=1.4, label="observed", where="mid")
    ax.set_ylim(bottom=0)
    legend(ax, where="top")
    return finish(ax, count_label(m) if discrete else response_label(m), "share of rows" if discrete else "density")
