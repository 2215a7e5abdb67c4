"""Model statements -> parameter table, with lavaan's defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tanada.partable.equalities import apply_group_equal, apply_labels, effect_coding
from tanada.partable.options import TableOptions
from tanada.partable.roles import Roles, roles
from tanada.partable.table import Block, ParameterTable, Row
from tanada.syntax.messages import syntax_error
from tanada.syntax.statements import Constraint, ModelText, Section, Term


def build_table(
    model: ModelText, options: TableOptions, groups: Sequence[str] = ("",), thresholds: Mapping[str, int] | None = None
) -> ParameterTable:
    """The table of a model.

    Parameters
    ----------
    model : ModelText
    options : TableOptions
    groups : sequence of str
        Labels of the groups in the data, in order; one empty label without groups.
    thresholds : mapping, optional
        Ordered variables and the number of their thresholds.

    Returns
    -------
    ParameterTable
    """
    thresholds = thresholds or {}
    levels = model.levels
    if levels and any(not s.level for s in model.sections):
        s = next(s for s in model.sections if not s.level)
        raise syntax_error(model.text, s.terms[0].position, "this formula stands before the first 'level:' heading; put every formula of a two-level model under one.")
    if levels and len(levels) != 2:
        s = model.sections[-1]
        raise syntax_error(model.text, s.position, f"{len(levels)} level block{'s' * (len(levels) != 1)}; a two-level model has two, level: 1 (within) and level: 2 (between).")
    by_block = _sections(model, groups, levels)
    rows: list[Row] = []
    blocks: list[Block] = []
    notes: list[str] = []
    for g, label in enumerate(groups, 1):
        terms = {lev: by_block[g, lev] for lev in range(1, max(1, len(levels)) + 1)}
        role = {lev: roles(t) for lev, t in terms.items()}
        _check_latents(model, role)
        for lev, t in terms.items():
            n = len(blocks) + 1
            blocks.append(Block(n, g, lev, label, levels[lev - 1] if levels else "", role[lev]))
            both = set(role[1].ov) & set(role[2].ov) if levels and lev == 1 else set()
            rows += _block_rows(model, _Place(n, g, lev, len(groups)), t, role[lev], options, both, thresholds, notes)
    constraints = list(model.constraints)
    if options.effect_coding:
        constraints += effect_coding(rows, blocks, options)
    _share_free_loadings(rows)
    apply_group_equal(rows, blocks, options, len(groups))
    n_free, labels = apply_labels(model, rows, constraints)
    return ParameterTable(
        model.text, tuple(rows), tuple(blocks), tuple(constraints), n_free, len(groups), max(1, len(levels)), options.meanstructure,
        tuple(thresholds), tuple(notes), labels,
    )  # fmt: skip


class _Place:
    """Where a block stands."""

    def __init__(self, block: int, group: int, level: int, n_groups: int) -> None:
        self.block, self.group, self.level, self.n_groups = block, group, level, n_groups


def _sections(model: ModelText, groups: Sequence[str], levels: Sequence[str]) -> dict[tuple[int, int], tuple[Term, ...]]:
    """Terms by (group, level), both from 1."""
    named = model.groups
    out: dict[tuple[int, int], tuple[Term, ...]] = {}
    for g, label in enumerate(groups, 1):
        for lev in range(1, max(1, len(levels)) + 1):
            key = levels[lev - 1] if levels else ""
            found: tuple[Section, ...] = tuple(s for s in model.sections if s.level == key and (not s.group or s.group in (label, str(g)) or _nth(named, s.group, g, groups)))
            if not found:
                missing = f"group '{label}'" if named else f"level '{key}'"
                raise syntax_error(model.text, model.sections[0].position, f"no formulas for {missing}; every group has to have the same levels.")
            out[g, lev] = tuple(t for s in found for t in s.terms)
    return out


def _nth(named: Sequence[str], label: str, g: int, groups: Sequence[str]) -> bool:
    """`group:` headings that are none of the data's labels are taken in order when their number fits."""
    return len(named) == len(groups) and not set(named) & set(groups) and named.index(label) == g - 1


def _check_latents(model: ModelText, role: Mapping[int, Roles]) -> None:
    if len(role) == 2 and (same := set(role[1].lv) & set(role[2].lv)):
        name = sorted(same)[0]
        t = next(t for s in model.sections for t in s.terms if t.lhs == name and s.level == model.levels[1])
        raise syntax_error(model.text, t.position, f"the latent variable '{name}' is defined at both levels; give the two different names, such as {name}w and {name}b.")


def _block_rows(
    model: ModelText, place: _Place, terms: Sequence[Term], role: Roles, o: TableOptions, both: set[str], thresholds: Mapping[str, int], notes: list[str]
) -> list[Row]:
    user: dict[tuple[str, str, str], Row] = {}
    fixed_by_user: set[tuple[str, str, str]] = set()
    for t in terms:
        key = (t.lhs, t.op, t.rhs)
        if t.op == "~~" and (t.rhs, "~~", t.lhs) in user:
            key = (t.rhs, "~~", t.lhs)
        row = user.get(key)
        if row is None:
            row = user[key] = Row(t.lhs, t.op, t.rhs, place.block, place.group, place.level, position=t.position)
        elif not t.modifiers and place.group == 1:
            notes.append(f"'{row.name}' is written twice; the second is ignored.")
        for m in t.modifiers:
            if len(m.values) not in (1, place.n_groups):
                raise syntax_error(model.text, m.position, f"c() has {len(m.values)} elements for {place.n_groups} group{'s' * (place.n_groups != 1)}.")
            value = m.values[place.group - 1] if len(m.values) > 1 else m.values[0]
            if m.kind == "free" or (value is None and m.kind in ("fix", "label")):
                row.free, row.value = 1, None
                fixed_by_user.add(key)
            elif m.kind == "fix":
                row.free, row.value = 0, float(value)  # type: ignore[arg-type]
                fixed_by_user.add(key)
            elif m.kind in ("label", "equal"):
                row.label = str(value)
            else:
                setattr(row, m.kind, None if value is None else float(value))
    rows = list(user.values())
    present = set(user)
    for r in _defaults(role, o, thresholds):
        if r not in present and not (r[1] == "~~" and (r[2], "~~", r[0]) in present):
            present.add(r)
            rows.append(Row(*r, place.block, place.group, place.level, user=False))
    _free_or_fixed(rows, role, o, both, thresholds, fixed_by_user, place)
    return rows


def _defaults(role: Roles, o: TableOptions, thresholds: Mapping[str, int]) -> list[tuple[str, str, str]]:
    x = set(role.x)
    ordered = [v for v in role.ov if v in thresholds]
    out = [(v, "|", f"t{k}") for v in ordered for k in range(1, thresholds[v] + 1)]
    out += [(v, "~~", v) for v in role.ov if v not in x]
    out += [(v, "~~", v) for v in role.lv]
    if o.auto_cov_lv_x:
        out += [(a, "~~", b) for i, a in enumerate(role.lv_x) for b in role.lv_x[i + 1 :]]
    if o.auto_cov_y:
        out += [(a, "~~", b) for i, a in enumerate(role.y_last) for b in role.y_last[i + 1 :]]
    out += [(a, "~~", b) for i, a in enumerate(role.x) for b in role.x[i:]]
    out += [(v, "~*~", v) for v in ordered]
    if o.meanstructure:
        out += [(v, "~1", "") for v in (*role.ov, *role.lv)]
    return out


def _free_or_fixed(
    rows: list[Row], role: Roles, o: TableOptions, both: set[str], thresholds: Mapping[str, int], fixed_by_user: set[tuple[str, str, str]], place: _Place
) -> None:
    lv, x = set(role.lv), set(role.x)
    single = _single_indicators(rows)
    scaled = {r.lhs for r in rows if r.op == "~~" and r.lhs == r.rhs and r.lhs in lv and r.free == 0 and r.value}
    seen: set[str] = set()
    for r in rows:
        key = (r.lhs, r.op, r.rhs)
        said = key in fixed_by_user
        first = r.op == "=~" and r.lhs not in seen
        if r.op == "=~":
            seen.add(r.lhs)
        if said:
            continue
        fix: float | None = None
        same = r.lhs == r.rhs
        if r.op in ("=~", "<~"):
            if first and r.op == "=~" and o.auto_fix_first and not o.std_lv and not o.effect_coding and r.lhs not in scaled:
                fix = 1.0
        elif r.op == "~~" and same and r.lhs in lv:
            if o.std_lv:
                fix = 1.0
            elif not r.user and (r.lhs in role.formative or not o.auto_var):
                fix = 0.0
        elif r.op == "~~" and not r.user:
            if r.lhs in x:
                r.exo = o.fixed_x
            elif same and r.lhs in thresholds:
                fix = 1.0
            elif same and ((o.auto_fix_single and r.lhs in single) or not o.auto_var) or not same and o.orthogonal and r.lhs in lv and r.rhs in lv:
                fix = 0.0
        elif r.op == "~1" and not r.user:
            fix, r.exo = _intercept(r.lhs, lv, x, o, both, thresholds)
        elif r.op == "~*~" and not r.user:
            fix = 1.0
        if place.group > 1 and o.group_equal and not r.user:
            fix = _group_release(r, fix, lv, o, thresholds)
        if fix is not None:
            r.free, r.value = 0, fix
        else:
            r.free = 0 if r.exo else 1


def _share_free_loadings(rows: Sequence[Row]) -> None:
    """A first loading fixed by default is freed when it shares its label with the free first loading of a factor scaled by its variance."""
    first: dict[tuple[int, str], Row] = {}
    for r in rows:
        if r.op == "=~":
            first.setdefault((r.block, r.lhs), r)
    free = {r.label for r in first.values() if r.free and r.label}
    for r in first.values():
        if not r.free and r.value == 1.0 and r.label in free:
            r.free, r.value = 1, None


def _intercept(v: str, lv: set[str], x: set[str], o: TableOptions, both: set[str], thresholds: Mapping[str, int]) -> tuple[float | None, bool]:
    if v in lv:
        return (None if o.int_lv_free else 0.0), False
    exo = v in x and o.fixed_x
    if v in both:
        return 0.0, exo
    if exo:
        return None, True
    if v in thresholds or not o.int_ov_free:
        return 0.0, False
    return None, False


def _group_release(r: Row, fix: float | None, lv: set[str], o: TableOptions, thresholds: Mapping[str, int]) -> float | None:
    """What equalities between groups identify is freed from the second group on."""
    equal = o.group_equal
    if r.op == "~1" and r.lhs in lv and ("intercepts" in equal or "thresholds" in equal) and "means" not in equal:
        return None
    if r.op == "~~" and r.lhs == r.rhs and r.lhs in lv and o.std_lv and "loadings" in equal and "lv_variances" not in equal:
        return None
    if "thresholds" in equal and o.parameterization == "delta" and r.op == "~*~":
        return None
    if "thresholds" in equal and o.parameterization == "theta" and r.op == "~~" and r.lhs == r.rhs and r.lhs in thresholds:
        return None
    return fix


def _single_indicators(rows: Sequence[Row]) -> set[str]:
    """Indicators of latent variables that have no other, when they load on nothing else: their residual variance is fixed at 0."""
    count: dict[str, list[str]] = {}
    loads: dict[str, int] = {}
    for r in rows:
        if r.op == "=~":
            count.setdefault(r.lhs, []).append(r.rhs)
            loads[r.rhs] = loads.get(r.rhs, 0) + 1
    return {v[0] for v in count.values() if len(v) == 1 and loads[v[0]] == 1}


__all__ = ["Constraint", "build_table"]
