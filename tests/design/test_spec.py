"""DesignSpec: saved, reopened, used on new data."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tanada.design.build import build_design
from tanada.design.spec import DesignSpec
from tanada.errors import DataError, FormulaError, ModelError


def table(n: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    return pd.DataFrame(
        {
            "y": rng.standard_normal(n),
            "x": rng.standard_normal(n) * 5 + 100,
            "z": rng.uniform(1, 2, n),
            "f": pd.Categorical(rng.choice(["c", "a", "b"], n), categories=["c", "a", "b"]),
            "o": pd.Categorical(rng.choice(["s", "m", "l"], n), categories=["s", "m", "l"], ordered=True),
            "flag": rng.random(n) < 0.5,
            "g": rng.choice(["g1", "g2", "g3", "g4"], n),
            "h": rng.integers(1, 5, n),
        }
    )


FORMULA = (
    "y ~ poly(x, 2) * f + scale(z) + o + bs(z, df = 4) + cr(x, df = 3) + ns(x, df = 3) + I(x - mean(x)) + factor(h) + relevel(f, 'b'):flag "
    "+ C(o, contr.sum):z + (scale(x) | g/h) + ar1(h + 0 | g) + diag(0 + f | h)"
)


def through_json(spec: DesignSpec) -> DesignSpec:
    return DesignSpec.from_dict(json.loads(json.dumps(spec.to_dict(), default=lambda a: a.tolist())))


def test_a_reopened_spec_gives_the_fitted_matrices() -> None:
    d = table()
    design = build_design(FORMULA, d, contrasts={"f": "helmert"}, zi="~ scale(z) + (1 | g)")
    spec = through_json(design.spec)
    rows = [0, 7, 33]
    rebuilt = spec.rebuild(d.iloc[rows].drop(columns="y"))
    for new, old in zip(rebuilt.components, design.model.components, strict=True):
        assert new.names == old.names and new.aliased == old.aliased and new.term_of_column == old.term_of_column
        np.testing.assert_allclose(new.X, old.X[rows], atol=1e-11)
        for r, s in zip(new.random, old.random, strict=True):
            assert (r.names, r.levels, r.structure, r.group) == (s.names, s.levels, s.structure, s.group)
            np.testing.assert_array_equal(r.codes, s.codes[rows])
            np.testing.assert_allclose(r.Z, s.Z[rows], atol=1e-11)


def test_to_dict_is_a_fixed_point() -> None:
    spec = build_design(FORMULA, table()).spec
    once = json.dumps(spec.to_dict(), default=lambda a: a.tolist(), sort_keys=True)
    again = json.dumps(through_json(spec).to_dict(), default=lambda a: a.tolist(), sort_keys=True)
    assert once == again


def test_predictors() -> None:
    spec = build_design("log(z) ~ x * f + offset(h) + (o | g)", table()).spec
    assert spec.predictors(random=False) == ["x", "f", "h"]
    assert spec.predictors() == ["x", "f", "h", "o", "g"]


def test_unseen_levels_of_a_fixed_factor() -> None:
    spec = build_design("y ~ f + flag", table()).spec
    with pytest.raises(DataError, match="'f' holds 'zz', not seen in the fitted data; its levels are c, a, b"):
        spec.rebuild({"f": ["a", "zz"], "flag": [True, False]})
    np.testing.assert_array_equal(spec.rebuild({"f": ["b", "c"], "flag": [True, True]}).components[0].X, [[1, 0, 1, 1], [1, 0, 0, 1]])


def test_numbers_stay_numbers() -> None:
    spec = build_design("y ~ x + h", table()).spec
    with pytest.raises(DataError, match="'h' was numeric in the fitted data"):
        spec.rebuild({"x": [1.0], "h": ["two"]})


def test_missing_predictors_give_incomplete_rows() -> None:
    spec = build_design("y ~ x * f", table()).spec
    rebuilt = spec.rebuild(pd.DataFrame({"x": [1.0, np.nan, 2.0], "f": ["a", "b", None]}))
    assert rebuilt.complete.tolist() == [True, False, False]
    pl = pytest.importorskip("polars")
    rebuilt = spec.rebuild(pl.DataFrame({"x": [1.0, None, 2.0], "f": ["a", "b", None]}))
    assert rebuilt.complete.tolist() == [True, False, False]


def test_aliased_columns_stay_dropped() -> None:
    d = table()
    d["twice"] = 2 * d["x"] + 1
    design = build_design("y ~ x + twice + z", d)
    assert design.model.components[0].aliased == ("twice",)
    assert design.notes == ("'twice' is a linear combination of other columns and was dropped.",)
    new = pd.DataFrame({"x": [1.0], "twice": [77.0], "z": [3.0]})
    assert design.spec.rebuild(new).components[0].X.tolist() == [[1.0, 1.0, 3.0]]


@pytest.mark.parametrize("contrasts", ["sum", "helmert", "poly", "sdif", "contr.sum", np.array([[1.0], [-0.5], [-0.5]])])
def test_contrasts_argument(contrasts: Any) -> None:
    d = table()
    design = build_design("y ~ f", d, contrasts={"f": contrasts})
    X = design.model.components[0].X
    if isinstance(contrasts, str):
        plain = build_design("y ~ f", d).model.components[0].X
        assert np.linalg.matrix_rank(np.hstack([X, plain])) == 3
    np.testing.assert_allclose(through_json(design.spec).rebuild(d[["f"]]).components[0].X, X)


def test_wrong_contrasts() -> None:
    with pytest.raises(FormulaError, match="takes 3 rows"):
        build_design("y ~ f", table(), contrasts={"f": np.eye(4)})
    with pytest.raises(FormulaError, match="Did you mean 'sum'"):
        build_design("y ~ f", table(), contrasts={"f": "summ"})


def test_wrong_new_levels() -> None:
    spec = build_design("y ~ x + (1 | g)", table()).spec
    with pytest.raises(ModelError, match="population"):
        spec.rebuild(table(), new_levels="populaton")
