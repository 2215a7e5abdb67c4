"""A mixed-model formula as one record: response, fixed terms, offsets, random terms. Depends on the text alone, so it is cached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from tanada.errors import FormulaError
from tanada.formula.bars import RandomTerm, read_bar
from tanada.formula.nodes import Binary, Name, Node, Paren, Unary, deparse, strip, variables, walk
from tanada.formula.parser import parse
from tanada.formula.terms import Expander, Terms
from tanada.formula.tokens import syntax_error


@dataclass(frozen=True)
class MixedFormula:
    """A parsed formula.

    Attributes
    ----------
    text : str
    response : Node or None
        None in one-sided formulas.
    fixed : Terms
    offsets : tuple of Node
    random : tuple of RandomTerm
    """

    text: str
    response: Node | None
    fixed: Terms
    offsets: tuple[Node, ...]
    random: tuple[RandomTerm, ...]

    def fixed_variables(self) -> list[str]:
        """Columns of the fixed part and the offsets."""
        return _unique(v for n in (*self.fixed.factors, *self.offsets) for v in variables(n))

    def random_variables(self) -> list[str]:
        """Columns of the random part, grouping factors included."""
        return _unique(v for r in self.random for n in (*r.terms.factors, *r.group) for v in variables(n))

    def group_variables(self) -> list[str]:
        return _unique(v for r in self.random for n in r.group for v in variables(n))

    def response_variables(self) -> list[str]:
        return [] if self.response is None else variables(self.response)

    def variables(self) -> list[str]:
        return _unique([*self.response_variables(), *self.fixed_variables(), *self.random_variables()])


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def parse_formula(text: str, columns: Iterable[str] = (), exclude: Iterable[str] = ()) -> MixedFormula:
    """Read a two-sided formula.

    Parameters
    ----------
    text : str
        "y ~ x + (x | g)".
    columns : iterable of str
        The columns that `.` stands for; those of the response, of the grouping factors and in `exclude` are left out.
    exclude : iterable of str

    Raises
    ------
    FormulaError
    """
    if not isinstance(text, str):
        raise FormulaError(f"the formula is {type(text).__name__}; a string such as 'y ~ x + (1 | group)' is accepted.")
    if has_dot(text):
        return _with_dot(text, tuple(columns), frozenset(exclude))
    return _two_sided(text)


def parse_one_sided(text: str, what: str) -> MixedFormula:
    """Read a one-sided formula such as "~ z + (1 | g)"; `what` names it in errors ("zi", "disp")."""
    if not isinstance(text, str):
        raise FormulaError(f"{what} is {type(text).__name__}; a one-sided formula such as '~ x' is accepted.")
    return _one_sided(text, what)


@lru_cache(maxsize=256)
def has_dot(text: str) -> bool:
    """Whether `.` stands for the other columns somewhere in the formula."""
    return "." in text and any(isinstance(n, Name) and n.name == "." for n in walk(parse(text)))


@lru_cache(maxsize=256)
def _two_sided(text: str) -> MixedFormula:
    tree = parse(text)
    _check_tilde(tree, text)
    assert isinstance(tree, Binary)
    return _build(text, tree.left, tree.right)


def _check_tilde(tree: Node, text: str) -> None:
    if isinstance(tree, Binary) and tree.op == "~":
        if isinstance(tree.left, Binary) and tree.left.op == "~":
            raise syntax_error(text, tree.pos, "a formula has one '~'.")
        return
    if isinstance(tree, Unary) and tree.op == "~":
        raise syntax_error(text, tree.pos, "the left side of the formula is empty; write the response before '~'.")
    raise syntax_error(text, 0, "a model formula needs '~' between the response and the predictors, as in 'y ~ x + (1 | group)'.")


def _with_dot(text: str, columns: tuple[str, ...], exclude: frozenset[str]) -> MixedFormula:
    tree = parse(text)
    _check_tilde(tree, text)
    assert isinstance(tree, Binary)
    groups = {v for n in walk(tree.right) if isinstance(n, Binary) and n.op in ("|", "||") for v in variables(n.right)}
    taken = {*variables(tree.left), *groups, *exclude}
    names = [c for c in columns if c not in taken]
    if not names:
        raise FormulaError("'.' stands for the other columns, and there are none.")
    whole: Node = Name(names[0])
    for c in names[1:]:
        whole = Binary("+", whole, Name(c))
    return _build(text, tree.left, _replace_dot(tree.right, Paren(whole)))


def _replace_dot(node: Node, whole: Node) -> Node:
    if isinstance(node, Name) and node.name == ".":
        return whole
    if isinstance(node, Binary) and node.op not in ("|", "||"):
        return Binary(node.op, _replace_dot(node.left, whole), _replace_dot(node.right, whole), node.pos)
    if isinstance(node, Paren):
        return Paren(_replace_dot(node.arg, whole), node.pos)
    if isinstance(node, Unary):
        return Unary(node.op, _replace_dot(node.arg, whole), node.pos)
    return node


@lru_cache(maxsize=256)
def _one_sided(text: str, what: str) -> MixedFormula:
    tree = parse(text)
    if isinstance(tree, Unary) and tree.op == "~":
        return _build(text, None, tree.arg)
    if isinstance(tree, Binary) and tree.op == "~":
        raise syntax_error(text, tree.pos, f"{what} is a one-sided formula, without a response: '~ {deparse(tree.right)}'.")
    raise syntax_error(text, 0, f"{what} is a one-sided formula that starts with '~', as in '~ {text.strip()}'.")


def _build(text: str, response: Node | None, right: Node) -> MixedFormula:
    expander = Expander(text)
    fixed = expander.expand(right)
    random = tuple(r for bar in expander.bars for r in read_bar(bar, text))
    for i, r in enumerate(random):
        if any(r.terms == q.terms and r.group == q.group and r.structure == q.structure for q in random[:i]):
            raise syntax_error(text, r.pos, f"the random-effects term {r.text} is given twice.")
    formula = MixedFormula(text, None if response is None else strip(response), fixed, tuple(expander.offsets), random)
    _check_response(formula)
    return formula


def _check_response(formula: MixedFormula) -> None:
    if formula.response is None:
        return
    names = formula.response_variables()
    if not names:
        raise syntax_error(formula.text, 0, "the left side of the formula names no column.")
    right = {*formula.fixed_variables(), *formula.random_variables()}
    if isinstance(formula.response, Name) and formula.response.name in right:
        raise FormulaError(f"'{formula.response.name}' is the response and also stands on the right side of the formula.")
