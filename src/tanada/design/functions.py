"""Functions of a formula that work row by row, and one-number summaries of a column."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import numpy as np

from tanada.design.values import Value, logical
from tanada.errors import FormulaError


def _log(x: Any, base: float | None = None) -> Any:
    return np.log(x) if base is None else np.log(x) / np.log(base)


def _round(x: Any, digits: float = 0.0) -> Any:
    return np.round(x, int(digits))


def _expit(x: Any) -> Any:
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(x, float)))


def _logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-np.asarray(p, float))


def _smallest(*args: Any) -> Any:
    return np.minimum.reduce(np.broadcast_arrays(*args))


def _largest(*args: Any) -> Any:
    return np.maximum.reduce(np.broadcast_arrays(*args))


def _ifelse(test: Any, yes: Any, no: Any) -> Any:
    return np.where(np.isnan(test), np.nan, np.where(np.not_equal(test, 0.0), yes, no))


ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "log": _log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1,
    "sqrt": np.sqrt, "abs": np.abs, "sign": np.sign, "square": np.square,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "arcsin": np.arcsin,
    "arccos": np.arccos, "arctan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "floor": np.floor, "ceiling": np.ceil, "ceil": np.ceil, "trunc": np.trunc, "round": _round,
    "plogis": _expit, "expit": _expit, "qlogis": _logit, "logit": _logit,
    "pmin": _smallest, "pmax": _largest, "minimum": _smallest, "maximum": _largest, "ifelse": _ifelse, "where": _ifelse,
}  # fmt: skip

SUMMARIES: dict[str, Callable[[Any], Any]] = {
    "mean": np.mean, "median": np.median, "min": np.min, "max": np.max, "sd": lambda x: np.std(x, ddof=1), "std": lambda x: np.std(x, ddof=1),
}  # fmt: skip


def arity(function: Callable[..., Any]) -> tuple[int, int]:
    """The least and the largest number of arguments of an elementwise function."""
    if isinstance(function, np.ufunc):
        return function.nin, function.nin
    parameters = signature(function).parameters.values()
    if any(p.kind is Parameter.VAR_POSITIONAL for p in parameters):
        return 1, 99
    return sum(p.default is Parameter.empty for p in parameters), len(parameters)


def membership(value: Any, wanted: Any, where: str) -> Value:
    """Which rows of a column equal one of the `wanted` constants."""
    wanted = wanted if isinstance(wanted, list) else [wanted]
    if not isinstance(value, Value) or any(isinstance(w, Value) for w in wanted):
        raise FormulaError(f"{where} compares a column with constants, as in I(f == 'A').")
    if value.is_factor:
        texts = {w if isinstance(w, str) else f"{w:g}" for w in wanted}
        table = np.array([*(label in texts for label in value.levels or ()), False])
        return logical(table[value.array], value.array < 0 if (value.array < 0).any() else None)
    if any(isinstance(w, str) for w in wanted):
        raise FormulaError(f"{where} compares numbers with text.")
    missing = np.isnan(value.array)
    return logical(np.isin(value.array, np.asarray(wanted, float)), missing if missing.any() else None)
