"""Multilevel models: linear and generalized linear mixed models, two-level SEM, and everything after the fit."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# public name -> module that defines it; loaded when first used, so that `import tanada` stays fast
_EXPORTS: dict[str, str] = {
    "TanadaError": "errors",
    "DataError": "errors",
    "FormulaError": "errors",
    "ModelSyntaxError": "errors",
    "ModelError": "errors",
    "ConvergenceError": "errors",
    "TanadaWarning": "errors",
    "set_threads": "config",
    "mixed": "api.mixed_models",
    "anova": "api.comparison",
    "icc": "api.performance_measures",
    "r2": "api.performance_measures",
    "pve": "api.performance_measures",
    "performance": "api.performance_measures",
    "check_singularity": "api.performance_measures",
    "check_overdispersion": "api.diagnostics",
    "check_zeroinflation": "api.diagnostics",
    "check_separation": "api.diagnostics",
    "check_collinearity": "api.diagnostics",
    "check_heteroscedasticity": "api.diagnostics",
    "check_residuals": "api.diagnostics",
    "check_ranef_normality": "api.diagnostics",
    "check_influence": "api.diagnostics",
    "check_mistakes": "api.diagnostics",
    "check_model": "api.diagnostics",
    "population_interval": "api.population_range",
    "linear_hypothesis": "api.model_tests",
    "ranova": "api.model_tests",
    "bootstrap_lrt": "api.model_tests",
    "compare": "api.model_tests",
    "cross_validate": "api.model_tests",
    "estimate_means": "api.marginal",
    "estimate_slopes": "api.marginal",
    "contrasts": "api.marginal",
    "johnson_neyman": "api.neyman",
    "marginaleffects_adapter": "api.marginal_effects",
    "load": "api.loading",
    "read": "data.reading",
    "load_dataset": "data.bundled",
    "list_datasets": "data.bundled",
    "center": "data.centring",
    "icc_anova": "data.clustering",
    "design_effect": "data.clustering",
    "cfa": "api.structural",
    "growth": "api.structural",
    "sem": "api.structural",
    "invariance": "api.invariance_steps",
    "wide_model": "api.wide",
    "compare_fit": "api.structural_compare",
    "lrt": "api.structural_compare",
    "table": "documents.model_table",
    "report_text": "documents.sentences",
    "report": "documents.page",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name == "sklearn":
        return import_module("tanada.sklearn")
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'tanada' has no attribute {name!r}")
    value = getattr(import_module(f"tanada.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_EXPORTS))


if TYPE_CHECKING:
    from tanada.api.comparison import anova as anova
    from tanada.api.diagnostics import check_collinearity as check_collinearity
    from tanada.api.diagnostics import check_heteroscedasticity as check_heteroscedasticity
    from tanada.api.diagnostics import check_influence as check_influence
    from tanada.api.diagnostics import check_mistakes as check_mistakes
    from tanada.api.diagnostics import check_model as check_model
    from tanada.api.diagnostics import check_overdispersion as check_overdispersion
    from tanada.api.diagnostics import check_ranef_normality as check_ranef_normality
    from tanada.api.diagnostics import check_residuals as check_residuals
    from tanada.api.diagnostics import check_separation as check_separation
    from tanada.api.diagnostics import check_zeroinflation as check_zeroinflation
    from tanada.api.invariance_steps import invariance as invariance
    from tanada.api.loading import load as load
    from tanada.api.marginal import contrasts as contrasts
    from tanada.api.marginal import estimate_means as estimate_means
    from tanada.api.marginal import estimate_slopes as estimate_slopes
    from tanada.api.marginal_effects import marginaleffects_adapter as marginaleffects_adapter
    from tanada.api.mixed_models import mixed as mixed
    from tanada.api.model_tests import bootstrap_lrt as bootstrap_lrt
    from tanada.api.model_tests import compare as compare
    from tanada.api.model_tests import cross_validate as cross_validate
    from tanada.api.model_tests import linear_hypothesis as linear_hypothesis
    from tanada.api.model_tests import ranova as ranova
    from tanada.api.neyman import johnson_neyman as johnson_neyman
    from tanada.api.performance_measures import check_singularity as check_singularity
    from tanada.api.performance_measures import icc as icc
    from tanada.api.performance_measures import performance as performance
    from tanada.api.performance_measures import pve as pve
    from tanada.api.performance_measures import r2 as r2
    from tanada.api.population_range import population_interval as population_interval
    from tanada.api.structural import cfa as cfa
    from tanada.api.structural import growth as growth
    from tanada.api.structural import sem as sem
    from tanada.api.structural_compare import compare_fit as compare_fit
    from tanada.api.structural_compare import lrt as lrt
    from tanada.api.wide import wide_model as wide_model
    from tanada.config import set_threads as set_threads
    from tanada.data.bundled import list_datasets as list_datasets
    from tanada.data.bundled import load_dataset as load_dataset
    from tanada.data.centring import center as center
    from tanada.data.clustering import design_effect as design_effect
    from tanada.data.clustering import icc_anova as icc_anova
    from tanada.data.reading import read as read
    from tanada.documents.model_table import table as table
    from tanada.documents.page import report as report
    from tanada.documents.sentences import report_text as report_text
    from tanada.errors import ConvergenceError as ConvergenceError
    from tanada.errors import DataError as DataError
    from tanada.errors import FormulaError as FormulaError
    from tanada.errors import ModelError as ModelError
    from tanada.errors import ModelSyntaxError as ModelSyntaxError
    from tanada.errors import TanadaError as TanadaError
    from tanada.errors import TanadaWarning as TanadaWarning
