"""The population of groups: the distribution of a group's mean that the fitted random effects imply."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import ModelError
from tanada.inference.wald import check_level
from tanada.plot.model_data import groups_for, predicted, random_terms, response_label, typical_rows
from tanada.plot.style import BLUE, RED, finish, legend, new_axes, number
from tanada.post.family_rows import family_of

Array = NDArray[np.float64]


def plot_population(
    m: Any, group: str | None = None, level: float = 0.95, n: int = 100_000, seed: int = 1, bins: int = 50, ax: Any = None, data_only: bool = False
) -> Any:
    """Histogram of the means of groups drawn from the fitted distribution of random effects.

    Parameters
    ----------
    m : MixedResult
    group : str, optional
        Grouping factor; effects of others are at zero.
    level : float
        Share of the population that the marked interval holds.
    n : int
        Groups drawn.
    seed : int
    bins : int
    ax : matplotlib Axes, optional
    data_only : bool
        Return estimate: the drawn means.

    Returns
    -------
    matplotlib Axes, or a data frame

    Notes
    -----
    Numeric predictors are at their means, other variables at their most frequent values. The interval is that of the quantiles of the normal
    distribution of the linear predictor, carried to the scale of the response.

    References
    ----------
    Austin & Merlo (2017), Statistics in Medicine 36, 3257-3277.

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("wants_univ ~ (1 | school_id)", tn.load_dataset("school_survey"), family="binomial")
    >>> len(m.plot(kind="population", data_only=True, n=50))
    50
    """
    if n < 1:
        raise ModelError(f"n = {n}; it takes a whole number of groups of 1 or more.")
    groups = groups_for(m, group)
    centre, sd = population_predictor(m, groups.name)
    back = family_of(m.fit).linkinv
    drawn = np.asarray(back(np.random.default_rng(seed).normal(centre, sd, int(n))), float)
    if data_only:
        return m.table({"estimate": drawn})
    from scipy.special import ndtri

    low, high = np.asarray(back(centre + float(ndtri(0.5 + check_level(level) / 2)) * sd * np.array([-1.0, 1.0])), float)
    return draw_population(new_axes(ax, (5.2, 3.6)), drawn, (float(low), float(high)), level, bins, response_label(m, True), groups.name)


def population_predictor(m: Any, group: str) -> tuple[float, float]:
    """Mean and SD of the linear predictor over groups, predictors at typical values."""
    typical = typical_rows(m, np.zeros(m.nobs, np.intp), 1)
    centre = float(predicted(m, typical or {"_": np.zeros(1)}, False, "link")["estimate"][0])
    variance = 0.0
    for design, term in zip(random_terms(m), m.fit.terms):
        if design.group == group:
            z = design.Z.mean(axis=0)
            variance += float(z @ term.cov @ z)
    return centre, float(np.sqrt(variance))


def draw_population(ax: Any, drawn: Array, ends: tuple[float, float], level: float, bins: int, name: str, group: str) -> Any:
    """The histogram with its interval."""
    ax.hist(drawn, bins=bins, weights=np.full(len(drawn), 1 / len(drawn)), color=BLUE, edgecolor="white", linewidth=0.4)
    ax.axvspan(*ends, color=RED, alpha=0.08, lw=0, zorder=0)
    for k, end in enumerate(ends):
        ax.axvline(end, color=RED, lw=1.2, ls="--", label=f"{100 * level:g} %: {number(ends[0])} to {number(ends[1])}" if k == 0 else None)
    ax.grid(False, axis="x")
    legend(ax, where="top")
    return finish(ax, name, f"share of groups ({group})")
