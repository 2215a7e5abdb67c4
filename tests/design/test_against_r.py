"""Fixed-effect matrices equal R's model.matrix: columns, names, and which columns are aliased."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tanada.design.build import build_design
from tanada.design.rank import independent_columns
from tanada.design.spec import DesignSpec

FILE = Path(__file__).parent.parent / "reference" / "design" / "model_matrices.json"
REFERENCE = json.loads(FILE.read_text())


def r_data() -> pd.DataFrame:
    d = pd.DataFrame(REFERENCE["data"])
    for name, levels in REFERENCE["levels"].items():
        d[name] = pd.Categorical(d[name], categories=levels, ordered=name == "o")
    d["y"] = np.sin(np.arange(len(d)) * 1.7)
    return d


def full_matrix(record: dict[str, Any]) -> np.ndarray:
    return np.array(record["values"], dtype=float).reshape(len(REFERENCE["data"]["x"]), len(record["names"]))


@pytest.mark.parametrize("record", REFERENCE["matrices"], ids=lambda r: r["formula"])
def test_model_matrix(record: dict[str, Any]) -> None:
    design = build_design("y " + record["formula"], r_data(), family="poisson")
    spec = design.spec.components[0]
    cond = design.model.components[0]
    assert list(spec.columns) == record["names"]
    expected = full_matrix(record)
    kept = [k - 1 for k in record["kept"]]
    assert spec.kept.tolist() == kept
    np.testing.assert_allclose(cond.X, expected[:, kept], atol=2e-10)
    assert cond.aliased == tuple(n for i, n in enumerate(record["names"]) if i not in kept)


@pytest.mark.parametrize("record", REFERENCE["matrices"], ids=lambda r: r["formula"])
def test_rebuild_gives_the_same_rows(record: dict[str, Any]) -> None:
    """A saved and reopened spec gives the fitted matrix on any part of the rows, although means, knots and levels differ there."""
    d = r_data()
    design = build_design("y " + record["formula"], d, family="poisson")
    spec = DesignSpec.from_dict(json.loads(json.dumps(design.spec.to_dict(), default=lambda a: a.tolist())))
    part = d.iloc[[3, 17, 4]].reset_index(drop=True)
    rebuilt = spec.rebuild(part.drop(columns="y"))
    np.testing.assert_allclose(rebuilt.components[0].X, design.model.components[0].X[[3, 17, 4]], atol=1e-12)
    assert rebuilt.components[0].names == design.model.components[0].names


@pytest.mark.parametrize("record", REFERENCE["beyond"], ids=lambda r: r["formula"])
def test_bases_beyond_the_data(record: dict[str, Any]) -> None:
    spec = build_design("y " + record["formula"], r_data()).spec
    np.testing.assert_allclose(spec.rebuild({"x": [-6.0, 0.2, 7.0]}).components[0].X, record["values"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_rank_does_not_depend_on_units(scale: float) -> None:
    rng = np.random.default_rng(3)
    x, z = rng.standard_normal((2, 40))
    X = np.column_stack([np.ones(40), x * scale, z, x * scale + 2 * z * scale, np.full(40, 3.0), 2020 + 1e-3 * rng.standard_normal(40)])
    np.testing.assert_array_equal(independent_columns(X, True), [0, 1, 2, 5])
