"""Comparison of structural equation models: `tn.compare_fit`, `tn.lrt`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.errors import ModelError
from tanada.frame import to_caller
from tanada.post.sem_compare import check_comparable, degrees, difference
from tanada.results.sem_result import SemResult

MEASURES = ("npar", "chisq", "df", "pvalue", "cfi", "tli", "rmsea", "srmr", "srmr_within", "srmr_between", "aic", "bic", "bic2", "logl")


def compare_fit(*fits: SemResult, names: tuple[str, ...] | None = None) -> Any:
    """Fit measures of several models side by side.

    Parameters
    ----------
    *fits : SemResult
    names : tuple of str, optional
        Measures to show; by default the usual ones that every model has.

    Returns
    -------
    data frame
        model (m1, m2, ...), then one column a measure.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> a = tn.cfa("f =~ belong1 + belong2 + belong3 + belong4", d)
    >>> b = tn.cfa("f =~ a*belong1 + a*belong2 + a*belong3 + a*belong4", d, std_lv=True)
    >>> tn.compare_fit(a, b)["npar"].tolist()
    [8, 5]
    """
    _check(fits, 1, "compare_fit")
    tables = [f.fit_measures() for f in fits]
    wanted = names if names is not None else tuple(k for k in MEASURES if all(k in t for t in tables))
    for k in wanted:
        for f in fits:
            f.fit_measures(k)
    columns: dict[str, Any] = {"model": [f"m{i}" for i in range(1, len(fits) + 1)]}
    return to_caller(columns | {k: np.array([t[k] for t in tables]) for k in wanted}, fits[0]._fit.sample.data.frame)


def lrt(*fits: SemResult) -> Any:
    """Chi-square difference tests of nested models.

    Parameters
    ----------
    *fits : SemResult
        Two or more models of the same variables and rows; they are ordered by degrees of freedom.

    Returns
    -------
    data frame
        model (m1, m2, ... in the order given), df, aic, bic, chisq, chisq_diff, df_diff, p_value; each row tests its model against the one above.
        Robust estimators use the scaled difference.

    Raises
    ------
    ModelError
        When models were fitted to different rows, variables or by different estimators.

    References
    ----------
    Satorra & Bentler (2001), Psychometrika 66.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> a = tn.cfa("f =~ belong1 + belong2 + belong3 + belong4", d, std_lv=True)
    >>> b = tn.cfa("f =~ a*belong1 + a*belong2 + a*belong3 + a*belong4", d, std_lv=True)
    >>> tn.lrt(a, b)["df_diff"].tolist()[1]
    3.0
    """
    _check(fits, 2, "lrt")
    check_comparable([f._fit for f in fits])
    order = sorted(range(len(fits)), key=lambda i: degrees(fits[i]._fit))
    chosen = [fits[i] for i in order]
    tests = [difference(b._fit, a._fit) for a, b in zip(chosen, chosen[1:])]
    likelihood = chosen[0]._fit.sample.likelihood
    nan = float("nan")
    columns = {
        "model": [f"m{i + 1}" for i in order],
        "df": np.array([f.df for f in chosen]),
        "aic": np.array([f.aic if likelihood else nan for f in chosen]),
        "bic": np.array([f.bic if likelihood else nan for f in chosen]),
        "chisq": np.array([f.chisq for f in chosen]),
        "chisq_diff": np.array([nan, *(t.stat for t in tests)]),
        "df_diff": np.array([nan, *(float(t.df) for t in tests)]),
        "p_value": np.array([nan, *(t.p_value for t in tests)]),
    }
    return to_caller(columns, fits[0]._fit.sample.data.frame)


def _check(fits: tuple[Any, ...], least: int, name: str) -> None:
    if len(fits) < least:
        raise ModelError(f"{name}() takes {'two or more' if least > 1 else 'one or more'} fitted models, not {len(fits)}.")
    for f in fits:
        if not isinstance(f, SemResult):
            raise ModelError(f"{name}() compares results of tn.sem, tn.cfa and tn.growth, not {type(f).__name__}; tn.anova compares mixed models.")
