"""Response families as Python sees them: the core's registry, links, and what follows from the log-density.

Predictors come as one array `eta` (n, m) in the core's order: location, dispersion, shapes, and the zero-inflation predictor last where the
model has one. Means and variances of families with trials are those of the proportion; responses are numbers of successes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tanada import _core
from tanada.engine import family_distribution, family_moments, family_response
from tanada.engine.family_distribution import category_probabilities, simulate_categories
from tanada.engine.links import LINKS, evaluate
from tanada.errors import ModelError, did_you_mean

Array = NDArray[np.float64]

__all__ = ["FamilyInfo", "category_probabilities", "get", "names", "registry", "simulate_categories", "variance"]


@dataclass(frozen=True)
class FamilyInfo:
    """A response family with a link.

    Attributes
    ----------
    name, title, link : str
        The registry's name, the name in words, the link of the location.
    predictors : tuple of str
        Names of the linear predictors: "location", "log_phi", ... (the zero-inflation one is not among them).
    dispersion : str
        What exp(second predictor) is, in words; empty when the family has no dispersion parameter.
    support : str
        "real", "positive", "nonnegative", "count", "positive count", "unit", "closed unit", "trials" or "category".
    hurdle : bool
        Whether zeros belong to the zero-inflation part alone.
    options : tuple of float
        Constants the core needs: degrees of freedom held fixed, number of categories, ...
    links : tuple of str
        Links the family takes, the default first.
    """

    name: str
    title: str
    link: str
    predictors: tuple[str, ...]
    dispersion: str
    support: str
    hurdle: bool
    options: tuple[float, ...] = ()
    links: tuple[str, ...] = field(default=(), repr=False)

    @property
    def discrete(self) -> bool:
        """Whether responses are counts or categories."""
        return self.support in ("count", "positive count", "trials", "category")

    @property
    def ordinal(self) -> bool:
        return self.support == "category"

    def linkfun(self, mu: ArrayLike) -> Array:
        """Location predictor of a mean."""
        return evaluate(LINKS[self.link].link, mu)

    def linkinv(self, eta: ArrayLike) -> Array:
        """Mean of a location predictor (before truncation and zero inflation)."""
        return evaluate(LINKS[self.link].inverse, eta)

    def mu_eta(self, eta: ArrayLike) -> Array:
        """Derivative of `linkinv`."""
        return evaluate(LINKS[self.link].slope, eta)

    def log_density(self, y: ArrayLike, eta: Array, trials: ArrayLike | None = None, zero_inflated: bool = False) -> Array:
        """Log-density (or log-probability) of each response, with all constants."""
        y = np.ascontiguousarray(y, float)
        ones = np.ones_like(y)
        n = ones if trials is None else np.ascontiguousarray(trials, float)
        eta = np.ascontiguousarray(eta, float)
        value = _core.family_evaluate(self.name, self.link, zero_inflated, list(self.options), y, n, ones, eta, 0)[0]
        return np.asarray(value)

    def mean(self, eta: Array, trials: ArrayLike | None = None, zero_inflated: bool = False) -> Array:
        """Expected response, truncation and zero inflation included."""
        return family_moments.moments(self, eta, trials, zero_inflated)[0]

    def variance(self, eta: Array, trials: ArrayLike | None = None, zero_inflated: bool = False) -> Array:
        """Variance of the response, truncation and zero inflation included."""
        return family_moments.moments(self, eta, trials, zero_inflated)[1]

    def deviance_residuals(self, y: ArrayLike, mu: ArrayLike, eta: Array, trials: ArrayLike | None = None) -> Array:
        """Signed square roots of the unit deviances, for the exponential families."""
        return family_moments.deviance_residuals(self, np.asarray(y, float), np.asarray(mu, float), eta, trials)

    def cdf(self, y: ArrayLike, eta: Array, trials: ArrayLike | None = None, zero_inflated: bool = False, left: bool = False) -> Array:
        """P(Y <= y) of each row, or P(Y < y) with `left`."""
        return family_distribution.cdf(self, np.asarray(y, float), np.asarray(eta, float), trials, zero_inflated, left)

    def quantile_residuals(
        self, y: ArrayLike, eta: Array, trials: ArrayLike | None = None, zero_inflated: bool = False, seed: int | None = None
    ) -> Array:
        """Randomised quantile residuals (Dunn & Smyth 1996): standard normal when the model is right."""
        from scipy.special import ndtri

        y = np.asarray(y, float)
        high = self.cdf(y, eta, trials, zero_inflated)
        low = self.cdf(y, eta, trials, zero_inflated, left=True)
        u = low + (high - low) * np.random.default_rng(seed).random(y.shape)
        return np.asarray(ndtri(np.clip(u, 1e-16, 1.0 - 1e-16)), float)

    def simulate(
        self, eta: Array, rng: np.random.Generator, trials: ArrayLike | None = None, zero_inflated: bool = False
    ) -> Array:
        """One response a row (numbers of successes for families with trials)."""
        return family_distribution.simulate(self, np.asarray(eta, float), rng, trials, zero_inflated)

    def check_response(
        self, y: ArrayLike, trials: ArrayLike | None = None, label: str = "response", zero_inflated: bool = False
    ) -> None:
        """Raises `DataError` with one sentence when the response does not fit the family."""
        family_response.check(self, np.asarray(y, float), trials, label, zero_inflated)

    def start(self, y: ArrayLike, trials: ArrayLike | None = None) -> Array:
        """Start values of the predictors after the location, (m - 1,), from the moments of the response."""
        return family_response.start(self, np.asarray(y, float), trials)


@lru_cache(maxsize=1)
def registry() -> dict[str, dict[str, Any]]:
    """The core's families by name and alias (names in lower case with underscores)."""
    out: dict[str, dict[str, Any]] = {}
    for entry in _core.family_registry():
        for name in (entry["name"], *entry["aliases"]):
            out[_key(name)] = entry
    return out


def _key(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def names() -> list[str]:
    """Names of all families, without aliases."""
    return [entry["name"] for entry in _core.family_registry()]


def get(name: str, link: str | None = None, options: Mapping[str, Any] | None = None) -> FamilyInfo:
    """The family of that name (or alias) with a link.

    Parameters
    ----------
    name : str
        "gaussian", "Gamma", "nb2", "student", "ordinal", ...
    link : str, optional
        One of the family's links; its default when None.
    options : dict, optional
        "df" (t: degrees of freedom held fixed), "power" (tweedie: variance power held fixed), "categories" (ordinal: their number).

    Raises
    ------
    ModelError
        An unknown family or link (near matches are named), or an option out of range.

    Examples
    --------
    >>> from tanada.engine import family
    >>> family.get("nb2").name
    'nbinom2'
    >>> family.get("binomial", "probit").linkinv([0.0])
    array([0.5])
    """
    if not isinstance(name, str):
        raise ModelError(f"family must be a name such as 'binomial', not {type(name).__name__}.")
    entry = registry().get(_key(name))
    if entry is None:
        raise ModelError(f"Unknown family '{name}'.{did_you_mean(_key(name), registry())}")
    links = tuple(entry["links"])
    if link is not None and link not in links:
        accepted = ", ".join(f"'{known}'" for known in links)
        raise ModelError(f"Family '{entry['name']}' has no link '{link}'; it takes {accepted}.")
    constants, predictors = _constants(entry, dict(options or {}))
    return FamilyInfo(
        entry["name"], entry["title"], link or links[0], predictors, entry["dispersion"], entry["support"], entry["hurdle"], constants, links
    )


def _constants(entry: Mapping[str, Any], options: dict[str, Any]) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Constants for the core, and the predictors that are left."""
    predictors = tuple(entry["predictors"])
    name = entry["name"]
    fixed = {"t": ("df", 0.0, np.inf), "tweedie": ("power", 1.0, 2.0)}.get(name)
    if fixed is not None and options.get(fixed[0]) is not None:
        key, low, high = fixed
        value = options[key]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low < value < high:
            raise ModelError(f"'{key}' of family '{name}' must be a number between {low:g} and {high:g}, not {value!r}.")
        return (float(value),), predictors[:2]
    if entry["support"] == "category" and options.get("categories") is not None:
        return (float(options["categories"]),), predictors
    return (), predictors


def variance(fit: Any, mu: ArrayLike) -> Array:
    """Variance of the response of a fitted model at the (untruncated, not zero-inflated) means `mu`, with its constant dispersion and shapes.

    Raises
    ------
    ModelError
        When the dispersion has a model of its own.
    """
    info = get(fit.family, fit.link, fit.extra.get("family_options"))
    mu = np.atleast_1d(np.asarray(mu, float))
    tail = np.concatenate([fit.values[fit.params.index(block)] for block in ("dispersion", "sigma", "shape")])
    if tail.size != len(info.predictors) - 1:
        raise ModelError("The dispersion of this model is not constant: its variance depends on the rows, not on the mean alone.")
    return info.variance(np.column_stack([info.linkfun(mu), np.tile(tail, (mu.size, 1))]))
