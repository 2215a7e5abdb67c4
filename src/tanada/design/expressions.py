"""Evaluates the expressions of a formula on columns. Nothing but the functions listed here can be called, so a formula is never code.

Functions that look at the whole column (scale, poly, splines, factor levels, mean) keep what they learnt in `states`, under the text
of the call, and use it again on new data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Column, Labels
from tanada.design.functions import ELEMENTWISE, SUMMARIES, arity, membership
from tanada.design.values import Value, logical, recode
from tanada.errors import DataError, FormulaError, did_you_mean
from tanada.formula.nodes import CONSTANTS, Binary, Call, Name, Node, Number, Paren, Text, Unary, deparse

States = dict[str, dict[str, Any]]
MANY_LEVELS, FEW_LEVELS = 50, 10

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power, "%%": np.mod, "%/%": np.floor_divide,
}  # fmt: skip
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal, "!=": np.not_equal, "<": np.less, ">": np.greater, "<=": np.less_equal, ">=": np.greater_equal,
}  # fmt: skip


class Evaluator:
    """Expressions on the rows of some columns.

    Parameters
    ----------
    columns : mapping of str to Column
        Columns cut to the rows in use.
    n : int
        Number of these rows.
    states : dict
        What whole-column functions learnt; filled while fitting, read at prediction.
    fitting : bool
    """

    def __init__(self, columns: Mapping[str, Column], n: int, states: States, fitting: bool) -> None:
        self.columns = columns
        self.n = n
        self.states = states
        self.fitting = fitting
        self._values: dict[Node, Value] = {}

    def value(self, node: Node) -> Value:
        """The value of a term's factor; kept, as the same factor stands in many terms."""
        found = self._values.get(node)
        if found is None:
            found = self._values[node] = self._factor(node)
        return found

    def _factor(self, node: Node) -> Value:
        value = self.evaluate(node)
        if isinstance(value, Value):
            if self.fitting and not value.is_factor and not isinstance(node, Name):
                self._check_finite(node, value.array)
            return value
        if isinstance(value, float):
            return Value(np.full(self.n, value))
        raise FormulaError(f"'{deparse(node)}' does not give a column.")

    def _check_finite(self, node: Node, array: NDArray[Any]) -> None:
        if np.isfinite(array.sum()) or np.isfinite(array).all():
            return
        bad = ~np.isfinite(array if array.ndim == 1 else array.sum(axis=1))
        first = array[bad][0] if array.ndim == 1 else np.nan
        raise DataError(f"{deparse(node)} is {'NaN' if np.isnan(first) else 'infinite'} in {int(bad.sum())} of {self.n} rows; the formula cannot use it there.")

    def evaluate(self, node: Node) -> Any:
        """A Value, a number, a string, or a list of constants."""
        if isinstance(node, Name):
            return self.column(node.name) if node.name in self.columns else CONSTANTS[node.name]
        if isinstance(node, Number):
            return float(node.value)
        if isinstance(node, Text):
            return node.value
        if isinstance(node, Paren):
            return self.evaluate(node.arg)
        if isinstance(node, Unary):
            return self._unary(node)
        if isinstance(node, Binary):
            return self._binary(node)
        return self._call(node)

    def column(self, name: str) -> Value:
        column = self.columns[name]
        if column.kind == "date":
            raise DataError(f"column '{name}' holds dates or times; make a number of it first (for example days since the start), or group by it.")
        if self.fitting and column.kind == "text":
            refuse_numbers_as_text(column, self.n)
        state = self.states.get(name)
        if state is None and self.fitting:
            state = self.states[name] = _learn_column(column)
        if state is None or state["kind"] == "number":
            if column.is_factor:
                raise DataError(f"column '{name}' was numeric in the fitted data and holds text or categories now.")
            return Value(column.numbers)
        return self.known_levels(name, column, tuple(state["levels"]), bool(state["ordered"]))

    def known_levels(self, what: str, column: Column, known: Labels, ordered: bool = False) -> Value:
        codes, labels = column.factor
        if self.fitting:
            return Value(codes, labels, ordered)
        codes, unknown = recode(codes, labels, known)
        if unknown:
            shown = ", ".join(f"'{u}'" for u in unknown[:5])
            raise DataError(f"'{what}' holds {shown}, not seen in the fitted data; its levels are {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}.")
        return Value(codes, known, ordered)

    def numbers(self, node: Node, where: str) -> NDArray[np.float64]:
        value = self.evaluate(node)
        if isinstance(value, float):
            return np.full(self.n, value)
        if not isinstance(value, Value):
            raise FormulaError(f"{where} takes a numeric column, not '{deparse(node)}'.")
        return value.numbers(where)

    def _number_or_scalar(self, node: Node, where: str) -> Any:
        value = self.evaluate(node)
        return value if isinstance(value, float) else self.numbers(node, where)

    def _unary(self, node: Unary) -> Any:
        value = self._number_or_scalar(node.arg, f"'{node.op}'")
        if node.op == "-":
            return -value if isinstance(value, float) else Value(-value)
        if node.op == "!":
            return logical(np.equal(value, 0.0), _nan(value))
        if node.op == "+":
            return value if isinstance(value, float) else Value(value)
        raise FormulaError(f"'{node.op}' cannot stand inside an expression: {deparse(node)}.")

    def _binary(self, node: Binary) -> Any:
        where = f"'{node.op}' in {deparse(node)}"
        if node.op == "%in%":
            return membership(self._need_value(node.left), self.evaluate(node.right), where)
        if node.op in ("==", "!="):
            left, right = self.evaluate(node.left), self.evaluate(node.right)
            if isinstance(left, str) or isinstance(right, str):
                factor, text = (right, left) if isinstance(left, str) else (left, right)
                same = membership(factor, [text], where)
                return same if node.op == "==" else logical(same.array == 0, _negative(same.array))
        if node.op not in _ARITHMETIC and node.op not in _COMPARE and node.op not in ("&", "&&", "|", "||"):
            raise FormulaError(f"'{node.op}' cannot stand inside a function: {deparse(node)}.")
        a, b = self._number_or_scalar(node.left, where), self._number_or_scalar(node.right, where)
        with np.errstate(all="ignore"):
            if node.op in _ARITHMETIC:
                result = _ARITHMETIC[node.op](a, b)
                return float(result) if np.ndim(result) == 0 else Value(result)
            if node.op in _COMPARE:
                truth = _COMPARE[node.op](a, b)
            else:
                pair = np.not_equal(a, 0.0), np.not_equal(b, 0.0)
                truth = pair[0] & pair[1] if node.op[0] == "&" else pair[0] | pair[1]
        return float(truth) if np.ndim(truth) == 0 else logical(truth, _nan(a + b))

    def _need_value(self, node: Node) -> Value:
        value = self.evaluate(node)
        if not isinstance(value, Value):
            raise FormulaError(f"'{deparse(node)}' is not a column.")
        return value

    def _call(self, node: Call) -> Any:
        func = node.func
        if func in ELEMENTWISE:
            args = [self._number_or_scalar(a, f"{func}()") for _, a in node.args]
            return _wrap(func, args, node)
        if func in SUMMARIES:
            return self._summary(node)
        if func in ("I", "identity"):
            return self._single(node)
        if func == "c":
            return [self.evaluate(a) for _, a in node.args]
        from tanada.design.transforms import TRANSFORMS

        if func not in TRANSFORMS:
            known = [*ELEMENTWISE, *SUMMARIES, *TRANSFORMS, "I", "offset", "cbind"]
            raise FormulaError(f"unknown function '{func}' in {deparse(node)}.{did_you_mean(func, known)} Make other columns before the fit.")
        return TRANSFORMS[func](self, node)

    def _single(self, node: Call) -> Any:
        if len(node.args) != 1:
            raise FormulaError(f"{node.func}() takes one expression: {deparse(node)}.")
        return self.evaluate(node.args[0][1])

    def _summary(self, node: Call) -> float:
        """mean(x) and the like: the figure of the fitted data, also at prediction."""
        key = deparse(node)
        if key not in self.states:
            if len(node.args) != 1:
                raise FormulaError(f"{node.func}() takes one column: {key}.")
            self.states[key] = {"kind": "summary", "value": float(SUMMARIES[node.func](self.numbers(node.args[0][1], f"{node.func}()")))}
        return float(self.states[key]["value"])


def _wrap(func: str, args: list[Any], node: Call) -> Any:
    function = ELEMENTWISE[func]
    known = {name for name, _ in node.args if name is not None} <= {"base", "digits", "test", "yes", "no", "x"}
    least, most = arity(function)
    if not known or not least <= len(args) <= most:
        raise FormulaError(f"{deparse(node)}: {func}() does not take these arguments.")
    with np.errstate(all="ignore"):
        result = function(*args)
    return float(result) if np.ndim(result) == 0 else Value(np.asarray(result, float))


def _nan(array: Any) -> NDArray[np.bool_] | None:
    mask = np.isnan(array)
    return mask if np.ndim(mask) and mask.any() else None


def _negative(codes: NDArray[Any]) -> NDArray[np.bool_] | None:
    mask = codes < 0
    return mask if mask.any() else None


def _learn_column(column: Column) -> dict[str, Any]:
    if column.kind == "number":
        return {"kind": "number"}
    if column.kind == "bool":
        return {"kind": "factor", "levels": column.factor[1], "ordered": False}
    return {"kind": "factor", "levels": column.factor[1], "ordered": column.ordered}


def refuse_numbers_as_text(column: Column, n: int) -> None:
    """Text with many levels that all read as numbers is a mistake of reading the data, not a factor; leading zeros mark identifiers."""
    levels = column.factor[1]
    if len(levels) <= min(MANY_LEVELS, max(FEW_LEVELS, n // 2)) or not all(reads_as_number(v) for v in levels):
        return
    if any(len(v) > 1 and v[0] == "0" and v[1].isdigit() for v in levels):
        return
    shown = ", ".join(f"'{v}'" for v in levels[:3])
    raise DataError(
        f"column '{column.name}' holds text ({shown}, ...: {len(levels)} different values); convert it to numbers before the fit, "
        f"or write factor({column.name}) if each value is a category."
    )


def reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
