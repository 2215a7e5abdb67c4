"""The same model from any data-frame library; tables back in the caller's own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tanada.design.build import build_design
from tanada.errors import DataError
from tanada.frame import read_frame, to_caller, with_columns

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

N = 36
FORMULA = "y ~ x * f + t + flag + k + (x | g) + (1 | id)"


def plain() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "y": rng.standard_normal(N),
            "x": rng.standard_normal(N),
            "f": pd.Categorical(np.resize(["lo", "mid", "hi"], N), categories=["lo", "mid", "hi"]),
            "t": np.resize(["b", "a", "é"], N),
            "flag": np.resize([True, False, False, True, False], N),
            "k": np.resize([3, 1, 2, 8, 5], N),
            "g": np.repeat([f"{i:03d}" for i in range(6)], 6),
            "id": np.resize([10, 9, 2, 11], N),
        }
    )


def holes() -> pd.DataFrame:
    """Missing values in every kind of column."""
    d = plain()
    d["flag"] = d["flag"].astype("boolean")
    d["k"] = d["k"].astype("Int64")
    d["id"] = d["id"].astype("Int64")
    for row, name in enumerate(["x", "f", "t", "flag", "k", "g", "id", "x"]):
        d.loc[3 * row, name] = None
    return d


def polars_of(d: pd.DataFrame) -> Any:
    table = pl.from_pandas(d)
    return table.with_columns(pl.col("f").cast(pl.String).cast(pl.Enum(["lo", "mid", "hi"])))


LIBRARIES: dict[str, Any] = {
    "polars": polars_of,
    "polars lazy": lambda d: polars_of(d).lazy(),
    "pyarrow": lambda d: pa.Table.from_pandas(d, preserve_index=False),
    "arrow chunks": lambda d: pa.concat_tables([pa.Table.from_pandas(d[:20], preserve_index=False), pa.Table.from_pandas(d[20:], preserve_index=False)]),
    "dict": lambda d: {c: d[c] for c in d},
    "dict of lists": lambda d: {c: (d[c] if c == "f" else d[c].astype(object).where(d[c].notna(), None).tolist()) for c in d},
    "pandas object": lambda d: d.astype({"t": object, "g": object}),
    "pandas nullable": lambda d: d.astype({"y": "Float64", "x": "Float64", "k": "Int64", "id": "Int16", "flag": "boolean", "t": "string", "g": "string"}),
    "pandas arrow": lambda d: d.astype({c: pd.ArrowDtype(pa.string()) for c in ("t", "g")} | {c: pd.ArrowDtype(pa.float64()) for c in ("x", "y")}),
    "pandas float32 index": lambda d: d.astype({"k": "float32"}).set_index(np.arange(N)[::-1]),
    "narwhals": lambda d: __import__("narwhals").from_native(polars_of(d)),
}


@pytest.mark.parametrize("missing", [False, True], ids=["complete", "missing"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_same_design_from_every_library(library: str, missing: bool) -> None:
    d = holes() if missing else plain()
    expected = build_design(FORMULA, d)
    got = build_design(FORMULA, LIBRARIES[library](d))
    assert got.dropped == expected.dropped and got.notes == expected.notes
    np.testing.assert_array_equal(got.rows, expected.rows)
    np.testing.assert_array_equal(got.model.y, expected.model.y)
    a, b = got.model.components[0], expected.model.components[0]
    assert (a.names, a.terms) == (b.names, b.terms)
    np.testing.assert_array_equal(a.X, b.X)
    for r, s in zip(a.random, b.random, strict=True):
        assert r.levels == s.levels
        np.testing.assert_array_equal(r.codes, s.codes)
        np.testing.assert_array_equal(r.Z, s.Z)


def test_missing_rows_are_counted_by_variable() -> None:
    design = build_design(FORMULA, holes())
    assert design.dropped == {"x": 2, "f": 1, "t": 1, "flag": 1, "k": 1, "g": 1, "id": 1}
    assert design.notes[0] == "8 of 36 rows dropped because of missing values: x (2), f (1), t (1), flag (1), k (1), g (1), id (1)."
    assert sorted(set(range(N)) - set(design.rows.tolist())) == [0, 3, 6, 9, 12, 15, 18, 21]
    assert design.n_input == N
    np.testing.assert_array_equal(design.variable("x"), holes()["x"].to_numpy()[design.rows])
    assert design.factor_levels("f") == ("lo", "mid", "hi")
    assert design.variables()["g"] == "text"


def test_dates_group_and_decimals_are_numbers() -> None:
    d = plain()
    d["day"] = pd.date_range("2024-03-01", periods=6).repeat(6)
    d["price"] = [Decimal(i) / 4 for i in range(N)]
    design = build_design("y ~ price + (1 | day)", d)
    assert design.model.components[0].random[0].levels[0].startswith("2024-03-01")
    np.testing.assert_array_equal(design.model.components[0].X[:, 1], np.arange(N) / 4)
    arrow = build_design("y ~ price + (1 | day)", pa.Table.from_pandas(d, preserve_index=False))
    np.testing.assert_array_equal(arrow.model.components[0].X, design.model.components[0].X)
    polars = build_design("y ~ price + (1 | day)", pl.from_pandas(d))
    np.testing.assert_array_equal(polars.model.components[0].random[0].codes, design.model.components[0].random[0].codes)


def test_ids_beyond_double_precision_stay_apart() -> None:
    d = plain()
    d["id"] = 2**60 + np.resize([0, 1], N)
    assert build_design("y ~ x + (1 | id)", d).model.components[0].random[0].levels == (str(2**60), str(2**60 + 1))


def test_tables_come_back_in_the_callers_library() -> None:
    d = plain()
    columns = {"term": np.array(["a", "b"], dtype=object), "estimate": np.array([1.0, 2.0])}
    assert isinstance(to_caller(columns, read_frame(polars_of(d))), pl.DataFrame)
    assert isinstance(to_caller(columns, polars_of(d)), pl.DataFrame)
    assert isinstance(to_caller(columns, read_frame(polars_of(d).lazy())), pl.DataFrame)
    for other in (d, read_frame(d), {c: d[c] for c in d}, pa.Table.from_pandas(d), None):
        assert isinstance(to_caller(columns, other), pd.DataFrame)
    assert to_caller(columns, polars_of(d))["term"].to_list() == ["a", "b"]


@pytest.mark.parametrize("library", ["polars", "polars lazy", "pyarrow", "dict"])
def test_columns_are_added_without_touching_the_input(library: str) -> None:
    data = LIBRARIES[library](plain())
    out = with_columns(read_frame(data), {"new": np.arange(N), "x": np.zeros(N)})
    assert list(out.columns)[-1] == "new" and len(out) == N
    assert float(out["x"].sum()) == 0.0
    assert "new" not in read_frame(data)


def test_messages() -> None:
    d = plain()
    with pytest.raises(DataError, match="complex"):
        build_design("y ~ c", d.assign(c=1j))
    with pytest.raises(DataError, match=r"holds List\(Int64\) values"):
        build_design("y ~ c", polars_of(d).with_columns(c=pl.lit([1, 2])))
    with pytest.raises(DataError, match="data is a Series; a data frame"):
        read_frame(d["x"])
    with pytest.raises(DataError, match="has 2 dimensions"):
        build_design("y ~ x", {"y": np.arange(3.0), "x": np.ones((3, 2))})
