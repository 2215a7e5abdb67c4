"""The parameter table: the one place that says which parameters a model has, and what is free, fixed or equal."""

from __future__ import annotations

from dataclasses import dataclass, field

from tanada.partable.roles import Roles
from tanada.syntax.statements import Constraint


@dataclass
class Row:
    """One parameter.

    Attributes
    ----------
    lhs, op, rhs : str
        `~1` has an empty `rhs`, thresholds are `lhs | t1`.
    block, group, level : int
        Numbers from 1; block counts level within group.
    user : bool
        Written in the model (not added by default).
    free : int
        Number of the free parameter from 1; rows that share a label share it; 0 when fixed.
    value : float or None
        Fixed value (None for a free row, and for moments of exogenous variables that come from the data).
    exo : bool
        Moment of an exogenous observed variable, taken from the data.
    label : str
        The user's label (or the one made by `group_equal`).
    start, lower, upper : float or None
    position : int
        Place in the model text; -1 for default rows.
    """

    lhs: str
    op: str
    rhs: str
    block: int = 1
    group: int = 1
    level: int = 1
    user: bool = True
    free: int = -1
    value: float | None = None
    exo: bool = False
    label: str = ""
    start: float | None = None
    lower: float | None = None
    upper: float | None = None
    position: int = -1

    @property
    def name(self) -> str:
        """The parameter in words of the syntax: `f =~ x1`, `y ~1`."""
        return f"{self.lhs} {self.op} {self.rhs}".rstrip() if self.op != "~1" else f"{self.lhs} ~1"


@dataclass(frozen=True)
class Block:
    """One level of one group."""

    number: int
    group: int
    level: int
    group_label: str
    level_label: str
    roles: Roles


@dataclass(frozen=True)
class ParameterTable:
    """Rows, blocks, constraints; `n_free` free parameters before constraints."""

    text: str
    rows: tuple[Row, ...]
    blocks: tuple[Block, ...]
    constraints: tuple[Constraint, ...]
    n_free: int
    n_groups: int
    n_levels: int
    meanstructure: bool
    ordered: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    labels: dict[str, int] = field(default_factory=dict)  # label -> free index (1-based), 0 when it names a fixed row

    def free_names(self) -> list[str]:
        """A name for each free parameter: its label, else its formula, with the level and group where there are several."""
        names = [""] * self.n_free
        for r in self.rows:
            if r.free and not names[r.free - 1]:
                names[r.free - 1] = r.label if r.label and not r.label.startswith(".") else self.describe(r)
        return names

    def describe(self, r: Row) -> str:
        """A row in words, with its level and group."""
        where = []
        if self.n_levels > 1:
            where.append(f"level {r.level}")
        if self.n_groups > 1:
            where.append(f"group {self.blocks[r.block - 1].group_label}")
        return r.name + (f" ({', '.join(where)})" if where else "")

    def rows_of_block(self, block: int) -> list[Row]:
        return [r for r in self.rows if r.block == block]

    def defined(self) -> list[Constraint]:
        return [c for c in self.constraints if c.op == ":="]
