"""Densities add up to one, have the moments they claim, agree with scipy.stats; simulation follows the distribution function."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from tanada.engine import family
from tests.family.cases import REGISTRY, options, predictors

NAMES = [name for name in REGISTRY if name != "cumulative"]


def info_of(name, link=None):
    return family.get(name, link, {"categories": 4} if REGISTRY[name]["support"] == "category" else None)


def point(name, seed=3, zero_inflated=False, n=1):
    info = info_of(name)
    link = "log" if "log" in info.links and info.support not in ("real", "trials", "unit") else info.link
    info = info_of(name, link)
    rng = np.random.default_rng(seed)
    eta = predictors(name, link, 1, rng)
    if zero_inflated:
        eta = np.column_stack([eta, [-0.6]])
    return info, np.repeat(eta, n, axis=0)


def total_and_moments(info, eta, zero_inflated):
    """Integral (sum) of the density with 1, y and y^2."""
    def density(y):
        y = np.atleast_1d(np.asarray(y, float))
        trials = np.full(y.shape, 7.0) if info.support == "trials" else None
        return np.exp(info.log_density(y, np.repeat(eta, y.size, axis=0), trials, zero_inflated))

    if info.discrete:
        y = np.arange(8.0) if info.support == "trials" else np.arange(0.0, 3000.0)
        p = density(y)
        return p.sum(), (p * y).sum(), (p * y**2).sum()
    mass = {}
    if zero_inflated or info.support in ("nonnegative", "closed unit"):
        mass[0.0] = density(0.0)[0]
    if info.support == "closed unit":
        mass[1.0] = density(1.0)[0]
    low, high = {"real": (-np.inf, np.inf), "unit": (0, 1), "closed unit": (0, 1)}.get(info.support, (0, np.inf))
    out = []
    for power in range(3):
        value = integrate.quad(lambda y, k=power: density(y)[0] * y**k, low, high, limit=400, points=None)[0]
        out.append(value + sum(m * at**power for at, m in mass.items()))
    return tuple(out)


@pytest.mark.parametrize("zero_inflated", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_density_adds_up_to_one_with_its_moments(name, zero_inflated):
    info, eta = point(name, zero_inflated=zero_inflated)
    if name == "t":
        eta[:, 2] = 2.0
    total, first, second = total_and_moments(info, eta, zero_inflated)
    assert total == pytest.approx(1.0, abs=2e-6)
    trials = np.array([7.0]) if info.support == "trials" else None
    size = 7.0 if info.support == "trials" else 1.0
    assert size * info.mean(eta, trials, zero_inflated)[0] == pytest.approx(first, rel=1e-5, abs=1e-6)
    assert size**2 * info.variance(eta, trials, zero_inflated)[0] == pytest.approx(second - first**2, rel=1e-4)


@pytest.mark.parametrize("zero_inflated", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_simulation_follows_the_distribution_function(name, zero_inflated):
    n = 4000
    info, eta = point(name, seed=5, zero_inflated=zero_inflated, n=n)
    trials = np.full(n, 7.0) if info.support == "trials" else None
    y = info.simulate(eta, np.random.default_rng(11), trials, zero_inflated)
    r = info.quantile_residuals(y, eta, trials, zero_inflated, seed=2)
    assert stats.kstest(r, "norm").pvalue > 1e-3
    mean = info.mean(eta, trials, zero_inflated)[0] * (7.0 if trials is not None else 1.0)
    assert y.mean() == pytest.approx(mean, abs=5.0 * y.std() / np.sqrt(n))


@pytest.mark.parametrize("link", REGISTRY["cumulative"]["links"])
def test_ordinal_probabilities_and_simulation(link):
    info = info_of("cumulative", link)
    thresholds = np.array([-0.8, 0.3, 1.4])
    location = np.linspace(-1.0, 1.0, 5)
    p = family.category_probabilities(info, location, thresholds)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    for k in range(4):
        eta = np.column_stack([location, np.full(5, thresholds[max(k - 1, 0)]), np.full(5, thresholds[min(k, 2)])])
        np.testing.assert_allclose(np.exp(info.log_density(np.full(5, float(k)), eta)), p[:, k], rtol=1e-10)
    y = family.simulate_categories(info, np.zeros(20000), thresholds, np.random.default_rng(1))
    expected = family.category_probabilities(info, np.zeros(1), thresholds)[0]
    np.testing.assert_allclose(np.bincount(y.astype(int), minlength=4) / 20000, expected, atol=0.015)


REFERENCES = {
    "gaussian": lambda y, mu, e: stats.norm.logpdf(y, mu, np.exp(e[1])),
    "poisson": lambda y, mu, e: stats.poisson.logpmf(y, mu),
    "nbinom2": lambda y, mu, e: stats.nbinom.logpmf(y, np.exp(e[1]), np.exp(e[1]) / (np.exp(e[1]) + mu)),
    "nbinom1": lambda y, mu, e: stats.nbinom.logpmf(y, mu / np.exp(e[1]), 1.0 / (1.0 + np.exp(e[1]))),
    "gamma": lambda y, mu, e: stats.gamma.logpdf(y, np.exp(e[1]), scale=mu / np.exp(e[1])),
    "inverse_gaussian": lambda y, mu, e: stats.invgauss.logpdf(y, mu * np.exp(e[1]), scale=np.exp(-e[1])),
    "beta": lambda y, mu, e: stats.beta.logpdf(y, mu * np.exp(e[1]), (1 - mu) * np.exp(e[1])),
    "t": lambda y, mu, e: stats.t.logpdf(y, np.exp(e[2]), mu, np.exp(e[1])),
    "lognormal": lambda y, mu, e: stats.lognorm.logpdf(
        y, np.sqrt(np.log1p((np.exp(e[1]) / mu) ** 2)), scale=mu / np.sqrt(1.0 + (np.exp(e[1]) / mu) ** 2)
    ),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_log_density_agrees_with_scipy(name):
    info, eta = point(name, seed=8)
    y = {"real": np.linspace(-3, 4, 9), "unit": np.linspace(0.05, 0.95, 9), "count": np.arange(0.0, 90.0, 10.0)}.get(
        info.support, np.linspace(0.1, 6.0, 9)
    )
    expected = REFERENCES[name](y, info.linkinv(eta[:, 0])[0], eta[0])
    np.testing.assert_allclose(info.log_density(y, np.repeat(eta, y.size, axis=0)), expected, rtol=1e-9, atol=1e-10)


def test_binomial_and_betabinomial_agree_with_scipy():
    y, n = np.arange(0.0, 9.0), np.full(9, 8.0)
    eta = np.full((9, 2), [0.4, 1.1])
    p, phi = 1.0 / (1.0 + np.exp(-0.4)), np.exp(1.1)
    np.testing.assert_allclose(family.get("binomial").log_density(y, eta[:, :1], n), stats.binom.logpmf(y, 8, p), rtol=1e-10)
    np.testing.assert_allclose(
        family.get("betabinomial").log_density(y, eta, n), stats.betabinom.logpmf(y, 8, p * phi, (1 - p) * phi), rtol=1e-9
    )


def test_skew_normal_agrees_with_scipy():
    y = np.linspace(-3, 5, 11)
    alpha, phi, mu = 2.5, 1.3, 0.7
    delta = alpha / np.sqrt(1 + alpha**2)
    omega = phi / np.sqrt(1 - 2 * delta**2 / np.pi)
    eta = np.tile([mu, np.log(phi), alpha], (11, 1))
    expected = stats.skewnorm.logpdf(y, alpha, mu - omega * delta * np.sqrt(2 / np.pi), omega)
    np.testing.assert_allclose(family.get("skew_normal").log_density(y, eta), expected, rtol=1e-9)


def test_options_change_the_number_of_predictors():
    info = family.get("student", options={"df": 4})
    assert info.predictors == ("location", "log_scale")
    assert info.options == (4.0,)
    np.testing.assert_allclose(info.log_density([0.5], np.array([[0.1, 0.2]])), stats.t.logpdf(0.5, 4, 0.1, np.exp(0.2)))
    assert options("cumulative") == [4.0]
