"""Contrasts and corrections for multiplicity: identities and known values."""

from __future__ import annotations

import numpy as np
import pytest

import tanada as tn
from tanada.post.adjust import adjusted, method_name
from tests.post.conftest import r_data, reference
from tests.post.test_marginal import toy


@pytest.fixture(scope="module")
def model():
    return tn.mixed("y ~ f * x + w + (1 | g)", toy(), quiet=True)


def test_reference_contrasts_are_coefficients(model):
    t = tn.contrasts(model, "f", by={"x": [0]}, method="reference")
    fixed = model.fixef()
    rows = fixed[fixed["term"].isin(["fb", "fc"])]
    np.testing.assert_allclose(t["estimate"], rows["estimate"], rtol=1e-9)
    np.testing.assert_allclose(t["std_error"], rows["std_error"], rtol=1e-9)
    np.testing.assert_allclose(t["p_value"], rows["p_value"], rtol=1e-6)
    assert list(t["contrast"]) == ["b - a", "c - a"]


def test_slopes_contrast_is_the_interaction(model):
    t = tn.contrasts(model, "f", trend="x", method="reference")
    fixed = model.fixef()
    np.testing.assert_allclose(t["estimate"], fixed[fixed["term"].isin(["fb:x", "fc:x"])]["estimate"], rtol=1e-7)


def test_pairwise_by_cells_and_custom(model):
    t = tn.contrasts(model, "f", by="x = c(-1, 1)")
    assert len(t) == 6 and t.columns[:2] == ["x", "contrast"]
    c = tn.contrasts(model, "f", by={"x": [1]}, method={"c against others": {"c": 1, "a": -0.5, "b": -0.5}})
    means = np.asarray(tn.estimate_means(model, ["f", "x = 1"])["estimate"])
    np.testing.assert_allclose(c["estimate"], [means[2] - 0.5 * (means[0] + means[1])], rtol=1e-9)


def test_odds_ratio_of_link_differences(logistic):
    at = {"sch_escs_mean": [0, 0.5]}
    ratio = tn.contrasts(logistic, at, method="revpairwise", comparison="odds_ratio", re="zero")
    link = tn.contrasts(logistic, at, method="revpairwise", kind="link")
    np.testing.assert_allclose(np.log(np.asarray(ratio["estimate"])), link["estimate"], rtol=1e-9)
    np.testing.assert_allclose(np.log(np.asarray(ratio["conf_low"])), link["conf_low"], rtol=1e-8)


def test_stepwise_corrections_as_r_p_adjust():
    p = np.array([0.01, 0.02, 0.03, 0.005])
    none = np.zeros(4)
    get = lambda name: adjusted(name, none, none + np.inf, p, np.eye(4), 4, 0.95)[0]  # noqa: E731
    np.testing.assert_allclose(get("holm"), [0.03, 0.04, 0.04, 0.02])
    np.testing.assert_allclose(get("fdr"), [0.02, 0.08 / 3, 0.03, 0.02])
    np.testing.assert_allclose(get("hochberg"), [0.03, 0.03, 0.03, 0.02])
    np.testing.assert_allclose(get("bonferroni"), [0.04, 0.08, 0.12, 0.02])
    np.testing.assert_allclose(get("by"), np.minimum(np.array([0.02, 0.08 / 3, 0.03, 0.02]) * (1 + 1 / 2 + 1 / 3 + 1 / 4), 1))
    assert method_name("BH") == "fdr"


def test_tukey_of_two_means_is_the_t_test():
    p, crit = adjusted("tukey", np.array([2.1, 1.0]), np.array([20.0, 20.0]), np.array([0.04, 0.3]), np.eye(2), 2, 0.95)
    np.testing.assert_allclose(p, 2 * _t_sf(np.array([2.1, 1.0]), 20), rtol=1e-6)
    np.testing.assert_allclose(crit, 2.0859634, rtol=1e-5)


def _t_sf(t, df):
    from scipy.stats import t as student

    return student.sf(t, df)


def test_mvt_lies_between_none_and_bonferroni(model):
    p = {a: np.asarray(tn.contrasts(model, "f", adjust=a)["p_value"]) for a in ("none", "mvt", "tukey", "bonferroni")}
    assert np.all(p["none"] <= p["mvt"] + 2e-3) and np.all(p["mvt"] <= p["bonferroni"] + 2e-3)
    np.testing.assert_allclose(p["mvt"], p["tukey"], atol=6e-3)


def test_mvt_of_independent_estimates_is_sidak():
    z = np.array([2.0, 2.5, 1.2])
    df = np.full(3, np.inf)
    p = 2 * _norm_sf(z)
    mvt, crit = adjusted("mvt", z, df, p, np.eye(3), 3, 0.95)
    sidak, sidak_crit = adjusted("sidak", z, df, p, np.eye(3), 3, 0.95)
    np.testing.assert_allclose(mvt, sidak, atol=1e-3)
    np.testing.assert_allclose(crit, sidak_crit, atol=0.01)


def _norm_sf(z):
    from scipy.stats import norm

    return norm.sf(z)


EMMEANS = reference("emmeans")
COLUMNS = {"estimate": "estimate", "std_error": "SE", "df": "df", "conf_low": "lower.CL", "conf_high": "upper.CL", "statistic": "t.ratio", "p_value": "p.value"}


@pytest.fixture(scope="module")
def cake():
    return tn.mixed("angle ~ recipe * temp + (1 | recipe:replicate)", r_data("lme4", "cake"), reml=True, quiet=True)


def assert_agrees(table, ref, columns=COLUMNS, **tolerance):
    for ours, theirs in columns.items():
        np.testing.assert_allclose(np.asarray(table[ours], float), ref[theirs], **tolerance, err_msg=ours)


@pytest.mark.parametrize("adjust", ["none", "tukey", "bonferroni", "sidak", "mvt"])
def test_pairwise_contrasts_agree_with_emmeans(adjust, cake):
    t = tn.contrasts(cake, "recipe", by="temp = c(180, 220)", adjust=adjust)
    assert list(t["contrast"]) == EMMEANS[adjust]["contrast"]
    assert_agrees(t, EMMEANS[adjust], rtol=2e-3 if adjust == "mvt" else 1e-5, atol=1e-5)


def test_means_and_trends_agree_with_emmeans(cake):
    means = {**COLUMNS, "estimate": "emmean"}
    assert_agrees(tn.estimate_means(cake, "recipe"), EMMEANS["means"], means, rtol=1e-5, atol=1e-12)
    assert_agrees(tn.estimate_slopes(cake, "temp", by="recipe"), EMMEANS["trends"], {**COLUMNS, "estimate": "temp.trend"}, rtol=1e-5, atol=1e-8)
    assert_agrees(tn.contrasts(cake, "recipe", trend="temp"), EMMEANS["trend_pairs"], rtol=1e-5, atol=1e-8)
