"""Models of other than Gaussian responses through the same result: several components, ordinal responses, boundaries."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import tanada as tn


@lru_cache(maxsize=1)
def data() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    n, g = 400, np.repeat(np.arange(25), 16)
    x, f = rng.standard_normal(n), rng.choice(["p", "q", "r"], n)
    eta = 0.6 + 0.4 * x + 0.5 * (f == "q") + 0.5 * rng.standard_normal(25)[g]
    zero = rng.random(n) < 1 / (1 + np.exp(1.0 - 0.5 * x))
    count = np.where(zero, 0, rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(eta))))
    grade = np.digitize(eta + rng.logistic(size=n), [-0.5, 0.8, 2.0])
    return pd.DataFrame(
        {
            "g": [f"g{i:02d}" for i in g],
            "x": x,
            "f": f,
            "count": count.astype(float),
            "pois": rng.poisson(np.exp(eta)).astype(float),
            "grade": pd.Categorical.from_codes(grade, ["low", "fair", "good", "top"], ordered=True),
            "size": np.full(n, 8.0),
            "wins": rng.binomial(8, 1 / (1 + np.exp(-eta))).astype(float),
        }
    )


MODELS: dict[str, dict[str, Any]] = {
    "poisson": {"formula": "pois ~ x + f + (x | g)", "family": "poisson"},
    "binomial": {"formula": "cbind(wins, size - wins) ~ x + (1 | g)", "family": "binomial"},
    "nbinom2": {"formula": "count ~ x + (1 | g)", "family": "nbinom2"},
    "zero inflation": {"formula": "count ~ x + f + (1 | g)", "family": "nbinom2", "zi": "~ x"},
    "two random parts": {"formula": "count ~ x + (1 | g)", "family": "poisson", "zi": "~ 1 + (1 | g)"},
    "dispersion model": {"formula": "count ~ x + (1 | g)", "family": "nbinom2", "disp": "~ x"},
    "ordinal": {"formula": "grade ~ x + f + (1 | g)", "family": "ordinal"},
}
EACH = pytest.mark.parametrize("name", MODELS)


@cache
def model(name: str) -> Any:
    return tn.mixed(data=data(), quiet=True, **MODELS[name])


@EACH
def test_conditional_variances_of_the_equations_equal_those_of_the_engine(name: str) -> None:
    m = model(name)
    system = m.work.system
    engine = np.concatenate([np.einsum("lkk->lk", t.cond_var).ravel() for t in m.fit.terms])
    np.testing.assert_allclose(np.diag(system.solve(np.eye(system.q))), engine, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(system.mode_variance(sparse.identity(system.q, format="csr")), engine, rtol=1e-5, atol=1e-9)


@EACH
def test_predictions_of_the_fitted_rows_are_the_fitted_values(name: str) -> None:
    m = model(name)
    p = m.predict()
    np.testing.assert_allclose(p["estimate"], m.fitted(), rtol=1e-8)
    np.testing.assert_allclose(m.predict(data())["estimate"], p["estimate"], rtol=1e-8)
    np.testing.assert_allclose(m.predict(data())["std_error"], p["std_error"], rtol=1e-6)
    ci = m.predict(interval="confidence")
    assert ((ci["conf_low"] <= ci["estimate"]) & (ci["estimate"] <= ci["conf_high"])).all()


@EACH
def test_simulated_means_and_quantile_residuals(name: str) -> None:
    m = model(name)
    y = m.simulate(300, seed=1, re="conditional").to_numpy()
    trials = m.fit.data.trials[:, None]
    mean = (y / trials).mean(axis=1)
    spread = (y / trials).std(axis=1) / np.sqrt(300)
    assert np.mean(np.abs(mean - m.fitted()) < 4 * spread + 1e-9) > 0.98
    r = m.residuals("quantile", seed=1)
    assert abs(r.mean()) < 0.15 and 0.8 < r.std() < 1.15
    new = m.simulate(2, seed=5)
    assert (new.to_numpy() == m.simulate(2, seed=5).to_numpy()).all()


def test_delta_method_of_a_zero_inflated_mean() -> None:
    """Against the parameters' covariance and differences of the mean in each of them, at the population level."""
    m = model("zero inflation")
    C = m.fit.vcov_beta
    X = [c.X[:5] for c in m.fit.data.components]
    b = np.concatenate([m.fit.beta["cond"], m.fit.beta["zi"]])
    p = X[0].shape[1]

    def mean(beta: np.ndarray) -> np.ndarray:
        return np.exp(X[0] @ beta[:p]) / (1 + np.exp(X[1] @ beta[p:]))

    J = np.array([(mean(b + 1e-6 * e) - mean(b - 1e-6 * e)) / 2e-6 for e in np.eye(len(b))]).T
    got = m.predict(data().head(5), re=False)
    np.testing.assert_allclose(got["estimate"], mean(b), rtol=1e-8)
    np.testing.assert_allclose(got["std_error"], np.sqrt(np.einsum("np,pq,nq->n", J, C, J)), rtol=1e-5)


def test_components_in_tables() -> None:
    m = model("two random parts")
    assert m.vcov().columns.tolist() == ["(Intercept)", "x", "zi|(Intercept)"] and m.vcov(full=True).shape == (m.npar, m.npar)
    assert m.fixef()["component"].tolist() == ["cond", "cond", "zi"]
    assert set(m.ranef()["component"]) == {"cond", "zi"} and "zi|sd((Intercept)|g)" in m.confint()["term"].tolist()
    s = str(m.summary())
    assert "Zero-inflation model:" in s and "Random effects of the zero-inflation model" in s and "z value" in s
    assert m.predict(kind="zprob")["estimate"].between(0, 1).all()


def test_dispersion() -> None:
    m = model("nbinom2")
    p = m.predict(kind="disp")
    assert p["estimate"].iloc[0] == pytest.approx(m.sigma) and p["std_error"].iloc[0] > 0
    assert "dispersion" in m.confint()["term"].tolist() and "Dispersion parameter" in str(m.summary())
    d = model("dispersion model").predict(kind="disp")
    assert d["estimate"].nunique() > 300


def test_ordinal() -> None:
    m = model("ordinal")
    t = m.fixef()
    assert t["component"].tolist() == ["cond"] * 3 + ["threshold"] * 3 and "(Intercept)" not in t["term"].tolist()
    p = m.predict(data().head(4))
    share = p[["prob_low", "prob_fair", "prob_good", "prob_top"]].to_numpy()
    np.testing.assert_allclose(share.sum(axis=1), 1.0)
    np.testing.assert_allclose(share @ np.arange(4), p["estimate"])
    assert "Thresholds:" in str(m.summary())
    a = tn.anova(m)
    assert a["term"].tolist() == ["x", "f"] and a["df"].tolist() == [1, 2]
    b = tn.mixed(data=data(), contrasts={"f": "sum"}, quiet=True, **MODELS["ordinal"])
    np.testing.assert_allclose(tn.anova(b)["chisq"], a["chisq"], rtol=1e-3)


@pytest.mark.parametrize("name", ["zero inflation", "ordinal"])
def test_save_and_load(name: str, tmp_path: Path) -> None:
    m = model(name)
    m.save(tmp_path / "m")
    back = tn.load(tmp_path / "m")
    assert str(back.summary()) == str(m.summary())
    pd.testing.assert_frame_equal(back.predict(data().head(3)), m.predict(data().head(3)))
    y = m.simulate(1, seed=3)["sim_1"]
    assert back.refit(y).loglik == pytest.approx(m.refit(y).loglik, abs=1e-5)


def test_prediction_interval_of_counts() -> None:
    m = model("poisson")
    p = m.predict(interval="prediction", level=0.9)
    y = data()["pois"]
    inside = (y >= p["conf_low"]) & (y <= p["conf_high"])
    assert 0.88 < inside.mean() <= 1.0


def test_likelihood_ratio_and_icc() -> None:
    m = model("poisson")
    small = m.update("pois ~ x + (x | g)")
    t = tn.anova(small, m)
    assert t["df"].iloc[1] == 2 and t["p_value"].iloc[1] < 0.01
    icc = tn.icc(m)
    assert 0 < icc["icc_unadjusted"][0] < icc["icc_adjusted"][0] < 1
    with pytest.raises(tn.ModelError, match="ddf='z'"):
        m.fixef(ddf="satterthwaite")
    with pytest.raises(tn.ModelError, match="Gaussian"):
        m.fixef(robust="CR2")
