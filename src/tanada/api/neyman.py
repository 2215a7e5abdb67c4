"""`tn.johnson_neyman`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.errors import ModelError, did_you_mean
from tanada.inference.wald import check_level, critical
from tanada.post.marginal import Ask
from tanada.post.neyman import sentences
from tanada.post.neyman_curve import find_neyman
from tanada.results.mixed_result import MixedResult
from tanada.results.neyman_result import NeymanResult

CURVE_POINTS = 200


def johnson_neyman(
    m: MixedResult,
    trend: str,
    by: str,
    level: float = 0.95,
    ddf: str | None = None,
    adjust: str | None = None,
    *,
    kind: str | None = None,
    estimate: str = "typical",
    re: str | None = None,
    observed: Any = None,
) -> NeymanResult:
    """Values of a moderator for which a slope differs from zero, with exact ends.

    Parameters
    ----------
    m : MixedResult
    trend : str
        The variable whose slope is tested.
    by : str
        The numeric moderator.
    level : float
        1 - level is the level of significance.
    ddf : str, optional
        Degrees of freedom: as in `m.summary` ("z" for normal quantiles).
    adjust : {None, "esarey-sumner"}
        Hold the false discovery rate over the observed range.
    kind : {"link", "response"}, optional
        Scale of the slope; default "link", where Gaussian and generalized models have straight lines and closed forms.
    estimate, re
        As in `estimate_slopes`, on the response scale.
    observed : (float, float), optional
        Range of the moderator; default that of the rows used.

    Returns
    -------
    NeymanResult
        `.bounds`, `.table` (start, end, direction, significant), `str()` in plain words, `.data["curve"]`.

    Raises
    ------
    ModelError, DataError

    References
    ----------
    Johnson & Fay (1950), Psychometrika 15, 349-367. Bauer & Curran (2005), Multivariate Behavioral Research 40, 373-400. Esarey & Sumner (2018),
    Comparative Political Studies 51, 1144-1176.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.center(tn.load_dataset("school_survey"), "escs", by="school_id")
    >>> m = tn.mixed("read_score ~ escs_cwc * escs_mean + (1 | school_id)", d)
    >>> len(tn.johnson_neyman(m, "escs_cwc", "escs_mean").bounds)
    2
    """
    level = check_level(level)
    if adjust not in (None, "none", "esarey-sumner", "fdr"):
        raise ModelError(f"adjust = {adjust!r}; it takes None or 'esarey-sumner'.{did_you_mean(str(adjust), ('esarey-sumner', 'none'))}")
    tests = m.tests(ddf)
    ask = Ask(kind or "link", estimate, re)
    fdr = adjust in ("esarey-sumner", "fdr")
    found, curve, words = find_neyman(m.work, m.design, tests, trend, by, level, ask, fdr, observed)
    low, high = found.observed
    v = np.linspace(low, high, min(CURVE_POINTS, curve.points))
    s, se, df = curve.parts(v)
    crit = critical(level, df) if not fdr or found.critical is None else np.full(len(v), found.critical)
    data = {by: v, "estimate": s, "std_error": se, "conf_low": s - crit * se, "conf_high": s + crit * se, "significant": np.abs(s) > crit * se}
    method = "closed form" if found.exact else "roots found numerically"
    note = f"Slope {words}; degrees of freedom: {tests.method}; {method}" + ("; false discovery rate of Esarey and Sumner." if fdr else ".")
    return NeymanResult(
        table=m.table(found.columns),
        title=f"Johnson-Neyman intervals of {trend} by {by}",
        notes=(note, *tests.notes),
        kind="johnson_neyman",
        data={"curve": m.table(data)},
        bounds=found.bounds,
        observed=found.observed,
        trend=trend,
        by=by,
        level=level,
        critical=found.critical,
        exact=found.exact,
        sentences=tuple(sentences(found, trend, by, 1 - level)),
    )
