"""Functions of a formula that look at the whole column: factors, scaling, polynomials, splines.

Polynomials and splines (except ns) are formulaic's; each keeps its state so that new data get the same basis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Column
from tanada.design.coding import contrast_name
from tanada.design.values import Value
from tanada.errors import DataError, FormulaError, did_you_mean
from tanada.formula.nodes import Call, Name, Node, Text, deparse, strip


def _constants(ev: Any, node: Call, skip: int) -> tuple[list[Any], dict[str, Any]]:
    """Constant arguments after the first `skip` ones."""
    positional = [ev.evaluate(a) for a in node.positional()[skip:]]
    named = {k: ev.evaluate(a) for k, a in node.named().items()}
    if any(isinstance(v, Value) for v in (*positional, *named.values())):
        raise FormulaError(f"{deparse(node)}: only the first argument can be a column.")
    return positional, named


def _first(node: Call) -> Node:
    if not node.args:
        raise FormulaError(f"{node.func}() takes a column.")
    return node.args[0][1]


def _state(ev: Any, node: Call) -> dict[str, Any]:
    found: dict[str, Any] = ev.states.setdefault(deparse(node), {})
    return found


def as_column(ev: Any, node: Node) -> Column:
    """An expression as a column, so that it can become a factor; a plain name is the column itself (text and dates included)."""
    node = strip(node)
    if isinstance(node, Name) and node.name in ev.columns:
        column: Column = ev.columns[node.name]
        return column
    value = ev.evaluate(node)
    if not isinstance(value, Value) or value.array.ndim != 1:
        raise FormulaError(f"'{deparse(node)}' cannot be made a factor.")
    if value.is_factor:
        missing = value.array < 0
        return Column(deparse(node), "factor", value.array, value.levels, value.ordered, missing if missing.any() else None)
    missing = np.isnan(value.array)
    return Column(deparse(node), "number", value.array, missing=missing if missing.any() else None)


def make_factor(ev: Any, node: Call) -> Value:
    """factor(x), as.factor(x), ordered(x), factor(x, levels = c(...)), relevel(f, ref = "B")."""
    column = as_column(ev, _first(node))
    positional, named = _constants(ev, node, 1)
    state = _state(ev, node)
    if not state:
        levels = column.factor[1]
        ordered = node.func == "ordered" or column.ordered or bool(named.get("ordered", 0.0))
        if node.func == "relevel":
            levels = _relevel(levels, positional[0] if positional else named.get("ref"), node)
        elif positional or "levels" in named:
            wanted = positional[0] if positional else named["levels"]
            levels = _given_levels(levels, wanted if isinstance(wanted, list) else [wanted], node)
        state.update(kind="factor", levels=levels, ordered=ordered)
    known = tuple(state["levels"])
    if ev.fitting and known != column.factor[1]:
        from tanada.design.values import recode

        return Value(recode(*column.factor, known)[0], known, state["ordered"])
    value: Value = ev.known_levels(deparse(node), column, known, state["ordered"])
    return value


def _relevel(levels: tuple[str, ...], ref: Any, node: Call) -> tuple[str, ...]:
    text = ref if isinstance(ref, str) else f"{ref:g}" if isinstance(ref, float) else ""
    if text not in levels:
        raise FormulaError(f"{deparse(node)}: there is no level '{text}'.{did_you_mean(text, levels)}")
    return (text, *(v for v in levels if v != text))


def _given_levels(found: tuple[str, ...], wanted: list[Any], node: Call) -> tuple[str, ...]:
    texts = tuple(w if isinstance(w, str) else f"{w:g}" for w in wanted)
    left_out = [v for v in found if v not in texts]
    if left_out:
        raise DataError(f"{deparse(node)}: the data also hold {', '.join(repr(v) for v in left_out[:5])}; list every level, or recode before the fit.")
    return tuple(t for t in texts if t in found)


def with_contrasts(ev: Any, node: Call) -> Value:
    """C(f), C(f, contr.sum), C(f, Treatment("B")), C(f, contr.treatment(base = "B"))."""
    base = make_factor(ev, Call(node.func, node.args[:1], node.pos))
    if len(node.args) == 1:
        return base
    return Value(base.array, base.levels, base.ordered, _contrast(node.args[1][1], deparse(node)))


def _contrast(node: Node, factor: str) -> Any:
    node = strip(node)
    if isinstance(node, Name):
        return contrast_name(node.name, factor)
    if isinstance(node, Text):
        return contrast_name(node.value, factor)
    if isinstance(node, Call):
        name = contrast_name(node.func, factor)
        if not node.args:
            return name
        value = node.args[0][1]
        if name == "treatment" and isinstance(value, Text):
            return ("treatment", value.value)
    raise FormulaError(f"contrasts in {factor}: name them (contr.sum, contr.helmert, contr.poly, contr.sdif) or write Treatment('level').")


def scale(ev: Any, node: Call) -> Value:
    """scale(x), center(x), standardize(x): centred by the mean, divided by the SD (ddof 1) unless scale = FALSE."""
    x = ev.numbers(_first(node), f"{node.func}()")
    _, named = _constants(ev, node, 1)
    state = _state(ev, node)
    if not state:
        centred = bool(named.get("center", 1.0))
        scaled = node.func != "center" and bool(named.get("scale", 1.0))
        mean = float(x.mean()) if centred else 0.0
        sd = float(np.sqrt(np.sum((x - mean) ** 2) / max(len(x) - 1, 1))) if scaled else 1.0
        if sd == 0.0:
            raise DataError(f"{deparse(node)}: the column is constant, so it has no standard deviation to divide by.")
        state.update(kind="scale", center=mean, scale=sd)
    return Value((x - state["center"]) / state["scale"])


def formulaic_basis(ev: Any, node: Call) -> Value:
    """poly(x, 2), bs(x, df = 5), cr(x, df = 3), cc(x, df = 4) through formulaic, with its state."""
    from formulaic.transforms import TRANSFORMS as functions

    x = ev.numbers(_first(node), f"{node.func}()")
    positional, named = _constants(ev, node, 1)
    args = [_integer(v) for v in positional]
    kwargs = {k: _integer(v) for k, v in named.items()}
    for flag in ("raw", "include_intercept"):
        if flag in kwargs:
            kwargs[flag] = bool(kwargs[flag])
    if node.func in ("bs", "cr", "cs"):
        kwargs.setdefault("extrapolation", "extend")
    state = _state(ev, node)
    inner = state.setdefault("state", {})
    state["kind"] = "basis"
    if node.func == "poly" and len(np.unique(x)) <= (args[0] if args else kwargs.get("degree", 1)) and ev.fitting:
        raise DataError(f"{deparse(node)}: the degree must be less than the number of different values.")
    try:
        result = functions[node.func](x, *args, _state=inner, **kwargs)
    except (TypeError, ValueError) as error:
        raise FormulaError(f"{deparse(node)}: {str(error).splitlines()[0]}") from None
    return _basis(result)


def _basis(result: Any) -> Value:
    dropped = getattr(getattr(result, "__formulaic_metadata__", None), "drop_field", None)
    spans = getattr(getattr(result, "__formulaic_metadata__", None), "spans_intercept", False)
    inner = getattr(result, "__wrapped__", result)
    if isinstance(inner, dict):
        fields = [k for k in inner if not (spans and k == dropped)]
        matrix = np.column_stack([np.asarray(inner[k], float) for k in fields])
    else:
        matrix = np.asarray(inner, float)
    return Value(matrix, suffixes=tuple(str(j + 1) for j in range(matrix.shape[1])))


def _integer(value: Any) -> Any:
    if isinstance(value, list):
        return [float(v) for v in value]
    if isinstance(value, float) and np.isnan(value):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def natural_spline(ev: Any, node: Call) -> Value:
    """ns(x, df): cubic splines that are linear beyond the boundary knots, the basis of R's splines::ns."""
    from tanada.design.splines import natural_basis, natural_knots

    x = ev.numbers(_first(node), "ns()")
    positional, named = _constants(ev, node, 1)
    state = _state(ev, node)
    if not state:
        df = int(positional[0] if positional else named.get("df", 0.0))
        knots = named.get("knots")
        if df < 1 and knots is None:
            raise FormulaError(f"{deparse(node)}: give df, as in ns(x, df = 3), or knots.")
        state.update(kind="ns", **natural_knots(x, df, knots))
    matrix = natural_basis(x, np.asarray(state["knots"], float), np.asarray(state["boundary"], float))
    return Value(matrix, suffixes=tuple(str(j + 1) for j in range(matrix.shape[1])))


def to_number(ev: Any, node: Call) -> Value:
    """as.numeric(x): text or categories that read as numbers, turned into them on purpose."""
    column = as_column(ev, _first(node))
    if not column.is_factor:
        return Value(column.numbers)
    codes, labels = column.factor
    try:
        table = np.array([*(float(v) for v in labels), np.nan])
    except ValueError:
        raise DataError(f"{deparse(node)}: not every value reads as a number ({', '.join(repr(v) for v in labels[:3])}, ...).") from None
    return Value(table[codes])


def interaction(ev: Any, node: Call) -> Value:
    """interaction(a, b): one factor of the combinations that occur."""
    from tanada.design.groups import cross

    parts = [as_column(ev, a) for a in node.positional()]
    if not parts:
        raise FormulaError("interaction() takes two columns or more.")
    codes, levels, _ = cross([p.factor for p in parts])
    missing = codes < 0
    column = Column(deparse(node), "factor", codes, levels, missing=missing if missing.any() else None)
    state = _state(ev, node)
    if not state:
        state.update(kind="factor", levels=levels, ordered=False)
    value: Value = ev.known_levels(deparse(node), column, tuple(state["levels"]))
    return value


def positions(ev: Any, node: Call) -> Value:
    """numFactor(x, y): a factor whose levels are the distinct positions, which go with them."""
    points = np.column_stack([ev.numbers(a, "numFactor()") for a in node.positional()])
    state = _state(ev, node)
    if not state:
        state.update(kind="positions", coords=np.unique(points, axis=0))
    known = np.asarray(state["coords"], float)
    return Value(_match_rows(points, known), position_labels(known), coords=known)


def position_labels(coords: NDArray[np.float64]) -> tuple[str, ...]:
    return tuple("(" + ",".join(f"{v:.10g}" for v in row) + ")" for row in coords.tolist())


def _match_rows(points: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.int32]:
    where = {tuple(row): i for i, row in enumerate(known.tolist())}
    unique, inverse = np.unique(points, axis=0, return_inverse=True)
    table = np.array([where.get(tuple(row), -1) for row in unique.tolist()], dtype=np.int32)
    return table[inverse.ravel()]


TRANSFORMS: dict[str, Callable[[Any, Call], Value]] = {
    "factor": make_factor, "as.factor": make_factor, "ordered": make_factor, "relevel": make_factor, "C": with_contrasts,
    "scale": scale, "center": scale, "standardize": scale,
    "poly": formulaic_basis, "bs": formulaic_basis, "cr": formulaic_basis, "cc": formulaic_basis, "cs": formulaic_basis,
    "ns": natural_spline, "as.numeric": to_number, "numeric": to_number, "interaction": interaction, "numFactor": positions,
}  # fmt: skip
