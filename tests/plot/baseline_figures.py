"""The figures that are stored as small images."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import tanada as tn

SIZE = (3.2, 2.6)


@lru_cache(maxsize=1)
def models() -> dict[str, Any]:
    d = tn.center(tn.load_dataset("school_survey"), "escs", by="school_id")
    return {
        "empty": tn.mixed("read_score ~ (1 | school_id)", d),
        "between": tn.mixed("read_score ~ sch_escs_mean + (1 | school_id)", d),
        "within": tn.mixed("read_score ~ escs_cwc + sch_escs_mean + (1 | school_id)", d),
        "slopes": tn.mixed("read_score ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)", d),
        "logit": tn.mixed("wants_univ ~ (1 | school_id)", d, family="binomial"),
        "logit_slopes": tn.mixed("wants_univ ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)", d, family="binomial"),
        "seeds": tn.mixed("cbind(y, N - y) ~ x + (1 | id)", tn.load_dataset("seed_survival"), family="binomial"),
    }


def of(model: str, kind: str, **options: Any) -> Callable[[Any], Any]:
    return lambda ax: models()[model].plot(kind, ax=ax, **options)


FIGURES: dict[str, Callable[[Any], Any]] = {
    "violin": of("empty", "violin", levels=5),
    "shrinkage": of("empty", "shrinkage"),
    "lines_between": of("between", "lines"),
    "lines_within_between": of("within", "lines", x="escs_cwc", between="sch_escs_mean", points=False),
    "lines_slopes": of("slopes", "lines", points=False),
    "ranef": of("slopes", "ranef", coef=True),
    "caterpillar": of("slopes", "caterpillar", term="escs_cwc"),
    "means": lambda ax: tn.estimate_means(models()["slopes"], ["escs_cwc", "sch_escs_mean = [sd]"]).plot(ax=ax),
    "johnson_neyman": lambda ax: tn.johnson_neyman(models()["slopes"], "escs_cwc", "sch_escs_mean").plot(ax=ax),
    "variance": of("logit", "variance"),
    "groups": of("logit", "groups"),
    "population": of("logit", "population", n=20_000),
    "curves": of("logit_slopes", "lines", span="all", points=False),
    "means_logit": lambda ax: tn.estimate_means(models()["logit_slopes"], ["escs_cwc", "sch_escs_mean = [sd]"]).plot(ax=ax),
    "johnson_neyman_logit": lambda ax: tn.johnson_neyman(models()["logit_slopes"], "escs_cwc", "sch_escs_mean").plot(ax=ax),
    "ranef_logit": of("logit_slopes", "ranef"),
    "mixture": of("seeds", "mixture", at={"x": 4}),
    "coef": of("slopes", "coef"),
    "residuals": of("slopes", "residuals"),
    "qq": of("slopes", "qq"),
    "predictive": of("seeds", "predictive"),
    "influence": of("slopes", "influence"),
}


def picture(name: str, path: Path) -> None:
    """Draw one figure without text at fixed places, so that fonts do not matter."""
    import matplotlib

    matplotlib.use("Agg", force=True)
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    figure = Figure(figsize=SIZE)
    ax = figure.add_axes((0.05, 0.05, 0.9, 0.9))
    FIGURES[name](ax)
    if ax.get_legend() is not None:
        ax.get_legend().remove()
    for text in figure.findobj(Text):
        text.set_visible(False)
    figure.savefig(path, dpi=50)
