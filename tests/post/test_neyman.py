"""Johnson-Neyman intervals: closed form, R's values, flat and disjoint cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import tanada as tn
from tanada.inference.ddf import FixedDf, FixedTests
from tanada.post.neyman import SlopeCurve, johnson_neyman_bounds
from tests.post.conftest import reference

REF = reference("slopes")


def quadratic_roots(b1, b3, V, crit):
    a, b, c = b3**2 - crit**2 * V[1, 1], 2 * (b1 * b3 - crit**2 * V[0, 1]), b1**2 - crit**2 * V[0, 0]
    return np.sort(np.roots([a, b, c]))


def test_ends_are_the_closed_form(linear, logistic):
    for m in (linear, logistic):
        j = tn.johnson_neyman(m, "escs_cwc", "sch_escs_mean", ddf="z")
        names = m.fixed_names()
        at = [names.index("escs_cwc"), names.index("escs_cwc:sch_escs_mean")]
        V = m.fit.vcov_beta[np.ix_(at, at)]
        expected = quadratic_roots(*m.fit.beta["cond"][at], V, 1.959963984540054)
        assert j.exact
        np.testing.assert_allclose(j.bounds, expected, rtol=1e-6)


def test_r_values(linear, linear_reml, logistic):
    for m, name in ((linear, "lmer_ML"), (linear_reml, "lmer_REML")):
        ref = REF["linear"][name]
        np.testing.assert_allclose(tn.johnson_neyman(m, "escs_cwc", "sch_escs_mean", ddf="z").bounds, ref["jn_z"]["roots"], atol=2e-5)
        np.testing.assert_allclose(tn.johnson_neyman(m, "escs_cwc", "sch_escs_mean").bounds, ref["jn_satterthwaite"]["roots"], atol=2e-4)
        residual = tn.johnson_neyman(m, "escs_cwc", "sch_escs_mean", ddf="residual")
        np.testing.assert_allclose(residual.bounds, ref["jn_t_residual_df"]["roots"], atol=2e-4)
    for name, (estimate, re) in {"typical": ("typical", "modes"), "population": ("typical", "zero")}.items():
        j = tn.johnson_neyman(logistic, "escs_cwc", "sch_escs_mean", kind="response", estimate=estimate, re=re)
        np.testing.assert_allclose(j.bounds, REF["logistic"]["slopes"][name]["jn_roots_in_range"], atol=5e-6)


def test_table_and_words(linear):
    j = tn.johnson_neyman(linear, "escs_cwc", "sch_escs_mean", ddf="z")
    assert list(j["significant"]) == [False, True, False]
    assert j.columns == ["start", "end", "direction", "significant"]
    np.testing.assert_allclose([j["start"][1], j["end"][1]], j.bounds)
    assert "positive and significant (p < 0.05) when sch_escs_mean is between" in str(j)
    slopes = tn.estimate_slopes(linear, "escs_cwc", by={"sch_escs_mean": list(j.bounds)}, ddf="z")
    np.testing.assert_allclose(slopes["p_value"], 0.05, rtol=1e-7)
    assert len(j.data["curve"]) == 200


def test_significance_on_the_grid_never_disagrees_with_the_ends(logistic):
    j = tn.johnson_neyman(logistic, "escs_cwc", "sch_escs_mean", kind="response")
    grid = tn.estimate_slopes(logistic, "escs_cwc", by="sch_escs_mean", length=400)
    inside = np.asarray(grid["sch_escs_mean"]) < j.bounds[0]
    assert np.array_equal(inside, np.asarray(grid["p_value"]) < 0.05)


def curve_of(b, V, level=0.95, df=np.inf):
    """Slope b0 + b1 v with covariance V."""
    tests = FixedTests("z", np.asarray(b, float), FixedDf(np.asarray(V, float), df))

    def curve(v):
        g = np.column_stack([np.ones_like(v), v])
        return g @ np.asarray(b, float), g

    return SlopeCurve(curve, tests, level)


def test_disjoint_case():
    found = johnson_neyman_bounds(curve_of([0.0, 1.0], [[0.04, 0], [0, 0.01]]), (-3, 3), False)
    assert list(found.columns["direction"]) == ["negative", "changes sign", "positive"]
    assert list(found.columns["significant"]) == [True, False, True]
    expected = 1.959963984540054 * 0.2 / np.sqrt(1 - 1.959963984540054**2 * 0.01)
    np.testing.assert_allclose(found.bounds, [-expected, expected], rtol=1e-12)


def test_never_and_always_significant():
    never = johnson_neyman_bounds(curve_of([0.1, 0.0], [[1, 0], [0, 0.2]]), (-1, 1), False)
    assert never.bounds == () and not never.columns["significant"].any()
    always = johnson_neyman_bounds(curve_of([5.0, 0.01], [[0.1, 0], [0, 1e-9]]), (-1, 1), False)
    assert always.columns["significant"].all() and len(always.columns["start"]) == 1


def test_flat_slope_without_interaction():
    rng = np.random.default_rng(2)
    d = pd.DataFrame({"x": rng.normal(size=200), "z": rng.normal(size=200), "g": np.repeat(np.arange(20), 10)})
    d["y"] = d["x"] + rng.normal(size=200)
    j = tn.johnson_neyman(tn.mixed("y ~ x + z + (1 | g)", d, quiet=True), "x", "z")
    assert j.bounds == () and list(j["significant"]) == [True]
    assert "at every observed value of z" in str(j)


def test_false_discovery_rate_narrows_the_interval(linear):
    plain = tn.johnson_neyman(linear, "escs_cwc", "sch_escs_mean", ddf="z")
    fdr = tn.johnson_neyman(linear, "escs_cwc", "sch_escs_mean", ddf="z", adjust="esarey-sumner")
    assert plain.bounds[0] < fdr.bounds[0] < fdr.bounds[1] < plain.bounds[1]
    assert fdr.critical > 1.96
    low, high = fdr.observed
    v = np.linspace(low, high, 1000)
    p = np.sort(np.asarray(tn.estimate_slopes(linear, "escs_cwc", by={"sch_escs_mean": v}, ddf="z")["p_value"]))
    passed = np.flatnonzero(p <= 0.05 * np.arange(1, 1001) / 1000)[-1] + 1
    share = (fdr.bounds[1] - fdr.bounds[0]) / (high - low)
    assert abs(share - passed / 1000) < 5e-3


def test_curved_moderator_has_more_roots():
    rng = np.random.default_rng(5)
    n = 600
    d = pd.DataFrame({"x": rng.normal(size=n), "z": rng.uniform(-2, 2, n), "g": np.repeat(np.arange(60), 10)})
    d["y"] = d["x"] * (d["z"] ** 2 - 1) + 0.3 * rng.normal(size=n)
    m = tn.mixed("y ~ x * (z + I(z^2)) + (1 | g)", d, quiet=True)
    j = tn.johnson_neyman(m, "x", "z", ddf="z")
    assert len(j.bounds) == 4 and not j.exact
    assert list(j["direction"]) == ["positive", "changes sign", "negative", "changes sign", "positive"]
    p = np.asarray(tn.estimate_slopes(m, "x", by={"z": list(j.bounds)}, ddf="z")["p_value"])
    np.testing.assert_allclose(p, 0.05, rtol=1e-7)


def test_level_is_obeyed(linear):
    wide = tn.johnson_neyman(linear, "escs_cwc", "sch_escs_mean", level=0.90, ddf="z")
    narrow = tn.johnson_neyman(linear, "escs_cwc", "sch_escs_mean", level=0.95, ddf="z")
    assert wide.bounds[0] < narrow.bounds[0] and wide.bounds[1] > narrow.bounds[1]
    with pytest.raises(tn.ModelError):
        tn.johnson_neyman(linear, "escs_cwc", "sch_escs_mean", level=95)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_ends_move_with_the_units(scale, school):
    d = school.assign(v=school["sch_escs_mean"] * scale, x=school["escs_cwc"] / scale)
    base = tn.johnson_neyman(tn.mixed("read_score ~ escs_cwc * sch_escs_mean + (1 | school_id)", school, quiet=True), "escs_cwc", "sch_escs_mean", ddf="z")
    j = tn.johnson_neyman(tn.mixed("read_score ~ x * v + (1 | school_id)", d, quiet=True), "x", "v", ddf="z")
    np.testing.assert_allclose(np.array(j.bounds) / scale, base.bounds, rtol=1e-5)
    assert j.exact
