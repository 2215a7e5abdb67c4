"""From a formula and data to the matrices of a mixed model.

The steps: read the formula, read the columns it names, drop incomplete rows, evaluate the response, build each component, drop aliased
columns, note what a user must know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Column
from tanada.design.checks import check_model, finite_columns, slope_notes
from tanada.design.expressions import Evaluator, States
from tanada.design.matrices import ComponentDesign, ModelData
from tanada.design.random import design_random
from tanada.design.rank import independent_columns
from tanada.design.response import read_response, read_vector
from tanada.design.rows import complete_rows
from tanada.design.spec import ComponentSpec, DesignSpec, expression
from tanada.design.terms import build_matrix
from tanada.errors import DataError, FormulaError
from tanada.formula.mixed_formula import MixedFormula, has_dot, parse_formula, parse_one_sided
from tanada.formula.nodes import CONSTANTS, Node, variables
from tanada.frame import Frame, read_frame

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """A model's matrices, and how they came from the caller's data.

    Attributes
    ----------
    spec : DesignSpec
        Rebuilds the matrices for new data.
    model : ModelData
        What the engines fit.
    frame : Frame
        The caller's data.
    rows : int array
        The input rows used, in order.
    n_input : int
    dropped : dict of str to int
        Missing values by variable.
    notes : tuple of str
        What a user must know: dropped rows, aliased columns, slopes without their fixed effect.
    columns : dict of str to Column
        The variables of the model on the rows used.
    """

    spec: DesignSpec
    model: ModelData
    frame: Frame
    rows: NDArray[np.intp]
    n_input: int
    dropped: dict[str, int]
    notes: tuple[str, ...]
    columns: dict[str, Column]

    def variable(self, name: str) -> NDArray[Any]:
        """Values of a variable on the rows used: numbers, truth values, or label text."""
        return self._column(name).labels()

    def factor_levels(self, name: str) -> tuple[str, ...]:
        """Levels of a variable that occur, in order; empty for numbers."""
        column = self._column(name)
        return column.factor[1] if column.is_factor or column.kind == "bool" else ()

    def variables(self) -> dict[str, str]:
        """The variables of the model and their types: "number", "bool", "text", "factor" or "date"."""
        return {name: c.kind for name, c in self.columns.items()}

    def _column(self, name: str) -> Column:
        if name in self.columns:
            return self.columns[name]
        column = self.frame.column(name)
        return column if len(self.rows) == self.n_input else column.take(self.rows)


@dataclass(frozen=True)
class _Parts:
    """The parsed formulas of a model, and what goes with them."""

    components: tuple[tuple[str, MixedFormula], ...]
    offset: Node | None
    weights: Node | None

    def variables(self) -> list[str]:
        out: dict[str, None] = {}
        for _, f in self.components:
            out |= dict.fromkeys(f.variables())
        for node in (self.offset, self.weights):
            if node is not None:
                out |= dict.fromkeys(variables(node))
        return list(out)


def build_design(
    formula: str,
    data: Any,
    *,
    family: str = "gaussian",
    zi: str | None = None,
    disp: str | None = None,
    weights: Any = None,
    offset: Any = None,
    na: str = "drop",
    contrasts: Mapping[str, Any] | None = None,
    ordinal: bool = False,
    known: Mapping[str, Any] | None = None,
) -> Design:
    """Matrices of a mixed model from a formula and data.

    Parameters
    ----------
    formula : str
        "y ~ x + (x | g)".
    data : data frame of any library, or a mapping of columns
    family : str
        Decides how the response is read (0/1, counts of successes, numbers).
    zi, disp : str, optional
        One-sided formulas of the zero-inflation and dispersion models. `disp="~ 0"` gives a "disp" component without columns.
    weights, offset : str or array (n,), optional
        A column name, an expression of columns, or numbers.
    na : {"drop", "error"}
        What to do with rows that miss a variable of the model.
    contrasts : mapping of str to str or matrix, optional
        Contrasts by factor: "treatment", "sum", "helmert", "poly", "sdif", or a matrix (levels, columns).
    ordinal : bool
        Read the response as ordered categories.
    known : mapping of str to array, optional
        Matrices that propto() and equalto() name.

    Returns
    -------
    Design

    Raises
    ------
    FormulaError
        When a formula cannot be understood.
    DataError
        When the data cannot be used as asked.
    """
    frame = read_frame(data)
    parts = _parse(formula, frame, zi, disp, weights, offset)
    used = _used_rows(frame, parts, {"weights": weights, "offset": offset}, na)
    ev = Evaluator(used.columns, len(used.rows), {}, fitting=True)
    main = parts.components[0][1]
    assert main.response is not None
    response = read_response(main.response, ev, family, ordinal, _weights(parts.weights, used.arrays, ev))
    built = [_component(name, f, ev, contrasts or {}, known or {}, _offset(name, parts.offset, used.arrays, ev)) for name, f in parts.components]
    components = tuple(design for design, _ in built)
    model = ModelData(response.y, response.weights, response.trials, components, response.label, response.levels)
    check_model(model, family, weights is not None)
    notes = [*used.notes, *response.notes]
    for (_, f), design in zip(parts.components, components, strict=True):
        notes += _alias_notes(design) + slope_notes(f, design)
    spec = DesignSpec(
        formula,
        zi if _has(components, "zi") else None,
        disp if _has(components, "disp") else None,
        frame.names if has_dot(formula) else (),
        _text(offset),
        _text(weights),
        dict(contrasts or {}),
        _states(ev),
        tuple(s for _, s in built),
        response.label,
        response.levels,
        tuple(_excluded(weights, offset)),
    )
    return Design(spec, model, frame, used.rows, frame.n, used.dropped, tuple(notes), _own(used, frame.n, model))


@dataclass(frozen=True)
class _Used:
    """The variables of a model on its complete rows."""

    columns: dict[str, Column]
    arrays: dict[str, Array]
    rows: NDArray[np.intp]
    dropped: dict[str, int]
    notes: list[str]


def _used_rows(frame: Frame, parts: _Parts, given: Mapping[str, Any], na: str) -> _Used:
    columns = {name: frame.column(name) for name in parts.variables() if name in frame or name not in CONSTANTS}
    arrays = {what: read_vector(v, frame.n, what) for what, v in given.items() if v is not None and not isinstance(v, str)}
    rows, dropped, notes = complete_rows(columns, arrays, frame.n, na)
    if len(rows) < frame.n:
        columns = {name: c.take(rows) for name, c in columns.items()}
        arrays = {what: v[rows] for what, v in arrays.items()}
    finite_columns(columns, arrays)
    return _Used(columns, arrays, rows, dropped, notes)


def _own(used: _Used, n: int, model: ModelData) -> dict[str, Column]:
    """The variables in memory of our own, so that a later change of the caller's data in place does not reach a fitted model.

    Plain predictors and the response are views of the model's matrices; dropping rows has copied already.
    """
    if len(used.rows) < n:
        return used.columns
    cond = model.components[0]
    at = {name: i for i, name in enumerate(cond.names)}
    out = dict(used.columns)
    for name, c in used.columns.items():
        if c.is_factor:
            continue
        held = cond.X[:, at[name]] if name in at else model.y if name == model.response else None
        same = held is not None and c.values.dtype == np.float64 and np.array_equal(held, c.values)
        out[name] = Column(name, c.kind, held if held is not None and same else c.values.copy())
    return out


def _states(ev: Evaluator) -> States:
    """What the evaluator learnt; a column called pi or TRUE is marked, as it is a column at prediction too."""
    for name in CONSTANTS:
        if name in ev.columns:
            ev.states.setdefault(name, {"kind": "number"})
    return ev.states


def _has(components: tuple[ComponentDesign, ...], name: str) -> bool:
    return any(c.name == name for c in components)


def _text(given: Any) -> str | None:
    return None if given is None else given if isinstance(given, str) else ""


def _excluded(weights: Any, offset: Any) -> list[str]:
    return [w for w in (weights, offset) if isinstance(w, str)]


def _parse(formula: str, frame: Frame, zi: str | None, disp: str | None, weights: Any, offset: Any) -> _Parts:
    main = parse_formula(formula, frame.names, _excluded(weights, offset))
    if not main.fixed.terms and not main.fixed.intercept and not main.random:
        raise FormulaError(f"'{formula}' has no terms; write for example '{main.text.partition('~')[0].strip()} ~ 1'.")
    parts = [("cond", main)]
    for name, text in (("zi", zi), ("disp", disp)):
        if text is None:
            continue
        side = parse_one_sided(text, name)
        # "~ 0" means no zero inflation, but for the dispersion it fixes the residual variance at zero: a component without columns
        if name == "disp" or side.fixed.terms or side.fixed.intercept or side.random or side.offsets:
            parts.append((name, side))
    return _Parts(
        tuple(parts),
        expression(offset, frame) if isinstance(offset, str) else None,
        expression(weights, frame) if isinstance(weights, str) else None,
    )


def _weights(node: Node | None, arrays: dict[str, Array], ev: Evaluator) -> Array | None:
    if node is None and "weights" not in arrays:
        return None
    w = arrays["weights"] if node is None else ev.numbers(node, "weights")
    if (w < 0).any():
        raise DataError(f"weights must be positive; {int((w < 0).sum())} are negative.")
    if (w == 0).any():
        raise DataError(f"weights must be positive; {int((w == 0).sum())} are zero: remove these rows.")
    if not np.isfinite(w).all():
        raise DataError("weights must be finite numbers.")
    return np.array(w)


def _offset(component: str, node: Node | None, arrays: dict[str, Array], ev: Evaluator) -> Array | None:
    if component != "cond":
        return None
    return arrays.get("offset") if node is None else ev.value(node).numbers("offset")


def _component(
    name: str, formula: MixedFormula, ev: Evaluator, contrasts: Mapping[str, Any], known: Mapping[str, Any], offset: Array | None
) -> tuple[ComponentDesign, ComponentSpec]:
    matrix = build_matrix(formula.fixed, ev, contrasts)
    kept = independent_columns(matrix.X, formula.fixed.intercept)
    X = matrix.X if len(kept) == matrix.X.shape[1] else np.ascontiguousarray(matrix.X[:, kept])
    total = np.zeros(ev.n) if offset is None else np.array(offset, dtype=np.float64)
    for node in formula.offsets:
        total += ev.value(node).numbers("offset()")
    random = [design_random(term, ev, contrasts, known) for term in formula.random]
    spec = ComponentSpec(name, matrix.names, kept, matrix.assign, matrix.labels, tuple(s for _, s in random))
    assign = tuple(matrix.assign[i] for i in kept)
    return ComponentDesign(name, X, spec.names, total, tuple(d for d, _ in random), spec.aliased, assign, matrix.labels), spec


def _alias_notes(design: ComponentDesign) -> list[str]:
    if not design.aliased:
        return []
    names = ", ".join(f"'{a}'" for a in design.aliased[:10]) + (f" and {len(design.aliased) - 10} more" if len(design.aliased) > 10 else "")
    where = "" if design.name == "cond" else f" of the {design.name} model"
    one = len(design.aliased) == 1
    return [f"{names}{where} {'is a linear combination' if one else 'are linear combinations'} of other columns and {'was' if one else 'were'} dropped."]
