"""The quantity that a row predicts, as a function of its linear predictors, with derivatives; the base of means and slopes on any scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tanada.engine import family as families
from tanada.engine.family import FamilyInfo
from tanada.engine.fit import MixedFit
from tanada.engine.links import LINKS, evaluate
from tanada.errors import ModelError, did_you_mean

Array = NDArray[np.float64]
Etas = Mapping[str, Array]

KINDS = ("response", "link", "conditional", "zprob", "disp", "zi_link", "disp_link")
_LINEAR = {"link": "cond", "zi_link": "zi", "disp_link": "disp"}
_TRUNCATED = "truncated_"


@dataclass(frozen=True)
class MeanFunction:
    """A quantity on the scale of `kind`.

    Attributes
    ----------
    kind : str
    components : tuple of str
        The linear predictors it depends on.
    linear : bool
        Whether it is the linear predictor of its one component.
    scale : str
        The link on whose scale intervals are symmetric ("identity" where there is none better).
    function : callable
        Etas -> (value, derivative in each component).
    thresholds : callable or None
        Ordinal models: etas -> derivative (n, q) in the threshold parameters.
    """

    kind: str
    components: tuple[str, ...]
    linear: bool
    scale: str
    function: Callable[[Etas], tuple[Array, dict[str, Array]]]
    thresholds: Callable[[Etas], Array] | None = None

    def transform(self, value: ArrayLike) -> Array:
        return evaluate(LINKS[self.scale].link, value)

    def back(self, eta: ArrayLike) -> Array:
        return evaluate(LINKS[self.scale].inverse, eta)

    def slope(self, eta: ArrayLike) -> Array:
        return evaluate(LINKS[self.scale].slope, eta)


def mean_function(fit: MixedFit, kind: str) -> MeanFunction:
    """The function behind `kind`.

    Raises
    ------
    ModelError
        When `kind` is unknown, or the model has no such component.
    """
    if kind not in KINDS:
        raise ModelError(f"kind = {kind!r} is not a kind of prediction.{did_you_mean(str(kind), KINDS)}")
    names = tuple(c.name for c in fit.data.components)
    needed = "zi" if kind in ("zprob", "zi_link") else "disp" if kind in ("disp", "disp_link") else "cond"
    if needed not in names:
        what = "zero-inflation" if needed == "zi" else "dispersion"
        raise ModelError(f"kind = '{kind}' needs a {what} model; fit with {needed}='~ 1' or a formula.")
    if kind in _LINEAR:
        return MeanFunction(kind, (needed,), True, "identity", _linear(needed))
    if kind == "zprob":
        return MeanFunction(kind, ("zi",), False, "logit", _by_link("zi", "logit"))
    if kind == "disp":
        return MeanFunction(kind, ("disp",), False, "log", _by_link("disp", "log"))
    if fit.family == "gaussian" and fit.link == "identity" and "zi" not in names:
        return MeanFunction(kind, ("cond",), True, "identity", _linear("cond"))
    info = families.get(fit.family, fit.link, fit.extra.get("family_options"))
    if info.ordinal:
        raise ModelError("the response of an ordinal model is a probability of each category, not one mean: use kind='link' for the latent scale.")
    inflated = "zi" in names and kind == "response"
    simple = not info.name.startswith(_TRUNCATED) and info.name != "ordered_beta"
    if simple and not inflated:
        return MeanFunction(kind, ("cond",), info.link == "identity", info.link, _by_link("cond", info.link))
    scale = "log" if info.link == "log" else "logit" if info.name == "ordered_beta" else info.link
    used = ("cond", *(["disp"] if "disp" in names and not simple else []), *(["zi"] if inflated else []))
    return MeanFunction(kind, used, False, scale, _full_mean(fit, info, used, inflated))


def category_function(fit: MixedFit, category: int) -> MeanFunction:
    """Probability of one category (0-based) of an ordinal model: F(c_k - eta) - F(c_(k-1) - eta)."""
    info = families.get(fit.family, fit.link, fit.extra.get("family_options"))
    cuts = np.asarray(fit.extra["thresholds"], float)
    B = threshold_basis(len(cuts), len(fit.params.index("threshold")))
    inverse, slope = LINKS[info.link].inverse, LINKS[info.link].slope
    upper, lower = category < len(cuts), category > 0

    def function(etas: Etas) -> tuple[Array, dict[str, Array]]:
        eta = etas["cond"]
        value = (evaluate(inverse, cuts[category] - eta) if upper else np.ones_like(eta)) - (evaluate(inverse, cuts[category - 1] - eta) if lower else 0.0)
        density = (evaluate(slope, cuts[category - 1] - eta) if lower else np.zeros_like(eta)) - (evaluate(slope, cuts[category] - eta) if upper else 0.0)
        return value, {"cond": density}

    def thresholds(etas: Etas) -> Array:
        eta = etas["cond"]
        out = np.zeros((len(eta), B.shape[1]))
        if upper:
            out += evaluate(slope, cuts[category] - eta)[:, None] * B[category]
        if lower:
            out -= evaluate(slope, cuts[category - 1] - eta)[:, None] * B[category - 1]
        return out

    return MeanFunction("response", ("cond",), False, "logit", function, thresholds)


def threshold_basis(count: int, parameters: int) -> Array:
    """Thresholds (count) as linear functions of their parameters: one each, or first and spacing."""
    return np.eye(count) if parameters == count else np.column_stack([np.ones(count), np.arange(count, dtype=float)])


def _linear(component: str) -> Callable[[Etas], tuple[Array, dict[str, Array]]]:
    return lambda etas: (etas[component], {component: np.ones_like(etas[component])})


def _by_link(component: str, link: str) -> Callable[[Etas], tuple[Array, dict[str, Array]]]:
    inverse, slope = LINKS[link].inverse, LINKS[link].slope
    return lambda etas: (evaluate(inverse, etas[component]), {component: evaluate(slope, etas[component])})


def constant_predictors(fit: MixedFit) -> Array:
    """Values of the predictors after the location that are single numbers: log sigma, log dispersion, shapes."""
    return np.concatenate([fit.values[fit.params.index(block)] for block in ("dispersion", "sigma", "shape")])


def stacked_predictors(fit: MixedFit, info: FamilyInfo, etas: Etas, inflated: bool) -> Array:
    """(R, m) predictors in the core's order; a dispersion model takes the place of the constant one."""
    n = len(etas["cond"])
    tail = list(constant_predictors(fit))
    columns = [etas["cond"]]
    for number in range(1, len(info.predictors)):
        if number == 1 and info.dispersion and "disp" in etas:
            columns.append(etas["disp"])
        else:
            columns.append(np.full(n, tail.pop(0)))
    if inflated:
        columns.append(etas["zi"])
    return np.column_stack(columns)


def _full_mean(fit: MixedFit, info: FamilyInfo, used: tuple[str, ...], inflated: bool) -> Callable[[Etas], tuple[Array, dict[str, Array]]]:
    """Mean with derivatives by central differences of fourth order in each predictor (relative error about 1e-10)."""

    def mean(etas: Etas) -> Array:
        return np.asarray(info.mean(stacked_predictors(fit, info, etas, inflated), None, inflated), float)

    def function(etas: Etas) -> tuple[Array, dict[str, Array]]:
        slopes = {}
        h = 2e-3
        for c in used:
            moved = [mean({**etas, c: etas[c] + s * h}) for s in (-2, -1, 1, 2)]
            slopes[c] = (moved[0] - 8 * moved[1] + 8 * moved[2] - moved[3]) / (12 * h)
        return mean(etas), slopes

    return function
