"""DesignSpec: what prediction needs of a design. Frozen, reusable, and a plain record when saved."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Column
from tanada.design.expressions import Evaluator, States
from tanada.design.matrices import ComponentDesign, RandomDesign
from tanada.design.random import RandomSpec, rebuild_random
from tanada.design.response import read_vector
from tanada.design.serial import pack, unpack
from tanada.design.terms import build_matrix
from tanada.errors import DataError, ModelError, did_you_mean
from tanada.formula.mixed_formula import MixedFormula, parse_formula, parse_one_sided
from tanada.formula.nodes import CONSTANTS, Name, Node, variables
from tanada.formula.parser import parse
from tanada.frame import Frame, read_frame

NEW_LEVELS = ("population", "missing", "error")


@dataclass(frozen=True)
class ComponentSpec:
    """One component: all columns of its fixed matrix, those kept, and its random terms."""

    name: str
    columns: tuple[str, ...]
    kept: NDArray[np.intp]
    assign: tuple[int, ...]
    terms: tuple[str, ...]
    random: tuple[RandomSpec, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns[i] for i in self.kept)

    @property
    def aliased(self) -> tuple[str, ...]:
        kept = set(self.kept.tolist())
        return tuple(c for i, c in enumerate(self.columns) if i not in kept)


@dataclass(frozen=True)
class Rebuilt:
    """Designs on new data.

    Attributes
    ----------
    components : tuple of ComponentDesign
        X has the columns of the fit; rows with missing predictors hold NaN.
    n : int
    complete : bool array (n,)
        Rows without missing predictors.
    new_groups : dict of str to bool array (n,)
        For each grouping factor, the rows whose level was not in the fit.
    frame : Frame
        The new data.
    """

    components: tuple[ComponentDesign, ...]
    n: int
    complete: NDArray[np.bool_]
    new_groups: dict[str, NDArray[np.bool_]]
    frame: Frame

    def component(self, name: str) -> ComponentDesign:
        return next(c for c in self.components if c.name == name)


@dataclass(frozen=True)
class DesignSpec:
    """How the matrices of a model come from data.

    Attributes
    ----------
    formula : str
    zi, disp : str or None
    dot : tuple of str
        The columns that `.` stood for among the data.
    offset, weights : str or None
        Expressions; "" when an array was given.
    contrasts : dict
    states : dict
        Levels, contrasts, spline knots, polynomial coefficients, means and SDs learnt from the fitted rows.
    components : tuple of ComponentSpec
    response : str
    response_levels : tuple of str
    """

    formula: str
    zi: str | None
    disp: str | None
    dot: tuple[str, ...]
    offset: str | None
    weights: str | None
    contrasts: dict[str, Any]
    states: States
    components: tuple[ComponentSpec, ...]
    response: str
    response_levels: tuple[str, ...] = ()
    excluded: tuple[str, ...] = field(default=())

    def parsed(self, component: str) -> MixedFormula:
        """The formula of a component."""
        if component == "cond":
            return parse_formula(self.formula, self.dot, self.excluded)
        text = self.zi if component == "zi" else self.disp
        assert text is not None
        return parse_one_sided(text, component)

    def predictors(self, random: bool = True) -> list[str]:
        """Columns that new data must have, in order of appearance."""
        out: dict[str, None] = {}
        for c in self.components:
            f = self.parsed(c.name)
            out |= dict.fromkeys(f.fixed_variables())
            if random:
                out |= dict.fromkeys(f.random_variables())
        if self.offset:
            out |= dict.fromkeys(variables(expression(self.offset, None)))
        return [name for name in out if name in self.states or name not in CONSTANTS]

    def rebuild(
        self, newdata: Any, *, new_levels: str = "population", random: bool | Collection[str] = True, offset: Any = None
    ) -> Rebuilt:
        """Matrices for new data, with the levels, contrasts and knots of the fit.

        Parameters
        ----------
        newdata : data frame or mapping of columns
        new_levels : {"population", "missing", "error"}
            What to do with groups that the fit has not seen: their code is -1 in any case; "error" refuses them.
        random : bool or collection of str
            Whether random terms are wanted, or the labels of the grouping factors to use. Terms left out are not built, and
            `newdata` need not hold their columns.
        offset : array (n,), optional
            Needed when the fit had an offset given as an array.

        Returns
        -------
        Rebuilt

        Raises
        ------
        DataError
            When a column is missing, or a factor holds a level that the fit has not seen.
        """
        if new_levels not in NEW_LEVELS:
            raise ModelError(f"new_levels = {new_levels!r}.{did_you_mean(str(new_levels), NEW_LEVELS)}")
        frame = read_frame(newdata)
        columns = self._columns(frame, random)
        evaluator = Evaluator(columns, frame.n, self.states, fitting=False)
        components = tuple(self._component(c, evaluator, random, offset) for c in self.components)
        new_groups: dict[str, NDArray[np.bool_]] = {}
        for r in (r for c in components for r in c.random):
            new_groups[r.group] = r.codes < 0
        if new_levels == "error":
            _refuse_new(new_groups)
        complete = np.ones(frame.n, dtype=bool)
        for c in components:
            complete &= ~np.isnan(c.X).any(axis=1) & ~np.isnan(c.offset)
        return Rebuilt(components, frame.n, complete, new_groups, frame)

    def _columns(self, frame: Frame, random: bool | Collection[str]) -> dict[str, Column]:
        wanted = self.predictors(random=False)
        for c in self.components:
            for r in self.parsed(c.name).random:
                if _wanted(r.group_label, random):
                    wanted += [v for n in (*r.terms.factors, *r.group) for v in variables(n)]
        return {name: frame.column(name) for name in dict.fromkeys(wanted) if name in self.states or name not in CONSTANTS}

    def _component(self, spec: ComponentSpec, ev: Evaluator, random: bool | Collection[str], offset: Any) -> ComponentDesign:
        formula = self.parsed(spec.name)
        X = build_matrix(formula.fixed, ev, self.contrasts).X
        if len(spec.kept) < X.shape[1]:
            X = np.ascontiguousarray(X[:, spec.kept])
        total = np.zeros(ev.n)
        for node in formula.offsets:
            total = total + ev.numbers(node, "offset()")
        if spec.name == "cond":
            total = total + self._offset(ev, offset)
        pairs = [(t, s) for t, s in zip(formula.random, spec.random, strict=True) if _wanted(t.group_label, random)]
        designs: tuple[RandomDesign, ...] = tuple(rebuild_random(t, s, ev, self.contrasts) for t, s in pairs)
        assign = tuple(spec.assign[i] for i in spec.kept)
        return ComponentDesign(spec.name, X, spec.names, total, designs, spec.aliased, assign, spec.terms)

    def _offset(self, ev: Evaluator, given: Any) -> Any:
        if given is not None:
            return read_vector(given, ev.n, "offset")
        if self.offset is None:
            return 0.0
        if self.offset == "":
            raise DataError("the model has an offset that was given as an array; give offset= for the new rows too.")
        return ev.numbers(expression(self.offset, None), "offset")

    def to_dict(self) -> dict[str, Any]:
        """A plain record (dicts, lists, text, numbers, arrays)."""
        packed: dict[str, Any] = pack(asdict(self))
        return packed

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> DesignSpec:
        """The inverse of `to_dict`."""
        r = unpack(record)
        components = tuple(_component_from(c) for c in r.pop("components"))
        for key in ("dot", "excluded", "response_levels"):
            r[key] = tuple(r[key])
        return cls(components=components, **r)


def _component_from(record: dict[str, Any]) -> ComponentSpec:
    random = tuple(_random_from(r) for r in record["random"])
    return ComponentSpec(
        record["name"],
        tuple(record["columns"]),
        np.asarray(record["kept"], dtype=np.intp),
        tuple(int(a) for a in record["assign"]),
        tuple(record["terms"]),
        random,
    )


def _random_from(record: dict[str, Any]) -> RandomSpec:
    coords = record["coords"]
    return RandomSpec(
        tuple(record["names"]),
        tuple(tuple(p) for p in record["parts"]),
        np.asarray(record["keys"], dtype=np.int64),
        tuple(record["levels"]),
        tuple(record["index_levels"]),
        None if coords is None else np.asarray(coords, dtype=np.float64),
        dict(record["options"]),
    )


def _wanted(label: str, random: bool | Collection[str]) -> bool:
    return random if isinstance(random, bool) else label in random


def _refuse_new(new_groups: dict[str, NDArray[np.bool_]]) -> None:
    for group, mask in new_groups.items():
        if mask.any():
            raise DataError(
                f"{int(mask.sum())} rows of the new data have a level of '{group}' that is missing or was not in the fitted data (first: row {int(mask.argmax()) + 1}); "
                "new_levels='population' predicts them from the fixed effects."
            )


def expression(text: str, frame: Frame | None) -> Node:
    """An argument such as weights="w" or offset="log(e)" as a node; any column name is taken as it is."""
    if frame is not None and text in frame:
        return Name(text)
    return parse(text)
