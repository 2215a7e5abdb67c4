"""Bad input to formulas and designs: one clear sentence each, naming the thing and the way out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tanada.design.build import build_design
from tanada.errors import DataError, FormulaError, ModelError

N = 40


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "y": rng.standard_normal(N),
            "x": np.linspace(-1.0, 1.0, N),
            "z": rng.uniform(1.1, 2, N),
            "f": np.resize(["a", "b", "c"], N),
            "g": np.repeat(np.arange(8), 5).astype(str),
            "one": 1.0,
            "id": np.arange(N),
            "digits": [str(12 + i) for i in range(N)],
            "when": pd.date_range("2020-01-01", periods=N),
            "zero": 0,
            "count": np.resize([0, 1, 2, 3], N),
            "size": 5,
            "only": "A",
            "mixed": [1, "a"] * (N // 2),
            "nothing": np.nan,
            "学力": rng.standard_normal(N),
        }
    )


def with_infinite() -> pd.DataFrame:
    d = table()
    d.loc[3:4, "x"] = np.inf
    return d


def with_missing() -> pd.DataFrame:
    d = table()
    d.loc[3:4, "x"] = np.nan
    d.loc[4:9, "f"] = None
    return d


def twice() -> pd.DataFrame:
    return pd.concat([table(), table()[["x"]]], axis=1)


# formula, arguments, data, error, what the message must say
CASES: list[tuple[Any, dict[str, Any], Any, type[Exception], str]] = [
    ("", {}, table, FormulaError, "the formula is empty"),
    (3, {}, table, FormulaError, "a string such as"),
    ("y ~", {}, table, FormulaError, "the formula ends where a column name"),
    ("~ x", {}, table, FormulaError, "left side of the formula is empty"),
    ("y + x", {}, table, FormulaError, "needs '~' between the response and the predictors"),
    ("y ~ x ~ z", {}, table, FormulaError, "one '~'"),
    ("y x", {}, table, FormulaError, "an operator such as '+' is missing before 'x'"),
    ("y ~ x + (1 | g", {}, table, FormulaError, "this parenthesis is not closed.\n  y ~ x + (1 | g\n          ^ position 9"),
    ("y ~ x)", {}, table, FormulaError, "no opening one"),
    ("y ~ x + 1 | g", {}, table, FormulaError, "a random-effects term needs parentheses"),
    ("y ~ (0 | g)", {}, table, FormulaError, "has no effects"),
    ("y ~ x * (1 | g)", {}, table, FormulaError, "can only be added to a formula"),
    ("y ~ (1 | g) + (1 | g)", {}, table, FormulaError, "given twice"),
    ("y ~ (1 | 3)", {}, table, FormulaError, "3 is not a grouping factor"),
    ("y ~ (1 | g + f)", {}, table, FormulaError, "accepted are g, a:b and a/b"),
    ("y ~ homdg(x | g)", {}, table, FormulaError, "unknown covariance structure 'homdg'. Did you mean 'homdiag'"),
    ("y ~ ar1(x | g)", {}, table, FormulaError, "without an intercept, as in ar1(time + 0 | group)"),
    ("y ~ ar1(x + 0 | g)", {}, table, DataError, "needs whole-number times"),
    ("y ~ exp(f + 0 | g)", {}, table, DataError, "exp(numFactor(x, y) + 0 | ...)"),
    ("y ~ rr(f + 0 | g, d = 9)", {}, table, DataError, "a rank of 9 is more than its 3 effects"),
    ("y ~ propto(f + 0 | g, V)", {}, table, DataError, "control={'known': {'V': matrix}}"),
    ("y ~ x^2", {}, table, FormulaError, "for the power write I(x^2)"),
    ("y ~ x + 2", {}, table, FormulaError, "2 is not a term"),
    ("y ~ x > 1", {}, table, FormulaError, "write I(x > 1)"),
    ("y ~ 'x'", {}, table, FormulaError, "without quotes"),
    ("y ~ data$x", {}, table, FormulaError, "without the data frame"),
    ("y ~ `x", {}, table, FormulaError, "a backtick is not closed"),
    ("学力 ~ x + \uff081|g\uff09", {}, table, FormulaError, "ASCII parentheses"),
    ("y ~ lgo(z)", {}, table, FormulaError, "unknown function 'lgo' in lgo(z). Did you mean 'log'"),
    ("y ~ exp(x, z)", {}, table, FormulaError, "exp() does not take these arguments"),
    ("y ~ x:offset(z)", {}, table, FormulaError, "offset() can only be added"),
    ("y ~ C(f, contr.foo)", {}, table, FormulaError, "unknown contrasts 'contr.foo'"),
    ("y ~ ns(x)", {}, table, FormulaError, "give df"),
    ("y ~ bs(x, df = 1)", {}, table, FormulaError, "`df` must be greater than 3"),
    ("y ~ poly(x, 99)", {}, table, DataError, "less than the number of different values"),
    ("y ~ y + x", {}, table, FormulaError, "'y' is the response and also stands on the right side"),
    ("y ~ 0", {}, table, FormulaError, "has no terms"),
    ("y ~ xx + (1 | g)", {}, table, DataError, "there is no column 'xx' in the data. Did you mean 'x'"),
    ("Y ~ x", {}, table, DataError, "Did you mean 'y'"),
    ("y ~ x + (1 | one)", {}, table, DataError, "a single level ('1')"),
    ("y ~ x + (1 | id)", {}, table, DataError, "as many levels (40) as there are rows"),
    ("y ~ x + only", {}, table, DataError, "factor 'only' has a single level ('A')"),
    ("one ~ x", {}, table, DataError, "the response 'one' is constant (1)"),
    ("f ~ x", {}, table, DataError, "holds text or categories ('a', 'b', 'c'); a gaussian model needs numbers"),
    ("y ~ digits", {}, table, DataError, "column 'digits' holds text ('12', '13', '14', ...: 40 different values)"),
    ("digits ~ x", {}, table, DataError, "convert it to numbers before the fit"),
    ("y ~ when", {}, table, DataError, "holds dates or times"),
    ("y ~ mixed", {}, table, DataError, "neither all numbers nor all text (int, str)"),
    ("y ~ nothing", {}, table, DataError, "column 'nothing' is missing in all 40 rows"),
    ("y ~ x", {}, with_infinite, DataError, "column 'x' holds 2 infinite values (first in used row 4)"),
    ("y ~ x + f", {"na": "error"}, with_missing, DataError, "7 of 40 rows have missing values: f (6), x (2)"),
    ("y ~ x", {"na": "omit"}, table, ModelError, "accepted are 'drop' and 'error'"),
    ("y ~ x", {}, twice, DataError, "2 columns called 'x'"),
    ("y ~ log(x)", {}, table, DataError, "log(x) is NaN in 20 of 40 rows"),
    ("y ~ scale(one)", {}, table, DataError, "the column is constant"),
    ("y ~ I(f + 1)", {}, table, DataError, "needs numbers, and got text or categories"),
    ("y ~ x", {}, lambda: table().iloc[:0], DataError, "no rows"),
    ("y ~ x", {}, lambda: table().iloc[:2], DataError, "2 rows cannot estimate 2 coefficients"),
    ("y ~ x", {}, lambda: None, DataError, "data is None"),
    ("y ~ x", {}, lambda: [1, 2], DataError, "data is a list"),
    ("y ~ x", {}, lambda: {"y": [1, 2], "x": [1]}, DataError, "'y' has 2, 'x' has 1"),
    ("y ~ x", {"weights": "w"}, table, DataError, "no column 'w'"),
    ("y ~ x", {"weights": np.ones(3)}, table, DataError, "weights has shape (3,); the data have 40 rows"),
    ("y ~ x", {"weights": "x"}, table, DataError, "weights must be positive; 20 are negative"),
    ("y ~ x", {"weights": "zero"}, table, DataError, "40 are zero: remove these rows"),
    ("y ~ x", {"weights": ["a"] * N}, table, DataError, "weights must be a column name"),
    ("y ~ x", {"zi": "y ~ x"}, table, FormulaError, "zi is a one-sided formula"),
    ("y ~ x", {"disp": "x"}, table, FormulaError, "starts with '~'"),
    ("cbind(count, size) ~ x", {}, table, FormulaError, "which the gaussian family does not take"),
    ("cbind(count, size - 3 - count) ~ x", {"family": "binomial"}, table, DataError, "failures must be whole numbers of 0 or more"),
    ("cbind(count) ~ x", {"family": "binomial"}, table, FormulaError, "cbind() takes two columns"),
    ("f ~ x", {"family": "binomial"}, table, DataError, "has 3 categories in the rows used; a binomial model needs two"),
    ("count ~ x", {"family": "binomial"}, table, DataError, "it holds 2"),
    ("I(z - 1) ~ x", {"family": "binomial"}, table, DataError, "holds proportions; give the number of trials"),
    ("zero ~ x", {"family": "binomial"}, table, DataError, "holds only failures"),
    ("only ~ x", {"ordinal": True}, table, DataError, "a single category"),
]


@pytest.mark.parametrize(("formula", "arguments", "data", "error", "message"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_message(formula: Any, arguments: dict[str, Any], data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        build_design(formula, data(), **arguments)
    assert message in str(caught.value)


def test_the_good_neighbours_of_the_bad_cases_work() -> None:
    for formula in ("y ~ x + (1 | g)", "学力 ~ x + f + (x || g)", "y ~ I(x^2) + f:z + (1 | when)", "y ~ log(z) + ns(x, df = 3)"):
        assert build_design(formula, table(), weights="z").model.nobs == N


def test_caret_stands_under_the_place_with_wide_characters() -> None:
    with pytest.raises(FormulaError) as caught:
        build_design("学力 ~ 家庭 + ) ", table())
    message, line, caret = str(caught.value).split("\n")
    assert line[2:].index(")") == 10
    assert caret.index("^") == 2 + 10 + 4  # four wide characters take two columns each
