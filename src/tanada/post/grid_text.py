"""Values of a grid variable written as easystats and R write them: "x = [sd]", "x = c(-0.5, 0, 0.5)", "x = [a, b]"."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import ModelError, did_you_mean

Array = NDArray[np.float64]

_ASSIGNED = re.compile(r"^\s*(`[^`]+`|[^=\[\]]+?)\s*=\s*(.+?)\s*$", re.DOTALL)
_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")

TOKENS = (
    "sd", "meansd", "mean", "median", "mad", "minmax", "range", "quartiles", "quartiles2", "terciles", "terciles2", "fivenum", "threenum",
    "zeromax", "pretty", "all", "unique",
)  # fmt: skip


def split_assignment(text: str) -> tuple[str, str | None]:
    """Name and value text of "x = ..."; no value text for a bare name."""
    found = _ASSIGNED.match(text)
    if found is None:
        return text.strip().strip("`"), None
    return found.group(1).strip().strip("`"), found.group(2)


def read_values(text: str, name: str) -> list[Any] | str:
    """A token such as "sd", or the values written: numbers and text.

    Raises
    ------
    ModelError
        When the text cannot be read.
    """
    body = text.strip()
    if body.startswith("[") and body.endswith("]"):
        inner = body[1:-1].strip()
        if inner.lower() in TOKENS:
            return inner.lower()
        if re.fullmatch(r"[A-Za-z]\w*", inner) and "," not in inner:
            return [inner]
        return _items(inner, name)
    call = re.fullmatch(r"(c|seq|rep)\s*\((.*)\)", body, re.DOTALL)
    if call and call.group(1) == "c":
        return _items(call.group(2), name)
    if call and call.group(1) == "seq":
        return _sequence(call.group(2), name)
    return _items(body, name)


def _items(text: str, name: str) -> list[Any]:
    out: list[Any] = []
    for piece in _split(text):
        quoted = re.fullmatch(r"(['\"])(.*)\1", piece, re.DOTALL)
        steps = re.fullmatch(r"([+-]?\d+)\s*:\s*([+-]?\d+)", piece)
        if quoted:
            out.append(quoted.group(2))
        elif _NUMBER.match(piece):
            out.append(float(piece))
        elif steps:
            a, b = int(steps.group(1)), int(steps.group(2))
            out += [float(v) for v in range(a, b + (1 if b >= a else -1), 1 if b >= a else -1)]
        elif piece:
            out.append(piece)
    if not out:
        raise ModelError(f"by: '{name} = {text}' holds no value; write for example '{name} = [sd]' or '{name} = c(-1, 0, 1)'.")
    return out


def _split(text: str) -> list[str]:
    """Pieces between commas outside quotes."""
    return [p.strip() for p in re.findall(r"\s*((?:\"[^\"]*\"|'[^']*'|[^,])+)", text)]


def _sequence(text: str, name: str) -> list[float]:
    named = {"from": 0, "to": 1, "by": 2, "length": 3, "length.out": 3}
    slots: list[float | None] = [None] * 4
    for i, piece in enumerate(_split(text)):
        key, value = split_assignment(piece)
        number = key if value is None else value
        at = i if value is None else named.get(key, -1)
        if at < 0 or at > 3 or not _NUMBER.match(number):
            raise ModelError(f"by: seq({text}) for '{name}' cannot be read; write seq(from, to, by) or seq(from, to, length = n).")
        slots[at] = float(number)
    low, high, step, length = slots
    if low is None or high is None:
        raise ModelError(f"by: seq({text}) for '{name}' needs both ends.")
    if length is not None:
        return [float(v) for v in np.linspace(low, high, max(int(length), 1))]
    width = 1.0 if step is None else step
    if width == 0 or (high - low) / width < 0 or (high - low) / width > 1e5:
        raise ModelError(f"by: seq({text}) for '{name}' does not lead from {low:g} to {high:g}.")
    return [float(v) for v in low + width * np.arange(int(np.floor((high - low) / width + 1e-10)) + 1)]


def token_values(token: str, x: Array, length: int, name: str) -> Array:
    """Values of a numeric variable that a token stands for, from its values in the fitted rows."""
    mean, sd = float(np.mean(x)), float(np.std(x, ddof=1)) if len(x) > 1 else 0.0
    median = float(np.median(x))
    if token in ("sd", "meansd"):
        return np.array([mean - sd, mean, mean + sd])
    if token == "mad":
        spread = 1.4826022185056018 * float(np.median(np.abs(x - median)))
        return np.array([median - spread, median, median + spread])
    if token in ("mean", "median"):
        return np.array([mean if token == "mean" else median])
    if token == "minmax":
        return np.array([x.min(), x.max()])
    if token == "range":
        return np.linspace(x.min(), x.max(), length)
    if token == "zeromax":
        return np.array([0.0, x.max()])
    if token in ("quartiles", "threenum"):
        return _quantiles(x, 0.25, 0.5, 0.75)
    if token == "quartiles2":
        return _quantiles(x, 0.0, 0.25, 0.5, 0.75, 1.0)
    if token == "fivenum":
        return _tukey(np.sort(x))
    if token == "terciles":
        return _quantiles(x, 1 / 3, 2 / 3)
    if token == "terciles2":
        return _quantiles(x, 0.0, 1 / 3, 2 / 3, 1.0)
    if token in ("all", "unique"):
        return np.unique(x)
    if token == "pretty":
        return pretty(float(x.min()), float(x.max()))
    raise ModelError(f"by: '{name} = [{token}]' is not known.{did_you_mean(token, TOKENS)}")


def _quantiles(x: Array, *p: float) -> Array:
    return np.asarray(np.quantile(x, p), float)


def _tukey(x: Array) -> Array:
    """Minimum, lower hinge, median, upper hinge, maximum."""
    n = len(x)
    fourth = np.floor((n + 3) / 2) / 2
    at = np.array([1, fourth, (n + 1) / 2, n + 1 - fourth, n]) - 1
    return np.asarray(0.5 * (x[np.floor(at).astype(int)] + x[np.ceil(at).astype(int)]))


def pretty(low: float, high: float, n: int = 5) -> Array:
    """About `n` round numbers that cover a range."""
    if not high > low:
        return np.array([low])
    raw = (high - low) / n
    base = 10.0 ** np.floor(np.log10(raw))
    step = next(m * base for m in (1, 2, 5, 10) if m * base >= raw * 0.999)
    return np.asarray(step * np.arange(np.floor(low / step), np.ceil(high / step) + 1))
