"""Every family fits data that it simulated: the truth lies within four standard errors, with and without zero inflation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import tanada as tn
from tanada.engine import family

GROUPS, SIZE = 60, 25
SHAPES = {"t": [np.log(6.0)], "tweedie": [0.2], "skew_normal": [3.0], "ordered_beta": [-1.5, 1.5]}
NAMES = [n for n in family.names() if n != "cumulative"]


def without_zeros(name):
    """Zero inflation is meant for counts and positive responses."""
    return family.get(name).support in ("real", "trials", "closed unit")


def linked(name):
    info = family.get(name)
    return "log" if "log" in info.links and info.support not in ("real", "unit", "trials") else info.link


def simulated(name, zero_inflated, seed=5):
    """Data, and the truth of the fixed effects, dispersion and shapes."""
    info = family.get(name, linked(name))
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(GROUPS), SIZE)
    n = g.size
    x = rng.normal(size=n)
    beta = np.array([0.6, 0.4])
    location = beta[0] + beta[1] * x + 0.4 * rng.normal(size=GROUPS)[g]
    tail = [0.5, *SHAPES.get(name, [])][: len(info.predictors) - 1]
    eta = np.column_stack([location, np.tile(tail, (n, 1))]) if tail else location[:, None]
    if zero_inflated:
        eta = np.column_stack([eta, np.full(n, -1.2)])
    trials = np.full(n, 6.0) if info.support == "trials" else None
    y = info.simulate(eta, rng, trials, zero_inflated)
    return pd.DataFrame({"y": y, "rest": 6.0 - y, "x": x, "g": g.astype(str)}), beta, np.array(tail)


CASES = [(name, zero_inflated) for name in NAMES for zero_inflated in (False, True) if not (zero_inflated and without_zeros(name))]


@pytest.mark.parametrize(("name", "zero_inflated"), CASES)
def test_family_recovers_what_it_simulated(name, zero_inflated):
    d, beta, tail = simulated(name, zero_inflated)
    left = "cbind(y, rest)" if family.get(name).support == "trials" else "y"
    m = tn.mixed(f"{left} ~ x + (1 | g)", d, family=name, link=linked(name), zi="~ 1" if zero_inflated else None, quiet=True)
    assert m.converged, m.verdict
    table = m.fixef(ddf="z")
    cond = table[table["component"] == "cond"]
    z = (cond["estimate"].to_numpy() - beta) / cond["std_error"].to_numpy()
    assert np.all(np.abs(z) < 4.0), z
    if zero_inflated:
        zi = table[table["component"] == "zi"].iloc[0]
        assert abs(zi["estimate"] + 1.2) < 4.0 * zi["std_error"]
    assert 0.25 < np.sqrt(m.fit.terms[0].cov[0, 0]) < 0.6
    if name == "gaussian" and not zero_inflated:
        assert m.sigma == pytest.approx(np.exp(tail[0]), rel=0.1)
        return
    at = np.concatenate([m.fit.params.index(b) for b in ("sigma", "dispersion", "shape")]).astype(int)
    se = np.sqrt(np.diag(m.fit.extra["vcov"]))[at]
    gap = m.fit.values[at] - tail
    assert np.all(np.abs(gap) < 4.0 * se + 0.02), (gap, se)


@pytest.mark.parametrize("link", family.get("cumulative").links)
def test_ordinal_models_recover_what_they_simulated(link):
    rng = np.random.default_rng(8)
    g = np.repeat(np.arange(80), 25)
    x = rng.normal(size=g.size)
    thresholds = np.array([-1.0, 0.2, 1.1])
    info = family.get("ordinal", link, {"categories": 4})
    y = family.simulate_categories(info, 0.7 * x + 0.5 * rng.normal(size=80)[g], thresholds, rng)
    d = pd.DataFrame({"y": pd.Categorical(y.astype(int), ordered=True), "x": x, "g": g.astype(str)})
    m = tn.mixed("y ~ x + (1 | g)", d, family="ordinal", link=link, quiet=True)
    assert m.converged, m.verdict
    table = m.fixef(ddf="z")
    slope = table[table["term"] == "x"].iloc[0]
    assert abs(slope["estimate"] - 0.7) < 4.0 * slope["std_error"]
    at = m.fit.params.index("threshold")
    se = np.sqrt(np.diag(m.fit.extra["vcov"]))[at]
    assert np.all(np.abs(m.fit.values[at] - thresholds) < 4.0 * se + 0.02)
