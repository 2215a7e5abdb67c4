"""The grammar of the SEM syntax (lavaan's), and its parser, which is built when first used.

A statement is `expression operator expression` or a heading (`level: 1`). What an expression may mean on each side of an operator is
decided in `parse`, where the messages can say it in words.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tanada.syntax.expressions import Binary, Call, Expression, Name, Negative, Number, Text

if TYPE_CHECKING:
    from lark import Lark

GRAMMAR = r"""
start: (statement (SEP statement)* SEP?)?
statement: expr OP expr | BLOCK (NAME | NUMBER | STRING)
?expr: term | expr PLUS term -> binary | expr MINUS term -> binary
?term: factor | term STAR factor -> binary | term SLASH factor -> binary
?factor: power | MINUS factor -> negative
?power: atom | atom CARET factor -> binary
?atom: NAME -> name | NUMBER -> number | STRING -> string | NAME LPAR expr (COMMA expr)* RPAR -> call | LPAR expr RPAR -> bracket

BLOCK.3: /(?:level|group|block|Level|Group|Block)[ \t]*:(?!=)/
OP.2: /=~|~\*~|~~|<~|:=|==|<|>|~|\|/
NAME: /(?:[^\W\d]|\.(?=[^\W\d]))[\w.]*(?::(?=[^\W\d])[\w.]+)*/
NUMBER: /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/
STRING: /"[^"\n]*"|'[^'\n]*'/
SEP: /[;\n][;\s]*/
PLUS: "+"
MINUS: "-"
STAR: "*"
SLASH: "/"
CARET: "^"
LPAR: "("
RPAR: ")"
COMMA: ","
%ignore /[ \t\r\f\u3000\u00a0]+/
"""


class _Build:
    """Turns the parser's productions into expression nodes and raw statements."""

    @staticmethod
    def start(children: list[Any]) -> list[Any]:
        return [c for c in children if isinstance(c, tuple)]

    @staticmethod
    def statement(c: list[Any]) -> tuple[Any, ...]:
        return tuple(c)

    @staticmethod
    def binary(c: list[Any]) -> Expression:
        return Binary(str(c[1]), c[0], c[2], c[1].start_pos)

    @staticmethod
    def negative(c: list[Any]) -> Expression:
        if isinstance(c[1], Number):
            return Number(-c[1].value, c[0].start_pos)
        return Negative(c[1], c[0].start_pos)

    @staticmethod
    def name(c: list[Any]) -> Expression:
        return Name(str(c[0]), c[0].start_pos)

    @staticmethod
    def number(c: list[Any]) -> Expression:
        return Number(float(c[0]), c[0].start_pos)

    @staticmethod
    def string(c: list[Any]) -> Expression:
        return Text(str(c[0])[1:-1], c[0].start_pos)

    @staticmethod
    def call(c: list[Any]) -> Expression:
        return Call(str(c[0]), tuple(c[2:-1:2]), c[0].start_pos)

    @staticmethod
    def bracket(c: list[Any]) -> Expression:
        return c[1]


@lru_cache(maxsize=1)
def parser() -> Lark:
    """The LALR parser; it costs about 20 ms to build, once per process."""
    from lark import Lark, Transformer

    methods = {k: (lambda f: lambda self, c: f(c))(v.__func__) for k, v in vars(_Build).items() if isinstance(v, staticmethod)}
    transformer = type("Build", (Transformer,), methods)()
    return Lark(GRAMMAR, parser="lalr", transformer=transformer, maybe_placeholders=False, propagate_positions=False)
