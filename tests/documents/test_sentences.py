"""Sentences hold the numbers of the model and the words that fit them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tanada as tn
from tanada.documents.numbers import interval, p_words, plain, share


@pytest.fixture(scope="module")
def survey() -> Any:
    return tn.center(tn.load_dataset("school_survey"), "escs", by="school_id")


@pytest.fixture(scope="module")
def model(survey: Any) -> Any:
    return tn.mixed("read_score ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)", survey, reml=True)


def test_numbers_in_apa_style() -> None:
    assert p_words(0.0321) == "p = .032" and p_words(1e-9) == "p < .001" and p_words(0.0006) == "p = .001"
    assert share(0.364) == ".36" and share(-0.2) == "\N{MINUS SIGN}.20" and share(1.0, 3) == "1.000" and share(-0.001) == ".00"
    assert plain(-2.577) == "\N{MINUS SIGN}2.58" and plain(0.0048) == "0.0048" and plain(1.2e-9) == "1.20e\N{MINUS SIGN}09" and plain(0.0) == "0.00"
    assert interval(-1, 2) == "[\N{MINUS SIGN}1.00, 2.00]" and plain(float("nan")) == "not available"


def test_english(model: Any) -> None:
    text = tn.report_text(model)
    f = model.fixef().set_index("term").loc["escs_cwc"]
    assert f"b = {f['estimate']:.2f}, 95% CI [{f['conf_low']:.2f}, {f['conf_high']:.2f}], t({f['df']:.1f}) = {f['statistic']:.2f}, p < .001" in text
    assert "escs_cwc was positive and statistically significant" in text
    assert "escs_cwc × sch_escs_mean was negative and not statistically significant" in text
    assert "restricted maximum likelihood" in text and "5,766 observations in 183 groups" in text
    assert "random intercepts and random slopes of escs_cwc by school_id" in text
    assert f"conditional R² = {share(tn.r2(model)['r2_conditional'].iloc[0])}" in text
    assert "Satterthwaite" in text


def test_japanese(model: Any) -> None:
    text = tn.report_text(model, "ja")
    f = model.fixef().set_index("term").loc["escs_cwc"]
    assert f"b = {f['estimate']:.2f}，95%信頼区間 [{f['conf_low']:.2f}, {f['conf_high']:.2f}]" in text
    assert "escs_cwcの効果は正で，統計的に有意であった" in text and "統計的に有意ではなかった" in text
    assert "制限付き最尤法" in text and "school_idごとの切片とescs_cwcの傾き" in text


def test_odds_ratios_and_z(survey: Any) -> None:
    m = tn.mixed("wants_univ ~ escs + (1 | school_id)", survey, family="binomial")
    text = tn.report_text(m)
    e = m.fixef().iloc[1]
    assert f"OR = {np.exp(e['estimate']):.2f}" in text and f"z = {e['statistic']:.2f}" in text and "logit link" in text
    assert "オッズ比" in tn.report_text(m, "ja")


def test_missing_rows_and_trouble_are_told(survey: Any) -> None:
    d = survey.copy()
    d.loc[:9, "escs"] = np.nan
    m = tn.mixed("read_score ~ escs + (1 | school_id)", d, quiet=True)
    assert "10 rows with missing values were left out" in tn.report_text(m)
    rng = np.random.default_rng(1)
    flat = {"y": rng.normal(size=60), "g": np.repeat(np.arange(10), 6)}
    flat["y"] = flat["y"] - np.repeat(flat["y"].reshape(10, 6).mean(1), 6)
    single = tn.mixed("y ~ 1 + (1 | g)", flat, quiet=True)
    assert single.singular and "Note:" in tn.report_text(single)


def test_structural_models(survey: Any) -> None:
    f = tn.sem("teach =~ teach1 + teach2 + teach3 + teach4\nread_score ~ teach + escs", survey)
    text = tn.report_text(f)
    p = f.parameters()
    row = p[(p["op"] == "~") & (p["rhs"] == "escs")].iloc[0]
    assert f"read_score on escs was significant (b = {row['estimate']:.2f}" in text
    assert f"CFI = {share(f.fit_measures('cfi')['cfi'], 3)}" in text and "χ²" in text
    assert "escsからread_scoreへのパスは有意であった" in tn.report_text(f, "ja")


def test_other_languages_and_things_are_refused(model: Any) -> None:
    with pytest.raises(tn.ModelError, match="language"):
        tn.report_text(model, "de")
    with pytest.raises(tn.ModelError, match="fitted model"):
        tn.report_text("y ~ x")


def test_robust_and_saturated_fits(survey: Any) -> None:
    f = tn.sem("teach =~ teach1 + teach2 + teach3 + teach4", survey, estimator="MLR")
    text = tn.report_text(f)
    assert f"χ²({f.df}) = {f.robust_test.stat:.2f}" in text and "Yuan-Bentler correction" in text
    assert f"robust CFI = {share(f.fit_measures('cfi.robust')['cfi.robust'], 3)}" in text
    assert "補正前" in tn.report_text(f, "ja")
    saturated = tn.sem("read_score ~ escs", survey)
    assert "saturated" in tn.report_text(saturated) and "飽和" in tn.report_text(saturated, "ja")
