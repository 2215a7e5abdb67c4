"""The syntax tree of a formula, and its text in R's spelling. Nodes compare without their positions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

SYNTACTIC = re.compile(r"(?:[^\W\d_]|\.(?!\d))[\w.]*\Z|\.\Z")


@dataclass(frozen=True, slots=True)
class Name:
    """A column name, or `.`."""

    name: str
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string."""

    value: str
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Paren:
    arg: Node
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    op: str
    arg: Node
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    op: str
    left: Node
    right: Node
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; `args` pairs the argument's name (or None) with its expression."""

    func: str
    args: tuple[tuple[str | None, Node], ...]
    pos: int = field(default=0, compare=False)

    def positional(self) -> list[Node]:
        return [a for name, a in self.args if name is None]

    def named(self) -> dict[str, Node]:
        return {name: a for name, a in self.args if name is not None}


Node: TypeAlias = Name | Number | Text | Paren | Unary | Binary | Call

_TIGHT = {"^", ":", "/", "%%", "%/%"}


def quoted(name: str) -> str:
    """A column name as it must be written in a formula: in backticks unless it is a plain (or dotted) name."""
    return name if SYNTACTIC.match(name) or name.isidentifier() else f"`{name}`"


def deparse(node: Node) -> str:
    """The text of a node, spaced as R does: "I(age^2)", "poly(Days, 2)", "a * b"."""
    if isinstance(node, Name):
        return quoted(node.name)
    if isinstance(node, Number):
        return f"{int(node.value)}" if float(node.value).is_integer() and abs(node.value) < 1e15 else repr(node.value)
    if isinstance(node, Text):
        return f'"{node.value}"'
    if isinstance(node, Paren):
        return f"({deparse(node.arg)})"
    if isinstance(node, Unary):
        return node.op + deparse(node.arg)
    if isinstance(node, Binary):
        space = "" if node.op in _TIGHT else " "
        return f"{deparse(node.left)}{space}{node.op}{space}{deparse(node.right)}"
    args = [deparse(a) if name is None else f"{name} = {deparse(a)}" for name, a in node.args]
    return f"{node.func}({', '.join(args)})"


def strip(node: Node) -> Node:
    """The node without enclosing parentheses."""
    while isinstance(node, Paren):
        node = node.arg
    return node


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in reading order."""
    yield node
    if isinstance(node, Paren | Unary):
        yield from walk(node.arg)
    elif isinstance(node, Binary):
        yield from walk(node.left)
        yield from walk(node.right)
    elif isinstance(node, Call):
        for _, arg in node.args:
            yield from walk(arg)


def variables(node: Node) -> list[str]:
    """Names read by an expression, in order, each once; constants (TRUE, pi) among them, contrast names (`C(f, contr.sum)`) not."""
    found: dict[str, None] = {}
    _collect(node, found)
    return list(found)


def _collect(node: Node, found: dict[str, None]) -> None:
    if isinstance(node, Name):
        found[node.name] = None
    elif isinstance(node, Paren | Unary):
        _collect(node.arg, found)
    elif isinstance(node, Binary):
        _collect(node.left, found)
        _collect(node.right, found)
    elif isinstance(node, Call):
        args = node.args[:1] if node.func == "C" else node.args
        for _, arg in args:
            _collect(arg, found)


# names that mean a value where the data have no column of that name
CONSTANTS = {"TRUE": 1.0, "FALSE": 0.0, "True": 1.0, "False": 0.0, "pi": 3.141592653589793, "NULL": float("nan"), "None": float("nan")}
