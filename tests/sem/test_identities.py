"""Identities: dense likelihoods, mixed models, relabelling, reordering, rescaling, groups."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tanada as tn
from tests.sem.oracle import cluster_loglik

CFA = "level: 1\n fw =~ y1 + y2 + y3\n fw ~ x\nlevel: 2\n fb =~ y1 + y2 + y3\n fb ~ w"


def simulate(seed: int, J: int = 40, missing: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(J), rng.integers(3, 7, J))
    w = rng.standard_normal(J)
    fb = 0.5 * w + rng.standard_normal(J)
    x = rng.standard_normal(g.size)
    fw = 0.6 * x + rng.standard_normal(g.size)
    d: dict[str, Any] = {"g": [f"c{i:03d}" for i in g], "x": x, "w": w[g]}
    for k, (a, b) in enumerate(((1.0, 1.0), (0.8, 0.7), (1.2, 0.9)), 1):
        y = a * fw + (b * fb + 0.3 * rng.standard_normal(J))[g] + 0.7 * rng.standard_normal(g.size) + k
        y[rng.random(g.size) < missing] = np.nan
        d[f"y{k}"] = y
    return pd.DataFrame(d)


def fit(model: str, data: pd.DataFrame, **kw: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tn.sem(model, data, **kw)


@pytest.mark.parametrize("missing", [0.0, 0.25])
def test_two_level_likelihood_is_a_dense_normal(missing: float) -> None:
    d = simulate(1, missing=missing)
    f = fit(CFA, d, cluster="g", missing="fiml" if missing else "listwise", fixed_x=False)
    s = f._fit.sample.groups[0]
    within, between = f._fit.implied(1), f._fit.implied(2)
    total = sum(cluster_loglik(s.y[s.code == c], s.z[c], within, between, s.between_index) for c in range(s.n_clusters))
    assert f.loglik == pytest.approx(total, abs=1e-7)


def test_dense_likelihood_with_a_singular_between_matrix() -> None:
    d = simulate(2)
    model = "level: 1\n y1 ~~ y2\nlevel: 2\n y1 ~~ 0*y1\n y1 ~~ 0*y2\n y2 ~~ y2"
    f = fit(model, d, cluster="g")
    s = f._fit.sample.groups[0]
    assert np.linalg.eigvalsh(f._fit.implied(2)[0])[0] == pytest.approx(0.0, abs=1e-12)
    total = sum(cluster_loglik(s.y[s.code == c], s.z[c], f._fit.implied(1), f._fit.implied(2), s.between_index) for c in range(s.n_clusters))
    assert f.loglik == pytest.approx(total, abs=1e-7)


def test_random_intercept_regression_is_the_mixed_model() -> None:
    d = simulate(3)
    d["xm"] = d.groupby("g")["x"].transform("mean")
    model = "level: 1\n y1 ~ b*x\nlevel: 2\n y1 ~ w"
    f = fit(model, d, cluster="g")
    m = tn.mixed("y1 ~ x + w + (1 | g)", d, reml=False, quiet=True)
    p = f.parameters()
    slope = float(p.loc[(p.op == "~") & (p.rhs == "x"), "estimate"].iloc[0])
    between = float(p.loc[(p.op == "~") & (p.rhs == "w"), "estimate"].iloc[0])
    assert f.loglik == pytest.approx(m.loglik, abs=1e-6)
    assert [slope, between] == pytest.approx(np.asarray(m.fixef()["estimate"])[1:], abs=1e-5)


def test_order_of_rows_and_labels_of_clusters_change_nothing() -> None:
    d = simulate(4)
    f = fit(CFA, d, cluster="g")
    shuffled = d.sample(frac=1.0, random_state=1).assign(g=lambda t: t["g"].map({v: (7919 * k) % 10_007 for k, v in enumerate(sorted(set(t["g"])))}))
    h = fit(CFA, shuffled, cluster="g")
    assert h.loglik == pytest.approx(f.loglik, abs=1e-7)
    assert np.asarray(h.parameters()["estimate"]) == pytest.approx(np.asarray(f.parameters()["estimate"]), abs=1e-5)


def test_rescaling_moves_the_likelihood_by_the_jacobian_only() -> None:
    d = simulate(5)
    f = fit(CFA, d, cluster="g")
    h = fit(CFA, d.assign(y1=d["y1"] * 1000.0, w=d["w"] / 50.0), cluster="g")
    assert h.chisq == pytest.approx(f.chisq, abs=1e-5)
    assert h.loglik == pytest.approx(f.loglik - len(d) * np.log(1000.0), abs=1e-5)
    assert np.asarray(h.parameters()["std_all"]) == pytest.approx(np.asarray(f.parameters()["std_all"]), abs=1e-4)


@pytest.mark.parametrize("kw", [{}, {"estimator": "MLR"}])
def test_two_groups_are_two_fits(kw: dict) -> None:
    d = simulate(6, J=60)
    half = d["g"] < "c030"
    d["h"] = np.where(half, "a", "b")
    both = fit(CFA, d, cluster="g", group="h", **kw)
    parts = [fit(CFA, d[half == k], cluster="g", **kw) for k in (True, False)]
    assert both.loglik == pytest.approx(sum(p.loglik for p in parts), abs=1e-6)
    assert both.chisq == pytest.approx(sum(p.chisq for p in parts), abs=1e-5)
    for column in ("estimate", "std_error"):
        mine = np.asarray(both.parameters()[column])
        theirs = np.concatenate([np.asarray(p.parameters()[column]) for p in parts])
        assert mine == pytest.approx(theirs, rel=1e-3, abs=1e-4, nan_ok=True)


def test_fiml_of_complete_data_is_ml() -> None:
    d = simulate(7)
    model = "f =~ y1 + y2 + y3\nf ~ x"
    a, b = fit(model, d, meanstructure=True, information="observed"), fit(model, d, missing="fiml")
    assert b.loglik == pytest.approx(a.loglik, abs=1e-7)
    assert np.asarray(b.parameters()["std_error"]) == pytest.approx(np.asarray(a.parameters()["std_error"]), rel=1e-3, nan_ok=True)


def test_saturating_a_level_leaves_the_other_levels_misfit() -> None:
    d = simulate(8, J=80)
    f = fit(CFA, d, cluster="g")
    t = f.level_fit()
    assert int(t["df"].sum()) == f.df
    assert (np.asarray(t["chisq"]) <= f.chisq + 1e-6).all()


def test_polars_in_polars_out() -> None:
    pl = pytest.importorskip("polars")
    d = simulate(9)
    f = fit(CFA, pl.from_pandas(d), cluster="g")
    for table in (f.parameters(), f.modindices(), f.scores(level=2), f.icc(), f.r2(), f.vcov(), f.implied()["level 1"]["cov"]):
        assert isinstance(table, pl.DataFrame)


def test_equality_constraint_equals_a_shared_label() -> None:
    d = simulate(10)
    a = fit("f =~ y1 + b*y2 + b*y3", d)
    b = fit("f =~ y1 + b*y2 + c*y3\nb == c", d)
    c = fit("f =~ y1 + b*y2 + c*y3\nb/c == 1", d)
    assert a.npar == b.npar == c.npar
    for other in (b, c):
        assert other.loglik == pytest.approx(a.loglik, abs=1e-6)
        assert np.asarray(other.parameters()["std_error"]) == pytest.approx(np.asarray(a.parameters()["std_error"]), rel=1e-3, nan_ok=True)


def test_inequality_binds_only_where_it_must() -> None:
    d = simulate(11)
    free = fit("f =~ y1 + b*y2 + y3", d)
    b = float(free.parameters().query("label == 'b'")["estimate"].iloc[0])
    loose, tight = fit(f"f =~ y1 + b*y2 + y3\nb < {b + 1}", d), fit(f"f =~ y1 + b*y2 + y3\nb < {b - 0.2}", d)
    assert loose.loglik == pytest.approx(free.loglik, abs=1e-8)
    assert float(tight.parameters().query("label == 'b'")["estimate"].iloc[0]) == pytest.approx(b - 0.2, abs=1e-5)
    assert tight.loglik < free.loglik - 1e-3


def test_delta_method_of_an_indirect_effect() -> None:
    d = simulate(12)
    f = fit("y1 ~ a*x\ny2 ~ b*y1 + x\nind := a*b", d)
    p = f.parameters().set_index("label")
    V = f.vcov().set_index("parameter")
    a, b = p.loc["a", "estimate"], p.loc["b", "estimate"]
    se = np.sqrt(b**2 * V.loc["a", "a"] + a**2 * V.loc["b", "b"] + 2 * a * b * V.loc["a", "b"])
    assert p.loc["ind", "estimate"] == pytest.approx(a * b)
    assert p.loc["ind", "std_error"] == pytest.approx(se)


def test_a_product_of_paths_can_be_constrained_from_a_start_at_zero() -> None:
    d = simulate(13)
    f = fit("y2 ~ c*x + b*y1\ny1 ~ a*x\na*b == 0.5", d)
    p = f.parameters().set_index("label")["estimate"]
    assert f.converged and f.npar == 4 and f.df == 1
    assert p["a"] * p["b"] == pytest.approx(0.5, abs=1e-6)
    free = fit("y2 ~ c*x + b*y1\ny1 ~ a*x", d)
    assert f.loglik < free.loglik


def test_robust_errors_of_fixed_predictors_are_those_given_the_predictors() -> None:
    d = simulate(14, J=400)
    a, b = fit("y1 ~ x\ny2 ~ x", d, estimator="MLM"), fit("y1 ~ x\ny2 ~ x", d, estimator="MLR")
    assert np.asarray(a.parameters()["std_error"]) == pytest.approx(np.asarray(b.parameters()["std_error"]), rel=1e-3, nan_ok=True)
