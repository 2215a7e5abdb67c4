"""Expressions of the SEM syntax: one small tree for modifiers, defined parameters and constraints."""

from __future__ import annotations

from dataclasses import dataclass

FUNCTIONS = ("exp", "log", "sqrt", "abs", "sin", "cos", "tan", "tanh", "atan", "min", "max", "qnorm", "pnorm")


@dataclass(frozen=True)
class Number:
    value: float
    position: int


@dataclass(frozen=True)
class Name:
    """A variable, a label or NA."""

    name: str
    position: int


@dataclass(frozen=True)
class Text:
    """A quoted string."""

    value: str
    position: int


@dataclass(frozen=True)
class Binary:
    """`op` is one of + - * / ^."""

    op: str
    left: Expression
    right: Expression
    position: int


@dataclass(frozen=True)
class Negative:
    operand: Expression
    position: int


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple[Expression, ...]
    position: int


Expression = Number | Name | Text | Binary | Negative | Call


def names_in(e: Expression) -> list[Name]:
    """All names in an expression, left to right."""
    if isinstance(e, Name):
        return [e]
    if isinstance(e, Binary):
        return names_in(e.left) + names_in(e.right)
    if isinstance(e, Negative):
        return names_in(e.operand)
    if isinstance(e, Call):
        return [n for a in e.arguments for n in names_in(a)]
    return []


def to_text(e: Expression) -> str:
    """The expression as text, with as few brackets as its tree allows."""
    return _text(e, 0)


def _text(e: Expression, outer: int) -> str:
    if isinstance(e, Number):
        return f"{e.value:g}"
    if isinstance(e, Name):
        return e.name
    if isinstance(e, Text):
        return f'"{e.value}"'
    if isinstance(e, Negative):
        return _bracket("-" + _text(e.operand, 2), outer > 1)
    if isinstance(e, Call):
        return f"{e.function}({', '.join(_text(a, 0) for a in e.arguments)})"
    level = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3}[e.op]
    right = level + (e.op in "-/")
    sign = f" {e.op} " if level == 1 else e.op
    return _bracket(_text(e.left, level + (e.op == "^")) + sign + _text(e.right, right), level < outer)


def _bracket(text: str, needed: bool) -> str:
    return f"({text})" if needed else text
