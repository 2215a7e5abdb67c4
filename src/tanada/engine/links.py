"""Links in NumPy: the predictor as a function of the mean, its inverse and the inverse's derivative.

The core has the same functions (core/family/link.hpp) where they are differentiated; these serve prediction and post-estimation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Link:
    """A link: `link(mean) = eta`, `inverse(eta) = mean`, `slope(eta)` = d mean / d eta."""

    name: str
    link: Function
    inverse: Function
    slope: Function


def _expit(x: Array) -> Array:
    from scipy.special import expit

    return np.asarray(expit(x), float)


def _logit(p: Array) -> Array:
    return np.log(p) - np.log1p(-p)


def _ndtr(x: Array) -> Array:
    from scipy.special import ndtr

    return np.asarray(ndtr(x), float)


def _ndtri(p: Array) -> Array:
    from scipy.special import ndtri

    return np.asarray(ndtri(p), float)


def _cauchy_cdf(x: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.where(x < -1.0, -np.arctan(1.0 / x) / np.pi, 0.5 + np.arctan(x) / np.pi)


LINKS: dict[str, Link] = {
    link.name: link
    for link in (
        Link("identity", lambda m: m, lambda e: e, lambda e: np.ones_like(e)),
        Link("log", np.log, np.exp, np.exp),
        Link("logit", _logit, _expit, lambda e: _expit(e) * _expit(-e)),
        Link("probit", _ndtri, _ndtr, lambda e: np.exp(-0.5 * e * e) / np.sqrt(2.0 * np.pi)),
        Link("cloglog", lambda m: np.log(-np.log1p(-m)), lambda e: -np.expm1(-np.exp(e)), lambda e: np.exp(e - np.exp(e))),
        Link("loglog", lambda m: -np.log(-np.log(m)), lambda e: np.exp(-np.exp(-e)), lambda e: np.exp(-e - np.exp(-e))),
        Link("cauchit", lambda m: np.tan(np.pi * (m - 0.5)), _cauchy_cdf, lambda e: 1.0 / (np.pi * (1.0 + e * e))),
        Link("inverse", lambda m: 1.0 / m, lambda e: 1.0 / e, lambda e: -1.0 / (e * e)),
        Link("sqrt", np.sqrt, lambda e: e * e, lambda e: 2.0 * e),
        Link("1/mu^2", lambda m: m**-2.0, lambda e: np.asarray(e, float) ** -0.5, lambda e: -0.5 * np.asarray(e, float) ** -1.5),
    )
}


def evaluate(function: Function, x: ArrayLike) -> Array:
    """The function at `x` as floats; overflow and poles give infinities and NaN without a warning."""
    with np.errstate(all="ignore"):
        return np.asarray(function(np.asarray(x, float)), float)
