"""Means, variances and unit deviances of the response families.

Variances follow the table of the documentation (glmmTMB's parametrisations): see `core/family/` for each density.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tanada import _core
from tanada.errors import ModelError

if TYPE_CHECKING:
    from tanada.engine.family import FamilyInfo

Array = NDArray[np.float64]


def parent_of(info: FamilyInfo) -> FamilyInfo:
    """The family before truncation at zero."""
    return replace(info, name=info.name.removeprefix("truncated_"), support="count", hurdle=False)


def zero_probability(eta: Array) -> Array:
    """Probability of a structural zero from the last predictor."""
    from scipy.special import expit

    return np.asarray(expit(eta[:, -1]), float)


def moments(info: FamilyInfo, eta: Array, trials: ArrayLike | None, zero_inflated: bool) -> tuple[Array, Array]:
    """Mean and variance of the response (of the proportion, for families with trials)."""
    eta = np.asarray(eta, float)
    inner = eta[:, :-1] if zero_inflated else eta
    n = np.ones(len(eta)) if trials is None else np.asarray(trials, float)
    with np.errstate(all="ignore"):
        mean, variance = _moments(info, inner, n)
        if zero_inflated:
            keep = 1.0 - zero_probability(eta)
            second = keep * (variance + mean**2)
            mean = keep * mean
            variance = second - mean**2
    return mean, variance


def _moments(info: FamilyInfo, eta: Array, n: Array) -> tuple[Array, Array]:
    if info.ordinal:
        raise ModelError("An ordinal model has category probabilities, not a mean; ask for those.")
    if info.name.startswith("truncated_"):
        parent = parent_of(info)
        mean, variance = _moments(parent, eta, n)
        positive = -np.expm1(parent.log_density(np.zeros(len(eta)), eta))
        return mean / positive, (variance + mean**2) / positive - (mean / positive) ** 2
    mu = info.linkinv(eta[:, 0])
    if info.name == "ordered_beta":
        return _ordered_beta(mu, eta)
    return mu, _variance(info, mu, eta, n)


def _variance(info: FamilyInfo, mu: Array, eta: Array, n: Array) -> Array:
    phi = np.exp(eta[:, 1]) if eta.shape[1] > 1 else np.ones_like(mu)
    match info.name:
        case "gaussian" | "lognormal" | "skew_normal":
            return phi**2
        case "binomial":
            return mu * (1.0 - mu) / n
        case "betabinomial":
            return mu * (1.0 - mu) / n * (phi + n) / (phi + 1.0)
        case "poisson":
            return mu
        case "nbinom1":
            return mu * (1.0 + phi)
        case "nbinom2":
            return mu * (1.0 + mu / phi)
        case "gamma":
            return mu**2 / phi
        case "inverse_gaussian":
            return phi * mu**3
        case "beta":
            return mu * (1.0 - mu) / (1.0 + phi)
        case "genpois":
            return phi * mu
        case "tweedie":
            return phi * mu ** tweedie_power(info, eta)
        case "t":
            nu = np.full_like(mu, info.options[0]) if info.options else np.exp(eta[:, 2])
            return np.where(nu > 2.0, phi**2 * nu / (nu - 2.0), np.inf)
        case _:  # bell, compois: the core's quasi-likelihood weight is slope^2 / variance
            weight = _core.family_expected_weight(
                info.name, info.link, False, list(info.options), mu, n, np.ones_like(mu), np.ascontiguousarray(eta)
            )
            return info.mu_eta(eta[:, 0]) ** 2 / np.asarray(weight)


def tweedie_power(info: FamilyInfo, eta: Array) -> Array:
    """The power of the variance function, between 1 and 2."""
    from scipy.special import expit

    return np.full(len(eta), info.options[0]) if info.options else 1.0 + np.asarray(expit(eta[:, 2]), float)


def _ordered_beta(mu: Array, eta: Array) -> tuple[Array, Array]:
    from scipy.special import expit

    one = expit(eta[:, 0] - eta[:, 3])
    inside = expit(eta[:, 0] - eta[:, 2]) - one
    mean = one + inside * mu
    second = one + inside * (mu**2 + mu * (1.0 - mu) / (1.0 + np.exp(eta[:, 1])))
    return mean, second - mean**2


def deviance_residuals(info: FamilyInfo, y: Array, mu: Array, eta: Array, trials: ArrayLike | None) -> Array:
    """sign(y - mu) sqrt(unit deviance); `y` and `mu` are proportions for families with trials.

    Raises
    ------
    ModelError
        For families that are not exponential families in their mean.
    """
    n = np.ones_like(y) if trials is None else np.asarray(trials, float)
    with np.errstate(all="ignore"):
        match info.name:
            case "gaussian":
                d = (y - mu) ** 2
            case "poisson":
                d = 2.0 * (_ylog(y, mu) - (y - mu))
            case "binomial":
                d = 2.0 * n * (_ylog(y, mu) + _ylog(1.0 - y, 1.0 - mu))
            case "nbinom2":
                phi = np.exp(eta[:, 1])
                d = 2.0 * (_ylog(y, mu) - (y + phi) * np.log((y + phi) / (mu + phi)))
            case "gamma":
                d = 2.0 * ((y - mu) / mu - np.log(y / mu))
            case "inverse_gaussian":
                d = (y - mu) ** 2 / (mu**2 * y)
            case "tweedie":
                p = tweedie_power(info, eta)
                d = 2.0 * (y ** (2 - p) / ((1 - p) * (2 - p)) - y * mu ** (1 - p) / (1 - p) + mu ** (2 - p) / (2 - p))
            case _:
                raise ModelError(f"Deviance residuals are not defined for family '{info.name}'; use kind='quantile' or 'pearson'.")
    return np.asarray(np.sign(y - mu) * np.sqrt(np.maximum(d, 0.0)))


def _ylog(y: Array, mu: Array) -> Array:
    """y log(y / mu), zero at y = 0."""
    return np.where(y > 0.0, y * np.log(np.where(y > 0.0, y, 1.0) / mu), 0.0)
