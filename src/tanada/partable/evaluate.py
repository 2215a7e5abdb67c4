"""Values and gradients of constraints and defined parameters, by forward differentiation of their expression trees."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.partable.table import ParameterTable
from tanada.syntax.expressions import Binary, Call, Expression, Name, Negative, Number, to_text
from tanada.syntax.messages import syntax_error

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Dual:
    """A value and its gradient over all free parameters."""

    value: float
    gradient: Array


def _unary(f: Callable[[float], float], d: Callable[[float], float]) -> Callable[[Dual], Dual]:
    return lambda a: Dual(f(a.value), d(a.value) * a.gradient)


def _safe(f: Callable[[float], float]) -> Callable[[float], float]:
    def g(x: float) -> float:
        try:
            return f(x)
        except (ValueError, ZeroDivisionError, OverflowError):
            return math.nan

    return g


def _pnorm(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def _dnorm(x: float) -> float:
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def _qnorm(p: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(p)


_ONE: dict[str, Callable[[Dual], Dual]] = {
    "exp": _unary(_safe(math.exp), _safe(math.exp)),
    "log": _unary(_safe(math.log), _safe(lambda x: 1.0 / x)),
    "sqrt": _unary(_safe(math.sqrt), _safe(lambda x: 0.5 / math.sqrt(x))),
    "abs": _unary(abs, lambda x: math.copysign(1.0, x)),
    "sin": _unary(math.sin, math.cos),
    "cos": _unary(math.cos, lambda x: -math.sin(x)),
    "tan": _unary(math.tan, lambda x: 1.0 + math.tan(x) ** 2),
    "tanh": _unary(math.tanh, lambda x: 1.0 - math.tanh(x) ** 2),
    "atan": _unary(math.atan, lambda x: 1.0 / (1.0 + x * x)),
    "pnorm": _unary(_pnorm, _dnorm),
    "qnorm": _unary(_safe(_qnorm), _safe(lambda p: 1.0 / _dnorm(_qnorm(p)))),
}


def _power(a: Dual, b: Dual) -> Dual:
    try:
        value = a.value**b.value
    except (ZeroDivisionError, OverflowError):
        return Dual(math.nan, np.full_like(a.gradient, np.nan))
    if isinstance(value, complex):
        return Dual(math.nan, np.full_like(a.gradient, np.nan))
    base = 0.0 if b.value == 0.0 else b.value * (a.value ** (b.value - 1.0) if a.value != 0.0 or b.value >= 1.0 else math.nan)
    gradient = base * a.gradient
    if b.gradient.any():
        gradient = gradient + value * (math.log(a.value) if a.value > 0 else math.nan) * b.gradient
    return Dual(value, gradient)


def _binary(op: str, a: Dual, b: Dual) -> Dual:
    if op == "+":
        return Dual(a.value + b.value, a.gradient + b.gradient)
    if op == "-":
        return Dual(a.value - b.value, a.gradient - b.gradient)
    if op == "*":
        return Dual(a.value * b.value, b.value * a.gradient + a.value * b.gradient)
    if op == "/":
        if b.value == 0.0:
            return Dual(math.nan, np.full_like(a.gradient, np.nan))
        return Dual(a.value / b.value, a.gradient / b.value - (a.value / b.value**2) * b.gradient)
    return _power(a, b)


def evaluate(e: Expression, names: Mapping[str, Dual], d: int) -> Dual:
    """The expression at the values of `names`; `d` free parameters."""
    if isinstance(e, Number):
        return Dual(e.value, np.zeros(d))
    if isinstance(e, Name):
        return names[e.name]
    if isinstance(e, Negative):
        a = evaluate(e.operand, names, d)
        return Dual(-a.value, -a.gradient)
    if isinstance(e, Binary):
        return _binary(e.op, evaluate(e.left, names, d), evaluate(e.right, names, d))
    assert isinstance(e, Call)
    values = [evaluate(a, names, d) for a in e.arguments]
    if e.function in ("min", "max"):
        pick = min if e.function == "min" else max
        return pick(values, key=lambda v: v.value)
    return _ONE[e.function](values[0])


@dataclass(frozen=True)
class Functions:
    """The constraints of a table as functions of its free parameters.

    Attributes
    ----------
    equal : expressions e with e(x) = 0
    above : expressions e with e(x) >= 0
    defined : names and expressions, in the order of evaluation
    """

    table: ParameterTable
    equal: tuple[Expression, ...]
    above: tuple[Expression, ...]
    defined: tuple[tuple[str, Expression], ...]

    @classmethod
    def of(cls, table: ParameterTable) -> Functions:
        equal: list[Expression] = []
        above: list[Expression] = []
        defined: list[tuple[str, Expression]] = []
        for c in table.constraints:
            if c.op == ":=":
                assert isinstance(c.lhs, Name)
                defined.append((c.lhs.name, c.rhs))
            elif c.op == "==":
                equal.append(Binary("-", c.lhs, c.rhs, c.position))
            else:
                a, b = (c.lhs, c.rhs) if c.op == ">" else (c.rhs, c.lhs)
                above.append(Binary("-", a, b, c.position))
        return cls(table, tuple(equal), tuple(above), _ordered(table, defined))

    def names(self, x: Array) -> dict[str, Dual]:
        """Values of labels and defined parameters at x."""
        d = x.size
        fixed = {r.label: r.value for r in self.table.rows if r.label and not r.free and r.value is not None}
        out: dict[str, Dual] = {}
        for name, k in self.table.labels.items():
            g = np.zeros(d)
            if k:
                g[k - 1] = 1.0
                out[name] = Dual(float(x[k - 1]), g)
            else:
                value = fixed.get(name)
                if value is None and name.startswith(".p"):
                    value = self.table.rows[int(name[2:-1]) - 1].value if name[2:-1].isdigit() else 0.0
                out[name] = Dual(0.0 if value is None else value, g)
        for name, e in self.defined:
            out[name] = evaluate(e, out, d)
        return out

    def values(self, expressions: Sequence[Expression], x: Array) -> tuple[Array, Array]:
        """Values (k,) and Jacobian (k, d) of expressions at x."""
        names = self.names(x)
        found = [evaluate(e, names, x.size) for e in expressions]
        if not found:
            return np.zeros(0), np.zeros((0, x.size))
        return np.array([f.value for f in found]), np.array([f.gradient for f in found])

    def check(self, x: Array) -> None:
        """Constraints have a value at x, or an error that shows the one that has none."""
        for e in (*self.equal, *self.above):
            value, gradient = self.values((e,), x)
            if not (np.isfinite(value).all() and np.isfinite(gradient).all()):
                raise syntax_error(self.table.text, e.position, "this constraint has no value at the starting values (a logarithm or root of a negative number, a division by zero); give start values, or rewrite it.")

    def linear_equalities(self, x: Array) -> tuple[Array, Array] | None:
        """(A, b) of A x = b when every equality is linear; None when one is not."""
        _, first = self.values(self.equal, x)
        other = x + np.linspace(0.3, 1.1, x.size) * (1.0 + np.abs(x))
        value, second = self.values(self.equal, other)
        if not np.allclose(first, second, rtol=1e-9, atol=1e-9) or not np.isfinite(value).all():
            return None
        return second, second @ other - value


def _ordered(table: ParameterTable, defined: list[tuple[str, Expression]]) -> tuple[tuple[str, Expression], ...]:
    """Defined parameters so that each comes after those it uses."""
    from tanada.syntax.expressions import names_in

    waiting = dict(defined)
    out: list[tuple[str, Expression]] = []
    while waiting:
        ready = [n for n, e in waiting.items() if not any(v.name in waiting for v in names_in(e))]
        if not ready:
            name = next(iter(waiting))
            position = next(c.lhs.position for c in table.constraints if isinstance(c.lhs, Name) and c.lhs.name == name)
            raise syntax_error(table.text, position, f"'{name}' is defined by itself: {to_text(waiting[name])}.")
        for n in ready:
            out.append((n, waiting.pop(n)))
    return tuple(out)
