"""tidy, glance and augment tables under broom.mixed's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.design.build import Design
from tanada.engine.fit import MixedFit
from tanada.errors import ModelError, did_you_mean
from tanada.inference.components import variance_parts
from tanada.inference.ddf import FixedTests
from tanada.inference.wald import critical, fixed_table
from tanada.inference.workspace import Workspace
from tanada.post.random_effects import modes_table
from tanada.post.residuals import residuals

EFFECTS = ("fixed", "ran_pars", "ran_vals")


def _text(values: list[str]) -> Any:
    return np.array(values, dtype=object)


def tidy_fixed(work: Workspace, tests: FixedTests, level: float) -> dict[str, Any]:
    t = fixed_table(work, tests, level)
    n = len(t["term"])
    return {
        "effect": _text(["fixed"] * n),
        "component": t["component"],
        "group": _text([""] * n),
        "term": t["term"],
        "estimate": t["estimate"],
        "std.error": t["std_error"],
        "statistic": t["statistic"],
        "df": t["df"],
        "p.value": t["p_value"],
        "conf.low": t["conf_low"],
        "conf.high": t["conf_high"],
    }


def tidy_parameters(work: Workspace, level: float) -> dict[str, Any]:
    """Standard deviations and correlations: sd__x, cor__x.z, sd__Observation."""
    parts = variance_parts(work, level)
    names = [
        "sd__Observation" if p.group == "Residual" else f"sd__{p.term1}" if p.kind == "sd" else f"cor__{p.term1}.{p.term2}" for p in parts
    ]
    return {
        "effect": _text(["ran_pars"] * len(parts)),
        "component": _text([p.component for p in parts]),
        "group": _text([p.group for p in parts]),
        "term": _text(names),
        "estimate": np.array([p.estimate for p in parts], float),
        "std.error": np.array([p.std_error for p in parts], float),
        "conf.low": np.array([p.conf_low for p in parts], float),
        "conf.high": np.array([p.conf_high for p in parts], float),
    }


def tidy_modes(work: Workspace, level: float) -> dict[str, Any]:
    t = modes_table(work, None, joint=False)
    half = float(critical(level, np.array(np.inf))) * t["std_error"]
    return {
        "effect": _text(["ran_vals"] * len(half)),
        "component": t["component"],
        "group": t["group"],
        "level": t["level"],
        "term": t["term"],
        "estimate": t["estimate"],
        "std.error": t["std_error"],
        "conf.low": t["estimate"] - half,
        "conf.high": t["estimate"] + half,
    }


def check_effects(effects: str) -> None:
    if effects not in EFFECTS:
        raise ModelError(f"tidy: effects = {effects!r}.{did_you_mean(str(effects), EFFECTS)}")


def glance_columns(fit: MixedFit) -> dict[str, Any]:
    """One row: nobs, sigma, logLik, AIC, BIC, deviance or REMLcrit, df.residual."""
    d = -2 * fit.loglik
    return {
        "nobs": [fit.nobs],
        "sigma": [np.nan if fit.sigma is None else float(fit.sigma)],
        "logLik": [float(fit.loglik)],
        "AIC": [d + 2 * fit.npar],
        "BIC": [d + float(np.log(fit.nobs)) * fit.npar],
        "REMLcrit" if fit.reml else "deviance": [d],
        "df.residual": [fit.nobs - fit.npar],
    }


def augment_columns(fit: MixedFit, design: Design) -> dict[str, Any]:
    """The model's variables on the rows used, then .fitted, .resid, .fixed, .offset, .weights."""
    component = fit.data.components[0]
    out = {name: design.variable(name) for name in design.variables()}
    return out | {
        ".row": np.asarray(design.rows, np.int64),
        ".fitted": np.asarray(fit.fitted, float),
        ".resid": residuals(fit, "response"),
        ".fixed": component.X @ fit.beta["cond"] + component.offset,
        ".offset": component.offset,
        ".weights": fit.data.weights,
    }
