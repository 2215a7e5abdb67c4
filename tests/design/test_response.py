"""The left side of a formula, weights and offsets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tanada.design.build import build_design
from tanada.design.matrices import ModelData
from tanada.errors import DataError


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "k": [0, 3, 5, 2, 1, 4],
            "n": [5, 5, 6, 4, 1, 4],
            "b": [0, 1, 1, 0, 0, 1],
            "t": ["no", "yes", "yes", "no", "no", "yes"],
            "q": [False, True, True, False, False, True],
            "o": pd.Categorical(["lo", "hi", "mid", "lo", "hi", "mid"], categories=["lo", "mid", "hi"], ordered=True),
            "score": [3, 1, 2, 2, 5, 1],
            "y": [1.0, 2.5, 0.5, 4.0, 3.0, 2.0],
            "x": [0.1, 0.2, 0.4, 0.3, 0.9, 0.7],
            "e": [1.0, 2.0, 4.0, 1.0, 2.0, 4.0],
            "w": [1.0, 2.0, 1.0, 2.0, 1.0, 2.0],
        }
    )


def model(formula: str, **kw: Any) -> ModelData:
    return build_design(formula, kw.pop("data", table()), **kw).model


def test_transformed_response() -> None:
    m = model("log(y) ~ x")
    np.testing.assert_allclose(m.y, np.log(table()["y"]))
    assert m.response == "log(y)"
    np.testing.assert_array_equal(m.weights, 1.0)
    np.testing.assert_array_equal(m.trials, 1.0)


@pytest.mark.parametrize("family", ["binomial", "betabinomial"])
def test_successes_and_failures(family: str) -> None:
    m = model("cbind(k, n - k) ~ x", family=family)
    np.testing.assert_array_equal(m.y, table()["k"])
    np.testing.assert_array_equal(m.trials, table()["n"])
    np.testing.assert_array_equal(m.weights, 1.0)


def test_three_ways_to_write_the_same_binomial_model() -> None:
    d = table()
    d["p"] = d["k"] / d["n"]
    first = model("cbind(k, n - k) ~ x", family="binomial")
    for formula, weights in (("k / n ~ x", None), ("k / n ~ x", "n"), ("p ~ x", "n"), ("p ~ x", d["n"]), ("p ~ x", d["n"].tolist())):
        m = model(formula, data=d, family="binomial", weights=weights)
        np.testing.assert_allclose(m.y, first.y, atol=1e-12)
        np.testing.assert_array_equal(m.trials, first.trials)
        np.testing.assert_array_equal(m.weights, 1.0)
    note = build_design("k / n ~ x", d, family="binomial").notes
    assert note == ("k/n is read as k successes in n trials.",)
    with pytest.raises(DataError, match="not a whole number of successes"):
        model("p ~ x", data=d, family="binomial", weights="w")


@pytest.mark.parametrize(("response", "levels"), [("b", ()), ("t", ("no", "yes")), ("q", ("FALSE", "TRUE"))])
def test_binary_responses(response: str, levels: tuple[str, ...]) -> None:
    m = model(f"{response} ~ x", family="binomial")
    np.testing.assert_array_equal(m.y, table()["b"])
    assert m.response_levels == levels


def test_logical_expression_as_response() -> None:
    np.testing.assert_array_equal(model("I(score > 2) ~ x", family="binomial").y, [1, 0, 0, 0, 1, 0])
    np.testing.assert_array_equal(model("I(t == 'yes') ~ x", family="binomial").y, table()["b"])


def test_weights_of_binary_data() -> None:
    np.testing.assert_array_equal(model("b ~ x", family="binomial", weights="w").weights, table()["w"])
    m = model("b ~ x", family="betabinomial", weights="n")
    np.testing.assert_array_equal(m.trials, table()["n"])
    np.testing.assert_array_equal(m.y, table()["n"] * table()["b"])


def test_ordinal() -> None:
    m = model("o ~ x", ordinal=True)
    np.testing.assert_array_equal(m.y, [0, 2, 1, 0, 2, 1])
    assert m.response_levels == ("lo", "mid", "hi")
    m = model("score ~ x", ordinal=True)
    np.testing.assert_array_equal(m.y, [2, 0, 1, 1, 3, 0])
    assert m.response_levels == ("1", "2", "3", "5")


def test_truth_values_are_numbers_for_other_families() -> None:
    np.testing.assert_array_equal(model("q ~ x", family="poisson").y, table()["b"])


@pytest.mark.parametrize("weights", ["w", "1 / e", np.arange(1.0, 7.0)])
def test_weights(weights: Any) -> None:
    expected = {"w": table()["w"], "1 / e": 1 / table()["e"]}.get(weights, weights) if isinstance(weights, str) else weights
    np.testing.assert_array_equal(model("y ~ x", weights=weights).weights, expected)


def test_offsets_add_up() -> None:
    d = table()
    m = model("y ~ x + offset(log(e)) + offset(w)", offset="x")
    np.testing.assert_allclose(m.components[0].offset, np.log(d["e"]) + d["w"] + d["x"])
    m = model("y ~ x", offset=d["e"].to_numpy())
    np.testing.assert_array_equal(m.components[0].offset, d["e"])


def test_offsets_on_new_data() -> None:
    spec = build_design("y ~ x + offset(log(e))", table(), offset="w").spec
    new = {"x": [1.0], "e": [3.0], "w": [10.0]}
    np.testing.assert_allclose(spec.rebuild(new).components[0].offset, np.log(3) + 10)
    spec = build_design("y ~ x", table(), offset=np.ones(6)).spec
    with pytest.raises(DataError, match="offset that was given as an array"):
        spec.rebuild({"x": [1.0]})
    np.testing.assert_array_equal(spec.rebuild({"x": [1.0]}, offset=[4.0]).components[0].offset, [4.0])


def test_missing_weights_drop_rows() -> None:
    w = np.array([1.0, np.nan, 1.0, 1.0, 1.0, 1.0])
    design = build_design("y ~ x", table(), weights=w)
    assert design.dropped == {"weights": 1}
    np.testing.assert_array_equal(design.rows, [0, 2, 3, 4, 5])


def test_components() -> None:
    d = pd.concat([table(), table()], ignore_index=True)
    m = model("k ~ x + (1 | t)", data=d, family="poisson", zi="~ x + (1 | t)", disp="~ 0 + t")
    assert [c.name for c in m.components] == ["cond", "zi", "disp"]
    assert m.component("zi").names == ("(Intercept)", "x")
    assert m.component("disp").names == ("tno", "tyes")
    assert m.component("zi").random[0].group == "t"
    assert [c.name for c in model("k ~ x", family="poisson", zi="~ 0").components] == ["cond"]
    assert model("y ~ x", disp="~ 0").component("disp").X.shape == (6, 0)


def test_dot_leaves_out_response_groups_and_weights() -> None:
    d = table()[["y", "x", "e", "w", "t"]]
    design = build_design("y ~ . + (1 | t)", d, weights="w")
    assert design.model.components[0].names == ("(Intercept)", "x", "e")
    assert design.spec.rebuild({"x": [1.0], "e": [2.0], "t": ["no"]}).components[0].X.tolist() == [[1.0, 1.0, 2.0]]
