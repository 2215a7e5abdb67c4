"""Wilkinson's term algebra as in R: an additive expression to an ordered list of terms, offsets and bars.

Terms are sets of factors (bit patterns over the list of distinct expressions); `+ - : * / %in% ^` act on lists of terms. Wilkinson & Rogers
(1973), Symbolic description of factorial models for analysis of variance, Applied Statistics 22, 392-399.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tanada.errors import FormulaError
from tanada.formula.nodes import Binary, Call, Name, Node, Number, Paren, Text, Unary, deparse, strip
from tanada.formula.tokens import syntax_error

STRUCTURES = (
    "us", "diag", "homdiag", "cs", "homcs", "ar1", "hetar1", "ou", "toep", "homtoep", "exp", "gau", "mat", "rr", "propto", "equalto",
)  # fmt: skip

Term = frozenset[int]
INTERCEPT: Term = frozenset()
_COMPARISONS = {"==", "!=", "<", ">", "<=", ">=", "&", "&&", "%%", "%/%"}


@dataclass(frozen=True)
class Terms:
    """The fixed part of a formula (or the left side of a bar).

    Attributes
    ----------
    factors : tuple of Node
        Distinct expressions in order of appearance.
    terms : tuple of tuple of int
        Each term as sorted positions in `factors`; ordered by number of factors, then appearance. The intercept is not among them.
    intercept : bool
    """

    factors: tuple[Node, ...]
    terms: tuple[tuple[int, ...], ...]
    intercept: bool

    def label(self, term: tuple[int, ...]) -> str:
        return ":".join(deparse(self.factors[i]) for i in term)

    def labels(self) -> tuple[str, ...]:
        return tuple(self.label(t) for t in self.terms)


@dataclass
class _Sum:
    """Terms in order, those taken away, and whether 0 or 1 was written."""

    terms: dict[Term, None] = field(default_factory=dict)
    removed: set[Term] = field(default_factory=set)
    intercept: bool | None = None


def is_bar(node: Node) -> bool:
    node = strip(node)
    return isinstance(node, Binary) and node.op in ("|", "||")


def is_structure(node: Node) -> bool:
    """A covariance structure around a bar: cs(x | g)."""
    return isinstance(node, Call) and bool(node.args) and is_bar(node.args[0][1])


class Expander:
    """Expands one additive expression; collects offsets and bars on the way."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.factors: dict[Node, int] = {}
        self.offsets: list[Node] = []
        self.bars: list[Node] = []

    def fail(self, node: Node, message: str) -> FormulaError:
        return syntax_error(self.text, min(node.pos, len(self.text)), message)

    def expand(self, node: Node) -> Terms:
        total = self.additive(node)
        terms = [t for t in total.terms if t and t not in total.removed]
        intercept = total.intercept if total.intercept is not None else True
        used = sorted({i for t in terms for i in t})
        new = {old: i for i, old in enumerate(used)}
        nodes = list(self.factors)
        ordered = sorted(terms, key=len)
        return Terms(tuple(nodes[i] for i in used), tuple(tuple(sorted(new[i] for i in t)) for t in ordered), intercept)

    def additive(self, node: Node) -> _Sum:
        """A sum: the only place for 0, 1, offsets and bars."""
        node = self._outer(node)
        if isinstance(node, Binary) and node.op in "+-":
            left = self.additive(node.left)
            return self._join(left, node.right, node.op)
        if isinstance(node, Unary) and node.op in "+-":
            return self._join(_Sum(), node.arg, node.op)
        if isinstance(node, Number):
            return _Sum(intercept=self._zero_one(node) == 1)
        if isinstance(node, Call) and node.func == "offset":
            if len(node.args) != 1:
                raise self.fail(node, "offset() takes one expression, as in offset(log(exposure)).")
            self.offsets.append(node.args[0][1])
            return _Sum()
        if is_bar(node) or is_structure(node):
            self.bars.append(node)
            return _Sum()
        return _Sum(terms=dict.fromkeys(self.product(node)))

    def _outer(self, node: Node) -> Node:
        """Parentheses around a sum mean nothing; a bar without any is a mistake."""
        if isinstance(node, Paren):
            return strip(node)
        if isinstance(node, Binary) and node.op in ("|", "||"):
            raise self.fail(node, f"a random-effects term needs parentheses: ({deparse(node)}), or (1 {node.op} group) after a '+'.")
        return node

    def _join(self, left: _Sum, node: Node, op: str) -> _Sum:
        right = self.additive(node)
        if op == "-":
            if self.bars and (is_bar(node) or is_structure(strip(node))):
                raise self.fail(node, "a random-effects term cannot be subtracted; leave it out.")
            left.removed |= set(right.terms)
            if right.intercept is not None:
                left.intercept = not right.intercept
            return left
        for t in right.terms:
            left.removed.discard(t)
            left.terms.setdefault(t)
        left.removed |= right.removed
        if right.intercept is not None:
            left.intercept = right.intercept
        return left

    def _zero_one(self, node: Number) -> int:
        if node.value not in (0.0, 1.0):
            raise self.fail(node, f"{deparse(node)} is not a term; 1 is the intercept, 0 removes it, and arithmetic goes inside I().")
        return int(node.value)

    def product(self, node: Node) -> list[Term]:
        """Terms of an expression inside which 0, offsets and bars have no place."""
        node = strip(node)
        if isinstance(node, Binary):
            return self._binary(node)
        if isinstance(node, Number):
            if self._zero_one(node) == 0:
                raise self.fail(node, "0 removes the intercept and can only be added to a formula, not multiplied.")
            return [INTERCEPT]
        if isinstance(node, Text):
            raise self.fail(node, f"quoted text is not a term; write the column name without quotes: {node.value}.")
        if isinstance(node, Unary):
            raise self.fail(node, f"'{node.op}' cannot stand before a term here; put arithmetic inside I().")
        if isinstance(node, Call) and node.func == "offset":
            raise self.fail(node, "offset() can only be added to a formula.")
        if is_structure(node):
            raise self.fail(node, "a random-effects term can only be added to a formula.")
        return [frozenset((self._factor(node),))]

    def _factor(self, node: Node) -> int:
        if isinstance(node, Name) and node.name == ".":
            raise self.fail(node, "'.' can only stand on the right side of the main formula.")
        return self.factors.setdefault(node, len(self.factors))

    def _binary(self, node: Binary) -> list[Term]:
        op = node.op
        if op in ("|", "||"):
            raise self.fail(node, "a random-effects term can only be added to a formula.")
        if op == "~":
            raise self.fail(node, "a formula has one '~'.")
        if op in _COMPARISONS:
            raise self.fail(node, f"'{op}' is arithmetic: write I({deparse(node)}).")
        if op == "^":
            return self._power(node)
        if op == "-":
            removed = set(self.product(node.right))
            return [t for t in self.product(node.left) if t not in removed]
        left, right = self.product(node.left), self.product(node.right)
        if op == "+":
            return list(dict.fromkeys([*left, *right]))
        crossed = [a | b for a in left for b in right]
        if op in (":", "%in%"):
            return list(dict.fromkeys(crossed))
        if op == "*":
            return list(dict.fromkeys([*left, *right, *crossed]))
        whole: Term = frozenset().union(*left)  # a / b: b within every combination of a
        return list(dict.fromkeys([*left, *(whole | b for b in right)]))

    def _power(self, node: Binary) -> list[Term]:
        times = strip(node.right)
        if not isinstance(times, Number) or times.value < 1 or not float(times.value).is_integer():
            raise self.fail(node, f"the exponent of a set of terms is a whole number of 1 or more; for a power write I({deparse(node)}).")
        base = self.product(node.left)
        if isinstance(strip(node.left), Name) and times.value > 1:
            raise self.fail(node, f"'{deparse(node)}' as a term means {deparse(node.left)} alone; for the power write I({deparse(node)}).")
        result = base
        for _ in range(min(int(times.value), len(base)) - 1):
            result = list(dict.fromkeys([*result, *(a | b for a in result for b in base)]))
        return result
