"""Which variable plays which role in one block of formulas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tanada.syntax.statements import Term


@dataclass(frozen=True)
class Roles:
    """Names of one block, each list in order of first appearance.

    Attributes
    ----------
    ov, lv : observed and latent variables; `ov` in the order indicators, outcomes, predictors, others
    x : observed predictors that nothing else explains and whose variances the user left alone (fixed when `fixed_x`)
    lv_x : latent variables that are neither outcomes nor indicators
    y_last : outcomes (latent, then observed) that predict nothing and are no indicators
    formative : latent variables made by `<~`
    """

    ov: tuple[str, ...]
    lv: tuple[str, ...]
    x: tuple[str, ...]
    lv_x: tuple[str, ...]
    y_last: tuple[str, ...]
    formative: tuple[str, ...]


def roles(terms: Iterable[Term]) -> Roles:
    """Sort the names of a block into roles."""
    lv: dict[str, None] = {}
    formative: dict[str, None] = {}
    rhs_ind: dict[str, None] = {}
    eq_y: dict[str, None] = {}
    eq_x: dict[str, None] = {}
    other: dict[str, None] = {}
    touched: set[str] = set()
    for t in terms:
        if t.op == "=~":
            lv[t.lhs] = None
            rhs_ind[t.rhs] = None
        elif t.op == "<~":
            lv[t.lhs] = formative[t.lhs] = None
            eq_x[t.rhs] = None
        elif t.op == "~":
            eq_y[t.lhs] = None
            eq_x[t.rhs] = None
        elif t.op == "~~":
            other[t.lhs] = other[t.rhs] = None
            touched.update((t.lhs, t.rhs))
        else:
            other[t.lhs] = None
            if t.op == "~1":
                touched.add(t.lhs)
    indicators = [v for v in rhs_ind if v not in lv]
    ind = set(indicators)
    ov_y = [v for v in eq_y if v not in lv and v not in ind]
    ov_x = [v for v in eq_x if v not in lv and v not in ind and v not in eq_y]
    known = dict.fromkeys([*indicators, *ov_y, *ov_x])
    ov = [*known, *(v for v in other if v not in lv and v not in known)]
    return Roles(
        ov=tuple(ov),
        lv=tuple(lv),
        x=tuple(v for v in ov_x if v not in touched),
        lv_x=tuple(v for v in lv if v not in eq_y and v not in rhs_ind and v not in formative),
        y_last=tuple([v for v in lv if v in eq_y and v not in eq_x and v not in rhs_ind] + [v for v in ov_y if v not in eq_x]),
        formative=tuple(formative),
    )
