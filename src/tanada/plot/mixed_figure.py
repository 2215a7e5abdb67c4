"""`m.plot(kind=...)`: the figures of a mixed model by name."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from tanada.errors import ModelError, did_you_mean

FIGURES = {
    "coef": "coef",
    "lines": "lines",
    "shrinkage": "shrinkage",
    "ranef": "ranef",
    "caterpillar": "caterpillar",
    "groups": "group_means",
    "population": "population",
    "variance": "group_variance",
    "mixture": "mixture",
    "violin": "violin",
    "residuals": "residuals",
    "scale": "residuals",
    "qq": "quantiles",
    "ranef_qq": "quantiles",
    "quantile_residuals": "quantiles",
    "predictive": "predictive",
    "influence": "influence",
    "profile": "profile",
    "check": "check",
}


def plot_mixed(m: Any, kind: str | None = None, *others: Any, **options: Any) -> Any:
    """Draw one figure of a fitted mixed model.

    Parameters
    ----------
    m : MixedResult
    kind : str, optional
        Name of the figure; default "coef", for models without predictors "caterpillar".
    *others : MixedResult
        More models, for kind="coef".
    **options
        Those of the figure; `ax` and `data_only` are known to all.

    Returns
    -------
    matplotlib Axes or Figure, or with data_only=True a data frame

    Raises
    ------
    ModelError
        For an unknown figure or option.
    """
    if kind is None:
        predictors = any(n != "(Intercept)" for c in m.fit.data.components for n in c.names)
        kind = "coef" if predictors or others or not m.fit.terms else "caterpillar"
        options |= {"intercept": True} if not predictors and kind == "coef" else {}
    if kind not in FIGURES:
        raise ModelError(f"there is no figure '{kind}'; plot knows {', '.join(FIGURES)}.{did_you_mean(str(kind), FIGURES)}")
    draw = getattr(import_module(f"tanada.plot.{FIGURES[kind]}"), f"plot_{kind}")
    known = inspect.signature(draw).parameters
    for name in options:
        if name not in known or name == "m":
            listed = ", ".join(k for k in known if k not in ("m", "others"))
            raise ModelError(f"plot(kind='{kind}') has no option '{name}'; it takes {listed}.{did_you_mean(name, known)}")
    if others and kind != "coef":
        raise ModelError(f"plot(kind='{kind}') shows one model; kind='coef' takes several.")
    return draw(m, *others, **options)
