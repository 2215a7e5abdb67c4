"""`tanada demo`: the tutorial's models on the bundled data, printed as a user of glmmTMB, lme4 or lavaan expects them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

from tanada.api.comparison import anova
from tanada.api.marginal import estimate_slopes
from tanada.api.mixed_models import mixed
from tanada.api.neyman import johnson_neyman
from tanada.api.performance_measures import icc, pve
from tanada.api.structural import cfa
from tanada.data.bundled import load_dataset
from tanada.data.centring import center
from tanada.data.clustering import design_effect

FORMULAS = {
    "model0": "read_score ~ (1 | school_id)",
    "model1": "read_score ~ escs + (1 | school_id)",
    "model2": "read_score ~ sch_escs_mean + (1 | school_id)",
    "model3": "read_score ~ escs_cwc + sch_escs_mean + (1 | school_id)",
    "model4": "read_score ~ escs_cwc + sch_escs_mean + s_t_ratio + (1 | school_id)",
    "model5": "read_score ~ escs_cwc + (escs_cwc | school_id)",
    "model6": "read_score ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)",
    "model7": "read_score ~ escs_cwc * (sch_escs_mean + s_t_ratio) + (escs_cwc | school_id)",
}
LOGISTIC = "wants_univ ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)"
FACTORS = """
level: 1
  f_1 =~ teach1 + teach2 + teach3 + teach4
level: 2
  f_2 =~ teach1 + teach2 + teach3 + teach4
"""


def run_demo(echo: Callable[[str], Any] = print) -> bool:
    """Fits and prints the models of the tutorial.

    Parameters
    ----------
    echo : callable
        Receives each piece of text.

    Returns
    -------
    bool
        True if every model converged.
    """
    data = center(load_dataset("school_survey"), "escs", by="school_id")
    echo(f"school_survey: {len(data)} pupils in {data['school_id'].nunique()} schools\n")
    started = time.perf_counter()
    models = {name: mixed(formula, data, quiet=True) for name, formula in FORMULAS.items()}
    logistic = mixed(LOGISTIC, data, family="binomial", quiet=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a negative variance; the summary's notes say it
        factors = cfa(FACTORS, data, cluster="school_id", std_lv=True)
    seconds = time.perf_counter() - started

    section(echo, "Random intercepts: how much lies between schools?")
    echo(str(models["model0"].summary()))
    echo(plain(icc(models["model0"])))
    echo(plain(design_effect(data, "read_score", "school_id")))
    section(echo, "Status of the home within schools, and of the school")
    echo(str(models["model3"].summary()))
    echo("Proportion of variance explained, by level:")
    echo(plain(pve(*(models[f"model{k}"] for k in range(4)))))
    section(echo, "Random slopes and a cross-level interaction")
    echo(str(models["model6"].summary()))
    echo(str(estimate_slopes(models["model6"], "escs_cwc", by="sch_escs_mean = [sd]")) + "\n")
    echo(str(johnson_neyman(models["model6"], "escs_cwc", by="sch_escs_mean")))
    section(echo, "Comparison of nested models")
    echo(plain(anova(*(models[f"model{k}"] for k in (0, 2, 3, 6)))))
    section(echo, "All models")
    for name, model in models.items():
        echo(f"{name}  logLik {model.loglik:11.3f}  AIC {model.aic:9.1f}  {model.verdict.status:12s}  {FORMULAS[name]}")
    section(echo, "Wish to go to university: a logistic model")
    echo(str(logistic.summary()))
    section(echo, "Two-level factor analysis of four items")
    echo(str(factors.summary(standardized=True, fit_measures=True)))
    count = len(models) + 2
    echo(f"\n{count} models fitted in {seconds:.2f} s.")
    return all(bool(v.converged) for v in [*(m.verdict for m in models.values()), logistic.verdict, factors.verdict])


def section(echo: Callable[[str], Any], title: str) -> None:
    echo(f"\n{title}\n{'=' * len(title)}\n")


def plain(frame: Any) -> str:
    """A pandas table as text without its index."""
    return frame.to_string(index=False, float_format=lambda v: f"{v:.4g}" if abs(v) < 1e4 else f"{v:.1f}", na_rep="") + "\n"
