"""The parameter table: lavaan's, row by row, and the errors of building one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tanada.errors import ModelError, ModelSyntaxError
from tanada.partable.build import build_table
from tanada.partable.options import TableOptions
from tanada.syntax.parse import parse_model

TABLES = json.loads((Path(__file__).parents[1] / "reference" / "sem" / "partables.json").read_text())
EQUAL = {
    "hs_group_metric": ("loadings",), "hs_group_scalar": ("loadings", "intercepts"), "hs_group_strict": ("loadings", "intercepts", "residuals"),
    "hs_group_means": ("loadings", "intercepts", "residuals", "means"), "hs_group_partial": ("loadings", "intercepts"), "hs_ordered_group": ("loadings", "thresholds"),
}  # fmt: skip


def options(name: str, entry: dict) -> TableOptions:
    call = entry["call"]
    yes = lambda k: f"{k} = TRUE" in call  # noqa: E731
    no = lambda k: f"{k} = FALSE" in call  # noqa: E731
    return TableOptions(
        meanstructure="~1" in entry["partable"]["op"], std_lv=yes("std.lv"), fixed_x=not no("fixed.x"), orthogonal=yes("orthogonal"), int_ov_free=not no("int.ov.free"),
        int_lv_free=yes("int.lv.free"), auto_fix_first=not no("auto.fix.first"), effect_coding=yes("effect.coding"),
        parameterization="theta" if "parameterization" in call else "delta", group_equal=EQUAL.get(name, ()),
        group_partial=("x3 ~ 1", "x7 ~ 1") if name == "hs_group_partial" else (),
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(TABLES))
def test_rows_are_lavaans(name: str) -> None:
    entry = TABLES[name]
    p = entry["partable"]
    rows = [{k: p[k][i] for k in p} for i in range(len(p["lhs"]))]
    rows = [r for r in rows if r["op"] not in ("==", "<", ">", ":=")]
    thresholds: dict[str, int] = {}
    for r in rows:
        if r["op"] == "|":
            thresholds[r["lhs"]] = max(thresholds.get(r["lhs"], 0), int(r["rhs"][1:]))
    model = parse_model(entry["model"])
    blocks = max(r["block"] for r in rows)
    n = blocks // len(model.levels) if model.levels else blocks
    table = build_table(model, options(name, entry), model.groups or [f"g{k}" for k in range(n)], thresholds)
    theirs = [(r["lhs"], r["op"], r["rhs"], r["user"], r["block"], r["free"] > 0, None if r["exo"] else r["ustart"], r["exo"]) for r in rows]
    mine = [(r.lhs, r.op, r.rhs, int(r.user), r.block, r.free > 0, None if r.exo else r.value, int(r.exo)) for r in table.rows]
    assert mine == theirs


def table(model: str, groups: tuple[str, ...] = ("",), **kw):  # noqa: ANN003, ANN201
    return build_table(parse_model(model), TableOptions(**kw), groups)


def test_labels_share_a_parameter_and_fix_together() -> None:
    t = table("f =~ a*x1 + a*x2 + b*x3", std_lv=True)
    assert [r.free for r in t.rows[:3]] == [1, 1, 2]
    t = table('f =~ x1 + x2 + equal("f =~ x2")*x3')
    assert t.rows[1].free == t.rows[2].free > 0


def test_a_factor_scaled_by_its_variance_keeps_its_first_loading_free() -> None:
    t = table("f =~ x1 + x2 + x3\nf ~~ 1*f")
    assert t.rows[0].free and not t.rows[3].free


def test_single_indicator_has_no_residual() -> None:
    t = table("f =~ x1\ng =~ y1 + y2 + y3")
    assert next(r for r in t.rows if (r.lhs, r.op, r.rhs) == ("x1", "~~", "x1")).value == 0.0


@pytest.mark.parametrize(
    ("model", "kw", "words"),
    [
        ("level: 1\nf =~ x1 + x2\nlevel: 2\nf =~ x1 + x2", {"meanstructure": True}, "defined at both levels"),
        ("y ~ x\nlevel: 1\ny ~ x", {}, "before the first 'level:'"),
        ("level: 1\ny ~ x", {}, "a two-level model has two"),
        ("y ~ a*x + b*z\nd := a*c", {}, "'c' is neither the label"),
        ("y ~ a*x\na := 2*a", {}, "already the label"),
        ("y ~ c(a, b)*x", {}, "2 elements for 1 group"),
    ],
)
def test_mistakes_point_to_the_place(model: str, kw: dict, words: str) -> None:
    with pytest.raises(ModelSyntaxError, match=words):
        table(model, **kw)


def test_group_equal_names_are_checked() -> None:
    with pytest.raises(ModelError, match="Did you mean 'loadings'"):
        table("f =~ x1 + x2 + x3", ("a", "b"), group_equal=("loading",))
