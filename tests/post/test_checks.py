"""Diagnostics: R's values, planted faults that must be found, sound models that must pass."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import tanada as tn
from tests.post.conftest import reference
from tests.post.test_marginal import toy

REF = reference("checks")
FORMULAS = {
    "model1_glm": "1 + (1 | school_id)",
    "model2_glm": "escs_cwc + sch_escs_mean + (1 | school_id)",
    "model3_glm": "escs_cwc + (escs_cwc | school_id)",
    "model4_glm": "escs_cwc * sch_escs_mean + (escs_cwc | school_id)",
}


def status(result, name):
    rows = [s for c, s in zip(result["check"], result["status"], strict=True) if str(c).startswith(name)]
    assert rows, f"no check called {name}"
    return rows[0]


def grouped(rng, groups=40, size=10, sd=1.0):
    g = np.repeat(np.arange(groups), size)
    return g, rng.normal(size=groups * size), sd * rng.normal(size=groups)[g]


@pytest.mark.parametrize("name", FORMULAS)
def test_overdispersion_agrees_with_performance(name, school):
    m = tn.mixed(f"wants_univ ~ {FORMULAS[name]}", school, family="binomial", quiet=True)
    row = tn.check_overdispersion(m).data["ratio"].iloc[0]
    ref = REF["overdispersion"][name]
    np.testing.assert_allclose([row["chisq"], row["df"], row["ratio"]], [ref["chisq"], ref["df"], ref["ratio"]], rtol=2e-6)


def test_population_interval_agrees(school):
    m = tn.mixed("wants_univ ~ 1 + (1 | school_id)", school, family="binomial", quiet=True)
    ref = REF["population_interval"]
    row = tn.population_interval(m).table.iloc[0]
    np.testing.assert_allclose([row["link"], row["link_sd"], row["estimate"]], [ref["mean"], ref["sd"], ref["plogis_mean"]], rtol=1e-5)
    np.testing.assert_allclose([row["conf_low"], row["conf_high"]], ref["interval_95"], rtol=1e-5)
    np.testing.assert_allclose(row["mean"], ref["mean_p_population"], rtol=1e-5)
    half = tn.population_interval(m, 0.5).table.iloc[0]
    np.testing.assert_allclose([half["conf_low"], half["conf_high"]], ref["interval_50"], rtol=1e-5)


def test_population_interval_with_slopes_and_new_data(linear):
    t = tn.population_interval(linear, newdata={"escs_cwc": [0.0, 1.0], "sch_escs_mean": [0.0, 0.0]})
    term = linear.fit.terms[0]
    sd = [np.sqrt(term.cov[0, 0]), np.sqrt(np.array([1, 1]) @ term.cov @ np.array([1, 1]))]
    np.testing.assert_allclose(t["link_sd"], sd)
    np.testing.assert_allclose(t["conf_high"] - t["conf_low"], 2 * 1.959963984540054 * np.array(sd))
    with pytest.raises(tn.ModelError):
        tn.population_interval(linear, group="school")
    with pytest.raises(tn.ModelError, match="factors"):
        tn.population_interval(tn.mixed("y ~ f + (1 | g)", toy(), quiet=True))


def test_groups_without_variation(school):
    m = tn.mixed("wants_univ ~ 1 + (1 | school_id)", school, family="binomial", quiet=True)
    groups = tn.check_separation(m).data["groups"]
    assert list(groups["level"]) == REF["schools_all_same"]["schools_all_1"]
    assert set(groups["all"]) == {1}


def test_separation_is_found():
    rng = np.random.default_rng(1)
    g, x, b = grouped(rng)
    d = pd.DataFrame({"g": g, "x": x, "y": (x > 0).astype(int)})
    m = tn.mixed("y ~ x + (1 | g)", d, family="binomial", quiet=True)
    result = tn.check_separation(m)
    assert status(result, "separation") == "problem" and list(result.data["columns"]["term"]) == ["x"]


def test_overdispersed_and_zero_inflated_counts_are_found():
    rng = np.random.default_rng(2)
    g, x, b = grouped(rng, sd=0.3)
    mu = np.exp(1 + 0.3 * x + b)
    good = pd.DataFrame({"g": g, "x": x, "y": rng.poisson(mu)})
    wild = good.assign(y=rng.negative_binomial(1.0, 1 / (1 + mu)))
    zeros = good.assign(y=np.where(rng.random(len(g)) < 0.3, 0, good["y"]))
    fit = lambda d, **k: tn.mixed("y ~ x + (1 | g)", d, family="poisson", quiet=True, **k)  # noqa: E731
    assert status(tn.check_overdispersion(fit(good)), "over") == "ok"
    assert status(tn.check_overdispersion(fit(wild)), "over") == "warning"
    assert status(tn.check_zeroinflation(fit(good)), "zero") == "ok"
    assert status(tn.check_zeroinflation(fit(zeros)), "zero") == "warning"
    assert status(tn.check_zeroinflation(fit(zeros, zi="~ 1")), "zero") in ("ok", "note")
    assert status(tn.check_residuals(fit(wild), seed=3), "residuals: dispersion") == "warning"


def test_vif_is_that_of_the_regressions():
    rng = np.random.default_rng(3)
    n = 200
    x = rng.normal(size=n)
    d = pd.DataFrame({"x": x, "z": x + 0.2 * rng.normal(size=n), "w": rng.normal(size=n), "y": rng.normal(size=n)})
    m = tn.mixed("y ~ x + z + w", d, quiet=True)
    vif = tn.check_collinearity(m).data["vif"].set_index("term")["vif"]
    X = d[["x", "z", "w"]].to_numpy()
    np.testing.assert_allclose(vif[["x", "z", "w"]], np.diag(np.linalg.inv(np.corrcoef(X.T))), rtol=1e-8)
    assert status(tn.check_collinearity(m), "collinearity") == "problem"


def test_heteroscedasticity_is_found():
    rng = np.random.default_rng(4)
    g, x, b = grouped(rng)
    even = pd.DataFrame({"g": g, "x": x, "y": 2 * x + b + rng.normal(size=len(x))})
    growing = even.assign(y=2 * x + b + np.exp(0.5 * x) * rng.normal(size=len(x)))
    assert status(tn.check_heteroscedasticity(tn.mixed("y ~ x + (1 | g)", even, quiet=True)), "hetero") == "ok"
    assert status(tn.check_heteroscedasticity(tn.mixed("y ~ x + (1 | g)", growing, quiet=True)), "hetero") == "warning"


def test_residuals_are_uniform_when_right_and_seeded():
    rng = np.random.default_rng(5)
    g, x, b = grouped(rng)
    d = pd.DataFrame({"g": g, "x": x, "y": x + b + rng.normal(size=len(x))})
    m = tn.mixed("y ~ x + (1 | g)", d, quiet=True)
    a = tn.check_residuals(m, seed=1)
    assert list(a["status"]) == ["ok"] * 3
    np.testing.assert_array_equal(a.data["residuals"]["residual"], tn.check_residuals(m, seed=1).data["residuals"]["residual"])
    skewed = tn.mixed("y ~ x + (1 | g)", d.assign(y=np.exp(d["y"])), quiet=True)
    assert status(tn.check_residuals(skewed, seed=1), "residuals: uniformity") == "warning"


def test_uniformity_test_holds_its_level_in_grouped_data():
    """With strong grouping a plain KS test would reject far too often."""
    rng = np.random.default_rng(6)
    low = 0
    for s in range(40):
        g, x, b = grouped(rng, groups=15, size=20, sd=2.0)
        m = tn.mixed("y ~ 1 + (1 | g)", {"g": g, "y": b + rng.normal(size=len(g))}, quiet=True)
        low += float(np.asarray(tn.check_residuals(m, n=60, seed=s)["p_value"])[0]) < 0.05
    assert low <= 6


def test_normality_of_effects():
    rng = np.random.default_rng(7)
    g = np.repeat(np.arange(100), 10)
    normal = tn.mixed("y ~ 1 + (1 | g)", {"g": g, "y": 2 * rng.normal(size=100)[g] + rng.normal(size=1000)}, quiet=True)
    skewed = tn.mixed("y ~ 1 + (1 | g)", {"g": g, "y": 2 * rng.exponential(size=100)[g] + rng.normal(size=1000)}, quiet=True)
    assert status(tn.check_ranef_normality(normal), "normality") == "ok"
    result = tn.check_ranef_normality(skewed)
    assert status(result, "normality") == "warning"
    z = result.data["quantiles"]["standardized"]
    assert abs(z.std() - 1) < 0.1 and len(z) == 100


def test_influence_is_that_of_refits():
    rng = np.random.default_rng(8)
    g, x, b = grouped(rng, groups=15, size=8)
    x = x + rng.normal(size=15)[g]
    d = pd.DataFrame({"g": g, "x": x, "y": x + b + rng.normal(size=len(x))})
    d.loc[d["g"] == 3, "y"] += 9 * d.loc[d["g"] == 3, "x"]
    m = tn.mixed("y ~ x + (1 | g)", d, quiet=True)
    exact = tn.check_influence(m, refit=True).data["influence"].set_index("level")
    without = tn.mixed("y ~ x + (1 | g)", d[d["g"] != 3], quiet=True)
    change = m.fit.beta["cond"] - without.fit.beta["cond"]
    np.testing.assert_allclose(exact.loc["3", "cooks_distance"], change @ np.linalg.solve(m.fit.vcov_beta, change) / 2, rtol=1e-4)
    fast = tn.check_influence(m).data["influence"].set_index("level")
    assert fast["cooks_distance"].idxmax() == exact["cooks_distance"].idxmax() == "3"
    assert np.corrcoef(fast["dfbetas: x"], exact["dfbetas: x"])[0, 1] > 0.95


def test_one_step_is_exact_with_variances_held():
    """Balanced data: the fixed effects do not depend on the variance parameters, so one step equals refits."""
    rng = np.random.default_rng(9)
    g, t = np.repeat(np.arange(10), 6), np.tile(np.arange(6.0), 10)
    d = {"g": g, "t": t, "y": t + rng.normal(size=10)[g] + rng.normal(size=60)}
    m = tn.mixed("y ~ t + (t | g)", d, quiet=True)
    a, b = tn.check_influence(m).data["influence"], tn.check_influence(m, refit=True).data["influence"]
    np.testing.assert_allclose(a["cooks_distance"], b["cooks_distance"], rtol=1e-5)


def names_of(m):
    return list(tn.check_mistakes(m)["check"])


def test_mistakes_are_found(school):
    mixed = tn.mixed("read_score ~ escs + (1 | school_id)", school, quiet=True)
    result = tn.check_mistakes(mixed)
    assert list(result["check"]) == ["levels mixed"] and result["status"][0] == "warning"
    assert "tn.center(data, 'escs', by='school_id')" in result["sentence"][0]
    apart = tn.mixed("read_score ~ escs_cwc + sch_escs_mean + (1 | school_id)", school, quiet=True)
    assert names_of(apart) == ["common mistakes"]
    with_mean = tn.mixed("read_score ~ escs + sch_escs_mean + (1 | school_id)", school, quiet=True)
    assert names_of(with_mean) == ["common mistakes"]
    no_fixed = tn.mixed("read_score ~ 1 + (escs_cwc | school_id)", school, quiet=True)
    assert "slope without its fixed effect" in names_of(no_fixed)
    assert "REML" in names_of(tn.mixed("read_score ~ sch_escs_mean + (1 | school_id)", school, reml=True, quiet=True))


def test_stray_group_level_variable(school):
    d = school.assign(ratio=school["s_t_ratio"].astype(float))
    first = d.index[d["school_id"] == d["school_id"].iloc[0]][0]
    d.loc[first, "ratio"] += 3
    m = tn.mixed("read_score ~ ratio + (1 | school_id)", d, quiet=True)
    assert "group-level variable that varies" in names_of(m)
    assert "group-level variable that varies" not in names_of(tn.mixed("read_score ~ s_t_ratio + (1 | school_id)", school, quiet=True))


def test_few_groups_and_tiny_icc():
    rng = np.random.default_rng(10)
    g = np.repeat(np.arange(6), 50)
    found = names_of(tn.mixed("y ~ 1 + (1 | g)", {"g": g, "y": rng.normal(size=300)}, quiet=True))
    assert "few groups" in found and "ICC near zero" in found


def test_check_model_collects_everything(logistic, sleep_model):
    t = tn.check_model(logistic, n=50)
    assert t.columns == ["check", "status", "statistic", "p_value", "sentence"]
    names = [str(n) for n in t["check"]]
    for wanted in ("convergence", "singularity", "overdispersion", "separation", "collinearity", "residuals: uniformity", "influence"):
        assert wanted in names
    assert {"residuals", "scale_location", "quantiles", "influence", "vif"} <= set(t.data)
    assert set(t["status"]) <= {"ok", "note", "warning", "problem", "not applicable"}
    assert "normality of Days | Subject" in list(tn.check_model(sleep_model, n=50)["check"])


def test_check_model_on_polars_and_without_random_effects():
    d = pl.from_pandas(toy())
    t = tn.check_model(tn.mixed("y ~ f + x + (1 | g)", d, quiet=True), n=50)
    assert isinstance(t.table, pl.DataFrame) and isinstance(t.data["influence"], pl.DataFrame)
    plain = tn.check_model(tn.mixed("y ~ f + x", d, quiet=True), n=50)
    assert status(plain, "influence") == "not applicable"


@pytest.mark.parametrize(
    "call",
    [
        lambda m: tn.check_model("m"),
        lambda m: tn.check_residuals(m, n=3),
        lambda m: tn.check_influence(m, group="Subjects"),
        lambda m: tn.check_residuals(m, re="old"),
    ],
)
def test_bad_input(call, sleep_model):
    with pytest.raises(tn.ModelError):
        call(sleep_model)


def test_very_many_rows_are_sampled(monkeypatch, sleep_model):
    from tanada.post import residual_checks

    monkeypatch.setattr(residual_checks, "MAX_ROWS", 100)
    monkeypatch.setattr(residual_checks, "MAX_CELLS", 1000)
    t = tn.check_residuals(sleep_model, n=50)
    assert len(t.data["residuals"]) == 100 and "of 100 rows" in t["sentence"][2]
    assert status(t, "residuals: dispersion") == "ok"
