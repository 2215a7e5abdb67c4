"""What the SEM syntax says, statement by statement, each with its position in the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tanada.syntax.expressions import Expression


class Modifier(NamedTuple):
    """What stands before `*`: one element per group (a single element holds for every group).

    `kind` is "fix" (a number), "free" (NA), "label", "start", "equal" (a label to share), "lower" or "upper".
    """

    kind: str
    values: tuple[float | str | None, ...]
    position: int


class Term(NamedTuple):
    """One `lhs op rhs` of a formula; `rhs` is empty for the operator `~1`."""

    lhs: str
    op: str
    rhs: str
    modifiers: tuple[Modifier, ...]
    position: int


@dataclass(frozen=True)
class Constraint:
    """`:=` (then `lhs` is the new name), `==`, `<` or `>` between two expressions."""

    op: str
    lhs: Expression
    rhs: Expression
    position: int
    lhs_text: str = ""
    rhs_text: str = ""


@dataclass(frozen=True)
class Section:
    """The terms under one `group:` and `level:` heading; empty strings where there is no such heading."""

    group: str
    level: str
    terms: tuple[Term, ...]
    position: int


@dataclass(frozen=True)
class ModelText:
    """A parsed model."""

    text: str
    sections: tuple[Section, ...]
    constraints: tuple[Constraint, ...]

    @property
    def levels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(s.level for s in self.sections if s.level))

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(s.group for s in self.sections if s.group))
