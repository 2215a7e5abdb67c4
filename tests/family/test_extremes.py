"""Far predictors: finite values and derivatives, and the limits the families have."""

from __future__ import annotations

import numpy as np
import pytest

from tanada import _core
from tanada.engine import family
from tests.family.cases import REGISTRY, evaluate, make

# Log densities that are beyond the range of a double at that predictor.
BEYOND = {("gamma", -700.0), ("inverse_gaussian", -700.0), ("lognormal", 700.0)}


@pytest.mark.parametrize("zero_inflated", [False, True])
@pytest.mark.parametrize("place", [-700.0, -50.0, 50.0, 700.0])
@pytest.mark.parametrize("name", REGISTRY)
def test_far_locations_are_finite(name, place, zero_inflated):
    entry = REGISTRY[name]
    link = "log" if "log" in entry["links"] and entry["support"] not in ("real", "trials", "unit") else entry["links"][0]
    data = make(name, link, zero_inflated=zero_inflated)
    data[3][:, 0] = place
    if (name, place) in BEYOND:
        assert not np.any(np.isnan(evaluate(name, link, data, 0, zero_inflated)[0]))
        return
    for part in evaluate(name, link, data, 3, zero_inflated):
        assert np.all(np.isfinite(part))


def value_at(name, y, eta, link=None, trials=None):
    info = family.get(name, link)
    return info.log_density(y, np.tile(eta, (len(y), 1)), trials)


COUNTS = np.array([0.0, 1.0, 5.0, 50.0, 300.0])


@pytest.mark.parametrize(("name", "log_phi"), [("nbinom2", 25.0), ("nbinom1", -25.0), ("genpois", 1e-12), ("compois", 1e-12)])
def test_counts_go_to_the_poisson(name, log_phi):
    np.testing.assert_allclose(value_at(name, COUNTS, [1.3, log_phi]), value_at("poisson", COUNTS, [1.3]), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("log_phi", [15.0, 25.0, 35.0, 300.0])
def test_nbinom2_derivative_in_log_phi_vanishes_smoothly(log_phi):
    """d / d log phi goes to -[(y - mu)^2 - y] / (2 phi)."""
    y, mu = COUNTS, np.exp(1.3)
    eta = np.tile([1.3, log_phi], (y.size, 1))
    ones = np.ones_like(y)
    d1 = _core.family_evaluate("nbinom2", "log", False, [], y, ones, ones, eta, 1)[1][:, 1]
    expected = -((y - mu) ** 2 - y) / (2.0 * np.exp(log_phi))
    np.testing.assert_allclose(d1, expected, atol=1e-10 * y.max() + np.abs(expected).max() * 1e-2)


def test_betabinomial_goes_to_the_binomial():
    y, n = np.array([0.0, 3.0, 60.0, 100.0]), np.full(4, 100.0)
    np.testing.assert_allclose(
        value_at("betabinomial", y, [0.4, 32.0], trials=n), value_at("binomial", y, [0.4], trials=n), rtol=1e-9, atol=1e-9
    )


def test_t_goes_to_the_gaussian():
    y = np.linspace(-4, 4, 9)
    np.testing.assert_allclose(value_at("t", y, [0.3, 0.2, 30.0]), value_at("gaussian", y, [0.3, 0.2]), rtol=1e-10)


def test_gamma_with_a_large_shape_is_close_to_a_gaussian():
    y = np.array([0.9999, 1.0, 1.0001])
    np.testing.assert_allclose(
        value_at("gamma", y, [0.0, np.log(1e8)], "log"), value_at("gaussian", y, [1.0, np.log(1e-4)]), atol=1e-3
    )


def test_truncated_poisson_with_a_tiny_mean_is_one():
    np.testing.assert_allclose(value_at("truncated_poisson", np.array([1.0]), [-600.0]), [0.0], atol=1e-12)


def test_tiny_probabilities_keep_their_digits():
    y = np.array([1.0])
    assert value_at("binomial", y, [-600.0])[0] == pytest.approx(-600.0, rel=1e-14)
    assert value_at("binomial", y, [-600.0], "cloglog")[0] == pytest.approx(-600.0, rel=1e-14)
    assert value_at("binomial", y, [-30.0], "probit")[0] == pytest.approx(-454.3212439563432, rel=1e-12)
    assert value_at("binomial", np.array([0.0]), [600.0])[0] == pytest.approx(-600.0, rel=1e-14)


@pytest.mark.parametrize("mean", [0.01, 0.6, 5.0, 300.0, 5e5, 2e7])
@pytest.mark.parametrize("phi", [0.3, 1.0, 4.0, 80.0])
def test_compois_has_the_mean_it_is_given(mean, phi):
    """d log f / d eta is (y - mu) mu / Var at any y: zero at y = mu; and adds up to one over the counts that matter."""
    eta = np.array([[np.log(mean), np.log(phi)]])
    one = np.ones(1)
    d1 = _core.family_evaluate("compois", "log", False, [], np.array([mean]), one, one, eta, 1)[1]
    assert abs(d1[0, 0]) < 1e-5 * max(1.0, np.sqrt(mean))
    if mean <= 300.0:
        y = np.arange(0.0, 20.0 * (mean + 10.0) * max(phi, 1.0))
        p = np.exp(value_at("compois", y, eta[0]))
        assert p.sum() == pytest.approx(1.0, abs=1e-9)
        assert (p * y).sum() == pytest.approx(mean, rel=1e-8)


@pytest.mark.parametrize("p", [1.02, 1.3, 1.7, 1.98])
@pytest.mark.parametrize("phi", [1e-3, 0.5, 20.0])
def test_tweedie_series_against_direct_summation(p, phi):
    from scipy import special

    mu, y = 2.5, np.array([0.05, 1.0, 2.4, 9.0])
    a = (2 - p) / (p - 1)
    rate, scale = mu ** (2 - p) / (phi * (2 - p)), phi * (p - 1) * mu ** (p - 1)
    j = np.arange(1.0, 6.0 * rate + 4000.0)[:, None]
    terms = j * np.log(rate) - rate - special.gammaln(j + 1) + (j * a - 1) * np.log(y) - y / scale - j * a * np.log(scale) - special.gammaln(j * a)
    expected = special.logsumexp(terms, axis=0)
    got = value_at("tweedie", y, [np.log(mu), np.log(phi), np.log((p - 1) / (2 - p))])
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-7)
