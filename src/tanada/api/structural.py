"""`tn.sem`, `tn.cfa`, `tn.growth`: structural equation models in lavaan's syntax."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tanada.engine.sem_model import fit_model
from tanada.errors import ModelError, TanadaWarning
from tanada.results.sem_result import SemResult
from tanada.semmodel.options import SemOptions


def sem(
    model: str, data: Any = None, cluster: str | None = None, group: str | None = None, ordered: Sequence[str] | str | bool | None = None, estimator: str | None = "ML",
    missing: str = "listwise", std_lv: bool = False, meanstructure: bool | None = None, group_equal: Sequence[str] | str | None = None,
    sample_cov: Any = None, sample_mean: Any = None, sample_nobs: Any = None, weights: str | None = None, se: str | None = None,
    test: str | None = None, start: Any = None, control: dict[str, Any] | None = None, **options: Any,
) -> SemResult:  # fmt: skip
    """Fit a structural equation model, of one or two levels.

    Parameters
    ----------
    model : str
        lavaan syntax: `=~` measured by, `~` regressed on, `~~` covaries with, `~ 1` intercept, `:=` defined as, `==`, `<`, `>` constraints, labels
        and fixed values before `*`, `level:` and `group:` blocks.
    data : data frame
        One row an observation (pandas, polars, pyarrow or a mapping of columns).
    cluster : str, optional
        Column of the clusters. With `level:` blocks the model is a two-level model; without, standard errors allow for clusters.
    group : str, optional
        Column of the groups of a multiple-group model.
    ordered : sequence of str, optional
        Ordered categorical indicators (probit link, estimated by WLSMV); True for all outcomes.
    estimator : str
        "ML", "MLR" (robust), "MLM", "MLMV", "GLS", "ULS", "WLS", "DWLS", "WLSMV", ...
    missing : "listwise" or "fiml"
        Drop rows with missing values, or use every observed value (full information maximum likelihood).
    std_lv : bool
        Fix the variances of latent variables at 1 instead of their first loadings.
    meanstructure : bool, optional
        Model the means too; by default where the model or the data need it.
    group_equal : sequence of str, optional
        What is equal across groups: "loadings", "intercepts", "means", "thresholds", "regressions", "residuals", "residual_covariances",
        "lv_variances", "lv_covariances".
    sample_cov, sample_mean, sample_nobs
        Moments instead of data (covariance with divisor n - 1).
    weights : str, optional
        Column of sampling weights.
    se : str, optional
        "standard", "robust", "bootstrap", "first.order", "none".
    test : str, optional
        "standard", "satorra.bentler", "yuan.bentler.mplus", "mean.var.adjusted", "scaled.shifted".
    start : SemResult or mapping, optional
        Starting values: a fitted model, for parameters with the same names, or {"f =~ x2": 0.8}.
    control : dict, optional
        "max_iterations", "tolerance".
    **options
        lavaan's further options: fixed_x, orthogonal, information, likelihood, auto_fix_first, auto_var, auto_cov_lv_x, auto_cov_y,
        effect_coding, parameterization, group_partial, int_ov_free, int_lv_free, bounds, bootstrap, seed.

    Returns
    -------
    SemResult

    Raises
    ------
    ModelSyntaxError
        With line, column and a caret.
    DataError, ModelError

    Notes
    -----
    Variances are not bounded: a negative estimate is reported with a warning that names it. Log-likelihoods leave out fixed predictors.

    References
    ----------
    McDonald & Goldstein (1989), British Journal of Mathematical and Statistical Psychology 42; Rosseel (2012), Journal of Statistical Software 48;
    Rosseel (2021), Psych 3.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> f = tn.sem('''
    ... level: 1
    ...   fw =~ teach1 + teach2 + teach3 + teach4
    ... level: 2
    ...   fb =~ teach1 + teach2 + teach3 + teach4
    ... ''', d, cluster="school_id", std_lv=True)
    >>> f.df, f.npar
    (4, 20)
    """
    return _fit("sem", model, locals())


def cfa(model: str, data: Any = None, **kwargs: Any) -> SemResult:
    """Fit a confirmatory factor analysis; all arguments of `tn.sem`.

    Parameters
    ----------
    model : str
    data : data frame, optional
    **kwargs
        As in `tn.sem`.

    Returns
    -------
    SemResult

    Examples
    --------
    >>> import tanada as tn
    >>> f = tn.cfa("teach =~ teach1 + teach2 + teach3 + teach4", tn.load_dataset("school_survey"))
    >>> f.df
    2
    """
    return _fit("cfa", model, {"data": data, **kwargs})


def growth(model: str, data: Any = None, **kwargs: Any) -> SemResult:
    """Fit a growth curve model: observed intercepts are 0 and the means of latent variables free; all arguments of `tn.sem`.

    Parameters
    ----------
    model : str
    data : data frame, optional
    **kwargs
        As in `tn.sem`.

    Returns
    -------
    SemResult

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> f = tn.growth("i =~ 1*belong1 + 1*belong2 + 1*belong3", d)
    >>> f.npar
    5
    """
    return _fit("growth", model, {"data": data, **kwargs})


def _fit(kind: str, model: str, given: dict[str, Any]) -> SemResult:
    given = dict(given)
    given.pop("model", None)
    given |= given.pop("options", {})
    data_arguments = {k: given.pop(k, None) for k in ("data", "cluster", "group", "ordered", "weights", "sample_cov", "sample_mean", "sample_nobs")}
    ordered = data_arguments.pop("ordered")
    moments = tuple(data_arguments.pop(k) for k in ("sample_cov", "sample_mean", "sample_nobs"))
    options = SemOptions.build(kind=kind, **{k: v for k, v in given.items() if v is not None})
    if isinstance(options.start, SemResult):
        options = replace(options, start=options.start._fit)
    elif options.start is not None and not isinstance(options.start, Mapping):
        raise ModelError(f"start takes a fitted model or a mapping such as {{'f =~ x2': 0.8}}, not {type(options.start).__name__}.")
    fit = fit_model(model, options, ordered=_ordered(ordered), sample=None if moments[0] is None else moments, **data_arguments)
    for note in (*fit.notes, *(() if fit.verdict.converged else (str(fit.verdict),))):
        warnings.warn(note, TanadaWarning, stacklevel=3)
    return SemResult(fit, {"kind": kind, "model": model})


def _ordered(ordered: Any) -> Any:
    if ordered is None or ordered is False:
        return ()
    if isinstance(ordered, str):
        return (ordered,)
    return True if ordered is True else tuple(str(v) for v in ordered)
