"""Tokens to a syntax tree, with R's precedence of operators (lowest first):

~   |  ||   &  &&   !   == != < > <= >=   + -   * /   %in% %% %/%   :   unary + -   ^ **
"""

from __future__ import annotations

from functools import lru_cache

from tanada.errors import FormulaError
from tanada.formula.nodes import Binary, Call, Name, Node, Number, Paren, Text, Unary
from tanada.formula.tokens import Token, syntax_error, tokenise

_BINDING = {"~": 1, "|": 2, "||": 2, "&": 3, "&&": 3, "==": 5, "!=": 5, "<": 5, ">": 5, "<=": 5, ">=": 5}
_BINDING |= {"+": 6, "-": 6, "*": 7, "/": 7, "%in%": 8, "%%": 8, "%/%": 8, ":": 9, "^": 11, "**": 11}
_NOT, _SIGN, _POWER = 4, 10, 11


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenise(text)
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def advance(self) -> Token:
        token = self.token
        self.at += 1
        return token

    def fail(self, message: str, token: Token | None = None) -> FormulaError:
        return syntax_error(self.text, (token or self.token).pos, message)

    def expect(self, op: str, message: str, opened: Token | None = None) -> None:
        if self.token.kind == "op" and self.token.text == op:
            self.at += 1
            return
        raise self.fail(message, opened)

    def expression(self, lowest: int = 0) -> Node:
        left = self.prefix()
        while self.token.kind == "op" and _BINDING.get(self.token.text, 0) > lowest:
            op = self.advance()
            binding = _BINDING[op.text]
            right = self.expression(binding - 1 if binding == _POWER else binding)
            left = Binary("^" if op.text == "**" else op.text, left, right, op.pos)
        if lowest == 0 and self.token.kind in ("name", "number", "text"):
            raise self.fail(f"an operator such as '+' is missing before '{self.token.text}'.")
        return left

    def prefix(self) -> Node:
        token = self.advance()
        if token.kind == "number":
            return Number(float(token.text.rstrip("L")), token.pos)
        if token.kind == "text":
            return Text(token.text, token.pos)
        if token.kind == "name":
            follows = self.token
            if follows.kind == "op" and follows.text == "(" and self.text[token.pos] != "`":
                return self.call(token)
            return Name(token.text, token.pos)
        if token.kind == "op":
            if token.text == "(":
                inner = self.expression()
                self.expect(")", "this parenthesis is not closed.", token if self.token.kind == "end" else None)
                return Paren(inner, token.pos)
            if token.text in "+-":
                return Unary(token.text, self.expression(_SIGN), token.pos)
            if token.text == "!":
                return Unary("!", self.expression(_NOT), token.pos)
            if token.text == "~":
                return Unary("~", self.expression(_BINDING["~"]), token.pos)
        what = "the formula ends" if token.kind == "end" else f"'{token.text}' stands"
        raise self.fail(f"{what} where a column name, a number or '(' is expected.", token)

    def call(self, name: Token) -> Node:
        opened = self.advance()
        args: list[tuple[str | None, Node]] = []
        while not (self.token.kind == "op" and self.token.text == ")"):
            args.append(self.argument())
            if self.token.kind == "op" and self.token.text == ",":
                self.advance()
            elif not (self.token.kind == "op" and self.token.text == ")"):
                raise self.fail("this parenthesis is not closed.", opened if self.token.kind == "end" else None)
        self.advance()
        func = name.text
        for prefix in ("np.", "numpy."):
            func = func.removeprefix(prefix)
        return Call(func, tuple(args), name.pos)

    def argument(self) -> tuple[str | None, Node]:
        token, after = self.token, self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if token.kind == "name" and after.kind == "op" and after.text == "=":
            self.at += 2
            return token.text, self.expression()
        return None, self.expression()


@lru_cache(maxsize=512)
def parse(text: str) -> Node:
    """The syntax tree of a formula or expression.

    Raises
    ------
    FormulaError
        With the formula and a caret under the place that cannot be read.
    """
    if not text.strip():
        raise FormulaError("the formula is empty; write for example 'y ~ x + (1 | group)'.")
    parser = _Parser(text)
    tree = parser.expression()
    if parser.token.kind != "end":
        what = "this closing parenthesis has no opening one." if parser.token.text == ")" else f"'{parser.token.text}' cannot stand here."
        raise parser.fail(what)
    return tree
