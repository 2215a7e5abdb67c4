"""The left side of a formula: numbers, successes and trials, or categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Labels, factor_of_numbers
from tanada.design.expressions import Evaluator, reads_as_number, refuse_numbers_as_text
from tanada.design.values import LOGICAL, Value
from tanada.errors import DataError, FormulaError
from tanada.formula.nodes import Binary, Call, Name, Node, deparse, strip

Array = NDArray[np.float64]

BINARY = ("binomial", "bernoulli", "betabinomial")
_CONTINUOUS = ("gaussian", "t", "lognormal", "skewnormal", "skew_normal")


@dataclass(frozen=True)
class Response:
    """y, prior weights and trials on the rows used; `levels` names the categories of a binary or ordinal response."""

    y: Array
    weights: Array
    trials: Array
    label: str
    levels: Labels = ()
    notes: tuple[str, ...] = ()


def read_response(node: Node, ev: Evaluator, family: str, ordinal: bool, weights: Array | None) -> Response:
    """The response of `node` for a family; `weights` are the user's, on the rows used."""
    label = deparse(node)
    w = np.ones(ev.n) if weights is None else weights
    if isinstance(node, Name) and ev.columns[node.name].kind == "text":
        refuse_numbers_as_text(ev.columns[node.name], ev.n)
    if ordinal:
        return _ordinal(node, ev, label, w)
    if isinstance(node, Call) and node.func == "cbind":
        return _counts(node, ev, family, label, w)
    if family in BINARY:
        if isinstance(node, Binary) and node.op == "/":
            return _ratio(node, ev, label, weights)
        return _binary(node, ev, family, label, weights)
    value = ev.value(node)
    y = _as_numbers(value, label, family)
    if family in _CONTINUOUS and len(y) > 1 and y.min() == y.max():
        raise DataError(f"the response '{label}' is constant ({y[0]:g}) in the rows used; there is nothing to model.")
    return Response(y, w, np.ones(ev.n), label)


def _as_numbers(value: Value, label: str, family: str) -> Array:
    if value.array.ndim != 1:
        raise DataError(f"the response '{label}' has {value.array.shape[1]} columns; one is accepted.")
    if value.is_factor and not set(value.levels or ()) <= set(LOGICAL):
        shown = ", ".join(f"'{v}'" for v in (value.levels or ())[:3])
        if all(reads_as_number(v) for v in value.levels or ()):
            advice = "Convert it to numbers before the fit."
        elif len(value.levels or ()) == 2:
            advice = "For two categories use family='binomial'."
        else:
            advice = "For ordered categories use an ordinal family."
        raise DataError(f"the response '{label}' holds text or categories ({shown}); a {family} model needs numbers. {advice}")
    return np.array(value.numbers(label))


def _ordinal(node: Node, ev: Evaluator, label: str, w: Array) -> Response:
    value = ev.value(node)
    if value.is_factor:
        codes, levels = value.array, value.levels or ()
    else:
        codes, levels = factor_of_numbers(value.array, None)
        if len(levels) > 50:
            raise DataError(f"the response '{label}' has {len(levels)} different values; an ordinal model is meant for a few ordered categories.")
    if len(levels) < 2:
        raise DataError(f"the response '{label}' has a single category in the rows used; an ordinal model needs at least two.")
    return Response(codes.astype(np.float64), w, np.ones(ev.n), label, tuple(levels))


def _counts(node: Call, ev: Evaluator, family: str, label: str, w: Array) -> Response:
    if family not in BINARY:
        raise FormulaError(f"{label} on the left side gives successes and failures, which the {family} family does not take; use family='binomial'.")
    if len(node.args) != 2:
        raise FormulaError(f"cbind() takes two columns, successes and failures, as in cbind(y, n - y); it has {len(node.args)}.")
    successes, failures = (ev.numbers(a, label) for _, a in node.args)
    _check_counts(successes, label, "successes")
    _check_counts(failures, label, "failures")
    return _with_trials(successes, successes + failures, label, w)


def _check_counts(x: Array, label: str, what: str) -> None:
    bad = (x < 0) | (x != np.round(x)) | ~np.isfinite(x)
    if bad.any():
        raise DataError(f"{label}: {what} must be whole numbers of 0 or more; {int(bad.sum())} are not (first: {x[bad][0]:g} in used row {int(bad.argmax()) + 1}).")


def _with_trials(y: Array, trials: Array, label: str, w: Array, levels: Labels = (), notes: tuple[str, ...] = ()) -> Response:
    if (trials <= 0).any():
        raise DataError(f"{label}: {int((trials <= 0).sum())} rows have no trials; remove them.")
    if (y > trials).any():
        raise DataError(f"{label}: {int((y > trials).sum())} rows have more successes than trials.")
    if not y.any() or (y == trials).all():
        side = "failures" if not y.any() else "successes"
        raise DataError(f"the response '{label}' holds only {side} in the rows used; there is nothing to model.")
    return Response(np.array(y), w, np.array(trials), label, levels, notes)


def _ratio(node: Binary, ev: Evaluator, label: str, weights: Array | None) -> Response:
    """successes / trials: with `weights` they are the trials, as in R; without, the denominator is."""
    trials = ev.numbers(strip(node.right), label)
    if weights is None or np.array_equal(weights, trials):
        successes = ev.numbers(strip(node.left), label)
        _check_counts(successes, label, "successes")
        _check_counts(trials, label, "trials")
        note = () if weights is not None else (f"{label} is read as {deparse(node.left)} successes in {deparse(node.right)} trials.",)
        return _with_trials(successes, trials, label, np.ones(ev.n), notes=note)
    return _proportions(ev.value(node).array, weights, label)


def _binary(node: Node, ev: Evaluator, family: str, label: str, weights: Array | None) -> Response:
    value = ev.value(node)
    if value.is_factor:
        levels = value.levels or ()
        if len(levels) != 2:
            raise DataError(f"the response '{label}' has {len(levels)} categor{'y' if len(levels) == 1 else 'ies'} in the rows used; a {family} model needs two.")
        return _with_weights(value.array.astype(np.float64), label, family, weights, levels)
    y = np.array(_as_numbers(value, label, family))
    if not np.isin(y, (0.0, 1.0)).all():
        if ((y >= 0) & (y <= 1)).all():
            if weights is None:
                raise DataError(f"the response '{label}' holds proportions; give the number of trials as weights=, or write cbind(successes, failures).")
            return _proportions(y, weights, label)
        bad = y[(y < 0) | (y > 1)]
        raise DataError(f"the response '{label}' of a {family} model is 0/1, two categories, or cbind(successes, failures); it holds {bad[0]:g}.")
    return _with_weights(y, label, family, weights)


def _with_weights(y: Array, label: str, family: str, weights: Array | None, levels: Labels = ()) -> Response:
    """0/1 data: weights are trials for the beta-binomial (as in glmmTMB), and multiply the log-likelihood otherwise, which is the same."""
    ones = np.ones(len(y))
    if weights is not None and family == "betabinomial":
        return _with_trials(y * weights, weights, label, ones, levels)
    return _with_trials(y, ones, label, ones if weights is None else weights, levels)


def _proportions(p: Array, weights: Array, label: str) -> Response:
    successes = p * weights
    whole = np.round(successes)
    if (np.abs(successes - whole) > 1e-6 * np.maximum(weights, 1.0)).any():
        raise DataError(f"the response '{label}' times weights is not a whole number of successes in every row; weights must be the number of trials.")
    return _with_trials(whole, weights, label, np.ones(len(p)))


def read_vector(given: Any, n: int, what: str) -> Array:
    """A user's array argument (weights, offset) as float64 (n,)."""
    try:
        plain = type(given).__module__.partition(".")[0] == "pandas"
        values = given.to_numpy(dtype=np.float64, na_value=np.nan) if plain else given.to_numpy() if hasattr(given, "to_numpy") else given
        out = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what} must be a column name, an expression, or an array of numbers; it is {type(given).__name__}.") from None
    if out.shape != (n,):
        raise DataError(f"{what} has shape {out.shape}; the data have {n} rows.")
    return out
