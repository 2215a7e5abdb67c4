"""Tables of several models, Word documents, great_tables objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tanada as tn

TWO_LEVELS = """
level: 1
  fw =~ teach1 + teach2 + teach3 + teach4
  read_score ~ fw
level: 2
  fb =~ teach1 + teach2 + teach3 + teach4
  read_score ~ fb
"""


@pytest.fixture(scope="module")
def survey() -> Any:
    return tn.center(tn.load_dataset("school_survey"), "escs", by="school_id")


@pytest.fixture(scope="module")
def models(survey: Any) -> tuple[Any, Any]:
    return tn.mixed("read_score ~ escs_cwc + (escs_cwc | school_id)", survey), tn.mixed("read_score ~ escs_cwc * sch_escs_mean + (1 | school_id)", survey)


@pytest.fixture(scope="module")
def structural(survey: Any) -> Any:
    return tn.sem(TWO_LEVELS, survey, cluster="school_id")


def test_rows_keep_the_order_of_each_model(models: tuple[Any, Any]) -> None:
    t = tn.table(*models, names=["a", "b"]).table
    fixed = t[t["section"] == "Fixed effects"]["term"].tolist()
    assert fixed == ["(Intercept)", "escs_cwc", "sch_escs_mean", "escs_cwc:sch_escs_mean"]
    assert t["section"].tolist() == sorted(t["section"].tolist(), key=["Fixed effects", "Random effects", "Fit"].index)


def test_cells_show_the_estimates(models: tuple[Any, Any]) -> None:
    t = tn.table(*models, names=["a", "b"], show="se", digits=3)
    row = t.table[t.table["term"] == "sch_escs_mean"].iloc[0]
    f = models[1].fixef().set_index("term").loc["sch_escs_mean"]
    assert row["b"] == f"{f['estimate']:.3f}*** ({f['std_error']:.3f})" and row["a"] == ""
    long = t.data["long"]
    np.testing.assert_allclose(long[(long["model"] == "b") & (long["section"] == "Fixed effects")]["estimate"], models[1].fixef()["estimate"])
    aic = long[(long["term"] == "AIC")]["estimate"]
    np.testing.assert_allclose(aic, [m.aic for m in models])


def test_ratios(survey: Any) -> None:
    m = tn.mixed("wants_univ ~ escs + (1 | school_id)", survey, family="binomial")
    long = tn.table(m, exponentiate=True).data["long"]
    own = long[long["term"] == "escs"].iloc[0]
    f = m.fixef().iloc[1]
    np.testing.assert_allclose([own["estimate"], own["conf_low"], own["conf_high"]], np.exp([f["estimate"], f["conf_low"], f["conf_high"]]))


def test_structural_and_mixed_models_stand_side_by_side(models: tuple[Any, Any], structural: Any) -> None:
    t = tn.table(models[0], structural, names=["mixed", "sem"])
    text = str(t)
    assert "Loadings (level 2)" in text and "Fixed effects" in text and "CFI" in text
    std = tn.table(structural, standardized=True).data["long"]
    p = structural.parameters()
    expected = p[(p["op"] == "=~") & (p["level"] == 1)]["std_all"].to_numpy()
    np.testing.assert_allclose(std[std["section"] == "Loadings (level 1)"]["estimate"], expected)


def test_every_output_holds_every_term(models: tuple[Any, Any], tmp_path: Path) -> None:
    t = tn.table(*models)
    for out in (str(t), t.to_markdown(), t.to_latex().replace(r"\_", "_"), t.to_html()):
        assert "sch_escs_mean" in out and "SD Residual" in out
    assert r"\*\*\*" in t.to_markdown()
    assert t.to_latex().isascii() and "$-$" in t.to_latex()
    docx = pytest.importorskip("docx")
    t.to_docx(tmp_path / "t.docx")
    cells = [c.text for row in docx.Document(str(tmp_path / "t.docx")).tables[0].rows for c in row.cells]
    assert "escs_cwc:sch_escs_mean" in cells and "Random effects" in cells
    models[0].summary().to_docx(tmp_path / "summary")
    assert len(docx.Document(str(tmp_path / "summary.docx")).tables) >= 4
    with pytest.raises(tn.ModelError, match="docx"):
        t.to_docx(tmp_path / "t.pdf")


def test_great_tables(models: tuple[Any, Any], structural: Any) -> None:
    pytest.importorskip("great_tables")
    html = tn.table(*models).as_gt().as_raw_html()
    assert "Random effects" in html and "sch_escs_mean" in html
    assert "escs_cwc" in models[0].summary().as_gt().as_raw_html()
    assert "fw =~ teach2" in structural.summary().as_gt().as_raw_html()


def test_results_have_the_same_outputs(models: tuple[Any, Any], tmp_path: Path) -> None:
    pytest.importorskip("docx")
    means = tn.estimate_means(models[1], "escs_cwc = [sd]")
    means.to_docx(tmp_path / "m.docx")
    assert "<table>" in means.to_html()


def test_bad_arguments_are_named(models: tuple[Any, Any]) -> None:
    with pytest.raises(tn.ModelError, match="at least one"):
        tn.table()
    with pytest.raises(tn.ModelError, match="type 'int'"):
        tn.table(3)
    with pytest.raises(tn.ModelError, match="different names"):
        tn.table(*models, names=["x", "x"])
    with pytest.raises(tn.ModelError, match="show"):
        tn.table(*models, show="everything")


def test_polars_in_polars_out(survey: Any) -> None:
    import polars as pl

    m = tn.mixed("read_score ~ escs + (1 | school_id)", pl.from_pandas(survey[["read_score", "escs", "school_id"]]))
    assert isinstance(tn.table(m).table, pl.DataFrame)
