"""Random-effects designs: groups, nesting, structures, prediction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tanada.design.build import build_design
from tanada.design.matrices import RandomDesign
from tanada.errors import DataError


def table(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "y": rng.standard_normal(n),
            "x": rng.standard_normal(n),
            "f": np.resize(["p", "q", "r"], n),
            "a": np.repeat(["s1", "s2", "s3"], n // 3),
            "b": np.resize(["c1", "c2"], n),
            "t": np.resize([1, 2, 4, 5], n),
            "time": np.round(rng.uniform(0, 3, n), 1),
            "px": np.resize([0.0, 1.0, 2.5], n),
            "py": np.resize([0.0, 0.5], n),
            "one": 1,
        }
    )


def terms(formula: str, data: Any = None, **kw: Any) -> tuple[RandomDesign, ...]:
    return build_design(formula, table() if data is None else data, **kw).model.components[0].random


def test_nested_groups() -> None:
    a, ab = terms("y ~ x + (1 | a/b)")
    assert (a.group, ab.group) == ("a", "a:b")
    assert a.levels == ("s1", "s2", "s3")
    assert ab.levels == ("s1:c1", "s1:c2", "s2:c1", "s2:c2", "s3:c1", "s3:c2")
    d = table()
    assert [ab.levels[c] for c in ab.codes] == (d["a"] + ":" + d["b"]).tolist()
    assert ab.text == "(1 | a:b)"


def test_only_combinations_that_occur() -> None:
    d = table().query("not (a == 's2' and b == 'c1')")
    assert terms("y ~ 1 + (1 | b:a)", d)[0].levels == ("c1:s1", "c1:s3", "c2:s1", "c2:s2", "c2:s3")


def test_many_sparse_combinations_take_the_hashing_path() -> None:
    rng = np.random.default_rng(4)
    d = pd.DataFrame({"y": rng.standard_normal(3000), "u": rng.integers(0, 1500, 3000).astype(str), "v": rng.integers(0, 1500, 3000).astype(str)})
    (term,) = terms("y ~ 1 + (1 | u:v)", d, weights=np.ones(3000))
    joined = (d["u"] + ":" + d["v"]).tolist()
    assert [term.levels[c] for c in term.codes] == joined
    assert len(set(term.levels)) == len(term.levels) == len(set(joined))


def test_slopes_of_factors() -> None:
    (with_intercept,) = terms("y ~ f + (f | a)")
    assert with_intercept.names == ("(Intercept)", "fq", "fr")
    (without,) = terms("y ~ f + (0 + f | a)")
    assert without.names == ("fp", "fq", "fr")
    np.testing.assert_array_equal(without.Z.sum(axis=1), 1.0)
    (uncorrelated,) = terms("y ~ f + (f || a)")
    assert (uncorrelated.structure, uncorrelated.names) == ("diag", ("(Intercept)", "fq", "fr"))
    (poly,) = terms("y ~ poly(x, 2) + (poly(x, 2) | a)")
    assert poly.names == ("(Intercept)", "poly(x, 2)1", "poly(x, 2)2")
    (product,) = terms("y ~ x * px + (x * px | a)")
    np.testing.assert_array_equal(product.Z[:, 3], table()["x"] * table()["px"])


def test_whole_number_times_keep_their_gaps() -> None:
    (term,) = terms("y ~ x + ar1(t + 0 | a)")
    assert term.names == ("t1", "t2", "t3", "t4", "t5")
    np.testing.assert_array_equal(term.options["coords"].ravel(), [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(term.options["column"], table()["t"] - 1)
    np.testing.assert_array_equal(term.Z.argmax(axis=1), table()["t"] - 1)
    np.testing.assert_array_equal(term.Z.sum(axis=1), 1.0)


def test_factor_times_are_adjacent_levels() -> None:
    d = table()
    d["tf"] = pd.Categorical(d["t"])
    (term,) = terms("y ~ x + ar1(tf + 0 | a)", d)
    assert term.names == ("tf1", "tf2", "tf4", "tf5")
    np.testing.assert_array_equal(term.options["coords"].ravel(), [0, 1, 2, 3])


def test_irregular_times_and_places() -> None:
    (term,) = terms("y ~ x + ou(time + 0 | a)")
    times = np.unique(table()["time"])
    np.testing.assert_array_equal(term.options["coords"].ravel(), times)
    np.testing.assert_array_equal(term.options["coords"].ravel()[term.options["column"]], table()["time"])
    (same,) = terms("y ~ x + ou(numFactor(time) + 0 | a)")
    np.testing.assert_array_equal(same.Z, term.Z)
    (space,) = terms("y ~ x + exp(numFactor(px, py) + 0 | one)")
    np.testing.assert_array_equal(space.options["coords"][space.options["column"]], table()[["px", "py"]])
    assert space.levels == ("1",) and space.Z.shape == (60, 6)
    d = table()
    d["pos"] = ["(" + ",".join(f"{v:g}" for v in row) + ")" for row in d[["px", "py"]].to_numpy()]
    (read,) = terms("y ~ x + mat(pos + 0 | one)", d)
    np.testing.assert_array_equal(read.options["coords"][read.options["column"]], d[["px", "py"]])


def test_known_matrix_and_rank() -> None:
    V = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.2], [0.0, 0.2, 1.5]])
    (term,) = terms("y ~ x + propto(f + 0 | a, V)", known={"V": V})
    np.testing.assert_array_equal(term.options["known"], V)
    with pytest.raises(DataError, match="its 3 effects need"):
        terms("y ~ x + equalto(f + 0 | a, V)", known={"V": np.eye(2)})
    with pytest.raises(DataError, match="positive definite"):
        terms("y ~ x + equalto(f + 0 | a, V)", known={"V": -np.eye(3)})
    (rr,) = terms("y ~ x + rr(f + 0 | a, d = 2)")
    assert rr.options["rank"] == 2


def test_new_groups_at_prediction() -> None:
    spec = build_design("y ~ x + (x | a/b)", table()).spec
    new = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan], "a": ["s3", "s9", "s1", "s2"], "b": ["c2", "c1", "c7", None]})
    rebuilt = spec.rebuild(new)
    a, ab = rebuilt.component("cond").random
    assert a.codes.tolist() == [2, -1, 0, 1]
    assert ab.codes.tolist() == [5, -1, -1, -1]
    assert {k: v.tolist() for k, v in rebuilt.new_groups.items()} == {"a": [False, True, False, False], "a:b": [False, True, True, True]}
    assert rebuilt.complete.tolist() == [True, True, True, False]
    with pytest.raises(DataError, match="new_levels='population' predicts them"):
        spec.rebuild(new, new_levels="error")


def test_prediction_without_random_terms_needs_no_groups() -> None:
    spec = build_design("y ~ x + (x | a) + (1 | b)", table()).spec
    rebuilt = spec.rebuild({"x": [1.0, 2.0]}, random=False)
    assert rebuilt.components[0].random == ()
    np.testing.assert_array_equal(rebuilt.components[0].X, [[1, 1], [1, 2]])
    only_b = spec.rebuild({"x": [1.0], "b": ["c2"]}, random=["b"])
    assert [r.group for r in only_b.components[0].random] == ["b"]
    with pytest.raises(DataError, match="no column 'a'"):
        spec.rebuild({"x": [1.0], "b": ["c2"]})


def test_new_positions_are_refused() -> None:
    spec = build_design("y ~ x + ou(time + 0 | a)", table()).spec
    old = spec.rebuild(table().iloc[:5]).components[0].random[0]
    assert old.options["column"].shape == (5,)
    with pytest.raises(DataError, match="times that were not in the fitted data"):
        spec.rebuild({"x": [0.0], "time": [99.0], "a": ["s1"]})


def test_slope_without_its_fixed_effect_is_told() -> None:
    note = build_design("y ~ (x | a)", table()).notes
    assert note == ("the mean slope of x is fixed at zero: x is in (x | a) but not among the fixed effects; add it unless this is meant.",)
    note = build_design("y ~ x + (f | a)", table()).notes
    assert note == ("the mean effects of f are fixed at zero: f is in (f | a) but not among the fixed effects; add it unless this is meant.",)
    for fine in ("y ~ x + cs(0 + f | a)", "y ~ x + (x | a)", "y ~ I(2 * x) + (x | a)", "y ~ poly(x, 2) + (x + I(x^2) | a)", "y ~ f + (0 + f | a)", "y ~ 0 + f + (f | a)", "y ~ x + ar1(t + 0 | a)"):
        assert build_design(fine, table()).notes == (), fine
