"""The errors of the package: one root, a class for each kind of cause.

A message names the thing, the place (column; line and column of the syntax, with a caret) and what would be accepted.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TanadaError(Exception):
    """Root of all errors that the package raises on purpose."""


class DataError(TanadaError):
    """The data cannot be used as asked: missing columns, wrong types, values outside the support."""


class FormulaError(TanadaError):
    """A mixed-model formula cannot be understood."""


class ModelSyntaxError(TanadaError):
    """The SEM model syntax cannot be understood; the message shows line, column and a caret."""


class ModelError(TanadaError):
    """A model or an argument that makes no sense for these data (unknown family, unidentified model, wrong option)."""


class ConvergenceError(TanadaError):
    """The fit failed in a way that leaves no usable estimate."""


class TanadaWarning(UserWarning):
    """A note on a fit that the user should read once; it is kept in the result too."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A clause with near matches of `name` in `known`, or the list itself when it is short; empty when neither helps."""
    names = [str(k) for k in known]
    close = get_close_matches(str(name), names, n=3, cutoff=0.6)
    if close:
        return " Did you mean " + " or ".join(f"'{c}'" for c in close) + "?"
    if 0 < len(names) <= 12:
        return " Known: " + ", ".join(f"'{n}'" for n in names) + "."
    return ""
