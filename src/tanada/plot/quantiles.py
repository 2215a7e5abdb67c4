"""Normal quantile plots of residuals and of random effects; quantile residuals against fitted ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import ModelError, did_you_mean
from tanada.plot.model_data import groups_for
from tanada.plot.residuals import scatter
from tanada.plot.style import BLACK, BLUE, GREY, MANY, PALETTE, RED, finish, legend, new_axes
from tanada.post.residual_checks import simulated_residuals
from tanada.post.residuals import residuals

Array = NDArray[np.float64]

BINS = 15
FEW = 4000  # dots of a quantile plot
SIMULATIONS = 250
CELLS = 10_000_000  # rows times simulations


def normal_quantiles(n: int) -> Array:
    """Expected order statistics of n normal values (Blom 1958)."""
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25)), float)


def shown_ranks(n: int) -> NDArray[np.intp]:
    """Ranks (from 0) that are drawn: all of them up to 4,000, else the tails and evenly spaced ones between."""
    if n <= FEW:
        return np.arange(n)
    return np.unique(np.concatenate([np.arange(300), np.linspace(0, n - 1, FEW).astype(np.intp), np.arange(n - 300, n)]))


def envelope(n: int, ranks: NDArray[np.intp], level: float = 0.95) -> tuple[Array, Array]:
    """Pointwise limits of ordered normal values: quantiles of the beta distribution of uniform order statistics."""
    from scipy.special import betaincinv, ndtri

    k = ranks + 1
    return (np.asarray(ndtri(betaincinv(k, n + 1 - k, p)), float) for p in (0.5 - level / 2, 0.5 + level / 2))  # type: ignore[return-value]


def normal_scores(fit: Any, n: int, seed: int) -> tuple[NDArray[np.intp], Array]:
    """Quantile residuals by simulation as normal scores, and their rows: a random part of very many, with fewer simulations."""
    from scipy.special import ndtri

    n = max(20, min(int(n), CELLS // max(fit.nobs, 1)))
    found = simulated_residuals(fit, n, seed, "new")
    return found.rows, np.asarray(ndtri(np.clip(found.residuals, 0.25 / (n + 1), 1 - 0.25 / (n + 1))), float)


def plot_qq(m: Any, kind: str | None = None, seed: int = 1, ax: Any = None, data_only: bool = False) -> Any:
    """Normal quantile plot of the residuals.

    Parameters
    ----------
    m : MixedResult
    kind : {"scaled", "simulated", "quantile", "pearson", "deviance", "response"}, optional
        Default: scaled residuals of Gaussian models, quantile residuals by simulation ("simulated") of others.
    seed : int
        For simulation and the randomisation of quantile residuals.
    ax : matplotlib Axes, optional
    data_only : bool
        Return expected, residual.

    Returns
    -------
    matplotlib Axes, or a data frame

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", tn.load_dataset("school_survey"))
    >>> m.plot(kind="qq", data_only=True).shape
    (5766, 2)
    """
    kind = kind or ("scaled" if m.family == "gaussian" else "simulated")
    r = np.sort(normal_scores(m.fit, SIMULATIONS, seed)[1] if kind == "simulated" else residuals(m.fit, kind, seed))
    q = normal_quantiles(len(r))
    if data_only:
        return m.table({"expected": q, "residual": r})
    ax = new_axes(ax, (4.6, 4.2))
    draw_qq(ax, q, r, BLUE, f"{kind} residuals", standard=kind in ("scaled", "quantile", "simulated"))
    return finish(ax, "normal quantile", "quantile residual (simulated)" if kind == "simulated" else f"{kind} residual")


def plot_ranef_qq(m: Any, group: str | None = None, term: str | None = None, ax: Any = None, data_only: bool = False) -> Any:
    """Normal quantile plot of the random effects, each divided by its standard deviation.

    Parameters
    ----------
    m : MixedResult
    group : str, optional
    term : str, optional
        One effect; default all of the grouping factor.
    ax : matplotlib Axes, optional
    data_only : bool
        Return term, expected, effect.

    Returns
    -------
    matplotlib Axes, or a data frame
    """
    groups = groups_for(m, group)
    effects = {n: t.modes[:, j] for t in m.fit.terms if t.component == "cond" and t.group == groups.name for j, n in enumerate(t.names)}
    if term is not None and term not in effects:
        raise ModelError(f"term = '{term}' is not a random effect of '{groups.name}'.{did_you_mean(str(term), effects)}")
    shown = {n: np.sort(v) / (float(np.std(v)) or 1.0) for n, v in effects.items() if term in (None, n)}
    q = normal_quantiles(len(groups.levels))
    if data_only:
        names = np.repeat(np.array(list(shown), dtype=object), len(q))
        return m.table({"term": names, "expected": np.tile(q, len(shown)), "effect": np.concatenate(list(shown.values()))})
    ax = new_axes(ax, (4.6, 4.2))
    for k, (name, v) in enumerate(shown.items()):
        draw_qq(ax, q, v, PALETTE[k % len(PALETTE)], name, standard=True, line=k == 0)
    if len(shown) > 1:
        legend(ax, where="inside")
    return finish(ax, "normal quantile", f"standardised effects of {groups.name}")


def draw_qq(ax: Any, q: Array, r: Array, colour: str, name: str, standard: bool, line: bool = True) -> None:
    """Ordered values against normal quantiles, with the line they lie on when normal and the band of single points."""
    scale, centre = (1.0, 0.0) if standard else (float(np.std(r)) or 1.0, float(np.mean(r)))
    ranks = shown_ranks(len(q))
    if line:
        low, high = envelope(len(q), ranks)
    q, r = q[ranks], r[ranks]
    if line:
        ax.fill_between(q, centre + scale * low, centre + scale * high, color=GREY, alpha=0.25, lw=0, zorder=1)
        ax.plot(q[[0, -1]], centre + scale * q[[0, -1]], color=RED, lw=1.2, zorder=2)
    ax.plot(q, r, "o", ms=3, mec="none", color=colour, alpha=0.7, zorder=3, label=name, rasterized=len(q) > MANY)


def plot_quantile_residuals(m: Any, n: int = SIMULATIONS, seed: int = 1, conditional: bool = False, ax: Any = None, data_only: bool = False) -> Any:
    """Quantile residuals against ranks of the fitted values, with quartiles: flat lines at -0.67, 0 and 0.67 when the model is right.

    Parameters
    ----------
    m : MixedResult
    n : int
        Simulations.
    seed : int
    conditional : bool
        Residuals given the predicted random effects (no simulation), which are too small where groups have few rows.
    ax : matplotlib Axes, optional
    data_only : bool
        Return rank, residual.

    Returns
    -------
    matplotlib Axes, or a data frame

    References
    ----------
    Dunn & Smyth (1996), Journal of Computational and Graphical Statistics 5, 236-244.
    """
    component = m.fit.data.components[0]
    fitted = np.asarray(m.fit.fitted if conditional else component.offset + component.X @ m.fit.beta["cond"], float)
    rows, r = (np.arange(m.nobs), residuals(m.fit, "quantile", seed)) if conditional else normal_scores(m.fit, n, seed)
    fitted = fitted[rows]
    order = np.argsort(fitted, kind="stable")
    rank = np.empty(len(order))
    rank[order] = (np.arange(len(order)) + 0.5) / len(order)
    if data_only:
        return m.table({"rank": rank, "residual": r})
    ax = new_axes(ax, (5.2, 3.7))
    scatter(ax, rank, r)
    bins = max(3, min(BINS, len(r) // 20))
    middle = (np.arange(bins) + 0.5) / bins
    which = np.minimum((rank * bins).astype(int), bins - 1)
    for p, expected in ((0.25, -0.6745), (0.5, 0.0), (0.75, 0.6745)):
        ax.axhline(expected, color=BLACK, lw=0.9, ls="--")
        values = [np.quantile(r[which == b], p) if np.any(which == b) else np.nan for b in range(bins)]
        ax.plot(middle, values, color=RED, lw=1.5, label="quartiles: found" if p == 0.5 else None)
    ax.plot([], [], color=BLACK, lw=0.9, ls="--", label="quartiles: expected")
    legend(ax, where="inside")
    return finish(ax, "rank of the fitted value" if conditional else "rank of the fixed part", "quantile residual")
