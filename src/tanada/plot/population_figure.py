"""The figure of `tn.population_interval`: the distribution of group means and the range that holds a share of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.errors import ModelError
from tanada.plot.model_data import response_label
from tanada.plot.population import draw_population
from tanada.plot.style import new_axes
from tanada.post.mean_function import mean_function


def plot_population(result: Any, row: int = 0, n: int = 100_000, seed: int = 1, bins: int = 50, ax: Any = None, data_only: bool = False) -> Any:
    """Histogram of groups drawn from the fitted distribution of random effects, with the interval.

    Parameters
    ----------
    result : TableResult of `tn.population_interval`
    row : int
        Row of the table that is shown.
    n : int
        Groups drawn.
    seed, bins : int
    ax : matplotlib Axes, optional
    data_only : bool
        Return the table.

    Returns
    -------
    matplotlib Axes, or a data frame
    """
    if data_only:
        return result.table
    if not 0 <= row < len(result):
        raise ModelError(f"row = {row}; the table has rows 0 to {len(result) - 1}.")
    m = result.info["model"]
    at = {k: float(result.column(k)[row]) for k in ("link", "link_sd", "conf_low", "conf_high")}
    drawn = np.random.default_rng(seed).normal(at["link"], at["link_sd"], int(n))
    value = mean_function(m.fit, result.info["kind"]).function({"cond": drawn})[0]
    name = "linear predictor" if result.info["kind"] == "link" else response_label(m, True)
    ends = (at["conf_low"], at["conf_high"])
    return draw_population(new_axes(ax, (5.2, 3.6)), np.asarray(value, float), ends, result.info["level"], bins, name, result.info["group"])
