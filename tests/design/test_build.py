"""build_design: the matrices of a formula on data."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from tanada.design.build import Design, build_design


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 60
    return pd.DataFrame(
        {
            "y": rng.standard_normal(n),
            "x": rng.standard_normal(n),
            "z": rng.uniform(1, 2, n),
            "f": pd.Categorical(np.resize(["lo", "mid", "hi"], n), categories=["lo", "mid", "hi"]),
            "t": np.resize(["b", "a"], n),
            "g": np.repeat([f"{i:02d}" for i in range(10)], 6),
            "k": np.repeat([10, 9, 2], 20),
            "flag": np.resize([True, False, False, True, True], n),
        }
    )


def test_intercept_slope_and_groups(table: pd.DataFrame) -> None:
    design = build_design("y ~ x + (x | g)", table)
    cond = design.model.component("cond")
    assert cond.names == ("(Intercept)", "x")
    np.testing.assert_array_equal(cond.X, np.column_stack([np.ones(60), table["x"]]))
    term = cond.random[0]
    assert (term.group, term.structure, term.names) == ("g", "us", ("(Intercept)", "x"))
    assert term.levels == tuple(f"{i:02d}" for i in range(10))
    np.testing.assert_array_equal(term.codes, np.repeat(np.arange(10), 6))
    np.testing.assert_array_equal(design.model.y, table["y"])
    assert term.codes.dtype == np.int32 and cond.X.flags.c_contiguous and term.Z.flags.c_contiguous


def test_numeric_ids_are_ordered_as_numbers(table: pd.DataFrame) -> None:
    term = build_design("y ~ 1 + (1 | k)", table).model.components[0].random[0]
    assert term.levels == ("2", "9", "10")
    np.testing.assert_array_equal(term.codes, np.repeat([2, 1, 0], 20))


@pytest.mark.parametrize("as_dict", [False, True])
def test_a_later_change_of_the_data_does_not_reach_the_design(table: pd.DataFrame, as_dict: bool) -> None:
    d = table.assign(w=2.0, i=np.arange(60), g32=pd.Categorical(table["g"]))
    data = {c: (d[c].to_numpy().copy() if c in ("y", "x", "z", "w", "i") else d[c].copy()) for c in d} if as_dict else d.copy()
    design = build_design("y ~ x + log(z) + i + f + offset(z) + (1 | g32)", data, weights="w")
    before = pickled(design)
    for name in ("y", "x", "z", "w", "i"):
        if as_dict:
            data[name][:] = 7
        else:
            data.loc[:, name] = 7
    assert pickled(design) == before
    np.testing.assert_array_equal(design.variable("x"), d["x"])
    np.testing.assert_array_equal(design.variable("y"), d["y"])
    np.testing.assert_array_equal(design.variable("i"), d["i"])


def pickled(design: Design) -> bytes:
    return pickle.dumps((design.model, design.columns))
