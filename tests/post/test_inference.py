"""Profile and bootstrap intervals, hypotheses, tests of variances, comparison, cross-validation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import tanada as tn
from tanada.inference.boundary_tests import chi_bar_p
from tanada.inference.natural import correlation_factor, partial_correlations
from tests.post.conftest import r_data, reference
from tests.post.test_marginal import toy

PROFILE = reference("profile")["confint"]
CLASSIC = {
    "sleepstudy.lmer_ML": ("sleepstudy", "Reaction ~ Days + (Days | Subject)", "ML"),
    "sleepstudy.lmer_REML": ("sleepstudy", "Reaction ~ Days + (Days | Subject)", "REML"),
    "sleepstudy_int.lmer_ML": ("sleepstudy", "Reaction ~ Days + (1 | Subject)", "ML"),
    "sleepstudy_uncorr.lmer_ML": ("sleepstudy", "Reaction ~ Days + (Days || Subject)", "ML"),
    "Dyestuff.lmer_ML": ("Dyestuff", "Yield ~ 1 + (1 | Batch)", "ML"),
    "Dyestuff2.lmer_ML": ("Dyestuff2", "Yield ~ 1 + (1 | Batch)", "ML"),
    "Penicillin.lmer_ML": ("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", "ML"),
    "Pastes.lmer_ML": ("Pastes", "strength ~ 1 + (1 | batch) + (1 | cask:batch)", "ML"),
}


def ours_name(name: str) -> str:
    kind, _, rest = name.partition("_")
    if kind == "sd":
        return f"sd({rest})"
    if kind == "cor":
        terms, _, group = rest.partition("|")
        b, _, a = terms.partition(".")
        return f"cor({a},{b}|{group})"
    return name


@pytest.mark.parametrize("case", CLASSIC)
def test_profile_intervals_agree_with_lme4(case):
    """lme4 interpolates zeta by splines; both limits agree to 5e-4 of the interval's width."""
    name, formula, method = CLASSIC[case]
    m = tn.mixed(formula, r_data("lme4", name), reml=method == "REML", quiet=True)
    table = m.confint(method="profile").set_index("term")
    ref = PROFILE[case]
    for row, (low, high) in zip(ref["rows"], ref["values"], strict=True):
        ours = table.loc[ours_name(row)]
        np.testing.assert_allclose([ours["conf_low"], ours["conf_high"]], [low, high], atol=5e-4 * (high - low), err_msg=row)


def test_profile_ends_have_the_deviance_of_their_level(sleep, sleep_model):
    """A refit with the slope held at a limit rises by the chi-square quantile."""
    m = sleep_model
    row = m.confint(method="profile", parm="Days").iloc[0]
    for end in (row["conf_low"], row["conf_high"]):
        held = tn.mixed("y ~ 1 + (Days | Subject)", sleep.assign(y=sleep["Reaction"] - end * sleep["Days"]), quiet=True)
        assert abs(2 * (m.loglik - held.loglik) - 3.841458820694124) < 1e-5


def test_profile_selects_parameters(sleep_model):
    assert list(sleep_model.confint(method="profile", parm="sigma")["term"]) == ["sigma"]
    assert list(sleep_model.confint(method="profile", parm="fixed")["term"]) == ["(Intercept)", "Days"]


def test_profile_of_three_correlated_effects_brackets_the_estimate():
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(30), 12)
    x, z = rng.normal(size=(2, 360))
    b = rng.multivariate_normal([0, 0, 0], [[1, 0.5, 0.2], [0.5, 1, -0.3], [0.2, -0.3, 1]], 30)
    d = pd.DataFrame({"g": g, "x": x, "z": z, "y": b[g, 0] + b[g, 1] * x + b[g, 2] * z + rng.normal(size=360)})
    m = tn.mixed("y ~ x + z + (x + z | g)", d, quiet=True)
    name = "cor(x,z|g)"
    low, high = m.confint(method="profile", parm=name).iloc[0][["conf_low", "conf_high"]]
    v = m.varcorr()
    estimate = v.loc[(v["term1"] == "x") & (v["term2"] == "z"), "correlation"].iloc[0]
    wald = m.confint(parm=name).iloc[0]
    assert low < estimate < high
    np.testing.assert_allclose([low, high], [wald["conf_low"], wald["conf_high"]], atol=0.08)


def test_profile_of_a_logistic_model_is_near_wald(logistic):
    p = logistic.confint(method="profile", parm="escs_cwc").iloc[0]
    w = logistic.confint(parm="escs_cwc").iloc[0]
    np.testing.assert_allclose([p["conf_low"], p["conf_high"]], [w["conf_low"], w["conf_high"]], atol=0.01)


def test_partial_correlations_invert():
    p = np.array([0.3, -0.5, 0.2, 0.7, 0.1, -0.6])
    L = correlation_factor(p, 4)
    np.testing.assert_allclose(np.diag(L @ L.T), 1)
    np.testing.assert_allclose(partial_correlations(L @ L.T), p, atol=1e-12)


def test_bootstrap_is_reproducible_whatever_the_workers(sleep_model):
    a = sleep_model.bootstrap(40, seed=7)
    b = sleep_model.bootstrap(40, seed=7, workers=3)
    pd.testing.assert_frame_equal(a.table, b.table, rtol=1e-6)
    assert a.failed == 0 and a.n == 40 and len(a.data["replicates"]) == 40
    assert not a.table.equals(sleep_model.bootstrap(40, seed=8).table)


def test_bootstrap_spread_is_that_of_the_fit(sleep_model):
    b = sleep_model.bootstrap(300, seed=1).table.set_index("term")
    se = sleep_model.fixef().set_index("term")["std_error"]
    np.testing.assert_allclose(b.loc[["(Intercept)", "Days"], "std_error"], se[["(Intercept)", "Days"]], rtol=0.15)
    c = sleep_model.confint(method="boot", n=100, seed=3, parm="Days")
    assert c["conf_low"][0] < 10.47 < c["conf_high"][0]


def test_bootstrap_of_a_statistic(sleep_model):
    b = sleep_model.bootstrap(10, stat=lambda r: {"sigma": r.sigma, "share": r.sigma / 30}, seed=1, interval="normal")
    assert list(b["term"]) == ["sigma", "share"]
    np.testing.assert_allclose(b["estimate"][0], sleep_model.sigma)


def test_failures_are_counted(monkeypatch, sleep_model):
    from tanada.errors import ConvergenceError
    from tanada.post import bootstrap

    calls = {"n": 0}
    original = bootstrap.parameter_values

    class Failing:
        def __init__(self, objective):
            self.objective = objective

        def refit(self, y, start=None):
            calls["n"] += 1
            if calls["n"] % 4 == 0:
                raise ConvergenceError("no luck")
            return self.objective.refit(y, start)

    from dataclasses import replace

    fit = replace(sleep_model.fit, objective=Failing(sleep_model.fit.objective))
    found = bootstrap.replicate([fit], original, 20, seed=1)
    assert found.failed == 5 and found.reasons == ("no luck",) and len(found.values) == 15


@pytest.mark.parametrize("arguments", [{"n": 0}, {"n": 2.5}, {"n": 5, "workers": 0}, {"n": 5, "stat": 3}, {"n": 5, "interval": "bca"}])
def test_bootstrap_bad_arguments(arguments, sleep_model):
    with pytest.raises(tn.ModelError):
        sleep_model.bootstrap(**arguments)


def test_hypotheses_agree_with_coefficients_and_term_tests():
    m = tn.mixed("y ~ f * x + (1 | g)", toy(), quiet=True)
    fixed = m.fixef().set_index("term")
    t = m.test("fb - fc = 0")
    np.testing.assert_allclose(t["estimate"], [fixed.loc["fb", "estimate"] - fixed.loc["fc", "estimate"]])
    one = m.test("fb:x")
    np.testing.assert_allclose(one["p_value"], fixed.loc["fb:x", "p_value"])
    joint = m.test(["fb:x = 0", "fc:x = 0"]).joint
    table = tn.anova(m, type=3).set_index("term")
    np.testing.assert_allclose(joint["statistic"], table.loc["f:x", "f_value"], rtol=1e-8)
    np.testing.assert_allclose(joint["p_value"], table.loc["f:x", "p_value"], rtol=5e-3)


def test_hypotheses_read_arithmetic():
    m = tn.mixed("y ~ f * x + (1 | g)", toy(), quiet=True)
    beta = dict(zip(m.fixed_names(), m.fit.beta["cond"], strict=True))
    t = m.test("2 * (fb - fc / 4) - 1 = (Intercept) + 3")
    np.testing.assert_allclose(t["estimate"], [2 * (beta["fb"] - beta["fc"] / 4) - 1 - beta["(Intercept)"] - 3])


@pytest.mark.parametrize(
    ("text", "words"),
    [("fz = 0", "not a coefficient"), ("fb * fc = 0", "not linear"), ("1 = 2", "no coefficient"), ("fb = 0 = fc", "more than one"), ("", "text"), (["fb", "2 * fb = 1"], "dependent")],
)
def test_bad_hypotheses(text, words):
    m = tn.mixed("y ~ f * x + (1 | g)", toy(), quiet=True)
    with pytest.raises(tn.ModelError, match=words):
        m.test(text)


def test_ranova_agrees_with_lmertest(school):
    ref = reference("checks")["ranova_model5"]
    m = tn.mixed("read_score ~ escs_cwc + (escs_cwc | school_id)", school, reml=True, quiet=True)
    t = tn.ranova(m)
    np.testing.assert_allclose(t["loglik"], ref["logLik"], atol=1e-4)
    np.testing.assert_allclose(t["chisq"][1], ref["LRT"][1], atol=1e-4)
    np.testing.assert_allclose(t["p_value"][1], ref["Pr(>Chisq)"][1], rtol=1e-4)
    assert t["p_boundary"][1] < t["p_value"][1]


def test_mixture_p_values():
    assert abs(chi_bar_p(2.705543454095404, 1) - 0.05) < 1e-10
    assert chi_bar_p(0.0, 1) == 1.0 and np.isnan(chi_bar_p(np.nan, 1))
    assert abs(chi_bar_p(5.138, 2) - 0.05) < 1e-4  # Stram & Lee (1994): 95% point of the mixture of chi2(1) and chi2(2)


def test_mixture_holds_its_level():
    """A variance of zero is rejected in about 5% of samples."""
    rng = np.random.default_rng(9)
    g = np.repeat(np.arange(30), 5)
    hits = 0
    for _ in range(200):
        d = {"y": rng.normal(size=150), "g": g}
        m = tn.mixed("y ~ 1 + (1 | g)", d, quiet=True)
        hits += tn.ranova(m)["p_boundary"].to_numpy()[1] < 0.05
    assert 2 <= hits <= 22


def test_anova_with_boundary(sleep, sleep_model):
    m0 = tn.mixed("Reaction ~ Days + (1 | Subject)", sleep, quiet=True)
    plain, mixed = tn.anova(m0, sleep_model), tn.anova(m0, sleep_model, boundary=True)
    assert mixed["p_value"][1] < plain["p_value"][1]
    np.testing.assert_allclose(mixed["p_value"][1], chi_bar_p(plain["chisq"][1], 2))


def test_bootstrap_lrt_of_a_true_null():
    rng = np.random.default_rng(2)
    d = pd.DataFrame({"x": rng.normal(size=120), "g": np.repeat(np.arange(12), 10), "y": rng.normal(size=120)})
    m0, m1 = tn.mixed("y ~ 1 + (1 | g)", d, quiet=True), tn.mixed("y ~ x + (1 | g)", d, quiet=True)
    t = tn.bootstrap_lrt(m0, m1, n=99, seed=1)
    assert abs(t["p_value"][0] - t["p_chisq"][0]) < 0.15
    np.testing.assert_allclose(t["chisq"][0], 2 * (m1.loglik - m0.loglik))


def test_compare_weights(sleep, sleep_model):
    m0 = tn.mixed("Reaction ~ Days + (1 | Subject)", sleep, quiet=True)
    t = tn.compare(m0, sleep_model, names=["one", "two"])
    np.testing.assert_allclose(t["aic"], [m0.aic, sleep_model.aic])
    w = np.exp(-0.5 * (np.array([m0.aic, sleep_model.aic]) - min(m0.aic, sleep_model.aic)))
    np.testing.assert_allclose(t["aic_weight"], w / w.sum())
    k, n = sleep_model.npar, sleep_model.nobs
    np.testing.assert_allclose(t["aicc"][1], sleep_model.aic + 2 * k * (k + 1) / (n - k - 1))
    with pytest.raises(tn.ModelError):
        tn.compare(m0)
    with pytest.raises(tn.DataError):
        tn.compare(m0, tn.mixed("Reaction ~ 1 + (1 | Subject)", sleep.iloc[:100], quiet=True))


def test_cross_validation_by_hand():
    d = toy()
    m = tn.mixed("y ~ x + (1 | g)", d, quiet=True)
    t = tn.cross_validate(m, k=24)
    error = []
    for g in d["g"].unique():
        rest = tn.mixed("y ~ x + (1 | g)", d[d["g"] != g], quiet=True)
        held = d[d["g"] == g]
        error.append(np.asarray(held["y"]) - np.asarray(rest.predict(held, re=False)["estimate"]))
    np.testing.assert_allclose(t["rmse"].iloc[-1], np.sqrt(np.mean(np.concatenate(error) ** 2)), rtol=1e-6)
    rows = tn.cross_validate(m, k=5, by="(rows)")
    assert rows["rmse"].iloc[-1] < t["rmse"].iloc[-1]
    p = tn.cross_validate(tn.mixed("y ~ x + (1 | g)", pl.from_pandas(d), quiet=True), k=24)
    np.testing.assert_allclose(p["rmse"].to_numpy(), t["rmse"].to_numpy(), rtol=1e-6)


@pytest.mark.parametrize("k", [1, 2.5, 1000])
def test_cross_validation_bad_folds(k, sleep_model):
    with pytest.raises(tn.TanadaError):
        tn.cross_validate(sleep_model, k=k)


def test_icc_intervals(school):
    m = tn.mixed("read_score ~ 1 + (1 | school_id)", school, quiet=True)
    row = tn.icc(m, ci="profile").iloc[0]
    for end in (row["conf_low"], row["conf_high"]):
        theta = np.sqrt(end / (1 - end))
        assert abs(m.fit.objective.theta_deviance([theta]) - m.deviance - 3.841458820694124) < 1e-5
    boot = tn.icc(m, ci="boot", n=100, seed=1).iloc[0]
    np.testing.assert_allclose(boot[["conf_low", "conf_high"]].astype(float), row[["conf_low", "conf_high"]].astype(float), atol=0.03)
    slopes = tn.mixed("read_score ~ escs + (escs | school_id)", school, quiet=True)
    table = tn.icc(slopes, by_term=True, ci="boot", n=20, seed=1)
    assert table["conf_low"][0] < table["icc_adjusted"][0] < table["conf_high"][0]
    with pytest.raises(tn.ModelError):
        tn.icc(slopes, ci="profile")
    with pytest.raises(tn.ModelError):
        tn.icc(m, ci="wald")


def test_logistic_icc_profile(school):
    m = tn.mixed("wants_univ ~ 1 + (1 | school_id)", school, family="binomial", quiet=True)
    row = tn.icc(m, ci="profile").iloc[0]
    sd = m.confint(method="profile", parm="variance").iloc[0]
    share = lambda s: s**2 / (s**2 + np.pi**2 / 3)  # noqa: E731
    np.testing.assert_allclose([row["conf_low"], row["conf_high"]], [share(sd["conf_low"]), share(sd["conf_high"])], rtol=1e-6)


def test_inference_works_on_loaded_fits(tmp_path, logistic, sleep_model):
    for m in (logistic, sleep_model):
        m.save(tmp_path / "m.tanada")
        again = tn.load(tmp_path / "m.tanada")
        a, b = m.bootstrap(3, seed=1).table, again.bootstrap(3, seed=1).table
        np.testing.assert_allclose(a["std_error"], b["std_error"], rtol=1e-4, atol=1e-6)
    again = tn.load(tmp_path / "m.tanada")
    p, q = sleep_model.confint(method="profile", parm="sigma"), again.confint(method="profile", parm="sigma")
    np.testing.assert_allclose(p["conf_low"], q["conf_low"], rtol=1e-6)
    assert len(tn.check_model(again, n=30)) > 5


def test_hypotheses_with_awkward_names():
    d = toy().rename(columns={"x": "社会 経済"})
    m = tn.mixed("y ~ `社会 経済` * f + (1 | g)", d, quiet=True)
    t = m.test("`社会 経済` = 0")
    np.testing.assert_allclose(t["estimate"], [m.fit.beta["cond"][1]])
    np.testing.assert_allclose(m.test("社会 経済 - fb = 0")["estimate"], [m.fit.beta["cond"][1] - m.fit.beta["cond"][2]])
