"""Family information: names, links, checks of the response, starts, residuals."""

from __future__ import annotations

import numpy as np
import pytest

from tanada.engine import family
from tanada.engine.links import LINKS
from tanada.errors import DataError, ModelError


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("Gamma", "gamma"),
        ("normal", "gaussian"),
        ("negbin", "nbinom2"),
        ("nb2", "nbinom2"),
        ("NB1", "nbinom1"),
        ("student", "t"),
        ("ordinal", "cumulative"),
        ("inverse.gaussian", "inverse_gaussian"),
        ("ordbeta", "ordered_beta"),
        ("beta_family", "beta"),
        ("hurdle_poisson", "truncated_poisson"),
    ],
)
def test_aliases(alias, name):
    assert family.get(alias).name == name


def test_unknown_names_are_told_with_near_matches():
    with pytest.raises(ModelError, match="Unknown family 'poison'.*'poisson'"):
        family.get("poison")
    with pytest.raises(ModelError, match="Family 'poisson' has no link 'probit'; it takes 'log', 'sqrt', 'identity'"):
        family.get("poisson", "probit")
    with pytest.raises(ModelError, match="must be a name"):
        family.get(3)
    with pytest.raises(ModelError, match="'df' of family 't' must be a number"):
        family.get("t", options={"df": -2})


@pytest.mark.parametrize("name", family.names())
def test_default_links_come_first_and_are_known(name):
    info = family.get(name)
    assert info.link == info.links[0]
    assert set(info.links) <= set(LINKS)


@pytest.mark.parametrize("name", LINKS)
def test_links_and_their_inverses(name):
    eta = np.array([0.3, 0.7, 1.9])
    link = LINKS[name]
    mean = link.inverse(eta)
    np.testing.assert_allclose(link.link(mean), eta, rtol=1e-12)
    step = 1e-6
    np.testing.assert_allclose(link.slope(eta), (link.inverse(eta + step) - link.inverse(eta - step)) / (2 * step), rtol=1e-7)


BAD = [
    ("poisson", [0.0, 1.0, -2.0], None, False, "negative value \\(-2 in row 3\\).*counts"),
    ("poisson", [0.0, 1.5, 2.0], None, False, "not a whole number \\(1.5 in row 2\\)"),
    ("poisson", [0.0, 0.0], None, False, "All values of the response 'y' are zero"),
    ("nbinom2", [1.0, np.nan], None, False, "not finite"),
    ("gamma", [1.0, 0.0, 3.0], None, False, "0 in row 2.*positive numbers.*zi="),
    ("gamma", [1.0, -1.0, 0.0], None, True, "-1 in row 2"),
    ("beta", [0.2, 1.0], None, False, "ordered_beta"),
    ("ordered_beta", [0.2, 1.2], None, False, "numbers from 0 to 1"),
    ("truncated_poisson", [1.0, 0.0], None, False, "hurdle"),
    ("tweedie", [-0.1, 1.0], None, False, "zero or positive"),
    ("binomial", [0.0, 0.0], [1.0, 1.0], False, "one category only \\(all failures\\)"),
    ("binomial", [2.0, 2.0], [2.0, 2.0], False, "all successes"),
    ("binomial", [3.0, 1.0], [2.0, 2.0], False, "outside 0 to the number of trials"),
    ("binomial", [0.5, 1.0], [2.0, 2.0], False, "not whole"),
    ("binomial", [0.0, 1.0], [0.0, 2.0], False, "trials"),
    ("cumulative", [1.0, 1.0], None, False, "one category only"),
    ("poisson", [1.0, 2.0], None, True, "no zeros"),
    ("gaussian", [], None, False, "no rows"),
]


@pytest.mark.parametrize(("name", "y", "trials", "zero_inflated", "message"), BAD)
def test_responses_outside_the_support_are_refused(name, y, trials, zero_inflated, message):
    with pytest.raises(DataError, match=message):
        family.get(name).check_response(np.array(y), trials, "y", zero_inflated)


GOOD = [
    ("poisson", [0.0, 3.0], None, False),
    ("gamma", [0.0, 3.0], None, True),
    ("truncated_nbinom2", [0.0, 3.0], None, True),
    ("binomial", [0.0, 1.0], None, False),
    ("ordered_beta", [0.0, 0.4, 1.0], None, False),
    ("cumulative", [0.0, 1.0, 2.0], None, False),
    ("gaussian", [-1.0, 2.0], None, False),
]


@pytest.mark.parametrize(("name", "y", "trials", "zero_inflated"), GOOD)
def test_responses_inside_the_support_pass(name, y, trials, zero_inflated):
    family.get(name).check_response(np.array(y), trials, "y", zero_inflated)


@pytest.mark.parametrize("name", [n for n in family.names() if n != "cumulative"])
def test_starts_are_near_the_truth(name):
    """Moment starts from a large sample lie within a factor of three of the dispersion that made it."""
    info = family.get(name, "log" if "log" in family.get(name).links else None)
    rest = {"t": [np.log(6.0)], "tweedie": [0.0], "skew_normal": [2.0], "ordered_beta": [-1.5, 1.5]}.get(name, [])
    shift = 0.5 if name not in ("beta", "betabinomial", "binomial", "ordered_beta") else -0.3
    eta = np.tile([shift, 0.9, *rest][: len(info.predictors)], (4000, 1))
    trials = np.full(4000, 8.0) if info.support == "trials" else None
    y = info.simulate(eta, np.random.default_rng(3), trials)
    start = info.start(y, trials)
    assert start.shape == (len(info.predictors) - 1,)
    assert np.all(np.isfinite(start))
    if start.size:
        assert abs(start[0] - 0.9) < np.log(3.0)


DEVIANCE = [("poisson", "log"), ("nbinom2", "log"), ("gamma", "log"), ("inverse_gaussian", "log"), ("tweedie", "log"), ("gaussian", "identity"), ("binomial", "logit")]


@pytest.mark.parametrize(("name", "link"), DEVIANCE)
def test_unit_deviance_is_twice_the_gap_to_the_saturated_density(name, link):
    info = family.get(name, link)
    y = np.array([1.0, 2.0, 4.0, 6.0])
    trials = np.full(4, 9.0) if name == "binomial" else None
    size = 9.0 if name == "binomial" else 1.0
    tail = [0.4, 0.2][: len(info.predictors) - 1]
    eta = np.tile([0.3, *tail], (4, 1))
    saturated = eta.copy()
    saturated[:, 0] = info.linkfun(y / size)
    gap = 2.0 * (info.log_density(y, saturated, trials) - info.log_density(y, eta, trials))
    mu = info.linkinv(eta[:, 0])
    d = info.deviance_residuals(y / size, mu, eta, trials) ** 2
    scale = {"gamma": np.exp(0.4), "inverse_gaussian": np.exp(-0.4), "tweedie": np.exp(-0.4), "gaussian": np.exp(-0.8)}.get(name, 1.0)
    np.testing.assert_allclose(d * scale, gap, rtol=1e-8, atol=1e-10)


def test_deviance_residuals_say_what_else_there_is():
    with pytest.raises(ModelError, match="quantile"):
        family.get("beta").deviance_residuals(np.array([0.3]), np.array([0.4]), np.zeros((1, 2)))


def test_an_ordinal_model_has_no_mean():
    with pytest.raises(ModelError, match="category probabilities"):
        family.get("cumulative", options={"categories": 3}).mean(np.zeros((2, 3)))
