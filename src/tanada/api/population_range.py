"""`tn.population_interval`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.errors import ModelError, did_you_mean
from tanada.frame import read_frame
from tanada.inference.wald import check_level
from tanada.post.grids import Predictors
from tanada.post.population import population_columns
from tanada.post.random_effects import groups_of
from tanada.results.mixed_result import MixedResult, replace_frame
from tanada.results.table_result import TableResult


def population_interval(m: MixedResult, level: float = 0.95, newdata: Any = None, *, group: str | None = None, kind: str = "response") -> TableResult:
    """The range that holds a share of the population of groups, on the response scale.

    Parameters
    ----------
    m : MixedResult
    level : float
        The share.
    newdata : data frame, optional
        Values of the predictors; default one row with numeric variables at their means.
    group : str, optional
        The grouping factor whose groups are meant; default all random effects together.
    kind : {"response", "link", "conditional"}

    Returns
    -------
    TableResult
        The predictors of `newdata`, link and link_sd (mean and SD over groups of the linear predictor), estimate (a group with random effects of zero), conf_low,
        conf_high (ends of the range), mean (over groups). The range is of groups, not of an estimate's uncertainty.

    Raises
    ------
    ModelError, DataError

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("wants_univ ~ 1 + (1 | school_id)", d, family="binomial")
    >>> tn.population_interval(m)["conf_low"].round(2).tolist()
    [0.19]
    """
    level = check_level(level)
    known = groups_of(m.fit, "cond")
    if group is not None and group not in known:
        raise ModelError(f"group: '{group}' is not a grouping factor of this model.{did_you_mean(str(group), known)}")
    columns, shown, like = None, {}, m
    if newdata is not None:
        frame = read_frame(newdata)
        names = Predictors(m.design).columns()
        columns = {n: frame.column(n).labels() for n in names} or {"(rows)": np.zeros(frame.n)}
        shown = {n: v for n, v in columns.items() if n != "(rows)"}
        like = replace_frame(m, frame)
    found = population_columns(m.fit, m.design, level, columns, kind, (group,) if group else tuple(known))
    info = {"model": m, "kind": kind, "level": level, "group": group or ", ".join(known)}
    note = f"The range that holds {100 * level:g}% of the population of groups ({group or ', '.join(known)}); estimates are taken as known."
    return TableResult(like.table({**shown, **found}), "Population of groups", (note,), "population", info=info)
