"""Formulas to terms, in R's algebra."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tanada.errors import FormulaError
from tanada.formula.mixed_formula import parse_formula, parse_one_sided
from tanada.formula.nodes import deparse, variables
from tanada.formula.parser import parse


@pytest.mark.parametrize(
    ("formula", "labels", "intercept"),
    [
        ("y ~ 1", (), True),
        ("y ~ 0 + x", ("x",), False),
        ("y ~ x - 1", ("x",), False),
        ("y ~ -1 + x", ("x",), False),
        ("y ~ x + 0 + 1", ("x",), True),
        ("y ~ a * b", ("a", "b", "a:b"), True),
        ("y ~ a:b + a", ("a", "a:b"), True),
        ("y ~ b:a + a", ("a", "b:a"), True),
        ("y ~ a + b:a", ("a", "a:b"), True),
        ("y ~ a / b", ("a", "a:b"), True),
        ("y ~ (a + b) / c", ("a", "b", "a:b:c"), True),
        ("y ~ a %in% b", ("a:b",), True),
        ("y ~ (a + b + c)^2", ("a", "b", "c", "a:b", "a:c", "b:c"), True),
        ("y ~ (a + b + c)**3 - a:b:c", ("a", "b", "c", "a:b", "a:c", "b:c"), True),
        ("y ~ a * b * c - a:b:c", ("a", "b", "c", "a:b", "a:c", "b:c"), True),
        ("y ~ x + x + (x)", ("x",), True),
        ("y ~ a * (b + c)", ("a", "b", "c", "a:b", "a:c"), True),
        ("y ~ I(x ** 2) + log( z )", ("I(x^2)", "log(z)"), True),
        ("y ~ `a b` + IQ.verb", ("`a b`", "IQ.verb"), True),
        ("y ~ 家庭 * `学校 規模`", ("家庭", "`学校 規模`", "家庭:`学校 規模`"), True),
        ("y ~ np.log(x) + bs(x, df=4)", ("log(x)", "bs(x, df = 4)"), True),
    ],
)
def test_fixed_terms(formula: str, labels: tuple[str, ...], intercept: bool) -> None:
    f = parse_formula(formula)
    assert f.fixed.labels() == labels
    assert f.fixed.intercept is intercept


@pytest.mark.parametrize(
    ("bar", "found"),
    [
        ("(1 | g)", [("(1 | g)", "us", (), True)]),
        ("(x | g)", [("(x | g)", "us", ("x",), True)]),
        ("(0 + x | g)", [("(0 + x | g)", "us", ("x",), False)]),
        ("(-1 + x | g)", [("(-1 + x | g)", "us", ("x",), False)]),
        ("(x || g)", [("(x || g)", "diag", ("x",), True)]),
        ("(x * z | g)", [("(x * z | g)", "us", ("x", "z", "x:z"), True)]),
        ("(1 | a/b)", [("(1 | a)", "us", (), True), ("(1 | a:b)", "us", (), True)]),
        ("(x | a/b/c)", [("(x | a)", "us", ("x",), True), ("(x | a:b)", "us", ("x",), True), ("(x | a:b:c)", "us", ("x",), True)]),
        ("(1 | a:b)", [("(1 | a:b)", "us", (), True)]),
        ("cs(f | g)", [("cs(f | g)", "cs", ("f",), True)]),
        ("ar1(t + 0 | id)", [("ar1(t + 0 | id)", "ar1", ("t",), False)]),
        ("exp(numFactor(px, py) + 0 | g)", [("exp(numFactor(px, py) + 0 | g)", "exp", ("numFactor(px, py)",), False)]),
        ("diag(0 + f | g)", [("diag(0 + f | g)", "diag", ("f",), False)]),
    ],
)
def test_random_terms(bar: str, found: list[tuple[str, str, tuple[str, ...], bool]]) -> None:
    f = parse_formula(f"y ~ x + {bar}")
    assert [(r.text, r.structure, r.terms.labels(), r.terms.intercept) for r in f.random] == found
    assert f.fixed.labels() == ("x",)


def test_rank_and_known_matrix() -> None:
    assert parse_formula("y ~ rr(f + 0 | g, d = 3)").random[0].rank == 3
    assert parse_formula("y ~ rr(f + 0 | g, 1)").random[0].rank == 1
    assert parse_formula("y ~ rr(f + 0 | g)").random[0].rank == 2
    assert parse_formula("y ~ propto(f + 0 | g, V)").random[0].known == "V"


def test_exp_is_a_function_without_a_bar() -> None:
    f = parse_formula("y ~ exp(x) + exp(x + 0 | g)")
    assert f.fixed.labels() == ("exp(x)",)
    assert f.random[0].structure == "exp"


def test_offsets_and_dot() -> None:
    f = parse_formula("y ~ x + offset(log(e)) + offset(w)")
    assert [deparse(o) for o in f.offsets] == ["log(e)", "w"]
    f = parse_formula("log(y) ~ . + x:z + (1 | g)", ["y", "x", "z", "g", "w"], ["w"])
    assert f.fixed.labels() == ("x", "z", "x:z")
    assert parse_formula("y ~ . - z", ["y", "x", "z"]).fixed.labels() == ("x",)


def test_one_sided() -> None:
    f = parse_one_sided("~ z + (1 | g)", "zi")
    assert f.response is None and f.fixed.labels() == ("z",) and len(f.random) == 1
    with pytest.raises(FormulaError, match="disp is a one-sided formula"):
        parse_one_sided("z", "disp")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("-x^2", "-x^2"), ("a+b*c", "a + b * c"), ("a:b*c", "a:b * c"), ("2^3^x", "2^3^x"), ("f(x,k=1,'s')", 'f(x, k = 1, "s")'), ("!a&b", "!a & b"), ("1e3L+.5", "1000 + 0.5")],
)
def test_deparse(text: str, expected: str) -> None:
    assert deparse(parse(text)) == expected


names = st.sampled_from(["x", "z.1", "家庭", "a b", "_u", "TRUE", "y2"])


def _expressions() -> st.SearchStrategy[str]:
    leaves = st.one_of(names.map(lambda n: f"`{n}`" if " " in n else n), st.integers(0, 99).map(str), st.just("'text'"))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", "-", "*", "/", ":", "^", "**", "%in%", "%%", "<", "==", "&", "|", "||"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
            st.tuples(st.sampled_from(["log", "poly", "I"]), inner).map(lambda t: f"{t[0]}({t[1]})"),
            inner.map(lambda t: f"-({t})"),
            inner.map(lambda t: f"f({t}, k = {t})"),
        ),
        max_leaves=12,
    )


@settings(max_examples=300, deadline=None)
@given(_expressions())
def test_deparse_and_parse_are_inverse(text: str) -> None:
    tree = parse(text)
    again = parse(deparse(tree))
    assert again == tree
    assert variables(again) == variables(tree)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="xyzg01 +-*/:^|()~,.`'%=<&!家", max_size=40))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        parse_formula(text, ["x", "y", "z"])
    except FormulaError as error:
        assert str(error).strip()


@settings(max_examples=200, deadline=None)
@given(st.permutations(["a", "b", "c:d", "I(e^2)"]), st.booleans())
def test_order_of_main_effects_is_that_of_the_text(parts: list[str], intercept: bool) -> None:
    f = parse_formula("y ~ " + " + ".join(["1" if intercept else "0", *parts]))
    singles = [p for p in parts if ":" not in p]
    assert list(f.fixed.labels()) == [*singles, "c:d"]
    assert f.fixed.intercept is intercept


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=2, max_size=4, unique=True))
def test_star_is_the_sum_of_all_interactions(parts: list[str]) -> None:
    star = parse_formula("y ~ " + "*".join(parts)).fixed
    power = parse_formula(f"y ~ ({'+'.join(parts)})^{len(parts)}").fixed
    assert set(star.labels()) == set(power.labels())
    assert len(star.terms) == 2 ** len(parts) - 1
