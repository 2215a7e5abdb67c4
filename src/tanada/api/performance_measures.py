"""`tn.icc`, `tn.r2`, `tn.pve`, `tn.performance`, `tn.check_singularity`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.engine.fit import MixedFit
from tanada.engine.mixed_fit import fit_mixed
from tanada.errors import ModelError
from tanada.inference.wald import check_level
from tanada.post.bootstrap import check_replicates, limits, replicate, without_errors
from tanada.post.explained import pve_table, r2_values
from tanada.post.intraclass import check_random, icc_by_term, icc_values, profile_icc
from tanada.post.null_model import null_data
from tanada.post.residuals import residuals
from tanada.post.singularity import TOLERANCE, singular_rows
from tanada.post.variance_parts import VarianceParts, mean_squares, needs_null, variance_parts
from tanada.results.labels import argument_labels
from tanada.results.mixed_result import MixedResult


def _check(*models: Any) -> None:
    for m in models:
        if not isinstance(m, MixedResult):
            raise ModelError(f"a fitted mixed model is needed; this is an object of type '{type(m).__name__}'.")


def _parts(model: MixedResult) -> VarianceParts:
    fit = model.fit
    null = fit_mixed(null_data(fit.data), model.call.options()) if needs_null(fit) else None
    return variance_parts(fit, null=null)


def icc(
    model: MixedResult,
    by_term: bool = False,
    ci: float | str | None = None,
    n: int = 1000,
    seed: int | None = None,
    level: float = 0.95,
    workers: int = 1,
) -> Any:
    """Intraclass correlation of a mixed model.

    Parameters
    ----------
    model : MixedResult
    by_term : bool
        One row a random term.
    ci : {"boot", "profile"} or float, optional
        Interval by parametric bootstrap (a number such as 0.95 means "boot" at that level), or by profile likelihood (models with one random intercept).
    n, seed, workers
        Bootstrap samples, their seed, and threads.
    level : float

    Returns
    -------
    data frame
        icc_adjusted (random variance over random plus residual), icc_unadjusted (fixed effects count in the total); with `ci` also
        conf_low, conf_high of the adjusted one. With `by_term`: group, term, variance, icc_adjusted, icc_unadjusted.

    Raises
    ------
    ModelError
        When the model has no random effect.

    Notes
    -----
    On the scale of the linear predictor: latent variance of the link for binary and ordinal responses (pi^2/3 for logit), observation-level
    variance for counts. Random slopes count by their mean variance over the rows.

    References
    ----------
    Nakagawa, Johnson & Schielzeth (2017), J. R. Soc. Interface 14. Johnson (2014), Methods in Ecology and Evolution 5.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ (1 | school_id)", d)
    >>> tn.icc(m)["icc_adjusted"].round(4).tolist()
    [0.3639]
    """
    _check(model)
    parts = _parts(model)
    check_random(parts)
    columns = icc_by_term(parts) if by_term else {k: np.array([v]) for k, v in icc_values(parts).items()}
    if ci is None:
        return model.table(columns)
    if ci == "profile":
        low, high = profile_icc(model.work, parts, check_level(level))
    elif ci == "boot" or not isinstance(ci, str):
        low, high = _bootstrap_icc(model, by_term, check_level(level if isinstance(ci, str) else ci), n, seed, workers)
    else:
        raise ModelError(f"icc: ci = {ci!r}; it takes 'boot', 'profile', a level such as 0.95, or None.")
    return model.table({**columns, "conf_low": low, "conf_high": high})


def _bootstrap_icc(model: MixedResult, by_term: bool, level: float, n: int, seed: int | None, workers: int) -> tuple[Any, Any]:
    fit = model.fit
    moments = mean_squares(fit)
    null = fit_mixed(null_data(fit.data), model.call.options()) if needs_null(fit) else None

    def statistic(again: MixedFit) -> Any:
        parts = variance_parts(again, moments, null)
        return icc_by_term(parts)["icc_adjusted"] if by_term else icc_values(parts)["icc_adjusted"]

    n, workers = check_replicates(n, workers)
    found = replicate([without_errors(fit)], statistic, n, seed, workers)
    return limits(found.values, found.values[0], level, "percentile")


def r2(model: MixedResult) -> Any:
    """Marginal and conditional R2.

    Parameters
    ----------
    model : MixedResult

    Returns
    -------
    data frame
        r2_marginal (fixed effects), r2_conditional (fixed and random effects).

    References
    ----------
    Nakagawa & Schielzeth (2013); Johnson (2014); Nakagawa, Johnson & Schielzeth (2017).

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> tn.r2(m)["r2_conditional"].round(4).tolist()
    [0.3479]
    """
    _check(model)
    return model.table({k: [v] for k, v in r2_values(_parts(model)).items()})


def pve(*models: MixedResult, names: Any = None) -> Any:
    """Proportion of variance explained at each level, against the first model.

    Parameters
    ----------
    *models : MixedResult
        The first is the reference, usually the model without predictors.
    names : sequence of str, optional
        Labels.

    Returns
    -------
    data frame
        model, level (grouping factor or "Residual"), variance, pve = (first - this) / first. Random slopes count by their mean variance.

    References
    ----------
    Raudenbush & Bryk (2002), Hierarchical Linear Models, chapter 4.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m0 = tn.mixed("read_score ~ (1 | school_id)", d)
    >>> m2 = tn.mixed("read_score ~ sch_escs_mean + (1 | school_id)", d)
    >>> tn.pve(m0, m2)["pve"].round(3).tolist()
    [0.0, 0.0, 0.537, 0.0]
    """
    _check(*models)
    if not models:
        raise ModelError("pve needs at least one fitted model.")
    return models[0].table(pve_table([_parts(m) for m in models], argument_labels(models, names)))


def performance(*models: MixedResult, names: Any = None) -> Any:
    """Measures of fit side by side.

    Parameters
    ----------
    *models : MixedResult
    names : sequence of str, optional

    Returns
    -------
    data frame
        model, nobs, npar, loglik, aic, aicc, bic, r2_conditional, r2_marginal, icc, rmse, sigma; NaN where a measure is not defined.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> tn.performance(m)["icc"].round(3).tolist()
    [0.344]
    """
    _check(*models)
    if not models:
        raise ModelError("performance needs at least one fitted model.")
    rows = [_measures(m) for m in models]
    return models[0].table({"model": np.array(argument_labels(models, names), dtype=object), **{k: np.array([r[k] for r in rows], float) for k in rows[0]}})


def _measures(m: MixedResult) -> dict[str, float]:
    k, n = m.npar, m.nobs
    nothing = {"r2_conditional": np.nan, "r2_marginal": np.nan, "icc": np.nan}
    try:
        parts = _parts(m)
        random = bool(parts.random)
        r = r2_values(parts) | {"icc": icc_values(parts)["icc_adjusted"] if random else np.nan}
    except ModelError:  # no residual variance on the scale of the linear predictor
        r, random = nothing, False
    return {
        "nobs": n,
        "npar": k,
        "loglik": m.loglik,
        "aic": m.aic,
        "aicc": m.aic + 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else np.nan,
        "bic": m.bic,
        "r2_conditional": r["r2_conditional"] if random else np.nan,
        "r2_marginal": r["r2_marginal"],
        "icc": r["icc"],
        "rmse": float(np.sqrt(np.mean(residuals(m.fit, "response") ** 2))),
        "sigma": np.nan if m.sigma is None else m.sigma,
    }


def check_singularity(model: MixedResult, tolerance: float = TOLERANCE) -> Any:
    """Which random-effect covariance matrices are singular.

    Parameters
    ----------
    model : MixedResult
    tolerance : float
        Smallest relative standard deviation that counts as positive.

    Returns
    -------
    data frame
        component, group, term, smallest (SD of the least variable combination of the effects, relative to the residual SD), singular.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> bool(tn.check_singularity(m)["singular"].any())
    False
    """
    _check(model)
    return model.table(singular_rows(model.fit, tolerance))
