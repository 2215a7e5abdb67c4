"""Fits through the design and the engine, without the results layer."""

from tanada.design.build import build_design
from tanada.engine.mixed_fit import fit_mixed
from tanada.engine.options import FitOptions


def fit(formula, data, family="gaussian", link=None, *, zi=None, disp=None, weights=None, **options):
    design = build_design(formula, data, family=family, zi=zi, disp=disp, weights=weights, ordinal=family == "ordinal")
    return fit_mixed(design.model, FitOptions(family, link, **options))
