"""Bad input ends in one clear sentence that names the thing and what would be accepted."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tanada as tn
from tanada.errors import DataError, ModelError, ModelSyntaxError


@pytest.fixture(scope="module")
def d() -> pd.DataFrame:
    t = tn.load_dataset("school_survey").head(800).copy()
    t["const"] = 1.0
    t["text"] = "a"
    t["copy"] = t["teach1"]
    t["sum"] = t["teach1"] + t["teach2"]
    t["inf"] = t["escs"].where(np.arange(len(t)) > 0, np.inf)
    t["nothing"] = np.nan
    t["row"] = np.arange(len(t))
    t["kind"] = pd.Categorical(np.where(t["escs"] > 0, "a", "b"))
    return t


LEVELS = "level: 1\n {}\nlevel: 2\n {}"
ONE = LEVELS.format("teach1 ~~ teach1", "teach1 ~~ teach1")
COV = pd.DataFrame([[1.0, 0.2], [0.2, 1.0]], columns=["a", "b"])

BAD: list[tuple[Callable[[pd.DataFrame], Any], type[Exception], str]] = [
    (lambda d: tn.sem(LEVELS.format("read_score ~~ read_score", "read_score ~ escs"), d, cluster="school_id"), DataError, r"'escs' stands only under level: 2.*\('001'"),
    (lambda d: tn.sem(LEVELS.format("teach1 ~ s_t_ratio", "teach1 ~ s_t_ratio"), d, cluster="school_id"), DataError, "'s_t_ratio' stands under level: 1 but is constant"),
    (lambda d: tn.sem("teach1 ~ const", d), DataError, "'const' has the same value"),
    (lambda d: tn.sem("teach1 ~ text", d), DataError, "'text' holds text"),
    (lambda d: tn.sem("teach1 ~ kind", d), DataError, "'kind' holds categories"),
    (lambda d: tn.sem("teach1 ~ teach22", d), DataError, "'teach22'.*Did you mean 'teach2'"),
    (lambda d: tn.sem("f ~ teach1", d), DataError, "'f', which is not a column.*latent variable is one that stands left"),
    (lambda d: tn.sem("teach2 ~ teach1 + copy", d), DataError, "teach1, copy are linearly dependent"),
    (lambda d: tn.cfa("f =~ teach1 + teach2 + sum", d), DataError, "teach1, teach2, sum are linearly dependent"),
    (lambda d: tn.sem("teach1 ~ inf", d), DataError, "'inf' has infinite values"),
    (lambda d: tn.sem("teach1 ~ nothing", d), DataError, "no complete row"),
    (lambda d: tn.sem("teach1 ~~ nothing", d, missing="fiml"), DataError, "'nothing' has no value"),
    (lambda d: tn.sem("teach1 ~ teach2", d.head(0)), DataError, "no complete row"),
    (lambda d: tn.cfa("f =~ teach1 + teach2 + teach3 + teach4", d.head(3)), DataError, "3 rows for 4 variables"),
    (lambda d: tn.cfa("f =~ teach1 + teach2 + text", d, ordered=["text"]), DataError, "'text' holds text, whose order is unknown"),
    (lambda d: tn.cfa("f =~ teach1 + teach2 + teach3", d, ordered=["teach4"]), ModelError, "'teach4' is not an observed variable of the model"),
    (lambda d: tn.sem(ONE, d, cluster="school_id", ordered=["teach1"]), ModelError, "two-level model are not supported"),
    (lambda d: tn.sem(ONE, d.head(10), cluster="school_id"), DataError, "has 1 cluster"),
    (lambda d: tn.sem(ONE, d, cluster="row"), DataError, "every row is its own cluster"),
    (lambda d: tn.sem(ONE, d), ModelError, "say which column holds the clusters"),
    (lambda d: tn.sem(ONE, d, cluster="schoolid"), DataError, "Did you mean 'school_id'"),
    (lambda d: tn.sem(LEVELS.format("teach1 ~~ teach1", ""), d, cluster="school_id"), ModelSyntaxError, "'level: 2' has no formula"),
    (lambda d: tn.sem("teach1 ~ teach1", d), ModelSyntaxError, "both sides"),
    (lambda d: tn.sem("a ~ b", sample_cov=pd.DataFrame([[1, 2.0], [2, 1]], columns=["a", "b"]), sample_nobs=50), DataError, "not positive definite"),
    (lambda d: tn.sem("a ~ b", sample_cov=pd.DataFrame([[1, 0.2], [0.3, 1]], columns=["a", "b"]), sample_nobs=50), DataError, "not symmetric"),
    (lambda d: tn.sem("a ~ b", sample_cov=COV), DataError, "sample_nobs = None"),
    (lambda d: tn.sem("a ~ c", sample_cov=COV, sample_nobs=50), DataError, "no variable 'c'"),
    (lambda d: tn.sem("a ~ b", sample_cov=COV, sample_nobs=50, se="bootstrap").parameters(), ModelError, "needs the raw data"),
    (lambda d: tn.sem("a ~ b"), DataError, "give either data= or sample_cov="),
    (lambda d: tn.cfa("f =~ teach1 + teach2 + teach3", d, estimator="MLE"), ModelError, "Did you mean 'ML'"),
    (lambda d: tn.cfa("f =~ teach1 + teach2 + teach3", d, std_iv=True), ModelError, "Did you mean 'std_lv'"),
    (lambda d: tn.cfa("f =~ teach1 + teach2 + teach3", d, control={"max_iter": 3}), ModelError, "Did you mean 'max_iterations'"),
    (lambda d: tn.cfa("f =~ teach1 + teach2 + teach3", d, estimator="WLS", missing="fiml"), ModelError, "take missing='listwise'"),
    (lambda d: tn.cfa("f =~ teach1 + teach2 + teach3", d.assign(w=-1.0), weights="w"), DataError, "sampling weights are positive"),
    (lambda d: tn.sem(ONE, d.assign(w=1.0), cluster="school_id", weights="w"), ModelError, "not two-level"),
    (lambda d: tn.sem(ONE, d, cluster="school_id", estimator="WLS"), ModelError, "models of one level"),
    (lambda d: tn.sem(ONE, d, cluster="school_id", estimator="MLM"), ModelError, "'MLR' is the robust estimator of two-level"),
    (lambda d: tn.cfa("f =~ teach1 + teach2 + teach3", d, se="cluster"), ModelError, "needs cluster="),
    (lambda d: tn.cfa("f =~ teach1 + teach2 + teach3", d, missing="pairwise"), ModelError, "missing = 'pairwise'"),
    (lambda d: tn.invariance("f =~ teach1 + teach2 + teach3", d, "kind", steps=("weak",)), ModelError, "'weak' is not a step"),
    (lambda d: tn.cfa("f =~ teach1 + teach2 + teach3", 5), DataError, "a data frame"),
    (lambda d: tn.cfa(5, d), ModelSyntaxError, "a model is text"),
    (lambda d: tn.sem("teach1 ~ a*teach2\na == log(-1)", d), ModelSyntaxError, "no value at the starting values"),
    (lambda d: tn.sem("teach1 ~ a*teach2\na == 1\na == 2", d), ModelError, "contradict each other"),
    (lambda d: tn.sem("teach1 ~ teach2", d).fit_measures("rmse"), ModelError, "Did you mean 'rmsea'"),
    (lambda d: tn.sem("teach1 ~ teach2", d).scores(), ModelError, "no latent variable"),
    (lambda d: tn.sem("teach1 ~ teach2", d).icc(), ModelError, "has one level"),
    (lambda d: tn.sem("teach1 ~ teach2", d).monte_carlo(), ModelError, "defines no parameter"),
    (lambda d: tn.lrt(tn.cfa("f =~ teach1 + teach2 + teach3", d)), ModelError, "two or more"),
    (lambda d: tn.lrt(tn.cfa("f =~ teach1 + teach2 + teach3", d), tn.cfa("f =~ teach1 + teach2 + teach3", d.head(700))), ModelError, "different data"),
    (lambda d: tn.compare_fit(3), ModelError, "not int"),
    (lambda d: tn.wide_model(d, "read_score", "school_id", slope="escs"), DataError, "must hold 0 and 1"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_message(case: int, d: pd.DataFrame) -> None:
    call, kind, words = BAD[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(kind, match=words):
            call(d)


def test_what_is_not_identified_is_named(d: pd.DataFrame) -> None:
    with pytest.warns(UserWarning, match="not identified"):
        f = tn.cfa("f =~ teach1 + teach2 + teach3", d, auto_fix_first=False)
    assert not f.converged and f.verdict.status == "flat"
    assert {"f ~~ f", "f =~ teach1"} <= set(f.verdict.boundary)
    assert np.isnan(f.parameters()["std_error"]).all()


def test_negative_variance_is_named() -> None:
    with pytest.warns(UserWarning, match=r"residual variance of teach4 \(level 2\) is negative"):
        tn.cfa(LEVELS.format("a =~ teach1 + teach2 + teach3 + teach4", "b =~ teach1 + teach2 + teach3 + teach4"), tn.load_dataset("school_survey"), cluster="school_id")


def test_few_clusters_are_noted(d: pd.DataFrame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f = tn.cfa(LEVELS.format("a =~ teach1 + teach2 + teach3 + teach4", "b =~ teach1 + teach2 + teach3 + teach4"), d.head(300), cluster="school_id")
    assert any("clusters for 12 parameters at level 2" in n for n in f.notes)


def test_dropped_rows_are_noted(d: pd.DataFrame) -> None:
    t = d.assign(teach1=d["teach1"].where(d["row"] > 9))
    with pytest.warns(UserWarning, match="10 of 800 rows with missing values"):
        f = tn.sem("teach1 ~ teach2", t)
    assert f.nobs == 790


def test_huge_and_tiny_scales(d: pd.DataFrame) -> None:
    a = tn.cfa("f =~ teach1 + teach2 + teach3 + teach4", d)
    b = tn.cfa("f =~ teach1 + teach2 + teach3 + teach4", d.assign(teach1=d["teach1"] * 1e9, teach2=d["teach2"] * 1e-9))
    assert b.converged and b.chisq == pytest.approx(a.chisq, abs=1e-5)


def test_estimates_that_run_away_are_told_from_models_that_are_not_identified() -> None:
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(30), 5)
    model = LEVELS.format("a =~ y1 + y2 + y3 + y4", "b =~ y1 + y2 + y3 + y4")
    seen = set()
    for _ in range(12):
        t = pd.DataFrame(rng.standard_normal((150, 1)) + rng.standard_normal((150, 4)), columns=["y1", "y2", "y3", "y4"]).assign(g=g)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            f = tn.sem(model, t, cluster="g", std_lv=True)
            bounded = tn.sem(model, t, cluster="g", std_lv=True, bounds=True)
        assert bounded.loglik <= f.loglik + 1e-6 or not f.converged
        p = bounded.parameters()
        assert (p[(p.op == "~~") & (p.lhs == p.rhs)]["estimate"] >= 0).all()
        if bounded.verdict.boundary:
            assert bounded.verdict.status in ("boundary", "flat")
        seen.add(f.verdict.message.split(":")[0][:20] if f.verdict.status == "flat" else f.verdict.status)
    assert "These data do not de" in seen and "The model is not ide" not in seen
