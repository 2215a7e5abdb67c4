"""What several figures of a mixed model need: labels, the grouping factor, rows by group, predictions on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.design.matrices import RandomDesign
from tanada.errors import ModelError, did_you_mean
from tanada.post.random_effects import check_group, groups_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Groups:
    """One grouping factor on the rows of a fit.

    Attributes
    ----------
    name : str
    levels : array (L,) of text
    codes : array (n,)
        Level of each row.
    size : array (L,)
        Rows of each level.
    """

    name: str
    levels: NDArray[Any]
    codes: NDArray[np.intp]
    size: NDArray[np.intp]

    def mean(self, values: Any) -> Array:
        """Mean of a variable by level."""
        return np.asarray(np.bincount(self.codes, np.asarray(values, float), len(self.levels)) / self.size)

    def variance(self, values: Any) -> Array:
        """Variance of a variable by level, divided by the number of rows."""
        x = np.asarray(values, float)
        return self.mean((x - self.mean(x)[self.codes]) ** 2)


def groups_for(m: Any, group: str | None = None) -> Groups:
    """The rows of a fit by one grouping factor; by default that of the first random term.

    Raises
    ------
    ModelError
        When the model has no random effects or not this factor.
    """
    known = groups_of(m.fit, "cond")
    if not known:
        raise ModelError("this figure shows groups, and the model has no random effects in its conditional part; add a term such as (1 | group).")
    check_group(m.fit, group)
    name = group or known[0]
    term = next((r for r in random_terms(m) if r.group == name), None)
    if term is None:
        raise ModelError(f"'{name}' has no random effects in the conditional part; its grouping factors are {', '.join(known)}.")
    codes = np.asarray(term.codes, np.intp)
    return Groups(name, np.array(term.levels, dtype=object), codes, np.bincount(codes, minlength=len(term.levels)))


def random_terms(m: Any) -> tuple[RandomDesign, ...]:
    """The random terms of the conditional model."""
    return tuple(m.fit.data.components[0].random)


def observed(m: Any) -> Array:
    """The response of the rows used; shares for counts out of a number of trials."""
    data = m.fit.data
    return np.asarray(data.y / data.trials if m.family in ("binomial", "betabinomial") else data.y, float)


def count_label(m: Any) -> str:
    """The name of a response of counts."""
    name = str(m.fit.data.response)
    return name[6:].split(",")[0].strip() if name.startswith("cbind(") else name


def response_label(m: Any, mean: bool = False) -> str:
    """The response in words, or its mean."""
    name = str(m.fit.data.response)
    if m.family in ("binomial", "betabinomial"):
        if name.startswith("cbind("):
            return f"proportion of {count_label(m)}"
        return f"probability of {name}" if mean else name
    return f"mean of {name}" if mean else name


def numeric_predictors(m: Any) -> list[str]:
    """Numeric variables of the fixed effects of the conditional model, in the order of the formula."""
    kinds = m.design.variables()
    return [v for v in m.design.spec.predictors(random=False) if kinds.get(v) == "number"]


def pick_predictor(m: Any, x: str | None) -> str:
    """The predictor of the horizontal axis: the one named, else one with a random slope, else the first numeric one.

    Raises
    ------
    ModelError
        When there is no numeric predictor, or none of this name.
    """
    known = list(dict.fromkeys([*numeric_predictors(m), *(v for v in m.design.spec.predictors() if m.design.variables().get(v) == "number")]))
    if x is not None:
        if x not in known:
            raise ModelError(f"x = '{x}' is not a numeric predictor of this model.{did_you_mean(str(x), known)}")
        return x
    slopes = [n for r in random_terms(m) for n in r.names if n in known]
    if not (slopes or numeric_predictors(m)):
        raise ModelError("this figure needs a numeric predictor and the model has none; use kind='caterpillar' or kind='shrinkage'.")
    return (slopes or numeric_predictors(m))[0]


def typical_rows(m: Any, codes: NDArray[np.intp], count: int) -> dict[str, NDArray[Any]]:
    """One row a cell (`codes` says which cell each row of the fit is in): means of numeric variables, the most frequent value of others."""
    size = np.maximum(np.bincount(codes, minlength=count), 1)
    grouping = {v for r in random_terms(m) for v in r.group.split(":")}
    out: dict[str, NDArray[Any]] = {}
    for name in m.design.spec.predictors():
        values = m.design.variable(name)
        if m.design.variables()[name] == "number" and name not in grouping:
            out[name] = np.bincount(codes, np.asarray(values, float), count) / size
        else:
            labels, inverse = np.unique(np.asarray(values), return_inverse=True)
            tally = np.bincount(codes * len(labels) + inverse, minlength=count * len(labels)).reshape(count, -1)
            out[name] = labels[tally.argmax(1)]
    return out


def predicted(m: Any, rows: dict[str, NDArray[Any]], re: Any, scale: str, interval: bool = False) -> Any:
    """Predictions for rows, as a pandas frame: estimate and, with `interval`, conf_low and conf_high."""
    n = len(next(iter(rows.values())))
    offset = None if m.call.offset is None or isinstance(m.call.offset, str) else np.full(n, float(np.mean(m.fit.data.components[0].offset)))
    options = {"interval": "confidence"} if interval else {"std_error": False}
    return m.predict(dict(rows), kind=scale, re=re, offset=offset, **options)
