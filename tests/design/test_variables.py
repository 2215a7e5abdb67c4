"""Variables of a design as post-estimation sees them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tanada.design.build import build_design


def test_proportions_stay_proportions() -> None:
    d = pd.DataFrame({"p": [0.2, 0.4, 1.0], "n": [5, 5, 2], "x": [1.0, 2.0, 4.0]})
    design = build_design("p ~ x", d, family="binomial", weights="n")
    np.testing.assert_array_equal(design.variable("p"), d["p"])
    np.testing.assert_array_equal(design.model.y, [1, 2, 2])


def test_names_that_look_like_coefficients() -> None:
    d = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0, 9.0, 1.5], "(Intercept)": np.arange(6.0), "fB": np.arange(6.0) ** 2, "f": list("ABABAB")})
    design = build_design("y ~ `(Intercept)` + fB + f", d)
    assert design.model.components[0].names == ("(Intercept)", "`(Intercept)`", "fB", "fB")
    np.testing.assert_array_equal(design.variable("(Intercept)"), d["(Intercept)"])
    np.testing.assert_array_equal(design.variable("fB"), d["fB"])
    assert design.variable("f").tolist() == list("ABABAB")


def test_columns_outside_the_model_follow_the_rows_used() -> None:
    d = pd.DataFrame({"y": [1.0, np.nan, 4.0, 3.0, 2.0], "x": [1.0, 2.0, 3.0, 5.0, 9.0], "other": list("abcde"), "flag": [True, False, False, True, False]})
    design = build_design("y ~ x + flag", d)
    assert design.variable("other").tolist() == ["a", "c", "d", "e"]
    assert design.factor_levels("flag") == ("FALSE", "TRUE")
    assert design.factor_levels("x") == ()
    assert design.variables() == {"y": "number", "x": "number", "flag": "bool"}
    assert design.variable("flag").tolist() == [True, False, True, False]
