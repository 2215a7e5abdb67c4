"""The columns equal formulaic's on formulas where its coding rule and R's agree."""

from __future__ import annotations

import formulaic
import numpy as np
import pandas as pd
import pytest

from tanada.design.build import build_design

FORMULAS = [
    "1", "x", "x - 1", "x + z", "x * z", "x:z", "f", "f + t", "f * x", "f * t", "f * t * x", "x + f:x", "f + f:t", "(f + x + z)**2", "f / x",
    "poly(x, 2)", "poly(x, 3) + f", "bs(z, df=5)", "bs(x, df=4) * f", "cr(x, df=4)", "cc(z, df=4)", "scale(x)", "center(z)", "log(z) + exp(x)",
    "I(x**2)", "I(x * z)", "I(x**2):f", "C(f, contr.sum)", "C(f, contr.helmert)", "C(f, contr.treatment('mid'))", "C(f, contr.poly) * x", "k + k:f",
]  # fmt: skip


def table() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 90
    return pd.DataFrame(
        {
            "y": rng.standard_normal(n),
            "x": rng.standard_normal(n),
            "z": rng.uniform(1, 2, n),
            "k": rng.integers(0, 9, n),
            "f": pd.Categorical(rng.choice(["lo", "mid", "hi"], n), categories=["lo", "mid", "hi"]),
            "t": rng.choice(["b", "a"], n),
        }
    )


@pytest.mark.parametrize("formula", FORMULAS)
def test_same_columns(formula: str) -> None:
    d = table()
    ours = build_design(f"y ~ {formula}", d).model.components[0].X
    theirs = np.asarray(formulaic.model_matrix(formula, d), dtype=float)
    assert ours.shape[1] == np.linalg.matrix_rank(theirs)
    if ours.shape == theirs.shape and not any(w in formula for w in ("helmert",)):
        np.testing.assert_allclose(_sorted(ours), _sorted(theirs), atol=1e-10)
    else:  # another basis of the same space
        coef, *_ = np.linalg.lstsq(theirs, ours, rcond=None)
        np.testing.assert_allclose(theirs @ coef, ours, atol=1e-8)


def _sorted(X: np.ndarray) -> np.ndarray:
    key = np.round(X, 8)
    return X[:, np.lexsort(key[::-1])]


def test_new_data_get_the_basis_of_the_fit() -> None:
    d = table()
    matrix = formulaic.model_matrix("poly(x, 2) + bs(z, df=4) + f", d)
    spec = build_design("y ~ poly(x, 2) + bs(z, df=4) + f", d).spec
    new = d.iloc[[5, 80, 12]].reset_index(drop=True)
    theirs = np.asarray(matrix.model_spec.get_model_matrix(new), dtype=float)
    np.testing.assert_allclose(_sorted(spec.rebuild(new).components[0].X), _sorted(theirs), atol=1e-12)
