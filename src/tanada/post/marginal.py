"""Marginal means and slopes: functionals on a reference grid, with tests and intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.design.build import Design
from tanada.errors import DataError, ModelError
from tanada.inference.ddf import FixedTests
from tanada.inference.wald import critical, p_values
from tanada.inference.workspace import Workspace
from tanada.post.functionals import Evaluation, Functional, check_reading
from tanada.post.grids import GridVariable, Predictors, Rows, grid_columns, make_rows, read_by
from tanada.post.mean_function import MeanFunction, mean_function

Array = NDArray[np.float64]

STEP = 2e-3  # of the SD of the trend variable
STENCIL = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))

READING_WORDS = {
    "zero": "random effects at zero",
    "modes": "averaged over the groups of the fit with their predicted random effects",
    "normal": "averaged over the fitted normal distribution of the random effects",
}


@dataclass(frozen=True)
class Marginal:
    """Quantities on a grid.

    Attributes
    ----------
    grid : dict of str to array (K,)
    functional : Functional
    tests : FixedTests
    quantity : MeanFunction
    reading : str
    about : str
        What was computed, in words.
    slope : bool
    """

    grid: dict[str, NDArray[Any]]
    functional: Functional
    tests: FixedTests
    quantity: MeanFunction
    reading: str
    about: str
    slope: bool

    @property
    def std_error(self) -> Array:
        g = self.functional.gradient
        return np.asarray(np.sqrt(np.maximum(np.einsum("kp,pq,kq->k", g, self.tests.vcov, g), 0.0)))

    def df(self) -> Array:
        """Degrees of freedom of each estimate: those of its contrast of fixed effects."""
        return np.array([self.tests.tests.df(row) if np.any(row) else np.nan for row in self.functional.gradient])

    def table(self, level: float, interval: str = "link") -> dict[str, Any]:
        """The grid, estimate, std_error, conf_low, conf_high, statistic, df, p_value."""
        est, se, df = self.functional.estimate, self.std_error, self.df()
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = np.where(se > 0, est / se, np.nan)
        low, high = self._limits(est, se, critical(level, df), interval)
        return {
            **self.grid,
            "estimate": est,
            "std_error": se,
            "conf_low": low,
            "conf_high": high,
            "statistic": statistic,
            "df": df,
            "p_value": p_values(statistic, df),
        }

    def _limits(self, est: Array, se: Array, crit: Array, interval: str) -> tuple[Array, Array]:
        if interval not in ("link", "delta"):
            raise ModelError(f"interval = {interval!r}; it takes 'link' (symmetric on the link scale) or 'delta' (symmetric around the estimate).")
        if self.slope or interval == "delta" or self.quantity.scale == "identity":
            return est - crit * se, est + crit * se
        q = self.quantity
        eta = q.transform(est)
        with np.errstate(divide="ignore", invalid="ignore"):
            half = crit * se / np.abs(q.slope(eta))
            ends = np.sort(np.stack([q.back(eta - half), q.back(eta + half)]), axis=0)
        plain = np.stack([est - crit * se, est + crit * se])
        chosen = np.where(np.isfinite(ends), ends, plain)
        return chosen[0], chosen[1]


@dataclass(frozen=True)
class Ask:
    """Common arguments of means, slopes and contrasts."""

    kind: str
    estimate: str = "typical"
    re: str | None = None
    weights: str = "equal"
    length: int = 10


def marginal_means(work: Workspace, design: Design, tests: FixedTests, by: Any, ask: Ask) -> Marginal:
    """Estimated marginal means on the grid of `by`."""
    focal = read_by(by, design, ask.length)
    evaluation = evaluate_with(work, design, tests, ask)
    rows = make_rows(design, focal, ask.estimate, ask.weights)
    f = whole(evaluation, rows, focal)
    about = f"Estimated marginal means, {scale_words(evaluation.quantity, work.fit.link)}{_reading_words(evaluation)}; {_rows_words(ask)}."
    return Marginal(grid_columns(focal), f, tests, evaluation.quantity, evaluation.reading, about, False)


def marginal_slopes(work: Workspace, design: Design, tests: FixedTests, trend: str, by: Any, ask: Ask) -> Marginal:
    """Slopes of the quantity in `trend` on the grid of `by`."""
    focal = read_by(by, design, ask.length)
    evaluation = evaluate_with(work, design, tests, ask)
    f = slope_functional(evaluation, design, trend, focal, ask)
    what = "at its mean" if ask.estimate == "typical" and trend not in {v.name for v in focal} else "as given" if ask.estimate == "typical" else "as observed"
    about = (
        f"Slopes of {trend}, {scale_words(evaluation.quantity, work.fit.link)}{_reading_words(evaluation)}; {trend} {what}, {_rows_words(ask)}."
    )
    return Marginal(grid_columns(focal), f, tests, evaluation.quantity, evaluation.reading, about, True)


def evaluate_with(work: Workspace, design: Design, tests: FixedTests, ask: Ask) -> Evaluation:
    quantity = mean_function(work.fit, ask.kind)
    reading = check_reading(ask.re, quantity, work.fit)
    return Evaluation(work.fit, design, quantity, reading, np.asarray(tests.beta, float))


def whole(evaluation: Evaluation, rows: Rows, focal: Sequence[GridVariable]) -> Functional:
    cells = int(np.prod([len(v.values) for v in focal])) if focal else 1
    return evaluation.sum_rows(rows.columns, rows.weight, rows.cell, cells, rows.source)


def check_trend(design: Design, trend: Any) -> Array:
    """Values of the trend variable on the rows used.

    Raises
    ------
    ModelError
        When it is not a numeric variable of the fixed effects that varies.
    """
    known = Predictors(design)
    if not isinstance(trend, str):
        raise ModelError(f"trend = {trend!r}; it takes the name of one numeric variable.")
    known.check(trend, "trend")
    if not known.is_numeric(trend):
        raise ModelError(f"trend: '{trend}' is categorical and has no slope; use tn.contrasts(m, '{trend}') for its differences.")
    x = known.numbers(trend)
    if not np.std(x) > 0:
        raise DataError(f"trend: '{trend}' is constant in the rows used.")
    return x


def slope_functional(evaluation: Evaluation, design: Design, trend: str, focal: Sequence[GridVariable], ask: Ask) -> Functional:
    """d/d trend of the functional, by a central difference of fourth order: exact for polynomials up to the fourth degree."""
    x = check_trend(design, trend)
    rows = make_rows(design, focal, ask.estimate, ask.weights, extra=4)
    at = np.asarray(rows.columns[trend], float)
    for step in (np.full(len(at), STEP * float(np.std(x))), STEP * np.where(at == 0, 1e-3 * float(np.std(x)), np.minimum(np.abs(at), np.std(x)))):
        parts = []
        for move, share in STENCIL:
            moved = replace(rows, columns=rows.shifted(trend, move * step), weight=rows.weight * share / step)
            parts.append(whole(evaluation, moved, focal))
        total = Functional(sum(p.estimate for p in parts), sum(p.gradient for p in parts))  # type: ignore[arg-type]
        if np.isfinite(total.estimate).all():
            break
    scale = np.abs(total.gradient).max(initial=0.0)
    total.gradient[np.abs(total.gradient) < 1e-11 * scale] = 0.0
    return total


def scale_words(quantity: MeanFunction, link: str) -> str:
    """The scale of a quantity in words."""
    if quantity.kind == "response" or quantity.kind == "conditional":
        return "on the scale of the response" + (" (conditional model)" if quantity.kind == "conditional" else "")
    return {
        "link": f"on the scale of the linear predictor ({link})",
        "zprob": "as probabilities of a structural zero",
        "disp": "of the dispersion parameter",
        "zi_link": "on the logit scale of the zero-inflation model",
        "disp_link": "on the log scale of the dispersion model",
    }[quantity.kind]


def _reading_words(evaluation: Evaluation) -> str:
    return "" if evaluation.quantity.linear else ", " + READING_WORDS[evaluation.reading]


def _rows_words(ask: Ask) -> str:
    if ask.estimate == "average":
        return "averaged over the rows of the data"
    weights = "equally" if ask.weights == "equal" else "by their shares"
    return f"other numeric variables at their means, levels of other factors weighted {weights}"
