"""Figures of the checks `tn.check_...`: each shows the data behind its finding."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.plot.check import plot_check
from tanada.plot.influence import draw_influence
from tanada.plot.predictive import plot_predictive
from tanada.plot.quantiles import plot_quantile_residuals, plot_ranef_qq
from tanada.plot.residuals import plot_scale
from tanada.plot.style import BLUE, ORANGE, RED, finish, legend, new_axes


def plot_check_model(result: Any, columns: int = 2, data_only: bool = False) -> Any:
    """All panels of `tn.check_model` on one page.

    Parameters
    ----------
    result : TableResult of `tn.check_model`
    columns : int
        Panels side by side.
    data_only : bool
        Return the tidy data by name.

    Returns
    -------
    matplotlib Figure, or dict of data frames
    """
    return dict(result.data) if data_only else plot_check(result.info["model"], columns=columns)


def plot_check_influence(result: Any, named: int = 5, ax: Any = None, data_only: bool = False) -> Any:
    """Cook's distances of the groups."""
    table = result.data["influence"]
    if data_only:
        return table
    levels, distance = np.asarray(table["level"], dtype=object), np.asarray(table["cooks_distance"], float)
    return draw_influence(new_axes(ax, (5.6, 3.7)), levels, distance, named, "group")


def plot_check_residuals(result: Any, ax: Any = None, data_only: bool = False) -> Any:
    """Quantile residuals by simulation against ranks of the fixed part."""
    return result.data["residuals"] if data_only else plot_quantile_residuals(result.info["model"], ax=ax)


def plot_check_ranef_normality(result: Any, ax: Any = None, data_only: bool = False) -> Any:
    """Normal quantile plot of the random effects."""
    return result.data["quantiles"] if data_only else plot_ranef_qq(result.info["model"], ax=ax)


def plot_check_heteroscedasticity(result: Any, ax: Any = None, data_only: bool = False) -> Any:
    """Size of the residuals against fitted values."""
    return result.data["scale_location"] if data_only else plot_scale(result.info["model"], ax=ax)


def plot_check_overdispersion(result: Any, ax: Any = None, data_only: bool = False) -> Any:
    """Counts observed and simulated."""
    return result.data["ratio"] if data_only else plot_predictive(result.info["model"], ax=ax)


def plot_check_zeroinflation(result: Any, ax: Any = None, data_only: bool = False) -> Any:
    """Counts observed and simulated."""
    return result.data["zeros"] if data_only else plot_predictive(result.info["model"], ax=ax)


def plot_check_collinearity(result: Any, ax: Any = None, data_only: bool = False) -> Any:
    """Variance inflation factors; beyond 5 they deserve a look, beyond 10 estimates are unstable."""
    table = result.data["vif"]
    if data_only:
        return table
    terms, vif = [str(t) for t in table["term"]], np.asarray(table["vif"], float)
    ax = new_axes(ax, (5.4, max(1.8, 0.9 + 0.35 * len(terms))))
    y = -np.arange(len(terms))
    ax.barh(y, vif, color=[RED if v > 10 else ORANGE if v > 5 else BLUE for v in vif], height=0.6)
    for limit, colour in ((5, ORANGE), (10, RED)):
        if vif.max() > 0.6 * limit:
            ax.axvline(limit, color=colour, lw=1.0, ls="--", label=f"{limit}")
    ax.set_yticks(y, terms)
    ax.set_xlim(left=0)
    ax.grid(False, axis="y")
    legend(ax, where="top")
    return finish(ax, "variance inflation factor", "")
