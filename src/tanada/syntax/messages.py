"""Error messages of the SEM syntax: line, column, the line itself and a caret."""

from __future__ import annotations

from tanada.errors import ModelSyntaxError

OPERATORS = "'=~' (measured by), '~' (regressed on), '~~' (covaries with), '~1' (intercept), '|' (thresholds), '~*~' (scale), ':=' (defined as), '==', '<', '>'"


def syntax_error(text: str, position: int, message: str) -> ModelSyntaxError:
    """An error that shows the place: line and column count from 1."""
    position = max(0, min(position, len(text)))
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start : end if end >= 0 else len(text)]
    column = position - start
    caret = "".join("\t" if c == "\t" else "\u3000" if _wide(c) else " " for c in line[:column]) + "^"
    number = text.count("\n", 0, position) + 1
    return ModelSyntaxError(f"Model syntax, line {number}, column {column + 1}: {message}\n    {line}\n    {caret}")


def _wide(c: str) -> bool:
    from unicodedata import east_asian_width

    return east_asian_width(c) in "WF"
