"""Reference grids: values of the focal variables, and the rows at which a model is evaluated for each combination of them.

"typical" rows hold other numeric variables at their means and run over the levels of other factors with equal weights (or by their shares of the rows);
"average" rows are those of the data with the focal variables set (g-computation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.design.build import Design
from tanada.errors import DataError, ModelError, did_you_mean
from tanada.formula.nodes import Call, variables, walk
from tanada.post.grid_text import read_values, split_assignment, token_values

Array = NDArray[np.float64]

MAX_ROWS = 5_000_000
ESTIMATES = ("typical", "average")
WEIGHTS = ("equal", "proportional")


@dataclass(frozen=True)
class GridVariable:
    """A focal variable and its values: float64, bool, or object (labels)."""

    name: str
    values: NDArray[Any]
    numeric: bool


@dataclass(frozen=True)
class Rows:
    """Rows to evaluate.

    Attributes
    ----------
    columns : dict of str to array (R,)
        Predictors of the fixed parts.
    cell : int array (R,)
        The grid point that a row belongs to.
    weight : array (R,)
        Share of a row in its grid point; sums to one over a point.
    source : int array (R,) or None
        Row of the fit that a row copies ("average").
    """

    columns: dict[str, NDArray[Any]]
    cell: NDArray[np.intp]
    weight: Array
    source: NDArray[np.intp] | None

    def shifted(self, name: str, step: Array) -> dict[str, NDArray[Any]]:
        """Columns with `step` (R,) added to one of them."""
        return {**self.columns, name: np.asarray(self.columns[name], float) + step}


@dataclass(frozen=True)
class Predictors:
    """The variables that a grid is made of: name -> (values on the rows used, whether numeric, levels)."""

    design: Design

    def names(self) -> list[str]:
        found: dict[str, None] = {}
        spec = self.design.spec
        for c in spec.components:
            found |= dict.fromkeys(spec.parsed(c.name).fixed_variables())
        found |= dict.fromkeys(v for v in spec.predictors(random=False))
        return list(found)

    def columns(self) -> list[str]:
        """Everything that the matrices need: variables of the fixed effects and of random slopes, but no grouping factors."""
        spec = self.design.spec
        slopes = [v for c in spec.components for r in spec.parsed(c.name).random for f in r.terms.factors for v in variables(f)]
        return list(dict.fromkeys([*self.names(), *slopes]))

    def is_numeric(self, name: str) -> bool:
        return self.design.variables().get(name, "number") == "number" and name not in self._as_factor()

    def _as_factor(self) -> set[str]:
        """Numeric variables that the formula turns into categories, as in factor(x)."""
        spec, out = self.design.spec, set()
        for c in spec.components:
            parsed = spec.parsed(c.name)
            factors = [*parsed.fixed.factors, *(f for r in parsed.random for f in r.terms.factors)]
            for node in (n for f in factors for n in walk(f)):
                if isinstance(node, Call) and node.func in ("factor", "as.factor", "ordered", "C", "relevel"):
                    out |= set(variables(node))
        return out

    def values(self, name: str) -> NDArray[Any]:
        return np.asarray(self.design.variable(name))

    def numbers(self, name: str) -> Array:
        return np.asarray(self.values(name), float)

    def categories(self, name: str) -> NDArray[Any]:
        """Levels of a categorical variable, in the type that `rebuild` takes."""
        kind = self.design.variables().get(name)
        if kind == "bool":
            return np.unique(self.values(name).astype(bool))
        if kind == "number":
            return np.unique(self.numbers(name))
        return np.array(self.design.factor_levels(name), dtype=object)

    def check(self, name: str, where: str) -> None:
        """An error with near matches unless `name` is a variable of the fixed effects."""
        if name not in self.names():
            spec = self.design.spec
            if any(name in spec.parsed(c.name).group_variables() for c in spec.components):
                raise ModelError(f"{where}: '{name}' is a grouping factor, not a variable of the fixed effects; m.coef() has the coefficients of each group.")
            raise ModelError(f"{where}: '{name}' is not a variable of the fixed effects of this model.{did_you_mean(str(name), self.names())}")


def read_by(by: Any, design: Design, length: int, where: str = "by") -> list[GridVariable]:
    """Focal variables from names, "x = ..." texts or a mapping.

    Raises
    ------
    ModelError
        For unknown variables or values that cannot be read.
    """
    if by is None:
        return []
    if isinstance(length, bool) or not isinstance(length, (int, np.integer)) or length < 1:
        raise ModelError(f"length = {length!r}; it takes a whole number of 1 or more.")
    items: list[tuple[str, Any]] = []
    if isinstance(by, Mapping):
        items = [(str(k), v) for k, v in by.items()]
    else:
        for entry in [by] if isinstance(by, str) else list(by):
            if isinstance(entry, Mapping):
                items += [(str(k), v) for k, v in entry.items()]
            elif isinstance(entry, str):
                name, text = split_assignment(entry)
                items.append((name, None if text is None else read_values(text, name)))
            else:
                raise ModelError(f"{where}: {entry!r} is neither a name nor a mapping of a name to values.")
    known = Predictors(design)
    names = [n for n, _ in items]
    if len(set(names)) < len(names):
        raise ModelError(f"{where}: '{next(n for n in names if names.count(n) > 1)}' is named twice.")
    return [_variable(known, name, given, int(length), where) for name, given in items]


def _variable(known: Predictors, name: str, given: Any, length: int, where: str) -> GridVariable:
    known.check(name, where)
    if isinstance(given, str) and not isinstance(given, bool):
        given = read_values(given, name) if "[" in given or "(" in given else given
    if not known.is_numeric(name):
        levels = known.categories(name)
        if given is None or (isinstance(given, str) and given in ("all", "unique")):
            return GridVariable(name, levels, False)
        return GridVariable(name, _labels(name, given, levels, where), False)
    x = known.numbers(name)
    if given is None:
        distinct = np.unique(x)
        return GridVariable(name, distinct if len(distinct) <= 2 else np.linspace(x.min(), x.max(), length), True)
    if isinstance(given, str):
        return GridVariable(name, token_values(given, x, length, name), True)
    try:
        values = np.atleast_1d(np.asarray(given, float)).ravel()
    except (TypeError, ValueError):
        raise ModelError(f"{where}: '{name}' is numeric; {given!r} are not numbers.") from None
    if not values.size or not np.isfinite(values).all():
        raise ModelError(f"{where}: the values of '{name}' must be finite numbers, at least one.")
    return GridVariable(name, values, True)


def _labels(name: str, given: Any, levels: NDArray[Any], where: str) -> NDArray[Any]:
    wanted = [given] if isinstance(given, (str, bool, int, float)) else list(given)
    table = {_text(v): v for v in levels}
    out = []
    for w in wanted:
        if _text(w) not in table:
            raise ModelError(f"{where}: '{w}' is not a level of '{name}'.{did_you_mean(str(w), table)}")
        out.append(table[_text(w)])
    return np.array(out, dtype=levels.dtype)


def _text(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return {"true": "TRUE", "false": "FALSE"}.get(value.lower(), value)
    return f"{float(value):.15g}" if isinstance(value, (int, float, np.number)) else str(value)


def grid_columns(focal: Sequence[GridVariable]) -> dict[str, NDArray[Any]]:
    """One row a combination of the focal values; the first variable changes slowest."""
    if not focal:
        return {}
    index = np.array(list(product(*(range(len(v.values)) for v in focal))), dtype=np.intp)
    return {v.name: v.values[index[:, j]] for j, v in enumerate(focal)}


def make_rows(design: Design, focal: Sequence[GridVariable], estimate: str, weights: str = "equal", extra: int = 1) -> Rows:
    """Rows for each grid point.

    Parameters
    ----------
    design : Design
    focal : sequence of GridVariable
    estimate : {"typical", "average"}
    weights : {"equal", "proportional"}
        Weights of the levels of factors that are not focal ("typical").
    extra : int
        How often each row will be evaluated, for the limit on the size.
    """
    if estimate not in ESTIMATES:
        raise ModelError(f"estimate = {estimate!r}; it takes 'typical' or 'average'.{did_you_mean(str(estimate), ESTIMATES)}")
    if weights not in WEIGHTS:
        raise ModelError(f"weights = {weights!r}; it takes 'equal' or 'proportional'.{did_you_mean(str(weights), WEIGHTS)}")
    known = Predictors(design)
    grid = grid_columns(focal)
    K = len(next(iter(grid.values()))) if grid else 1
    if estimate == "average":
        n = design.model.nobs
        _check_size(K * n * extra)
        source = np.tile(np.arange(n, dtype=np.intp), K)
        cell = np.repeat(np.arange(K, dtype=np.intp), n)
        columns = {v: grid[v][cell] if v in grid else known.values(v)[source] for v in known.columns()}
        return Rows(columns, cell, np.full(K * n, 1.0 / n), source)
    others = [v for v in known.columns() if v not in grid]
    factors = [v for v in others if not known.is_numeric(v)]
    levels = [known.categories(v) for v in factors]
    found = list(product(*(range(len(x)) for x in levels)))
    combos = np.array(found, dtype=np.intp).reshape(len(found), len(factors))
    _check_size(K * len(combos) * extra)
    share = _shares(known, factors, levels, combos, weights)
    cell = np.repeat(np.arange(K, dtype=np.intp), len(combos))
    which = np.tile(np.arange(len(combos), dtype=np.intp), K)
    columns = {}
    for v in known.columns():
        if v in grid:
            columns[v] = grid[v][cell]
        elif v in factors:
            columns[v] = levels[factors.index(v)][combos[which, factors.index(v)]]
        else:
            columns[v] = np.full(len(cell), float(np.mean(known.numbers(v))))
    return Rows(columns, cell, share[which], None)


def _shares(known: Predictors, factors: list[str], levels: list[NDArray[Any]], combos: NDArray[np.intp], weights: str) -> Array:
    share = np.ones(len(combos))
    for j, (name, values) in enumerate(zip(factors, levels, strict=True)):
        if weights == "proportional":
            x = known.values(name)
            count = np.array([np.mean(x == v) for v in values], float)
        else:
            count = np.full(len(values), 1.0 / len(values))
        share = share * count[combos[:, j]]
    return share


def _check_size(rows: int) -> None:
    if rows > MAX_ROWS:
        raise DataError(f"this grid needs {rows:,} rows, more than {MAX_ROWS:,}; name fewer values in by=, or use estimate='typical'.")
