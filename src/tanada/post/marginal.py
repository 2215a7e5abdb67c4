"""Marginal means and slopes: functionals on a reference grid, with tests and intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.design.build import Design
from tanada.engine.fit import MixedFit
from tanada.errors import DataError, ModelError
from tanada.inference.ddf import FixedDf, FixedTests
from tanada.inference.wald import critical, p_values
from tanada.inference.workspace import Workspace
from tanada.post.estimability import not_estimable
from tanada.post.functionals import Evaluation, Functional, check_reading
from tanada.post.grids import GridVariable, Predictors, Rows, grid_columns, make_rows, read_by
from tanada.post.mean_function import MeanFunction, category_function, mean_function

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
        return np.array([self.tests.tests.df(row) if np.any(row) and np.isfinite(row).all() else np.nan for row in self.functional.gradient])

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
    rows = make_rows(design, focal, ask.estimate, ask.weights)
    first, tests, found = over_categories(work, design, tests, ask, lambda e: whole(e, rows, focal))
    about = f"Estimated marginal means, {scale_words(first.quantity, work.fit)}{_reading_words(first)}; {_rows_words(ask)}."
    return _marginal(work, focal, found, tests, first, about, False)


def marginal_slopes(work: Workspace, design: Design, tests: FixedTests, trend: str, by: Any, ask: Ask) -> Marginal:
    """Slopes of the quantity in `trend` on the grid of `by`."""
    focal = read_by(by, design, ask.length)
    first, tests, found = over_categories(work, design, tests, ask, lambda e: slope_functional(e, design, trend, focal, ask))
    what = "at its mean" if ask.estimate == "typical" and trend not in {v.name for v in focal} else "as given" if ask.estimate == "typical" else "as observed"
    about = f"Slopes of {trend}, {scale_words(first.quantity, work.fit)}{_reading_words(first)}; {trend} {what}, {_rows_words(ask)}."
    return _marginal(work, focal, found, tests, first, about, True)


def _marginal(
    work: Workspace, focal: Sequence[GridVariable], found: list[Functional], tests: FixedTests, first: Evaluation, about: str, slope: bool
) -> Marginal:
    """One table of all categories (one, unless the response is ordinal), category by category within a grid point."""
    grid = grid_columns(focal)
    if len(found) > 1 or first.quantity.thresholds is not None:
        K, count = len(found), len(found[0].estimate)
        labels = work.fit.data.response_levels or tuple(str(k) for k in range(K))
        grid = {**{n: np.repeat(v, K) for n, v in grid.items()}, "category": np.array(list(labels) * count, dtype=object)}
        estimate = np.stack([f.estimate for f in found], axis=1).ravel()
        gradient = np.stack([f.gradient for f in found], axis=1).reshape(K * count, -1)
        found = [Functional(estimate, gradient)]
    return Marginal(grid, found[0], tests, first.quantity, first.reading, about, slope)


def over_categories(
    work: Workspace, design: Design, tests: FixedTests, ask: Ask, compute: Callable[[Evaluation], Functional]
) -> tuple[Evaluation, FixedTests, list[Functional]]:
    """The functional, or that of each category of an ordinal response with the thresholds among its parameters."""
    fit = work.fit
    if "thresholds" not in fit.extra or ask.kind not in ("response", "conditional"):
        evaluation = evaluate_with(work, design, tests, ask)
        return evaluation, tests, [estimable(evaluation, compute)]
    quantities = [category_function(fit, k) for k in range(len(np.asarray(fit.extra["thresholds"])) + 1)]
    reading = check_reading(ask.re, quantities[0], fit)
    evaluations = [Evaluation(fit, design, q, reading, np.asarray(tests.beta, float)) for q in quantities]
    at = np.concatenate([fit.params.index("fixed"), fit.params.index("threshold")])
    vcov = np.asarray(fit.extra["vcov"], float)[np.ix_(at, at)]
    joint = FixedTests("z", np.asarray(fit.values, float)[at], FixedDf(vcov, np.inf))
    return evaluations[0], joint, [estimable(e, compute) for e in evaluations]


def estimable(evaluation: Evaluation, compute: Callable[[Evaluation], Functional]) -> Functional:
    """The functional, NaN where it depends on coefficients that the data cannot tell apart (dropped columns, empty cells)."""
    f = compute(evaluation)
    if any(c.aliased for c in evaluation.fit.data.components):
        bad = not_estimable(evaluation, compute)
        f.estimate[bad] = np.nan
        f.gradient[bad] = np.nan
    return f


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
    sd = np.ones(total.gradient.shape[1])
    sd[: len(evaluation.fit.vcov_beta)] = np.sqrt(np.abs(np.diag(evaluation.fit.vcov_beta)))[: len(sd)]
    size = np.abs(total.gradient) * np.where(np.isfinite(sd), sd, 1.0)  # in standard errors, whatever the units of the predictors
    total.gradient[size < 1e-11 * np.nanmax(size, initial=0.0)] = 0.0
    return total


def scale_words(quantity: MeanFunction, fit: MixedFit) -> str:
    """The scale of a quantity in words."""
    if quantity.thresholds is not None:
        return "as probabilities of the categories"
    if quantity.kind == "response" or quantity.kind == "conditional":
        return "on the scale of the response" + (" (conditional model)" if quantity.kind == "conditional" else "")
    return {
        "link": f"on the scale of the linear predictor ({fit.link})",
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
