"""Equalities of the parameter table: labels, equality between groups, effect coding."""

from __future__ import annotations

from collections.abc import Sequence

from tanada.errors import ModelError, did_you_mean
from tanada.partable.options import GROUP_EQUAL, TableOptions
from tanada.partable.table import Block, Row
from tanada.syntax.expressions import Binary, Expression, Name, Number, names_in
from tanada.syntax.messages import syntax_error
from tanada.syntax.statements import Constraint, ModelText


def apply_labels(model: ModelText, rows: Sequence[Row], constraints: Sequence[Constraint]) -> tuple[int, dict[str, int]]:
    """Number the free parameters (rows with one label share a number); the number of each label. Checks the constraints' names."""
    names = {f"{r.lhs}{r.op}{r.rhs}": r for r in reversed(rows)}
    for r in rows:  # equal("f=~x1"): share with the row named
        if r.label in names and r.label not in ("",):
            target = names[r.label]
            if not target.label:
                target.label = f".{r.label}."
            r.label = target.label
    labels: dict[str, int] = {}
    fixed: dict[str, float] = {}
    n = 0
    for r in rows:
        if r.free and r.label and r.label in labels and labels[r.label] == 0 and r.label in fixed:
            r.free, r.value = 0, fixed[r.label]
        if not r.free:
            if r.label:
                labels.setdefault(r.label, 0)
                if r.value is not None:
                    fixed.setdefault(r.label, r.value)
            continue
        if r.label and labels.get(r.label):
            r.free = labels[r.label]
            continue
        n += 1
        r.free = n
        if r.label:
            labels[r.label] = n
    known = dict(labels)
    for k, r in enumerate(rows, 1):
        known.setdefault(f".p{k}.", r.free)
    defined: set[str] = set()
    for c in constraints:
        if c.op == ":=" and isinstance(c.lhs, Name):
            if c.lhs.name in labels:
                raise syntax_error(model.text, c.lhs.position, f"'{c.lhs.name}' is already the label of a parameter; give the defined parameter another name.")
            defined.add(c.lhs.name)
    for c in constraints:
        for e in (c.rhs,) if c.op == ":=" else (c.lhs, c.rhs):
            for name in names_in(e):
                if name.name not in known and name.name not in defined:
                    hint = did_you_mean(name.name, [*labels, *defined])
                    raise syntax_error(model.text, name.position, f"'{name.name}' is neither the label of a parameter nor a defined parameter.{hint}")
    return n, known


def apply_group_equal(rows: Sequence[Row], blocks: Sequence[Block], options: TableOptions, n_groups: int) -> None:
    """Give the rows of later groups the label of the first group's row, for the kinds of parameters in `group_equal`."""
    if not options.group_equal:
        return
    kinds = set(options.group_equal)
    unknown = kinds - set(GROUP_EQUAL)
    if unknown:
        name = sorted(unknown)[0]
        raise ModelError(f"group_equal: '{name}' is not a kind of parameter.{did_you_mean(name, GROUP_EQUAL)}")
    if n_groups < 2:
        raise ModelError("group_equal needs a grouping variable with two or more groups; give group=.")
    partial = {p.replace(" ", "") for p in options.group_partial}
    first = {(r.level, r.lhs, r.op, r.rhs): (k, r) for k, r in enumerate(rows, 1) if r.group == 1}
    for r in rows:
        if r.group == 1 or f"{r.lhs}{r.op}{r.rhs}" in partial:
            continue
        found = first.get((r.level, r.lhs, r.op, r.rhs)) or (first.get((r.level, r.rhs, r.op, r.lhs)) if r.op == "~~" else None)
        if found is None or kind_of(r, set(blocks[r.block - 1].roles.lv)) not in kinds:
            continue
        k, target = found
        if not (r.free and target.free) or r.label:
            continue
        if not target.label:
            target.label = f".p{k}."
        r.label = target.label


def kind_of(r: Row, lv: set[str]) -> str:
    """The kind of a parameter in the words of `group_equal`."""
    if r.op == "=~":
        return "loadings"
    if r.op == "<~":
        return "composite_loadings"
    if r.op == "~":
        return "regressions"
    if r.op == "~1":
        return "means" if r.lhs in lv else "intercepts"
    if r.op == "|":
        return "thresholds"
    if r.op == "~~":
        latent = r.lhs in lv and r.rhs in lv
        if r.lhs == r.rhs:
            return "lv_variances" if latent else "residuals"
        return "lv_covariances" if latent else "residual_covariances"
    return "scales"


def effect_coding(rows: list[Row], blocks: Sequence[Block], options: TableOptions) -> list[Constraint]:
    """The loadings of a latent variable average 1, and its indicators' intercepts sum to 0 (Little, Slegers & Card 2006)."""
    out: list[Constraint] = []
    for b in blocks:
        for v in b.roles.lv:
            loadings = [(k, r) for k, r in enumerate(rows, 1) if r.block == b.number and r.op == "=~" and r.lhs == v and r.free]
            if not loadings:
                continue
            out.append(_sum_equals([k for k, _ in loadings], float(len(loadings))))
            if options.meanstructure:
                indicators = {r.rhs for _, r in loadings}
                nu = [k for k, r in enumerate(rows, 1) if r.block == b.number and r.op == "~1" and r.lhs in indicators and r.free]
                mean = next((r for r in rows if r.block == b.number and r.op == "~1" and r.lhs == v and not r.user), None)
                if nu and mean is not None:
                    mean.free, mean.value = 1, None
                    out.append(_sum_equals(nu, 0.0))
    return out


def _sum_equals(ids: Sequence[int], total: float) -> Constraint:
    e: Expression = Name(f".p{ids[0]}.", -1)
    for k in ids[1:]:
        e = Binary("+", e, Name(f".p{k}.", -1), -1)
    return Constraint("==", e, Number(total, -1), -1)
