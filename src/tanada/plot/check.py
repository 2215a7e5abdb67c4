"""The checks of a model on one page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tanada.plot.influence import plot_influence
from tanada.plot.predictive import plot_predictive
from tanada.plot.quantiles import plot_qq, plot_quantile_residuals, plot_ranef_qq
from tanada.plot.residuals import plot_residuals, plot_scale
from tanada.plot.style import new_panels, show_fonts

PLAIN = {
    "residuals": "Residuals: the running mean should stay at zero",
    "scale": "Spread: the running mean should be flat",
    "qq": "Residuals: dots should follow the line",
    "quantile_residuals": "Quantile residuals: red should follow the dashes",
    "ranef_qq": "Random effects: dots should follow the line",
    "predictive": "Data should lie within what the model simulates",
    "influence": "Groups that move the fixed effects",
}
DRAWERS: dict[str, Callable[..., Any]] = {
    "residuals": plot_residuals, "scale": plot_scale, "qq": plot_qq, "quantile_residuals": plot_quantile_residuals, "ranef_qq": plot_ranef_qq,
    "predictive": plot_predictive, "influence": plot_influence,
}  # fmt: skip


def panels_for(m: Any) -> list[str]:
    """The panels that make sense for a model."""
    gaussian = m.family == "gaussian"
    out = ["residuals", "qq", "scale"] if gaussian else ["quantile_residuals", "qq"]
    terms = [t for t in m.fit.terms if t.component == "cond"]
    out += ["ranef_qq"] if terms else []
    out += ["predictive"]
    if terms and len(terms[0].levels) >= 3 and m.fit.data.components[0].X.shape[1]:
        out.append("influence")
    return out


def plot_check(m: Any, panels: Any = None, columns: int = 2, data_only: bool = False) -> Any:
    """Residuals, quantiles, random effects, simulated data and influence in one figure.

    Parameters
    ----------
    m : MixedResult
    panels : sequence of str, optional
        Some of "residuals", "scale", "qq", "quantile_residuals", "ranef_qq", "predictive", "influence"; default those that fit the family.
    columns : int
        Panels side by side.
    data_only : bool
        Return a dict of data frames by panel.

    Returns
    -------
    matplotlib Figure, or dict

    Examples
    --------
    >>> import tanada as tn
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", tn.load_dataset("school_survey"))
    >>> list(m.plot(kind="check", panels=["residuals", "qq"], data_only=True))
    ['residuals', 'qq']
    """
    from tanada.errors import ModelError, did_you_mean

    shown = panels_for(m) if panels is None else [panels] if isinstance(panels, str) else list(panels)
    for name in shown:
        if name not in DRAWERS:
            raise ModelError(f"panels: '{name}' is not a check.{did_you_mean(str(name), DRAWERS)}")
    if data_only:
        return {name: DRAWERS[name](m, data_only=True) for name in shown}
    across = max(1, min(int(columns), len(shown)))
    down = -(-len(shown) // across)
    figure, axes = new_panels(down, across, (5.2 * across, 3.4 * down))
    for a, name in zip(axes, shown):
        DRAWERS[name](m, ax=a)
        a.set_title(PLAIN[name], fontsize="small", loc="left", pad=20 if name in ("influence", "predictive") else 6)
    for a in axes[len(shown) :]:
        a.set_visible(False)
    show_fonts(figure)
    return figure
