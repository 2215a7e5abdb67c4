"""Formula text to tokens, and syntax errors that point at the place."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from tanada.errors import FormulaError


@dataclass(frozen=True, slots=True)
class Token:
    kind: str  # "name", "number", "text", "op", "end"
    text: str
    pos: int


_PATTERN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?L?)
  | (?P<name>(?:[^\W\d]|\.(?!\d))[\w.]*)
  | (?P<quoted>`[^`]+`)
  | (?P<text>"[^"]*"|'[^']*')
  | (?P<op>%in%|%%|%/%|\*\*|\|\||&&|==|!=|<=|>=|[-+*/:^|&<>!~(),=])
    """,
    re.VERBOSE,
)

_HINTS = {  # full-width characters, as Japanese input methods give them
    "\uff5e": "use the ASCII tilde '~'",
    "\u301c": "use the ASCII tilde '~'",
    "\uff5c": "use the ASCII bar '|'",
    "\uff08": "use ASCII parentheses",
    "\uff09": "use ASCII parentheses",
    "\uff0b": "use the ASCII '+'",
    "\uff0a": "use the ASCII '*'",
    "\u3000": "use an ordinary space",
    "`": "a backtick is not closed",
    '"': "a quote is not closed",
    "'": "a quote is not closed",
    "[": "indexing is not part of a formula; make a column of it first",
    "$": "name the column alone, without the data frame",
    "@": "name the column alone",
    "{": "braces are not part of a formula",
}


def display_width(text: str) -> int:
    """Columns that `text` takes in a terminal (East Asian wide characters take two)."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def syntax_error(text: str, pos: int, message: str) -> FormulaError:
    """An error whose message shows the formula with a caret under position `pos` (0-based)."""
    line = text.replace("\n", " ").replace("\t", " ")
    return FormulaError(f"{message}\n  {line}\n  {' ' * display_width(line[:pos])}^ position {pos + 1}")


def tokenise(text: str) -> list[Token]:
    tokens: list[Token] = []
    pos = 0
    while pos < len(text):
        found = _PATTERN.match(text, pos)
        if found is None:
            char = text[pos]
            hint = _HINTS.get(char, "names with other characters go in backticks, `like this`")
            raise syntax_error(text, pos, f"a formula cannot hold '{char}' here: {hint}.")
        kind = str(found.lastgroup)
        value = found.group()
        if kind == "quoted":
            tokens.append(Token("name", value[1:-1], pos))
        elif kind == "text":
            tokens.append(Token("text", value[1:-1], pos))
        elif kind != "space":
            tokens.append(Token(kind, value, pos))
        pos = found.end()
    tokens.append(Token("end", "", len(text)))
    return tokens
