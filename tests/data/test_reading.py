"""tn.read: every format, ids, labels, and the messages for what cannot be read."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tanada as tn


def table() -> pd.DataFrame:
    return pd.DataFrame({"id": ["007", "012", "100"], "n": [1, 2, 3], "x": [0.5, np.nan, 2.5], "学校": ["い", "ろ", "は"], "flag": [True, False, True]})


def same(got: pd.DataFrame) -> None:
    expected = table()
    assert list(got.columns) == list(expected.columns)
    assert got["id"].astype(str).tolist() == expected["id"].tolist()
    np.testing.assert_allclose(got["n"].astype(float), expected["n"])
    np.testing.assert_allclose(got["x"].astype(float), expected["x"])
    assert got["学校"].astype(str).tolist() == expected["学校"].tolist()


@pytest.mark.parametrize(("suffix", "separator"), [("csv", ","), ("csv.gz", ","), ("tsv", "\t"), ("txt", ";"), ("csv.bz2", ",")])
def test_text(tmp_path: Path, suffix: str, separator: str) -> None:
    file = tmp_path / f"data.{suffix}"
    table().to_csv(file, index=False, sep=separator)
    same(tn.read(file))
    same(tn.read(str(file)))
    assert tn.read(file)["flag"].dtype == bool


def test_ids_with_zeros_far_down_or_with_missing_values(tmp_path: Path) -> None:
    file = tmp_path / "ids.csv"
    file.write_text("late,gaps,zero,real\n" + "1,1,0,0.5\n" * 5000 + "02,,0,0.25\n" + "3,03,0,0\n")
    d = tn.read(file)
    assert d["late"].iloc[5000] == "02" and d["gaps"].iloc[-1] == "03" and pd.isna(d["gaps"].iloc[5000])
    assert d["zero"].dtype.kind == "i" and d["real"].dtype.kind == "f"


def test_byte_order_mark_and_japanese_encoding(tmp_path: Path) -> None:
    marked, cp932 = tmp_path / "bom.csv", tmp_path / "excel.csv"
    table().to_csv(marked, index=False, encoding="utf-8-sig")
    table().to_csv(cp932, index=False, encoding="cp932")
    same(tn.read(marked))
    same(tn.read(cp932, encoding="cp932"))
    with pytest.raises(tn.DataError, match="encoding='cp932'"):
        tn.read(cp932)
    with pytest.raises(tn.DataError, match="encoding = 'klingon' is not known"):
        tn.read(cp932, encoding="klingon")


@pytest.mark.parametrize("suffix", ["parquet", "feather", "json"])
def test_columnar(tmp_path: Path, suffix: str) -> None:
    if suffix != "json":
        pytest.importorskip("pyarrow")
    file = tmp_path / f"data.{suffix}"
    getattr(table(), f"to_{suffix}")(file)
    got = tn.read(file)
    if suffix != "json":
        same(got)
    assert got.shape == (3, 5)


def test_excel(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    file = tmp_path / "book.xlsx"
    with pd.ExcelWriter(file) as writer:
        table().to_excel(writer, sheet_name="first", index=False)
        pd.DataFrame({"a": [1]}).to_excel(writer, sheet_name="second", index=False)
    same(tn.read(file, name="first"))
    with pytest.raises(tn.DataError, match="holds several sheets: 'first', 'second'; choose one with name="):
        tn.read(file)


@pytest.mark.parametrize("suffix", ["sav", "dta"])
def test_labelled(tmp_path: Path, suffix: str) -> None:
    pyreadstat = pytest.importorskip("pyreadstat")
    file = tmp_path / f"data.{suffix}"
    d = pd.DataFrame({"sex": [2.0, 1.0, 1.0, np.nan], "age": [31.0, 99.0, 25.0, 40.0], "id": ["01", "02", "03", "04"]})
    write = pyreadstat.write_sav if suffix == "sav" else pyreadstat.write_dta
    labels = {"sex": {1: "male", 2: "female", 3: "other"}, "age": {99: "refused"}}
    write(d, str(file), variable_value_labels=labels)
    got = tn.read(file)
    assert got["sex"].tolist()[:3] == ["female", "male", "male"] and pd.isna(got["sex"].iloc[3])
    assert got["sex"].cat.categories.tolist() == ["male", "female", "other"]
    assert got["age"].tolist() == [31.0, 99.0, 25.0, 40.0]
    assert got["id"].tolist() == ["01", "02", "03", "04"]


def test_r_data(tmp_path: Path) -> None:
    pyreadr = pytest.importorskip("pyreadr")
    rds, rdata = tmp_path / "d.rds", tmp_path / "d.RData"
    d = table().drop(columns=["flag"])
    pyreadr.write_rds(str(rds), d)
    pyreadr.write_rdata(str(rdata), d, df_name="pupils")
    same(tn.read(rds).assign(flag=True))
    same(tn.read(rdata, name="pupils").assign(flag=True))
    with pytest.raises(tn.DataError, match="has no object 'pupil'. Did you mean 'pupils'"):
        tn.read(rdata, name="pupil")


def test_polars(tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    file = tmp_path / "d.csv"
    table().to_csv(file, index=False)
    got = tn.read(file, as_="polars")
    assert isinstance(got, pl.DataFrame) and got["id"].to_list() == ["007", "012", "100"]


def test_messages(tmp_path: Path) -> None:
    (tmp_path / "pupils.csv").write_text("a,b\n1,2\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n1,2,3,4\n")
    (tmp_path / "pupils.doc").write_text("x")
    (tmp_path / "bad.rds").write_text("not R")
    (tmp_path / "bad.sav").write_text("not SPSS")
    (tmp_path / "bad.xlsx").write_text("not a book")
    (tmp_path / "bad.parquet").write_text("not columns")
    for name, message in [
        ("pupil.csv", "Did you mean 'pupils.csv'"),
        ("empty.csv", "'empty.csv' is empty"),
        ("ragged.csv", "not a regular table"),
        ("pupils.doc", "files ending in '.doc' are not known"),
        ("bad.rds", "cannot be read as R data"),
        ("bad.sav", "cannot be read"),
        ("bad.xlsx", "cannot be read as a spreadsheet"),
        ("bad.parquet", "cannot be read"),
    ]:
        package = {"rds": "pyreadr", "sav": "pyreadstat", "xlsx": "openpyxl", "parquet": "pyarrow"}.get(name.rpartition(".")[2])
        if package:
            pytest.importorskip(package)
        with pytest.raises(tn.DataError, match=message):
            tn.read(tmp_path / name)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "d.sav"
    file.write_text("x")
    real = builtins.__import__

    def without(name: str, *args: Any, **kw: Any) -> Any:
        if name == "pyreadstat":
            raise ImportError(name)
        return real(name, *args, **kw)

    monkeypatch.delitem(__import__("sys").modules, "pyreadstat", raising=False)
    monkeypatch.setattr("tanada.data.reading.import_module", lambda name: without(name))
    with pytest.raises(tn.DataError, match=r"\.sav files need the package pyreadstat: pip install 'tanada\[io\]'"):
        tn.read(file)
