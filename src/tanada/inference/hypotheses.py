"""Linear hypotheses on the fixed effects, written as text: "x - z = 0", "2 * x = 1", "f2 = f3"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc

from tanada.errors import ModelError, did_you_mean
from tanada.inference.ddf import FixedTests

Array = NDArray[np.float64]

_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Hypotheses:
    """L beta = c with the text of each row."""

    texts: tuple[str, ...]
    L: Array
    c: Array


def read_hypotheses(hypotheses: str | Sequence[str], names: Sequence[str]) -> Hypotheses:
    """Rows of L and c from texts; a text without "=" means "= 0".

    Raises
    ------
    ModelError
        When a text cannot be read or is not linear, or names an unknown coefficient.
    """
    texts = [hypotheses] if isinstance(hypotheses, str) else list(hypotheses)
    if not texts or not all(isinstance(t, str) and t.strip() for t in texts):
        raise ModelError("a hypothesis is text such as 'x - z = 0', or a list of such texts.")
    rows = [_read(t, list(names)) for t in texts]
    L, c = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    for text, row in zip(texts, L, strict=True):
        if not np.any(row):
            raise ModelError(f"hypothesis '{text}' holds no coefficient.")
    return Hypotheses(tuple(t.strip() for t in texts), L, c)


def _read(text: str, names: list[str]) -> tuple[Array, float]:
    parts = re.split(r"(?<![<>=!])==?(?!=)", _hidden(text, names))
    if len(parts) > 2:
        raise ModelError(f"hypothesis '{text}' has more than one '='.")
    left = _Reader(parts[0], text, names).whole()
    right = _Reader(parts[1], text, names).whole() if len(parts) == 2 else np.zeros(len(names) + 1)
    difference = left - right
    return difference[1:], float(-difference[0])


def _hidden(text: str, names: list[str]) -> str:
    """The text with each coefficient name replaced by a number in marks, longest names first."""
    for i in sorted(range(len(names)), key=lambda j: -len(names[j])):
        if "`" in names[i]:  # a name in backticks may be written without them
            bare = re.escape(names[i].replace("`", ""))
            text = re.sub(re.escape(names[i]) + rf"|(?<![\w.:`]){bare}(?![\w.:`])", f"\x00{i}\x01", text)
            continue
        pattern = re.escape(names[i])
        head = r"(?<![\w.:])" if re.match(r"[\w.]", names[i]) else ""
        tail = r"(?![\w.:])" if re.search(r"[\w.]$", names[i]) else ""
        text = re.sub(f"`{pattern}`|{head}{pattern}{tail}", f"\x00{i}\x01", text)
    return text


class _Reader:
    """A small recursive reader of linear expressions; a value is a vector (constant, coefficients...)."""

    def __init__(self, text: str, whole: str, names: list[str]) -> None:
        self.text, self.at, self.shown, self.names = text, 0, whole, names

    def whole(self) -> Array:
        value = self.sum()
        if self.peek():
            self.fail()
        return value

    def peek(self) -> str:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at] if self.at < len(self.text) else ""

    def sum(self) -> Array:
        value = self.product()
        while self.peek() in ("+", "-") and self.peek():
            sign = 1.0 if self.text[self.at] == "+" else -1.0
            self.at += 1
            value = value + sign * self.product()
        return value

    def product(self) -> Array:
        value = self.factor()
        while self.peek() in ("*", "/") and self.peek():
            operator = self.text[self.at]
            self.at += 1
            other = self.factor()
            if operator == "/":
                if np.any(other[1:]) or other[0] == 0:
                    raise ModelError(f"hypothesis '{self.shown}' is not linear: it divides by a coefficient or by zero.")
                value = value / other[0]
            elif np.any(value[1:]) and np.any(other[1:]):
                raise ModelError(f"hypothesis '{self.shown}' is not linear: it multiplies two coefficients.")
            else:
                value = value[0] * other if not np.any(value[1:]) else value * other[0]
        return value

    def factor(self) -> Array:
        first = self.peek()
        value = np.zeros(len(self.names) + 1)
        if first in ("+", "-") and first:
            self.at += 1
            return (1.0 if first == "+" else -1.0) * self.factor()
        if first == "(":
            self.at += 1
            inner = self.sum()
            if self.peek() != ")":
                self.fail()
            self.at += 1
            return inner
        if first == "\x00":
            end = self.text.index("\x01", self.at)
            value[1 + int(self.text[self.at + 1 : end])] = 1.0
            self.at = end + 1
            return value
        number = _NUMBER.match(self.text, self.at)
        if number is None:
            self.fail()
            return value
        self.at = number.end()
        value[0] = float(number.group())
        return value

    def fail(self) -> None:
        word = re.match(r"[^\s+*/=()\x00\x01-]+", self.text[self.at :])
        found = word.group() if word else self.text[self.at : self.at + 1] or "its end"
        raise ModelError(f"hypothesis '{self.shown}': '{found}' is not a coefficient of this model.{did_you_mean(found, self.names)}")


def joint_test(h: Hypotheses, tests: FixedTests) -> dict[str, float]:
    """F test of all rows at once (chi-square where the denominator is infinite).

    Raises
    ------
    ModelError
        When rows contradict each other or repeat one another.
    """
    if np.linalg.matrix_rank(h.L) < len(h.L):
        raise ModelError("the hypotheses are linearly dependent; leave out those that follow from the others.")
    beta = tests.beta - np.linalg.pinv(h.L) @ h.c
    F, q, df = tests.tests.f_test(h.L, beta)
    p = float(chdtrc(q, F * q)) if np.isinf(df) else float(fdtrc(q, df, F))
    return {"statistic": F * q if np.isinf(df) else F, "num_df": q, "den_df": df, "p_value": p}
