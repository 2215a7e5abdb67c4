"""The record that the GLMM engine returns, its objective, priors, and what it says about hard data."""

import numpy as np
import pandas as pd
import pytest

import tanada as tn
from tanada.errors import DataError, ModelError
from tests.engine.fitting import fit


def simulated(n=240, groups=24, seed=1):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), n // groups)
    x, z = rng.normal(size=n), rng.normal(size=n)
    u = rng.normal(size=groups)[g]
    eta = 0.4 + 0.6 * x + 0.7 * u
    return pd.DataFrame(
        {
            "g": [f"g{i:02d}" for i in g],
            "x": x,
            "z": z,
            "binary": (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int),
            "count": rng.poisson(np.exp(eta)),
            "overdispersed": rng.negative_binomial(1.5, 1.5 / (1.5 + np.exp(eta))),
            "zeros": rng.poisson(np.exp(eta)) * (rng.random(n) < 0.7),
            "normal": eta + np.exp(-0.3 + 0.4 * z) * rng.normal(size=n),
            "grade": np.digitize(eta + rng.logistic(size=n), [-1.0, 0.3, 1.8]),
        }
    )


DATA = simulated()
FITS = {
    "binomial": lambda: fit("binary ~ x + (x | g)", DATA, "binomial"),
    "nbinom2": lambda: fit("overdispersed ~ x + (1 | g)", DATA, "nbinom2"),
    "zero-inflated": lambda: fit("zeros ~ x + (1 | g)", DATA, "poisson", zi="~ z"),
    "gaussian dispersion": lambda: fit("normal ~ x + (1 | g)", DATA, disp="~ z"),
    "gaussian dispersion REML": lambda: fit("normal ~ x + (1 | g)", DATA, disp="~ z", reml=True),
    "ordinal": lambda: fit("grade ~ x + (1 | g)", DATA, "ordinal"),
    "quadrature": lambda: fit("binary ~ x + (1 | g)", DATA, "binomial", nagq=9),
}


@pytest.mark.parametrize("name", FITS)
def test_record_is_consistent(name):
    m = FITS[name]()
    d = len(m.params)
    assert m.values.shape == (d,) and m.extra["vcov"].shape == (d, d)
    assert m.verdict.converged, m.verdict
    assert m.objective.deviance(m.values) == pytest.approx(-2 * m.loglik, abs=1e-7)
    assert np.max(np.abs(m.objective.gradient(m.values))) < 1e-2
    moved = m.values + 0.01
    numeric = np.array(
        [(m.objective.deviance(moved + h) - m.objective.deviance(moved - h)) / 2e-5 for h in 1e-5 * np.eye(d)]
    )
    np.testing.assert_allclose(m.objective.gradient(moved), numeric, rtol=1e-4, atol=1e-3)
    fixed = m.params.index("fixed")
    np.testing.assert_allclose(
        np.concatenate([m.beta[c.name] for c in m.data.components]), m.values[fixed][: sum(map(len, m.beta.values()))]
    )
    assert np.all(np.diag(m.vcov_beta) > 0)
    for t in m.terms:
        np.testing.assert_allclose(t.cov, t.factor @ t.factor.T)
        assert t.modes.shape == (len(t.levels), len(t.names)) and np.all(np.diagonal(t.cond_var, axis1=1, axis2=2) >= 0)
    cond = m.data.components[0]
    eta = cond.offset + (
        cond.X @ m.beta["cond"] if cond.X.shape[1] == len(m.beta["cond"]) else cond.X[:, 1:] @ m.beta["cond"]
    )
    for t, design in zip([t for t in m.terms if t.component == "cond"], cond.random):
        eta = eta + np.sum(design.Z * t.modes[design.codes], axis=1)
    np.testing.assert_allclose(m.eta, eta, atol=1e-8)


def test_refit_to_the_same_response_is_the_same_fit():
    m = FITS["nbinom2"]()
    again = m.objective.refit(m.data.y)
    assert again.loglik == pytest.approx(m.loglik, abs=1e-7)
    warm = m.objective.refit(m.data.y, m.values)
    assert warm.loglik == pytest.approx(m.loglik, abs=1e-7)
    with pytest.raises(DataError, match="240 responses"):
        m.objective.refit(m.data.y[:5])


def test_reml_of_constant_dispersion_equals_the_gaussian_engine():
    profiled = fit("normal ~ x + (1 | g)", DATA, reml=True)
    from dataclasses import replace

    from tanada.design.build import build_design
    from tanada.engine.glmm import fit_glmm
    from tanada.engine.options import FitOptions

    data = build_design("normal ~ x + (1 | g)", DATA).model
    for reml in (True, False):
        own = fit_glmm(data, FitOptions(reml=reml))
        expected = profiled if reml else fit("normal ~ x + (1 | g)", DATA)
        assert own.loglik == pytest.approx(expected.loglik, abs=1e-6)
        np.testing.assert_allclose(own.beta["cond"], expected.beta["cond"], atol=1e-4)
        assert own.sigma == pytest.approx(expected.sigma, rel=1e-4)
        np.testing.assert_allclose(own.terms[0].cov, expected.terms[0].cov, rtol=1e-3)
    shifted = replace(data, y=1e6 + 1e3 * data.y)
    assert fit_glmm(shifted, FitOptions(reml=True)).loglik == pytest.approx(
        profiled.loglik - (240 - 2) * np.log(1e3), abs=1e-4
    )


def test_ordinal_with_two_categories_is_logistic():
    binary = fit("binary ~ x + (1 | g)", DATA, "binomial")
    ordinal = fit("binary ~ x + (1 | g)", DATA, "ordinal")
    assert ordinal.loglik == pytest.approx(binary.loglik, abs=1e-6)
    np.testing.assert_allclose(ordinal.beta["cond"], binary.beta["cond"][1:], atol=1e-4)
    np.testing.assert_allclose(ordinal.extra["thresholds"], -binary.beta["cond"][:1], atol=1e-4)


def test_equidistant_thresholds_are_nested_in_flexible_ones():
    flexible = FITS["ordinal"]()
    equal = fit("grade ~ x + (1 | g)", DATA, "ordinal", family_options={"thresholds": "equidistant"})
    assert equal.npar == flexible.npar - 1 and equal.loglik <= flexible.loglik + 1e-8
    steps = np.diff(equal.extra["thresholds"])
    np.testing.assert_allclose(steps, steps[0])


def test_poisson_limit_of_the_negative_binomial_is_reported():
    rng = np.random.default_rng(3)
    d = DATA.assign(even=rng.binomial(12, 0.25, len(DATA)))
    m = fit("even ~ x", d, "nbinom2")
    poisson = fit("even ~ x", d, "poisson")
    assert m.verdict.status == "boundary" and "poisson" in m.verdict.advice
    assert m.loglik == pytest.approx(poisson.loglik, abs=1e-2)
    np.testing.assert_allclose(m.vcov_beta, poisson.vcov_beta, rtol=2e-2)


@pytest.mark.parametrize("complete", [True, False])
def test_separation_is_named_and_priors_cure_it(complete):
    d = DATA.assign(
        sex=np.where(DATA["binary"] == 1, "a", "b")
        if complete
        else np.where((DATA["binary"] == 1) & (DATA["z"] > 0), "a", "b")
    )
    m = fit("binary ~ x + sex + (1 | g)", d, "binomial")
    assert not m.verdict.converged and "separation" in str(m.verdict) and "sexb" in str(m.verdict)
    cured = fit("binary ~ x + sex + (1 | g)", d, "binomial", priors={"b": "normal(0, 2.5)"})
    assert cured.verdict.converged
    assert np.all(np.abs(cured.beta["cond"]) < 10)


def test_normal_prior_is_ridge():
    m = fit("count ~ x", DATA, "poisson", priors=[("x", "normal(0, 0.1)")])
    plain = fit("count ~ x", DATA, "poisson")
    assert abs(m.beta["cond"][1]) < abs(plain.beta["cond"][1])
    assert m.loglik < plain.loglik  # reported without the prior
    gradient = plain.objective.gradient(m.values)[1]  # of the unpenalised deviance, balanced by the prior's
    assert gradient == pytest.approx(-2 * m.beta["cond"][1] / 0.01, rel=1e-3)


def test_gamma_prior_keeps_a_standard_deviation_off_zero():
    d = DATA.assign(even=np.tile([0, 1], len(DATA) // 2))
    flat = fit("even ~ 1 + (1 | g)", d, "binomial")
    assert flat.verdict.status == "boundary" and flat.terms[0].cov[0, 0] == 0
    m = fit("even ~ 1 + (1 | g)", d, "binomial", priors={"sd": "gamma(2, 0.1)"})
    assert m.verdict.status == "ok" and m.terms[0].cov[0, 0] > 0


def test_lkj_prior_shrinks_correlations():
    plain = FITS["binomial"]()
    m = fit("binary ~ x + (x | g)", DATA, "binomial", priors={"cor": "lkj(50)"})

    def correlation(f):
        c = f.terms[0].cov
        return abs(c[0, 1]) / np.sqrt(c[0, 0] * c[1, 1])

    assert correlation(m) < 0.2 and correlation(m) <= correlation(plain) + 1e-6


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: fit("count ~ x", DATA, "poisson", disp="~ z"), ModelError, "no dispersion"),
        (lambda: fit("count ~ x + (1 | g)", DATA, "poisson", reml=True), ModelError, "reml"),
        (lambda: fit("count ~ x + (1 | g)", DATA, "poisson", nagq=0), ModelError, "nagq"),
        (lambda: fit("count ~ x", DATA, "poisson", nagq=5), ModelError, "one grouping factor"),
        (lambda: fit("count ~ x", DATA, "poison"), ModelError, "poisson"),
        (lambda: fit("count ~ x", DATA, "poisson", "logit"), ModelError, "log"),
        (lambda: fit("count ~ x", DATA, "poisson", priors={"b": "normal(0)"}), ModelError, "normal"),
        (lambda: fit("count ~ x", DATA, "poisson", priors={"b": "norml(0, 1)"}), ModelError, "normal"),
        (lambda: fit("count ~ x", DATA, "poisson", priors={"w": "normal(0, 1)"}), ModelError, "'w'"),
        (lambda: fit("count ~ x", DATA, "poisson", priors={"sd": "gamma(2, 0.1)"}), ModelError, "random term"),
        (lambda: fit("count ~ x", DATA, "poisson", priors="normal"), ModelError, "dict"),
        (
            lambda: fit("count ~ x + (1 | g)", DATA, "poisson", start={"theta": [1, 2]}),
            ModelError,
            "covariance parameters",
        ),
        (lambda: fit("count ~ x + (1 | g)", DATA, "poisson", start={"beta": [1]}), ModelError, "coefficients"),
        (lambda: fit("normal ~ x", DATA, "poisson"), DataError, "normal"),
    ],
)
def test_bad_requests_get_one_sentence(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_badly_scaled_predictors_do_not_matter():
    m = fit("count ~ x + (1 | g)", DATA, "poisson")
    scaled = fit("count ~ w + (1 | g)", DATA.assign(w=1e5 + 1e-3 * DATA["x"]), "poisson")
    assert scaled.loglik == pytest.approx(m.loglik, abs=1e-5)
    assert scaled.beta["cond"][1] == pytest.approx(1e3 * m.beta["cond"][1], rel=1e-3)


def test_school_survey_threads_give_the_same_answer():
    d = tn.load_dataset("school_survey")
    tn.set_threads(1)
    one = fit("wants_univ ~ escs + (1 | school_id)", d, "binomial")
    tn.set_threads(None)
    two = fit("wants_univ ~ escs + (1 | school_id)", d, "binomial")
    assert one.loglik == two.loglik
