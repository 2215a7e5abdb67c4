"""ANOVA intraclass correlation and design effect."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tanada as tn
from tanada.data.clustering import OneWay, variance_ratio

REFERENCE = json.loads((Path(__file__).parent.parent / "reference" / "data" / "clustering.json").read_text())
NAMES = {"ICC": "icc", "LowerCI": "conf_low", "UpperCI": "conf_high", "N": "n_groups", "k": "k", "varw": "var_within", "vara": "var_between"}


@pytest.mark.parametrize("column", ["read_score", "escs", "belong1", "teach1"])
def test_icc_anova_against_r(column: str) -> None:
    row = tn.icc_anova(tn.load_dataset("school_survey"), column, "school_id").iloc[0]
    for theirs, ours in NAMES.items():
        assert row[ours] == pytest.approx(REFERENCE["icc_anova"][column][theirs], rel=1e-9, abs=1e-12)


def test_design_effect_against_r() -> None:
    row = tn.design_effect(tn.load_dataset("school_survey"), "read_score", "school_id").iloc[0]
    sd, sigma = np.ravel(REFERENCE["model0_ml"])[0], REFERENCE["model0_sigma"]
    assert row["icc"] == pytest.approx(sd**2 / (sd**2 + sigma**2), rel=1e-6)
    assert row["mean_size"] == pytest.approx(REFERENCE["design_effect"]["n_bar"], rel=1e-12)
    assert row["deff"] == pytest.approx(REFERENCE["design_effect"]["deff"], rel=1e-5)  # glmmTMB stops at 2e-6 of the optimum
    assert row["n_effective"] == pytest.approx(REFERENCE["design_effect"]["n_effective"], rel=1e-5)


def test_variance_ratio_is_the_maximum_of_the_dense_likelihood() -> None:
    rng = np.random.default_rng(6)
    sizes = np.array([2, 5, 3, 9])
    g = np.repeat(np.arange(4), sizes)
    y = rng.standard_normal(4)[g] * 1.5 + rng.standard_normal(len(g))
    means = np.bincount(g, y) / sizes
    ratio = variance_ratio(OneWay(sizes.astype(float), means, float(((y - means[g]) ** 2).sum())))

    def deviance(r: float) -> float:
        V = np.eye(len(g)) + r * (g[:, None] == g[None, :])
        one = np.ones(len(g))
        Vi = np.linalg.inv(V)
        mu = (one @ Vi @ y) / (one @ Vi @ one)
        return float(np.linalg.slogdet(V)[1] + len(g) * np.log((y - mu) @ Vi @ (y - mu)))

    grid = ratio * np.exp(np.linspace(-0.5, 0.5, 41))
    assert deviance(ratio) <= min(map(deviance, grid)) + 1e-12
    assert abs(deviance(ratio * 1.001) - deviance(ratio * 0.999)) < 1e-5


def test_no_clustering_gives_zero() -> None:
    d = pd.DataFrame({"y": [1.0, 3.0, 1.0, 3.0], "g": ["a", "a", "b", "b"]})
    row = tn.design_effect(d, "y", "g").iloc[0]
    assert row["icc"] == 0.0 and row["deff"] == 1.0
    assert tn.icc_anova(d, "y", "g")["icc"].iloc[0] == -1.0  # the estimator's lowest value with groups of two


def test_missing_values_are_left_out() -> None:
    d = tn.load_dataset("school_survey")[["read_score", "school_id"]]
    holes = d.copy()
    holes.loc[5:50, "read_score"] = np.nan
    holes.loc[400:410, "school_id"] = None
    pd.testing.assert_frame_equal(tn.icc_anova(holes, "read_score", "school_id"), tn.icc_anova(holes.dropna(), "read_score", "school_id"))


def test_location_and_scale_do_not_matter() -> None:
    d = tn.load_dataset("school_survey")
    far = d.assign(read_score=1e8 + 1e-3 * d["read_score"])
    assert tn.icc_anova(far, "read_score", "school_id")["icc"].iloc[0] == pytest.approx(tn.icc_anova(d, "read_score", "school_id")["icc"].iloc[0], rel=1e-4)


@pytest.mark.parametrize("function", [tn.icc_anova, tn.design_effect])
def test_bad_input(function: object) -> None:
    d = pd.DataFrame({"y": [1.0, 2.0, 3.0], "c": 1.0, "g": ["a", "a", "b"], "one": "x", "id": [1, 2, 3], "t": ["u", "v", "w"]})
    cases = [
        (("c", "g"), "column 'c' is constant"),
        (("y", "one"), "a single group"),
        (("y", "id"), "every group of 'id' has a single row"),
        (("t", "g"), "holds text or categories"),
        (("yy", "g"), "Did you mean 'y'"),
    ]
    for arguments, message in cases:
        with pytest.raises(tn.DataError, match=message):
            function(d, *arguments)  # type: ignore[operator]
    with pytest.raises(tn.DataError, match="between 0 and 1"):
        tn.icc_anova(d, "y", "g", level=95)
