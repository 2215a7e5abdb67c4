"""Influence of groups against fits without them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

import tanada as tn
from tanada.plot.quantiles import normal_scores


def data(seed: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(12), 6)
    x = rng.normal(size=72)
    return {"y": 1 + 0.5 * x + rng.normal(size=12)[g] + rng.normal(size=72), "x": x, "g": g}


def test_cook_distance_is_that_of_leaving_the_group_out() -> None:
    d = data()
    m = tn.mixed("y ~ x + (1 | g)", d)
    found = m.plot("influence", data_only=True)
    s2, t2 = m.sigma**2, m.varcorr()["variance"].iloc[0]
    X = np.column_stack([np.ones(72), d["x"]])
    V = s2 * np.eye(72) + t2 * (d["g"][:, None] == d["g"][None, :])

    def gls(keep: Any) -> tuple[Any, Any]:
        W = np.linalg.inv(V[np.ix_(keep, keep)])
        K = X[keep].T @ W @ X[keep]
        return np.linalg.solve(K, X[keep].T @ W @ d["y"][keep]), K

    whole, K = gls(np.arange(72))
    for level in (0, 5, 11):
        without, _ = gls(np.flatnonzero(d["g"] != level))
        change = without - whole
        np.testing.assert_allclose(found["cook"].iloc[level], change @ K @ change / 2, rtol=1e-6)
        np.testing.assert_allclose(found["x"].iloc[level], -change[1] * np.sqrt(1 / np.linalg.inv(K)[1, 1]), rtol=1e-6)


def test_one_step_for_a_logistic_model_is_near_a_refit() -> None:
    survey = tn.load_dataset("school_survey")
    m = tn.mixed("wants_univ ~ escs + (1 | school_id)", survey, family="binomial")
    found = m.plot("influence", data_only=True).sort_values("cook", ascending=False)
    top = found.iloc[0]
    again = m.update(data=survey[survey["school_id"] != top["level"]])
    se = m.fixef()["std_error"].to_numpy()
    change = (m.fixef()["estimate"].to_numpy() - again.fixef()["estimate"].to_numpy()) / se
    np.testing.assert_allclose([top["(Intercept)"], top["escs"]], change, atol=0.08)


def test_simulated_residuals_of_a_right_model_are_normal(seeds: Any) -> None:
    r = normal_scores(seeds.fit, 400, 1)[1]
    assert stats.kstest(r, "norm").pvalue > 0.01


def test_simulated_residuals_see_overdispersion() -> None:
    m = tn.mixed("cbind(y, N - y) ~ x", tn.load_dataset("seed_survival"), family="binomial")
    assert stats.kstest(normal_scores(m.fit, 400, 1)[1], "norm").pvalue < 1e-4
