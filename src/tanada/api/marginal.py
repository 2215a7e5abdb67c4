"""Marginal means, slopes and contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tanada.errors import ModelError
from tanada.inference.wald import check_level
from tanada.post.contrast_table import ContrastAsk, contrast_table
from tanada.post.grid_text import split_assignment
from tanada.post.marginal import Ask, Marginal, marginal_means, marginal_slopes
from tanada.results.mixed_result import MixedResult
from tanada.results.table_result import TableResult


def estimate_means(
    m: MixedResult,
    by: Any = None,
    *,
    kind: str = "response",
    estimate: str = "typical",
    re: str | None = None,
    weights: str = "equal",
    length: int = 10,
    ddf: str | None = None,
    level: float = 0.95,
    interval: str = "link",
) -> TableResult:
    """Estimated marginal means.

    Parameters
    ----------
    m : MixedResult
    by : str, sequence of str, or mapping
        Focal variables and their values: "x" (`length` values over the observed range, or all levels of a factor), "x = [sd]" (mean and one SD
        around it), "x = [quartiles]", "x = c(-0.5, 0, 0.5)", "f = [a, b]", or {"x": [...]}.
    kind : {"response", "link", "conditional", "zprob", "disp", "zi_link", "disp_link"}
        What is averaged, as in `m.predict`.
    estimate : {"typical", "average"}
        "typical": other numeric variables at their means, levels of other factors averaged. "average": the rows of the data with the focal variables set.
    re : {"zero", "modes", "normal"}, optional
        Reading of the random effects where the scale is not linear in them: at zero; averaged over the groups with their predicted effects; averaged
        over their fitted normal distribution. Default "modes" on a nonlinear scale (as easystats does); it makes no difference on a linear one.
    weights : {"equal", "proportional"}
        Weights of the levels of factors that are not focal.
    length : int
        Values of a numeric variable given by its name alone.
    ddf : str, optional
        As in `m.summary`.
    level : float
    interval : {"link", "delta"}
        Limits symmetric on the link scale and transformed back, or around the mean.

    Returns
    -------
    TableResult
        Its table: the `by` columns, estimate, std_error, conf_low, conf_high, statistic, df, p_value.

    Raises
    ------
    ModelError, DataError
        For unknown variables, levels or options.

    Notes
    -----
    Standard errors are by the delta method over the fixed effects, random effects and variance parameters held fixed.

    References
    ----------
    Searle, Speed & Milliken (1980), The American Statistician 34, 216-221.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs * school_type + (1 | school_id)", d) if "school_type" in d else tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> tn.estimate_means(m, by="escs = [sd]").columns
    ['escs', 'estimate', 'std_error', 'conf_low', 'conf_high', 'statistic', 'df', 'p_value']
    """
    level = check_level(level)
    result = marginal_means(m.work, m.design, m.tests(ddf), by, Ask(kind, estimate, re, weights, length))
    return _wrapped(m, result, level, interval, "means")


def estimate_slopes(
    m: MixedResult,
    trend: str,
    by: Any = None,
    length: int = 10,
    *,
    kind: str = "response",
    estimate: str = "typical",
    re: str | None = None,
    weights: str = "equal",
    ddf: str | None = None,
    level: float = 0.95,
) -> TableResult:
    """Slopes of a numeric variable, along a grid of others.

    Parameters
    ----------
    m : MixedResult
    trend : str
        The variable whose slope is wanted.
    by, length, kind, estimate, re, weights, ddf, level
        As in `estimate_means`. `trend` itself may be in `by`; else it is at its mean ("typical") or as observed ("average").

    Returns
    -------
    TableResult
        Its table: the `by` columns, estimate, std_error, conf_low, conf_high, statistic, df, p_value.

    Raises
    ------
    ModelError, DataError

    Notes
    -----
    On the scale of the response a slope is the derivative of the mean; the reading of the random effects (`re`) changes it and is named in `notes`.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs * sch_escs_mean + (1 | school_id)", d)
    >>> len(tn.estimate_slopes(m, "escs", by="sch_escs_mean = [sd]"))
    3
    """
    level = check_level(level)
    result = marginal_slopes(m.work, m.design, m.tests(ddf), trend, by, Ask(kind, estimate, re, weights, length))
    return _wrapped(m, result, level, "delta", "slopes", trend)


def contrasts(
    m: MixedResult,
    contrast: Any,
    by: Any = None,
    *,
    trend: str | None = None,
    method: Any = "pairwise",
    reference: Any = None,
    adjust: str | None = None,
    comparison: str = "difference",
    kind: str = "response",
    estimate: str = "typical",
    re: str | None = None,
    weights: str = "equal",
    length: int = 3,
    ddf: str | None = None,
    level: float = 0.95,
) -> TableResult:
    """Contrasts between marginal means, or between slopes.

    Parameters
    ----------
    m : MixedResult
    contrast : str, sequence of str, or mapping
        Variables whose values are compared, written as in `estimate_means`.
    by : optional
        Variables within whose values the comparison is made; each combination is a family of its own for `adjust`.
    trend : str, optional
        Compare the slopes of this variable instead of means.
    method : str, mapping, or matrix
        "pairwise", "revpairwise", "reference" (or "trt.vs.ctrl"), "sequential", "eff", "poly"; {"name": coefficients or {label: coefficient}}; a matrix.
    reference : optional
        Label that "reference" compares with; default the first.
    adjust : {None, "none", "bonferroni", "sidak", "holm", "hochberg", "fdr", "by", "tukey", "mvt"}
        Correction of p values (and, where the method gives them, of the intervals).
    comparison : {"difference", "ratio", "odds_ratio"}
    kind, estimate, re, weights, length, ddf, level
        As in `estimate_means`.

    Returns
    -------
    TableResult
        Its table: the `by` columns, contrast, estimate, std_error, conf_low, conf_high, statistic, df, p_value.

    Raises
    ------
    ModelError, DataError

    References
    ----------
    Hothorn, Bretz & Westfall (2008), Biometrical Journal 50, 346-363.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs * sch_escs_mean + (1 | school_id)", d)
    >>> tn.contrasts(m, "sch_escs_mean = c(0, 1)", trend="escs")["contrast"].tolist()
    ['0 - 1']
    """
    level = check_level(level)
    tests, ask = m.tests(ddf), Ask(kind, estimate, re, weights, length)
    names, within = _names(contrast), _names(by)
    if not names:
        raise ModelError("contrasts: name the variable whose values are to be compared.")
    if set(names) & set(within):
        raise ModelError(f"contrasts: '{(set(names) & set(within)).pop()}' is both compared and in by.")
    grid = [*_entries(by), *_entries(contrast)]
    found = marginal_means(m.work, m.design, tests, grid, ask) if trend is None else marginal_slopes(m.work, m.design, tests, trend, grid, ask)
    wanted = ContrastAsk(method, reference, comparison, adjust)
    table = m.table(contrast_table(found, names, within, wanted, level))
    note = f"Contrasts ({comparison}) of: {found.about}"
    plain = adjust in (None, "none")
    limits = "" if str(adjust).lower() not in ("holm", "hochberg", "fdr", "bh", "by") else "; the limits are not adjusted"
    extra = "p values are not adjusted." if plain else f"p values adjusted by {adjust}{limits}."
    return TableResult(table, "Contrasts", (note, extra, *tests.notes), "contrasts")


def _entries(by: Any) -> list[Any]:
    if by is None:
        return []
    if isinstance(by, (str, Mapping)):
        return [by]
    if isinstance(by, Sequence):
        return list(by)
    raise ModelError(f"{by!r} is neither a name, a list of names, nor a mapping of names to values.")


def _names(by: Any) -> list[str]:
    out: list[str] = []
    for entry in _entries(by):
        out += [str(k) for k in entry] if isinstance(entry, Mapping) else [split_assignment(str(entry))[0]]
    return out


def _wrapped(m: MixedResult, result: Marginal, level: float, interval: str, kind: str, trend: str = "") -> TableResult:
    columns: dict[str, np.ndarray[Any, Any]] = result.table(level, interval)
    title = {"means": "Estimated marginal means", "slopes": "Slopes"}[kind]
    info = {"label": _axis_label(m, result, trend), "trend": trend}
    limits = f"{100 * level:g}% limits; degrees of freedom: {result.tests.method}."
    return TableResult(m.table(columns), title, (result.about, limits, *result.tests.notes), kind, info=info)


def _axis_label(m: MixedResult, result: Marginal, trend: str) -> str:
    scale = result.quantity.kind
    if trend:
        return f"slope of {trend}" + (" (link scale)" if scale == "link" and m.link != "identity" else "")
    name = m.fit.data.response
    if m.family in ("binomial", "betabinomial") and scale in ("response", "conditional"):
        return f"probability of {name}" if not name.startswith("cbind(") else f"proportion of {name[6:].split(',')[0].strip()}"
    words = {"zprob": "probability of a structural zero", "disp": "dispersion parameter"}
    return f"mean of {name}" if scale in ("response", "conditional") or m.link == "identity" else words.get(scale, "linear predictor")
