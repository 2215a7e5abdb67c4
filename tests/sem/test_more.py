"""Bootstrap, Monte Carlo, weights, ordered variables, wide format, comparisons, summaries, figures, command line."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tanada as tn
from tanada.errors import ModelError


@pytest.fixture(scope="module")
def d() -> pd.DataFrame:
    return tn.load_dataset("school_survey")


MEDIATION = "read_score ~ a*escs\nwants_univ ~ b*read_score + escs\nind := a*b"
CFA = "level: 1\n f_1 =~ teach1 + teach2 + teach3 + teach4\nlevel: 2\n f_2 =~ teach1 + teach2 + teach3 + teach4"


def quiet_sem(*args, **kw):  # noqa: ANN002, ANN003, ANN201
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tn.sem(*args, **kw)


def test_bootstrap_and_monte_carlo_agree_with_the_delta_method(d: pd.DataFrame) -> None:
    t = d.sample(1500, random_state=3)
    plain = tn.sem(MEDIATION, t)
    boot = tn.sem(MEDIATION, t, se="bootstrap", bootstrap=300, seed=5)
    a, b = plain.parameters().set_index("label").loc["ind"], boot.parameters().set_index("label").loc["ind"]
    assert b["estimate"] == pytest.approx(a["estimate"])
    assert b["std_error"] == pytest.approx(a["std_error"], rel=0.2)
    assert b["conf_low"] < b["estimate"] < b["conf_high"]
    mc = plain.monte_carlo(n=4000).iloc[0]
    assert mc["conf_high"] - mc["conf_low"] == pytest.approx(2 * 1.96 * a["std_error"], rel=0.1)


def test_bootstrap_of_clusters_keeps_them_whole(d: pd.DataFrame) -> None:
    from tanada.inference.sem_bootstrap import resample

    f = quiet_sem(CFA, d, cluster="school_id")
    data = f._fit.sample.data
    again = resample(data, np.random.default_rng(1)).groups[0]
    size = dict(zip(data.groups[0].clusters, np.bincount(data.groups[0].code)))
    assert [size[c] for c in again.clusters] == np.bincount(again.code).tolist()


def test_weights_of_two_are_rows_twice(d: pd.DataFrame) -> None:
    t = d.head(600)
    twice = pd.concat([t, t.head(200)])
    w = t.assign(w=np.where(np.arange(600) < 200, 2.0, 1.0))
    a = tn.cfa("f =~ teach1 + teach2 + teach3 + teach4", twice)
    b = tn.cfa("f =~ teach1 + teach2 + teach3 + teach4", w, weights="w", estimator="MLR")
    assert np.asarray(b.parameters()["estimate"])[:9] == pytest.approx(np.asarray(a.parameters()["estimate"])[:9], abs=1e-5)


def test_robust_estimators_share_estimates_and_differ_in_errors(d: pd.DataFrame) -> None:
    model = "f =~ belong1 + belong2 + belong3 + belong4 + belong5 + belong6"
    ml, mlr, mlm = (tn.cfa(model, d, estimator=e) for e in ("ML", "MLR", "MLM"))
    assert mlr.chisq == pytest.approx(ml.chisq) == mlm.chisq
    assert mlr.robust_test.stat == pytest.approx(mlm.robust_test.stat, rel=0.05)  # asymptotically equal where the model holds
    se = [np.asarray(f.parameters()["std_error"]) for f in (mlr, mlm)]
    assert se[0] == pytest.approx(se[1], rel=0.1, nan_ok=True)


def test_least_squares_reach_ml_where_the_model_holds() -> None:
    rng = np.random.default_rng(7)
    f = rng.standard_normal(4000)
    t = pd.DataFrame({f"x{k}": (0.5 + 0.1 * k) * f + rng.standard_normal(4000) for k in range(1, 6)})
    model = "f =~ " + " + ".join(t.columns)
    ml = np.asarray(tn.cfa(model, t, std_lv=True).parameters()["estimate"])
    for e in ("GLS", "ULS", "WLS", "DWLS"):
        assert np.asarray(tn.cfa(model, t, std_lv=True, estimator=e).parameters()["estimate"]) == pytest.approx(ml, abs=0.03)


def test_ordered_indicators_recover_the_factor_model() -> None:
    rng = np.random.default_rng(8)
    n, loadings = 6000, np.array([0.8, 0.7, 0.6, 0.75])
    y = rng.standard_normal(n)[:, None] * loadings + rng.standard_normal((n, 4)) * np.sqrt(1 - loadings**2)
    t = pd.DataFrame({f"u{k}": np.digitize(y[:, k], [-0.8, 0.1, 1.0]) for k in range(4)})
    for parameterization in ("delta", "theta"):
        f = tn.cfa("f =~ u0 + u1 + u2 + u3", t, ordered=True, std_lv=True, parameterization=parameterization)
        p = f.parameters()
        assert np.asarray(p[p.op == "=~"]["std_all"]) == pytest.approx(loadings, abs=0.03)
        assert np.asarray(p[p.op == "|"]["std_all"]) == pytest.approx(np.tile([-0.8, 0.1, 1.0], 4), abs=0.06)
        assert f.df == 2 and f.robust_test.kind == "scaled.shifted"
    same = tn.cfa("f =~ u0 + u1 + u2 + u3", t.astype(str).apply(lambda c: pd.Categorical(c, ordered=True)), ordered=True, std_lv=True)
    assert same.chisq == pytest.approx(f.chisq, abs=1e-4)


def test_wide_models_are_the_mixed_models(d: pd.DataFrame) -> None:
    one = tn.wide_model(d, "read_score", "school_id").fit()
    assert one.loglik == pytest.approx(tn.mixed("read_score ~ (1 | school_id)", d, quiet=True).loglik, abs=1e-6)
    t = d.assign(high=(d["escs"] > d["escs"].mean()).astype(int))
    two = tn.wide_model(t, "read_score", "school_id", slope="high").fit()
    assert two.loglik == pytest.approx(tn.mixed("read_score ~ high + (high | school_id)", t, quiet=True).loglik, abs=1e-5)


def test_comparisons(d: pd.DataFrame) -> None:
    free = tn.cfa("f =~ belong1 + belong2 + belong3 + belong4", d, std_lv=True)
    equal = tn.cfa("f =~ a*belong1 + a*belong2 + a*belong3 + a*belong4", d, std_lv=True)
    t = tn.lrt(equal, free)
    assert t["model"].tolist() == ["m2", "m1"]
    assert t["chisq_diff"].iloc[1] == pytest.approx(2 * (free.loglik - equal.loglik), abs=1e-6)
    assert t["df_diff"].iloc[1] == 3
    c = tn.compare_fit(free, equal)
    assert c["df"].tolist() == [2, 5] and c["cfi"].iloc[0] > c["cfi"].iloc[1]
    with pytest.raises(ModelError, match="different observed variables"):
        tn.lrt(free, tn.cfa("f =~ belong1 + belong2 + belong3 + belong5", d))


def test_invariance_is_the_sequence_of_fits(d: pd.DataFrame) -> None:
    t = d.assign(size=np.where(d["s_t_ratio"] > 12, "large", "small"))
    model = "f =~ belong1 + belong2 + belong3 + belong4"
    i = tn.invariance(model, t, "size", steps=("scalar", "configural", "metric"))
    assert list(i.fits) == ["configural", "metric", "scalar"] and i.table["df"].tolist() == [4, 7, 10]
    metric = tn.cfa(model, t, group="size", group_equal="loadings")
    assert i.table["chisq"].iloc[1] == pytest.approx(metric.chisq, abs=1e-6)
    assert i.table["chisq_diff"].iloc[1] == pytest.approx(metric.chisq - i.fits["configural"].chisq, abs=1e-6)


def test_start_from_another_fit_needs_no_iterations(d: pd.DataFrame) -> None:
    f = quiet_sem(CFA, d, cluster="school_id", std_lv=True)
    again = quiet_sem(CFA, d, cluster="school_id", std_lv=True, start=f)
    assert again.verdict.evaluations <= 2 and again.loglik == pytest.approx(f.loglik, abs=1e-8)
    assert tn.cfa("f =~ teach1 + teach2 + teach3", d, start={"f =~ teach2": 0.9}).converged
    with pytest.raises(ModelError, match="no free parameter"):
        tn.cfa("f =~ teach1 + teach2 + teach3", d, start={"f =~ teach9": 0.9})


def test_cluster_without_levels_gives_robust_errors(d: pd.DataFrame) -> None:
    plain, robust = tn.sem("read_score ~ escs", d), tn.sem("read_score ~ escs", d, cluster="school_id")
    assert robust.parameters()["std_error"].iloc[0] > 1.3 * plain.parameters()["std_error"].iloc[0]


def test_residuals_r2_and_moments(d: pd.DataFrame) -> None:
    f = quiet_sem(CFA, d, cluster="school_id")
    for block in ("level 1", "level 2"):
        h1, implied, residual = (np.asarray(t[block]["cov"].drop(columns="variable")) for t in (f.h1(), f.implied(), f.residuals()))
        assert residual == pytest.approx(h1 - implied)
    r2 = f.r2()
    p = f.parameters()
    std = p[(p.op == "=~") & (p.level == 1)]["std_all"].to_numpy()
    assert r2[r2.level == 1]["r2"].to_numpy() == pytest.approx(std**2)
    icc = f.icc().set_index("variable")["icc"]
    assert icc["teach1"] == pytest.approx(0.04997, abs=2e-4)


def test_summary_texts(d: pd.DataFrame) -> None:
    f = quiet_sem(CFA, d, cluster="school_id", std_lv=True)
    text = str(f.summary(standardized=True, fit_measures=True, rsquare=True))
    for words in ("Two-level structural equation model: converged", "Level 1: latent variables:", "f_2 =~ teach4", "SRMR, between", "R-squared:", "teach4 (level 2) is negative"):
        assert words in text
    assert "<table>" in f.summary()._repr_html_()
    assert "\\begin{tabular}" in f.summary().to_latex()
    assert "| f_1 =~ teach1 |" in f.summary().to_markdown()


def test_path_diagram(d: pd.DataFrame, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    f = quiet_sem(CFA, d, cluster="school_id", std_lv=True)
    figure = f.plot()
    assert len(figure.axes) == 2
    texts = {t.get_text() for t in figure.axes[0].texts}
    assert {"f_1", "teach1", "teach4", "0.65"} <= texts
    figure.savefig(tmp_path / "p.png")
    source = f.to_graphviz(values="estimate")
    assert source.count("subgraph") == 2 and 'label="0.53"' in source
    with pytest.raises(ModelError, match="one panel"):
        f.plot(ax=figure.axes[0])


def test_japanese_labels_need_a_font(d: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    from tanada.plot import path_fonts

    f = tn.cfa("授業 =~ teach1 + teach2 + teach3", d)
    monkeypatch.setattr(path_fonts, "_installed", lambda: None)
    with pytest.warns(tn.TanadaWarning, match="East Asian font"):
        f.plot()
    monkeypatch.setattr(path_fonts, "_installed", lambda: "DejaVu Sans")
    assert len(f.plot().axes) == 1


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tanada.cli.main import run

    model = tmp_path / "m.txt"
    model.write_text(CFA, encoding="utf-8")
    arguments = ["sem", str(model), "--data", "school_survey", "--cluster", "school_id", "--std-lv"]
    with pytest.raises(SystemExit) as done:
        run([*arguments, "--json"])
    assert done.value.code == 0
    record = json.loads(capsys.readouterr().out)
    assert record["df"] == 4 and record["fit_measures"]["npar"] == 20
    with pytest.raises(SystemExit) as failed:
        run(["sem", str(tmp_path / "none.txt"), "--data", "school_survey"])
    assert failed.value.code == 1 and "no model file" in capsys.readouterr().err


def test_standardised_solution_has_delta_method_errors(d: pd.DataFrame) -> None:
    f = tn.cfa("f =~ belong1 + belong2 + belong3 + belong4", d)
    s, p = f.standardized(), f.parameters()
    assert np.asarray(s["estimate"]) == pytest.approx(np.asarray(p["std_all"]))
    g = tn.cfa("f =~ belong1 + belong2 + belong3 + belong4", d.assign(**{v: d[v] / d[v].std(ddof=0) for v in ("belong1", "belong2", "belong3", "belong4")}), std_lv=True)
    # with unit variances the standardised loading is the loading; its error from the correlation structure is smaller than the raw one
    assert np.asarray(s["estimate"])[:4] == pytest.approx(np.asarray(g.parameters()["estimate"])[:4], abs=1e-5)
    assert (np.asarray(s["std_error"])[:4] < np.asarray(g.parameters()["std_error"])[:4]).all()
    assert s["std_error"].isna().sum() == 1  # the variance of f is 1 whatever the estimates
    with pytest.raises(ModelError, match="std_lv"):
        f.standardized("all")


def test_fit_indices_of_incomplete_data_approach_those_of_complete_data() -> None:
    rng = np.random.default_rng(12)
    n = 6000
    f = rng.standard_normal(n)
    t = pd.DataFrame({f"x{k}": f + rng.standard_normal(n) for k in range(1, 7)})
    t["x2"] += 0.6 * t["x1"] * 0.7
    model = "f =~ " + " + ".join(t.columns)
    full = tn.cfa(model, t).fit_measures()
    holes = t.where(rng.random(t.shape) > 0.3)
    part = tn.cfa(model, holes, missing="fiml").fit_measures()
    assert part["rmsea.robust"] == pytest.approx(full["rmsea"], rel=0.12)
    assert abs(part["rmsea.robust"] - full["rmsea"]) < 0.5 * abs(part["rmsea"] - full["rmsea"])


def test_weighted_errors_are_the_sandwich_of_weighted_scores(d: pd.DataFrame) -> None:
    t = d.head(900).assign(w=lambda f: 1.0 + (np.arange(900) % 4))
    f = tn.cfa("f =~ teach1 + teach2 + teach3 + teach4", t, weights="w")
    scores = f._fit.sample.scores(f._fit.built, f._fit.x)
    assert scores.sum(axis=0) == pytest.approx(np.zeros(f.npar), abs=1e-3)
    half = 0.5 * np.asarray(f._fit.built.objective.hessian(f._fit.x))
    V = np.linalg.inv(half) @ scores.T @ scores @ np.linalg.inv(half)
    assert np.asarray(f.vcov().drop(columns="parameter")) == pytest.approx(V, rel=1e-4, abs=1e-8)
    assert f.robust_test is not None


def test_reliability_of_parallel_items() -> None:
    rng = np.random.default_rng(21)
    f = rng.standard_normal(20000)
    t = pd.DataFrame({f"x{k}": f + rng.standard_normal(20000) for k in range(4)})
    r = tn.cfa("f =~ x0 + x1 + x2 + x3", t).reliability().iloc[0]
    assert r["alpha"] == pytest.approx(0.8, abs=0.01) and r["omega"] == pytest.approx(0.8, abs=0.01) and r["ave"] == pytest.approx(0.5, abs=0.01)
    with pytest.raises(ModelError, match="two or more observed indicators"):
        tn.sem("x0 ~ x1", t).reliability()
