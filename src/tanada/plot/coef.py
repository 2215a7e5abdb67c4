"""Forest plots: coefficients of one or several models, contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tanada.errors import ModelError
from tanada.plot.style import BLUE, GREY, PALETTE, finish, legend, new_axes

MARKERS = "osD^vP*X"


def plot_coef(
    m: Any, *others: Any, names: Sequence[str] | None = None, intercept: bool = False, exponentiate: bool = False, level: float = 0.95, ddf: str | None = None,
    ax: Any = None, data_only: bool = False,
) -> Any:  # fmt: skip
    """Fixed effects with confidence intervals, of one model or of several side by side.

    Parameters
    ----------
    m : MixedResult
    *others : MixedResult
        More models.
    names : sequence of str, optional
        Labels of the models.
    intercept : bool
        Whether to show intercepts.
    exponentiate : bool
        Odds ratios or rate ratios, on a logarithmic axis.
    level : float
    ddf : str, optional
        As in `m.summary`.
    ax : matplotlib Axes, optional
    data_only : bool
        Return model, component, term, estimate, conf_low, conf_high.

    Returns
    -------
    matplotlib Axes, or a data frame

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", tn.load_dataset("school_survey"))
    >>> m.plot(kind="coef", data_only=True)["term"].tolist()
    ['escs']
    """
    models = (m, *others)
    labels = [str(n) for n in names] if names is not None else [f"model {i + 1}" for i in range(len(models))]
    if len(labels) != len(models):
        raise ModelError(f"names has {len(labels)} entries for {len(models)} models.")
    columns = _columns(models, labels, intercept, level, ddf)
    if exponentiate:
        for k in ("estimate", "conf_low", "conf_high"):
            columns[k] = np.exp(columns[k])
    if data_only:
        return m.table(columns)
    if not len(columns["term"]):
        raise ModelError("there is nothing to show but the intercept; use intercept=True.")
    terms = [t if c == "cond" else f"{t} ({c})" for c, t in zip(columns["component"], columns["term"])]
    ax = forest(ax, terms, columns, labels if len(models) > 1 else None, 1.0 if exponentiate else 0.0)
    if exponentiate:
        _ratio_axis(ax, columns)
    what = ("odds ratio" if m.link == "logit" else "ratio") if exponentiate else "coefficient"
    return finish(ax, f"{what} ({100 * level:g} % interval)", "")


def _columns(models: Any, labels: Sequence[str], intercept: bool, level: float, ddf: str | None) -> dict[str, Any]:
    parts: dict[str, list[Any]] = {k: [] for k in ("model", "component", "term", "estimate", "conf_low", "conf_high")}
    for m, name in zip(models, labels):
        t = m.fixef(ddf=ddf, level=level)
        keep = np.isfinite(np.asarray(t["estimate"], float)) & (intercept | (np.asarray(t["term"], object) != "(Intercept)"))
        for k in parts:
            parts[k].append(np.full(int(keep.sum()), name, dtype=object) if k == "model" else np.asarray(t[k])[keep])
    return {k: np.concatenate(v) for k, v in parts.items()}


def forest(ax: Any, terms: Sequence[str], columns: dict[str, Any], models: Sequence[str] | None, reference: float) -> Any:
    """Dots with bars, one row a term from top to bottom; models of a term beside each other."""
    rows = list(dict.fromkeys(terms))
    ax = new_axes(ax, (5.8, min(max(1.9, 0.9 + 0.42 * len(rows) * (1 if models is None else 0.6 + 0.3 * len(models))), 30.0)))
    ax.axvline(reference, color=GREY, lw=1.0, ls="--")
    y0 = -np.array([rows.index(t) for t in terms], float)
    groups = [None] if models is None else list(models)
    for k, name in enumerate(groups):
        own = np.ones(len(terms), bool) if name is None else np.array([v == name for v in columns["model"]])
        y = y0[own] - (0.0 if len(groups) == 1 else 0.5 * (k / (len(groups) - 1) - 0.5))
        colour = BLUE if name is None else PALETTE[k % len(PALETTE)]
        ax.hlines(y, columns["conf_low"][own], columns["conf_high"][own], color=colour, lw=1.6)
        ax.plot(columns["estimate"][own], y, MARKERS[k % len(MARKERS)], color=colour, ms=6, label=name)
    ax.set_yticks(-np.arange(len(rows)), rows)
    ax.set_ylim(-len(rows) + 0.4, 0.6)
    ax.grid(False, axis="y")
    legend(ax)
    return ax


def _ratio_axis(ax: Any, columns: dict[str, Any]) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    low, high = float(np.min(columns["conf_low"])), float(np.max(columns["conf_high"]))
    ax.set_xscale("log")
    decades = np.arange(np.floor(np.log10(min(low, 1.0))), np.ceil(np.log10(max(high, 1.0))) + 1)
    steps = (1, 2, 5) if len(decades) <= 3 else (1,) if len(decades) > 4 else (1, 3)
    ticks = [v for v in (s * 10.0**d for d in decades for s in steps) if low / 1.5 <= v <= high * 1.5]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
