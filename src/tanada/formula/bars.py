"""Random-effects terms: `(x | g)`, `(x || g)`, `(1 | a/b)`, `cs(f | g)` to one record per grouping factor.

`(x || g)` means uncorrelated effects: one term with a diagonal covariance over the columns of `x` (a factor contributes one variance per
column, as in glmmTMB). `(1 | a/b)` means `(1 | a) + (1 | a:b)`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tanada.errors import did_you_mean
from tanada.formula.nodes import Binary, Call, Name, Node, Number, deparse, strip
from tanada.formula.terms import STRUCTURES, Expander, Terms, is_structure
from tanada.formula.tokens import syntax_error

# structures whose effects are the levels of one factor, in order or with positions
INDEXED = frozenset({"ar1", "hetar1", "ou", "exp", "gau", "mat"})


@dataclass(frozen=True)
class RandomTerm:
    """One random-effects term with one grouping factor.

    Attributes
    ----------
    terms : Terms
        The left side of the bar.
    group : tuple of Node
        The grouping factor; several mean their interaction.
    structure : str
    rank : int or None
        Rank of a reduced-rank structure.
    known : str or None
        Name of the known matrix of "propto" and "equalto".
    text : str
        The term as written, for one grouping factor: "(x | a:b)".
    pos : int
        Where it starts in the formula.
    """

    terms: Terms
    group: tuple[Node, ...]
    structure: str
    rank: int | None
    known: str | None
    text: str
    pos: int

    @property
    def group_label(self) -> str:
        return ":".join(deparse(g) for g in self.group)


def read_bar(node: Node, text: str) -> list[RandomTerm]:
    """The random terms of one bar expression of the formula `text`."""
    structure, rank, known, call = "us", None, None, ""
    if is_structure(node):
        assert isinstance(node, Call)
        structure, call = node.func, node.func
        if structure not in STRUCTURES:
            raise syntax_error(text, node.pos, f"unknown covariance structure '{structure}'.{did_you_mean(structure, STRUCTURES)}")
        rank, known = _extra(node, text)
        bar = strip(node.args[0][1])
    else:
        bar = strip(node)
    assert isinstance(bar, Binary)
    if bar.op == "||":
        if structure not in ("us", "diag"):
            raise syntax_error(text, bar.pos, f"'||' and {structure}() both set the covariance structure; use one of them.")
        structure = "diag"
    inner = Expander(text)
    left = inner.expand(bar.left)
    if inner.bars or inner.offsets:
        raise syntax_error(text, bar.left.pos, "the left side of a bar takes predictors only.")
    if not left.terms and not left.intercept:
        raise syntax_error(text, bar.left.pos, "this random-effects term has no effects; write (1 | group) for a random intercept.")
    if structure in INDEXED and (left.intercept or len(left.terms) != 1):
        raise syntax_error(text, node.pos, f"{structure}() takes one factor of times or positions without an intercept, as in {structure}(time + 0 | group).")
    out = []
    for group in _groups(bar.right, text):
        label = ":".join(deparse(g) for g in group)
        written = f"{deparse(bar.left)} {bar.op} {label}"
        extra = "".join(f", {deparse(a)}" if name is None else f", {name} = {deparse(a)}" for name, a in node.args[1:]) if call else ""  # type: ignore[union-attr]
        out.append(RandomTerm(left, group, structure, rank, known, f"{call}({written}{extra})", node.pos))
    return out


def _extra(node: Call, text: str) -> tuple[int | None, str | None]:
    """The second argument of rr() (its rank), propto() and equalto() (the known matrix)."""
    rest = [strip(a) for _, a in node.args[1:]]
    if node.func == "rr":
        rank = rest[0] if rest else Number(2.0)
        if len(rest) > 1 or not isinstance(rank, Number) or rank.value < 1 or not float(rank.value).is_integer():
            raise syntax_error(text, node.pos, "rr() takes a rank of 1 or more, as in rr(species + 0 | site, d = 2).")
        return int(rank.value), None
    if node.func in ("propto", "equalto"):
        if len(rest) != 1 or not isinstance(rest[0], Name):
            raise syntax_error(text, node.pos, f"{node.func}() takes the name of a known matrix, as in {node.func}(f + 0 | g, V).")
        return None, rest[0].name
    if rest:
        raise syntax_error(text, node.pos, f"{node.func}() takes one argument, as in {node.func}(x | group).")
    return None, None


def _groups(node: Node, text: str) -> list[tuple[Node, ...]]:
    """Grouping factors of the right side of a bar: a -> a; a:b -> a:b; a/b -> a, a:b."""
    node = strip(node)
    if isinstance(node, Binary) and node.op == "/":
        outer = _groups(node.left, text)
        return [*outer, *(_merge(outer[-1], g) for g in _groups(node.right, text))]
    if isinstance(node, Binary) and node.op == ":":
        return [_merge(a, b) for a in _groups(node.left, text) for b in _groups(node.right, text)]
    if isinstance(node, Name | Call) and not (isinstance(node, Name) and node.name == "."):
        return [(node,)]
    if isinstance(node, Number):
        raise syntax_error(text, node.pos, f"{deparse(node)} is not a grouping factor; name the column that holds the groups.")
    raise syntax_error(text, node.pos, f"'{deparse(node)}' is not a grouping factor; accepted are g, a:b and a/b.")


def _merge(a: tuple[Node, ...], b: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple(dict.fromkeys([*a, *b]))
