"""Bundled data sets and centring."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tanada as tn

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "make_school_survey.py"


def test_school_survey() -> None:
    d = tn.load_dataset("school_survey")
    assert d.shape == (5766, 17) and d["school_id"].nunique() == 183
    assert d["school_id"].iloc[0] == "001" and d["student_id"].str.len().eq(4).all()
    assert d.isna().sum().sum() == 0


def test_school_survey_is_what_its_script_makes() -> None:
    if not SCRIPT.exists():
        pytest.skip("the generator script is not part of an installed package")
    spec = importlib.util.spec_from_file_location("make_school_survey", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.simulate()
    d = tn.load_dataset("school_survey")
    assert list(made.columns) == list(d.columns)
    assert (made["student_id"] == d["student_id"]).all()
    np.testing.assert_allclose(made["read_score"], d["read_score"])


def test_seed_survival() -> None:
    d = tn.load_dataset("seed_survival")
    assert d.shape == (100, 4) and (d["N"] == 8).all() and sorted(d["x"].unique()) == [2, 3, 4, 5, 6]


def test_polars_and_unknown_names() -> None:
    pl = pytest.importorskip("polars")
    d = tn.load_dataset("school_survey", as_="polars")
    assert isinstance(d, pl.DataFrame) and d["school_id"][0] == "001" and d.height == 5766
    assert isinstance(tn.list_datasets(as_="polars"), pl.DataFrame)
    with pytest.raises(tn.DataError, match="Did you mean 'school_survey'"):
        tn.load_dataset("school_surveys")
    with pytest.raises(tn.DataError, match="'pandas' or 'polars'"):
        tn.load_dataset("school_survey", as_="dask")


def test_center_within_groups() -> None:
    d = pd.DataFrame({"x": [1.0, 3.0, np.nan, 10.0, 20.0], "w": [1, 2, 3, 4, 5], "g": ["b", "b", "b", "a", None]})
    out = tn.center(d, ["x", "w"], by="g")
    assert list(out.columns) == ["x", "w", "g", "x_mean", "x_cwc", "w_mean", "w_cwc"]
    np.testing.assert_array_equal(out["x_mean"], [2, 2, 2, 10, np.nan])
    np.testing.assert_array_equal(out["x_cwc"], [-1, 1, np.nan, 0, np.nan])
    np.testing.assert_array_equal(out["w_mean"], [2, 2, 2, 4, np.nan])
    assert list(d.columns) == ["x", "w", "g"]


def test_center_by_combinations_and_grand_mean() -> None:
    d = pd.DataFrame({"x": [1.0, 2.0, 3.0, 8.0], "a": [1, 1, 2, 2], "b": ["u", "v", "u", "u"]})
    np.testing.assert_array_equal(tn.center(d, "x", by=["a", "b"])["x_mean"], [1, 2, 5.5, 5.5])
    np.testing.assert_array_equal(tn.center(d, "x")["x_gmc"], [-2.5, -1.5, -0.5, 4.5])


def test_center_twice_is_center_once_and_equals_groupby() -> None:
    d = tn.load_dataset("school_survey")
    once = tn.center(d, "escs", by="school_id")
    pd.testing.assert_frame_equal(tn.center(once, "escs", by="school_id"), once)
    np.testing.assert_allclose(once["escs_mean"], d.groupby("school_id")["escs"].transform("mean"), atol=1e-12)


def test_center_bad_input() -> None:
    d = pd.DataFrame({"x": [1.0, np.inf], "t": ["a", "b"], "e": [np.nan, np.nan], "y": [1.0, 2.0]})
    for cols, by, message in [("x", None, "1 infinite"), ("t", None, "holds text"), ("z", None, "no column 'z'"), ([], None, "cols is empty"), ("y", [], "by is empty"), ("e", None, "missing in all rows")]:
        with pytest.raises(tn.DataError, match=message):
            tn.center(d, cols, by=by)
