"""lavaan syntax: what is understood, and one clear message for each kind of mistake."""

from __future__ import annotations

import pytest

from tanada.errors import ModelSyntaxError
from tanada.syntax.expressions import to_text
from tanada.syntax.parse import parse_model


def terms(model: str) -> list[tuple[str, str, str]]:
    return [(t.lhs, t.op, t.rhs) for s in parse_model(model).sections for t in s.terms]


def test_operators_and_separators() -> None:
    found = terms("f =~ x1 + x2; g =~ y1\ny2 ~ f + 1\nx1 ~~ x2 # residual\nu | t1 + t2 ! thresholds\nu ~*~ u")
    assert found == [
        ("f", "=~", "x1"), ("f", "=~", "x2"), ("g", "=~", "y1"), ("y2", "~", "f"), ("y2", "~1", ""), ("x1", "~~", "x2"), ("u", "|", "t1"), ("u", "|", "t2"), ("u", "~*~", "u"),
    ]  # fmt: skip


@pytest.mark.parametrize("model", ["f =~ x1 +\n  x2", "f =~ x1\n + x2", "f =~\n x1 + # comment\n x2", "f =~ x1 + x2;", "\n\n f =~ x1 +   x2\n\n"])
def test_lines_continue(model: str) -> None:
    assert terms(model) == [("f", "=~", "x1"), ("f", "=~", "x2")]


def test_modifiers() -> None:
    (section,) = parse_model("f =~ NA*x1 + a*x2 + 0.5*x3 + start(0.8)*x4 + c(b1, b2)*x5 + equal(\"f =~ x2\")*x6 + -1*x7 + 1/2*x8 + lower(0)*a*x9").sections
    kinds = [[(m.kind, m.values) for m in t.modifiers] for t in section.terms]
    assert kinds == [
        [("free", (None,))], [("label", ("a",))], [("fix", (0.5,))], [("start", (0.8,))], [("label", ("b1", "b2"))], [("equal", ("f=~x2",))],
        [("fix", (-1.0,))], [("fix", (0.5,))], [("lower", (0.0,)), ("label", ("a",))],
    ]  # fmt: skip


def test_non_ascii_names_and_several_left_sides() -> None:
    assert terms("読解力 + 算数 ~ 社会経済") == [("読解力", "~", "社会経済"), ("算数", "~", "社会経済")]


def test_levels_and_groups() -> None:
    m = parse_model("group: a\nlevel: 1\ny ~ x\nlevel: 2\ny ~ w\ngroup: b\nlevel: within\ny ~ x\nlevel: 2\ny ~ w")
    assert [(s.group, s.level) for s in m.sections] == [("a", "1"), ("a", "2"), ("b", "within"), ("b", "2")]


def test_constraints_keep_their_text_and_tree() -> None:
    m = parse_model("y ~ a*x + b*z\nind := a*b^2 - (a - b)\na > 0\na == 2*b")
    assert [(c.op, c.lhs_text, c.rhs_text) for c in m.constraints] == [(":=", "ind", "a*b^2-(a-b)"), (">", "a", "0"), ("==", "a", "2*b")]
    assert to_text(m.constraints[0].rhs) == "a*b^2 - (a - b)"


WRONG = [
    ("f =~", 1, 3, "nothing after it"),
    ("=~ x1", 1, 1, "nothing before it"),
    ("y ~ x\nf = x1 + x2", 2, 3, "'=' is not an operator"),
    ("f =~ x1 ~ x2", 1, 9, "second operator"),
    ("y ~ x\n\nx1 + x2", 3, 1, "no operator"),
    ("f =~ x1 + + x2", 1, 9, "'+' is followed by '+'"),
    ("f =~ start(1*x1 + x2", 1, 11, "not closed"),
    ("f =~ x1)", 1, 8, "no opening bracket"),
    ("f =~ x1 $ x2", 1, 9, "the character '$'"),
    ("f =~ x1 x2", 1, 9, "follows a name directly"),
    ("level:\ny ~ x", 1, 7, "takes one name or number"),
    ("level: 1\nlevel: 2\ny ~ x", 1, 1, "has no formula"),
    ("f =~ stat(1)*x1", 1, 6, "Did you mean 'start'"),
    ("f =~ 2x1", 1, 7, "begin with a digit"),
    ('f =~ "a*x1', 1, 6, "not closed"),
    ("y ~ x - z", 1, 7, "'-' between variables"),
    ("a*f =~ x1", 1, 1, "left-hand side"),
    ("f =~ c(1, a)*x1", 1, 6, "mixes numbers and labels"),
    ("y ~ x\nd := sqr(2)", 2, 6, "unknown function"),
    ("", 1, 1, "empty"),
]


@pytest.mark.parametrize(("model", "line", "column", "words"), WRONG)
def test_mistakes(model: str, line: int, column: int, words: str) -> None:
    with pytest.raises(ModelSyntaxError) as caught:
        parse_model(model)
    text = str(caught.value)
    assert text.startswith(f"Model syntax, line {line}, column {column}:")
    assert words in text
    shown, caret = text.splitlines()[-2:]
    assert shown == "    " + (model.splitlines()[line - 1] if model else "")
    assert caret.rstrip().endswith("^")
    assert len(caret) == 4 + column


def test_the_caret_stands_under_wide_characters() -> None:
    with pytest.raises(ModelSyntaxError) as caught:
        parse_model("潜在 =~ x1 x2")
    assert str(caught.value).splitlines()[-1] == "    \u3000\u3000       ^"


def test_lark_is_loaded_when_used() -> None:
    import subprocess
    import sys

    code = "import sys, tanada, tanada.syntax.parse; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
