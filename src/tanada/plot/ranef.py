"""Random effects against each other: intercepts and slopes of the groups."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.errors import ModelError, did_you_mean
from tanada.plot.model_data import groups_for
from tanada.plot.style import BLUE, GREY, RED, alpha_for, finish, legend, new_axes

NINETY_FIVE = 5.991464547107979  # 95 % quantile of chi-square with 2 df


def plot_ranef(
    m: Any, group: str | None = None, x: str | None = None, y: str | None = None, coef: bool = False, line: bool = True, ellipse: bool = True,
    ax: Any = None, data_only: bool = False,
) -> Any:  # fmt: skip
    """Scatter of two random effects, usually intercept and slope.

    Parameters
    ----------
    m : MixedResult
    group : str, optional
    x, y : str, optional
        Names of the effects; by default the first two of the grouping factor.
    coef : bool
        Whether to show coefficients (fixed plus random) rather than random effects.
    line : bool
        Least-squares line through the dots.
    ellipse : bool
        The region that holds 95 % of groups by the estimated covariance matrix.
    ax : matplotlib Axes, optional
    data_only : bool
        Return level and the two effects.

    Returns
    -------
    matplotlib Axes, or a data frame

    Notes
    -----
    The dots are predictions and vary less than the effects themselves; the ellipse is that of the estimated covariance matrix.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.center(tn.load_dataset("school_survey"), "escs", by="school_id")
    >>> m = tn.mixed("read_score ~ escs_cwc + (escs_cwc | school_id)", d)
    >>> m.plot(kind="ranef", data_only=True).columns.tolist()
    ['level', '(Intercept)', 'escs_cwc']
    """
    groups = groups_for(m, group)
    terms = [t for t in m.fit.terms if t.component == "cond" and t.group == groups.name]
    names = [n for t in terms for n in t.names]
    modes = np.column_stack([t.modes for t in terms])
    cov = np.zeros((len(names), len(names)))
    at = 0
    for t in terms:
        cov[at : at + len(t.names), at : at + len(t.names)] = t.cov
        at += len(t.names)
    if len(names) < 2:
        raise ModelError(f"kind='ranef' shows two random effects against each other and '{groups.name}' has one; use kind='caterpillar'.")
    i, j = (_position(names, n, k) for n, k in ((x, 0), (y, 1)))
    fixed = dict(zip(m.fit.data.components[0].names, m.fit.beta["cond"]))
    centre = np.array([fixed.get(names[k], 0.0) if coef else 0.0 for k in (i, j)])
    u, v = centre[0] + modes[:, i], centre[1] + modes[:, j]
    if data_only:
        return m.table({"level": groups.levels, names[i]: u, names[j]: v})
    ax = new_axes(ax, (6.4, 4.2))
    ax.axhline(0, color=GREY, lw=0.7)
    if not coef:
        ax.axvline(0, color=GREY, lw=0.7)
    ax.plot(u, v, "o", ms=4, mec="none", color=BLUE, alpha=alpha_for(len(u)), label=f"one dot a {groups.name}")
    part = cov[np.ix_([i, j], [i, j])]
    if ellipse and np.all(np.diag(part) > 0):
        path = _ellipse(part) + centre
        ax.plot(path[:, 0], path[:, 1], color=GREY, lw=1.0, ls="--", label="95 % of groups (estimated)")
    if line and np.std(u) > 0:
        slope, start = np.polyfit(u, v, 1)
        ends = np.array([u.min(), u.max()])
        ax.plot(ends, start + slope * ends, color=RED, lw=1.4, label="least-squares line")
    what = "" if coef else "random "
    legend(ax)
    return finish(ax, f"{what}{_word(names[i])}", f"{what}{_word(names[j])}")


def _position(names: list[str], name: str | None, default: int) -> int:
    if name is None:
        return default
    if name not in names:
        raise ModelError(f"'{name}' is not a random effect of this grouping factor.{did_you_mean(str(name), names)}")
    return names.index(name)


def _word(name: str) -> str:
    return "intercept" if name == "(Intercept)" else f"slope of {name}"


def _ellipse(cov: Any) -> Any:
    values, vectors = np.linalg.eigh(cov)
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    return circle * np.sqrt(np.maximum(values, 0.0) * NINETY_FIVE) @ vectors.T
