"""Distribution functions and simulation of the response families.

Closed forms come from scipy.special; count families without one are summed from the core's log-probabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tanada.engine.family_moments import parent_of, tweedie_power, zero_probability
from tanada.engine.links import LINKS, evaluate

if TYPE_CHECKING:
    from tanada.engine.family import FamilyInfo

Array = NDArray[np.float64]
_CHUNK = 500_000


def cdf(info: FamilyInfo, y: Array, eta: Array, trials: ArrayLike | None, zero_inflated: bool, left: bool) -> Array:
    """P(Y <= y), or P(Y < y) with `left`."""
    n = np.ones_like(y) if trials is None else np.asarray(trials, float)
    at = y - 1.0 if left and info.discrete else y
    inner = eta[:, :-1] if zero_inflated else eta
    with np.errstate(all="ignore"):
        value = np.clip(_cdf(info, at, inner, n, left), 0.0, 1.0)
        if not zero_inflated:
            return value
        pi = zero_probability(eta)
        reached = at >= 0.0 if info.discrete or not left else at > 0.0
        return np.where(reached, pi, 0.0) + (1.0 - pi) * value


def _cdf(info: FamilyInfo, y: Array, eta: Array, n: Array, left: bool) -> Array:
    """The distribution function without zero inflation."""
    from scipy import special as sp

    if info.name.startswith("truncated_"):
        parent = parent_of(info)
        zero = np.exp(parent.log_density(np.zeros(len(eta)), eta))
        return np.where(y < 1.0, 0.0, (_cdf(parent, y, eta, n, left) - zero) / (1.0 - zero))
    if info.ordinal:
        top = info.options[0] - 1.0 if info.options else np.inf
        threshold = eta[:, 1] if left else eta[:, 2]
        value = evaluate(LINKS[info.link].inverse, threshold - eta[:, 0])
        return np.where(y < 0.0, 0.0, np.where(y >= top, 1.0, value))
    mu = info.linkinv(eta[:, 0])
    phi = np.exp(eta[:, 1]) if eta.shape[1] > 1 else np.ones_like(mu)
    k = np.floor(y)
    match info.name:
        case "gaussian":
            return sp.ndtr((y - mu) / phi)
        case "binomial":
            return np.where(k < 0, 0.0, np.where(k >= n, 1.0, sp.betainc(np.maximum(n - k, 1e-300), k + 1.0, 1.0 - mu)))
        case "poisson":
            return np.where(k < 0, 0.0, sp.gammaincc(np.maximum(k, 0.0) + 1.0, mu))
        case "nbinom1" | "nbinom2":
            size = mu / phi if info.name == "nbinom1" else phi
            return np.where(k < 0, 0.0, sp.betainc(size, np.maximum(k, 0.0) + 1.0, size / (size + mu)))
        case "gamma":
            return np.where(y <= 0, 0.0, sp.gammainc(phi, phi * np.maximum(y, 0.0) / mu))
        case "inverse_gaussian":
            return _inverse_gaussian_cdf(y, mu, phi)
        case "beta":
            return sp.betainc(mu * phi, (1.0 - mu) * phi, np.clip(y, 0.0, 1.0))
        case "ordered_beta":
            return _ordered_beta_cdf(y, mu, phi, eta, left)
        case "t":
            nu = info.options[0] if info.options else np.exp(eta[:, 2])
            return sp.stdtr(nu, (y - mu) / phi)
        case "lognormal":
            s2 = np.log1p((phi / mu) ** 2)
            return np.where(y <= 0, 0.0, sp.ndtr((np.log(np.maximum(y, 1e-300)) - np.log(mu) + 0.5 * s2) / np.sqrt(s2)))
        case "skew_normal":
            omega, xi = _skew_normal_scale(mu, phi, eta[:, 2])
            z = (y - xi) / omega
            return sp.ndtr(z) - 2.0 * sp.owens_t(z, eta[:, 2])
        case "tweedie":
            return _tweedie_cdf(y, mu, phi, tweedie_power(info, eta), left)
        case _:
            return _summed_cdf(info, k, eta, n)


def _inverse_gaussian_cdf(y: Array, mu: Array, phi: Array) -> Array:
    from scipy import special as sp

    y = np.maximum(y, 1e-300)
    r = 1.0 / np.sqrt(phi * y)
    return sp.ndtr(r * (y / mu - 1.0)) + np.exp(2.0 / (phi * mu) + sp.log_ndtr(-r * (y / mu + 1.0)))


def _ordered_beta_cdf(y: Array, mu: Array, phi: Array, eta: Array, left: bool) -> Array:
    from scipy import special as sp

    zero = sp.expit(eta[:, 2] - eta[:, 0])
    one = sp.expit(eta[:, 0] - eta[:, 3])
    value = zero + (1.0 - zero - one) * sp.betainc(mu * phi, (1.0 - mu) * phi, np.clip(y, 0.0, 1.0))
    value = np.where(y <= 0.0 if left else y < 0.0, 0.0, value)
    return np.where(y > 1.0 if left else y >= 1.0, 1.0, value)


def _skew_normal_scale(mu: Array, phi: Array, alpha: Array) -> tuple[Array, Array]:
    delta = alpha / np.sqrt(1.0 + alpha**2)
    omega = phi / np.sqrt(1.0 - 2.0 * delta**2 / np.pi)
    return omega, mu - omega * delta * np.sqrt(2.0 / np.pi)


def _tweedie_parts(mu: Array, phi: Array, power: Array) -> tuple[Array, Array, Array]:
    """Rate of the number of events, shape and scale of the gamma of one event."""
    rate = mu ** (2.0 - power) / (phi * (2.0 - power))
    return rate, (2.0 - power) / (power - 1.0), phi * (power - 1.0) * mu ** (power - 1.0)


def _tweedie_cdf(y: Array, mu: Array, phi: Array, power: Array, left: bool) -> Array:
    from scipy import special as sp

    rate, shape, scale = _tweedie_parts(mu, phi, power)
    out = np.where(y < 0.0, 0.0, np.exp(-rate))
    if left:
        out = np.where(y <= 0.0, 0.0, out)
    rows = np.flatnonzero((y > 0.0) & np.isfinite(rate))
    if rows.size == 0:
        return out
    r, s, x = rate[rows], shape[rows], y[rows] / scale[rows]
    last = int(np.max(r + 10.0 * np.sqrt(r) + 20.0))
    first = max(1, int(np.min(r - 10.0 * np.sqrt(r))))
    for j in range(first, last + 1):
        out[rows] += np.exp(j * np.log(r) - r - sp.gammaln(j + 1.0)) * sp.gammainc(j * s, x)
    return out


def _summed_cdf(info: FamilyInfo, k: Array, eta: Array, n: Array) -> Array:
    """Sum of probabilities from 0 to k."""
    out = np.zeros_like(k)
    rows = np.flatnonzero(k >= 0.0)
    start = 0
    lengths = k[rows].astype(np.int64) + 1
    while start < rows.size:
        stop = start + max(1, int(np.searchsorted(np.cumsum(lengths[start:]), _CHUNK)))
        part, size = rows[start:stop], lengths[start:stop]
        index = np.repeat(part, size)
        values = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        p = np.exp(info.log_density(values.astype(float), eta[index], n[index]))
        out[part] = np.add.reduceat(p, np.cumsum(size) - size)
        start = stop
    return out


def simulate(info: FamilyInfo, eta: Array, rng: np.random.Generator, trials: ArrayLike | None, zero_inflated: bool) -> Array:
    """One response a row."""
    n = np.ones(len(eta)) if trials is None else np.asarray(trials, float)
    inner = eta[:, :-1] if zero_inflated else eta
    y = _simulate(info, inner, rng, n)
    if zero_inflated:
        y = np.where(rng.random(len(eta)) < zero_probability(eta), 0.0, y)
    return y


def _simulate(info: FamilyInfo, eta: Array, rng: np.random.Generator, n: Array) -> Array:
    from scipy import special as sp

    mu = info.linkinv(eta[:, 0])
    phi = np.exp(eta[:, 1]) if eta.shape[1] > 1 else np.ones_like(mu)
    y: NDArray[Any]
    match info.name:
        case "gaussian":
            y = rng.normal(mu, phi)
        case "binomial":
            y = rng.binomial(n.astype(np.int64), np.clip(mu, 0.0, 1.0))
        case "betabinomial":
            y = rng.binomial(n.astype(np.int64), rng.beta(mu * phi, (1.0 - mu) * phi))
        case "poisson":
            y = rng.poisson(mu)
        case "nbinom1" | "nbinom2":
            size = mu / phi if info.name == "nbinom1" else phi
            y = rng.poisson(rng.gamma(size, mu / size))
        case "gamma":
            y = rng.gamma(phi, mu / phi)
        case "inverse_gaussian":
            y = rng.wald(mu, 1.0 / phi)
        case "beta":
            y = rng.beta(mu * phi, (1.0 - mu) * phi)
        case "ordered_beta":
            u = rng.random(mu.shape)
            low, high = sp.expit(eta[:, 2] - eta[:, 0]), sp.expit(eta[:, 3] - eta[:, 0])
            y = np.where(u < low, 0.0, np.where(u >= high, 1.0, rng.beta(mu * phi, (1.0 - mu) * phi)))
        case "t":
            y = mu + phi * rng.standard_t(info.options[0] if info.options else np.exp(eta[:, 2]), mu.shape)
        case "lognormal":
            s2 = np.log1p((phi / mu) ** 2)
            y = rng.lognormal(np.log(mu) - 0.5 * s2, np.sqrt(s2))
        case "skew_normal":
            omega, xi = _skew_normal_scale(mu, phi, eta[:, 2])
            delta = eta[:, 2] / np.sqrt(1.0 + eta[:, 2] ** 2)
            half = np.abs(rng.standard_normal(mu.shape))
            y = xi + omega * (delta * half + np.sqrt(1.0 - delta**2) * rng.standard_normal(mu.shape))
        case "tweedie":
            rate, shape, scale = _tweedie_parts(mu, phi, tweedie_power(info, eta))
            events = rng.poisson(rate)
            y = np.where(events > 0, rng.gamma(np.maximum(events, 1) * shape, scale), 0.0)
        case "cumulative":
            raise ValueError("an ordinal response is simulated from its category probabilities (simulate_categories)")
        case _:
            y = _invert(info, eta, rng.random(mu.shape), n)
    return np.asarray(y, float)


def _invert(info: FamilyInfo, eta: Array, u: Array, n: Array) -> Array:
    """Smallest count whose distribution function reaches u, in one pass over the counts."""
    y = np.zeros_like(u)
    first = 1.0 if info.support == "positive count" else 0.0
    open_rows = np.arange(u.size)
    total = np.zeros_like(u)
    k = first
    while open_rows.size:
        total[open_rows] += np.exp(info.log_density(np.full(open_rows.size, k), eta[open_rows], n[open_rows]))
        y[open_rows] = k
        open_rows = open_rows[(total[open_rows] < u[open_rows] * (1.0 - 1e-13)) & np.isfinite(total[open_rows])]
        k += 1.0
        if k > 1e6:
            break
    return y


def category_probabilities(info: FamilyInfo, location: Array, thresholds: Array) -> Array:
    """(n, K) probabilities of the categories of an ordinal model, from K - 1 increasing thresholds."""
    below = evaluate(LINKS[info.link].inverse, thresholds[None, :] - location[:, None])
    edges = np.column_stack([np.zeros(len(location)), below, np.ones(len(location))])
    return np.diff(edges, axis=1)


def simulate_categories(info: FamilyInfo, location: Array, thresholds: Array, rng: np.random.Generator) -> Array:
    """A category 0..K-1 a row."""
    below = evaluate(LINKS[info.link].inverse, thresholds[None, :] - location[:, None])
    return np.asarray((rng.random(len(location))[:, None] > below).sum(axis=1), float)
