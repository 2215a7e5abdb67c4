"""What must not change a fit: row order, group labels, the library of the frame; what changes it in a known way: scales and shifts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import tanada as tn
from tests.brute.designs import CASES, crossed

REGULAR = [c for c in CASES if c != "singular"]
EACH = pytest.mark.parametrize("name", REGULAR)


def fit(name: str, data: pd.DataFrame | None = None, formula: str | None = None, **changes: Any) -> Any:
    d, f, options = CASES[name]
    return tn.mixed(formula or f, d if data is None else data, quiet=True, **(options | changes))


@EACH
def test_row_order(name: str) -> None:
    d = CASES[name][0]
    a, b = fit(name), fit(name, d.sample(frac=1, random_state=1))
    assert a.loglik == pytest.approx(b.loglik, abs=1e-7)
    np.testing.assert_allclose(a.fixef()["estimate"], b.fixef()["estimate"], atol=1e-5)


@EACH
def test_group_labels(name: str) -> None:
    d = CASES[name][0].copy()
    d["a"] = d["a"].map({f"a{i}": f"学校{(7 * i) % 11}" for i in range(6)})
    a, b = fit(name), fit(name, d)
    assert a.loglik == pytest.approx(b.loglik, abs=1e-7)


@EACH
def test_scale_of_the_response(name: str) -> None:
    if name == "offset":
        pytest.skip("an offset does not scale with the response")
    d = CASES[name][0]
    a, b = fit(name), fit(name, d.assign(y=1e4 * d["y"]))
    assert b.loglik == pytest.approx(a.loglik - len(d) * np.log(1e4), abs=1e-5)
    np.testing.assert_allclose(b.fixef()["estimate"], 1e4 * a.fixef()["estimate"], rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(b.fixef()["df"], a.fixef()["df"], rtol=1e-3)


@EACH
def test_constant_added_to_the_response(name: str) -> None:
    d = CASES[name][0]
    a, b = fit(name), fit(name, d.assign(y=d["y"] + 1000))
    assert b.loglik == pytest.approx(a.loglik, abs=1e-5)
    assert b.fixef()["estimate"][0] == pytest.approx(a.fixef()["estimate"][0] + 1000, rel=1e-6)


@EACH
def test_scale_of_a_predictor(name: str) -> None:
    if name == "offset":
        pytest.skip("x is the offset here")
    d = CASES[name][0]
    for factor in (1e4, 1e-4):
        a, b = fit(name), fit(name, d.assign(x=d["x"] * factor))
        assert b.loglik == pytest.approx(a.loglik, abs=1e-5)
        assert b.fixef()["estimate"][1] == pytest.approx(a.fixef()["estimate"][1] / factor, rel=1e-3)
        assert b.fixef()["df"][0] == pytest.approx(a.fixef()["df"][0], rel=0.01)


def test_scale_of_independent_slopes_changes_nothing() -> None:
    d = crossed()
    a, b = fit("independent slopes"), fit("independent slopes", d.assign(x=d["x"] / 500))
    assert b.loglik == pytest.approx(a.loglik, abs=1e-5)


def test_libraries_give_the_same_and_their_own_tables() -> None:
    d = crossed()
    a, b, c = fit("crossed"), fit("crossed", pl.from_pandas(d)), fit("crossed", {k: d[k].to_numpy() for k in d})
    assert a.loglik == b.loglik == c.loglik
    assert isinstance(b.fixef(), pl.DataFrame) and isinstance(b.ranef(), pl.DataFrame) and isinstance(b.predict(), pl.DataFrame)
    assert isinstance(a.fixef(), pd.DataFrame) and isinstance(c.fixef(), pd.DataFrame)
    assert isinstance(a.predict(pl.from_pandas(d)), pl.DataFrame)


def test_weights_are_inverse_variances() -> None:
    d = crossed()
    a, b = fit("crossed, weights"), fit("crossed, weights", d.assign(w=10 * d["w"]))
    assert b.loglik == pytest.approx(a.loglik, abs=1e-6)
    assert b.sigma == pytest.approx(np.sqrt(10) * a.sigma, rel=1e-5)


def test_without_random_effects_it_is_least_squares() -> None:
    d = crossed()
    X = np.column_stack([np.ones(len(d)), d["x"]])
    for w in (None, "w"):
        m = tn.mixed("y ~ x", d, weights=w, reml=True)
        W = np.ones(len(d)) if w is None else d["w"].to_numpy()
        beta = np.linalg.solve(X.T @ (W[:, None] * X), X.T @ (W * d["y"]))
        e = d["y"].to_numpy() - X @ beta
        s2 = (W * e**2).sum() / (len(d) - 2)
        np.testing.assert_allclose(m.fixef()["estimate"], beta, rtol=1e-8)
        np.testing.assert_allclose(m.fixef()["std_error"], np.sqrt(np.diag(s2 * np.linalg.inv(X.T @ (W[:, None] * X)))), rtol=1e-8)
        assert (m.fixef()["df"] == len(d) - 2).all()
