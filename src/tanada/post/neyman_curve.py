"""The slope of a fitted model along a moderator, for Johnson-Neyman intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.design.build import Design
from tanada.errors import DataError, ModelError
from tanada.inference.ddf import FixedTests
from tanada.inference.workspace import Workspace
from tanada.post.functionals import Evaluation
from tanada.post.grids import GridVariable, Predictors
from tanada.post.marginal import READING_WORDS, Ask, check_trend, evaluate_with, scale_words, slope_functional
from tanada.post.neyman import Curve, Neyman, SlopeCurve, johnson_neyman_bounds

Array = NDArray[np.float64]

PART = 400_000  # rows evaluated at once


def slope_curve(evaluation: Evaluation, design: Design, trend: str, by: str, ask: Ask) -> Curve:
    """Estimate and gradient of the slope of `trend` at values of `by`."""

    size = max(1, PART // (design.model.nobs if ask.estimate == "average" else 1))

    def curve(v: Array) -> tuple[Array, Array]:
        parts = [v[i : i + size] for i in range(0, len(v), size)]
        found = [slope_functional(evaluation, design, trend, [GridVariable(by, np.asarray(p, float), True)], ask) for p in parts]
        return np.concatenate([f.estimate for f in found]), np.concatenate([f.gradient for f in found])

    return curve


def moderator_range(design: Design, trend: str, by: str, given: Any) -> tuple[float, float]:
    """Smallest and largest value of the moderator.

    Raises
    ------
    ModelError, DataError
        When it is not numeric, is the trend itself, or does not vary.
    """
    known = Predictors(design)
    if not isinstance(by, str):
        raise ModelError(f"by = {by!r}; a Johnson-Neyman interval takes the name of one numeric moderator.")
    known.check(by, "by")
    if by == trend:
        raise ModelError(f"by: the moderator must differ from the trend '{trend}'.")
    if not known.is_numeric(by):
        raise ModelError(f"by: '{by}' is categorical; use tn.estimate_slopes(m, '{trend}', by='{by}') for the slope at each level.")
    x = known.numbers(by) if given is None else np.asarray(given, float)
    low, high = float(np.min(x)), float(np.max(x))
    if not high > low or not np.isfinite([low, high]).all():
        raise DataError(f"by: '{by}' has no range (smallest value {low:g}, largest {high:g}).")
    return low, high


def find_neyman(
    work: Workspace, design: Design, tests: FixedTests, trend: str, by: str, level: float, ask: Ask, fdr: bool, given: Any = None
) -> tuple[Neyman, SlopeCurve, str]:
    """Johnson-Neyman intervals, the curve behind them, and the scale in words."""
    check_trend(design, trend)
    observed = moderator_range(design, trend, by, given)
    evaluation = evaluate_with(work, design, tests, ask)
    points = 61 if ask.estimate == "average" else 401 if not evaluation.quantity.linear else 801
    curve = SlopeCurve(slope_curve(evaluation, design, trend, by, ask), tests, level, points=points)
    words = scale_words(evaluation.quantity, work.fit)
    words += "" if evaluation.quantity.linear else ", " + READING_WORDS[evaluation.reading]
    return johnson_neyman_bounds(curve, observed, fdr), curve, words
