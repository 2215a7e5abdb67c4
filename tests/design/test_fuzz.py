"""Any formula on any data gives finite matrices or one of the package's errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tanada.design.build import build_design
from tanada.errors import TanadaError

N = 30
NUMBERS = ["x", "z", "T", "pi", "a.b", "家"]
FACTORS = ["f", "o", "flag", "g"]


def table(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    d = pd.DataFrame({name: rng.uniform(0.5, 2.0, N) for name in ["y", *NUMBERS]})
    d["f"] = rng.choice(["p", "q", "r"], N)
    d["o"] = pd.Categorical(rng.choice(["s", "m", "l"], N), categories=["s", "m", "l"], ordered=True)
    d["flag"] = rng.random(N) < 0.5
    d["g"] = np.resize([1, 2, 3, 4, 5], N)
    for name in ("x", "f", "o"):
        if seed % 3 == 0:
            d.loc[rng.integers(0, N, 2), name] = None
    return d


def expressions() -> st.SearchStrategy[str]:
    leaf = st.sampled_from([*NUMBERS, *FACTORS])
    number = st.sampled_from(NUMBERS)
    return st.one_of(
        leaf,
        number.map(lambda v: f"log({v})"),
        number.map(lambda v: f"I({v}^2)"),
        number.map(lambda v: f"poly({v}, 2)"),
        number.map(lambda v: f"scale({v})"),
        number.map(lambda v: f"ns({v}, df = 2)"),
        number.map(lambda v: f"bs({v}, df = 4)"),
        leaf.map(lambda v: f"factor({v})"),
        leaf.map(lambda v: f"I({v} == 'p')"),
        st.tuples(leaf, leaf).map(lambda t: f"I({t[0]} * {t[1]})"),
    )


def sums() -> st.SearchStrategy[str]:
    term = st.recursive(expressions(), lambda inner: st.tuples(inner, st.sampled_from([":", "*", "/", "%in%"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"), max_leaves=3)
    return st.lists(st.one_of(term, st.sampled_from(["0", "1", "-1"])), min_size=1, max_size=4).map(" + ".join)


def bars() -> st.SearchStrategy[str]:
    group = st.sampled_from(["g", "f", "o", "f:g", "g/flag", "factor(f)"])
    left = st.one_of(st.just("1"), sums())
    plain = st.tuples(left, st.sampled_from(["|", "||"]), group).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
    named = st.tuples(st.sampled_from(["cs", "diag", "ar1", "ou", "rr", "toep"]), left, group).map(lambda t: f"{t[0]}({t[1]} | {t[2]})")
    return st.one_of(plain, named)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sums(), st.lists(bars(), max_size=2), st.integers(0, 50))
def test_finite_or_refused(fixed: str, random: list[str], seed: int) -> None:
    d = table(seed)
    formula = "y ~ " + " + ".join([fixed, *random])
    try:
        design = build_design(formula, d, family="poisson")
    except TanadaError as error:
        assert str(error)
        return
    cond = design.model.components[0]
    assert np.isfinite(cond.X).all() and cond.X.shape == (len(design.rows), len(cond.names))
    assert cond.X.shape[1] == 0 or np.linalg.matrix_rank(cond.X / np.linalg.norm(cond.X, axis=0)) == cond.X.shape[1]
    for term in cond.random:
        assert np.isfinite(term.Z).all() and term.Z.shape[1] == len(term.names)
        assert term.codes.min() >= 0 and term.codes.max() == len(term.levels) - 1
        assert len(set(term.codes.tolist())) == len(term.levels)
    _rebuilds(design, d)


def _rebuilds(design: Any, d: pd.DataFrame) -> None:
    """Prediction on some of the fitted rows gives their matrices back."""
    used = slice(3, 20)
    rebuilt = design.spec.rebuild(d.iloc[design.rows[used]].reset_index(drop=True))
    for new, old in zip(rebuilt.components, design.model.components, strict=True):
        np.testing.assert_allclose(new.X, old.X[used], atol=1e-9)
        for r, s in zip(new.random, old.random, strict=True):
            np.testing.assert_array_equal(r.codes, s.codes[used])
            np.testing.assert_allclose(r.Z, s.Z[used], atol=1e-9)
    assert rebuilt.complete.all()
