"""Checks of fitted mixed models, one by one and all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tanada.errors import ModelError, TanadaError
from tanada.post import dispersion_checks, effect_checks
from tanada.post.check import NOTE, OK, PROBLEM, SKIPPED, WARNING, Check, check_table
from tanada.post.influence import influence
from tanada.post.mistakes import mistakes
from tanada.post.residual_checks import residual_checks, simulated_residuals
from tanada.post.residuals import residuals
from tanada.post.singularity import singular_rows
from tanada.results.mixed_result import MixedResult
from tanada.results.table_result import TableResult

SIMULATIONS = 250


def _model(m: Any) -> MixedResult:
    if not isinstance(m, MixedResult):
        raise ModelError(f"a fitted mixed model is needed; this is an object of type '{type(m).__name__}'.")
    return m


def _result(m: MixedResult, checks: Sequence[Check], title: str, kind: str) -> TableResult:
    data: dict[str, Any] = {}
    for c in checks:
        for name, columns in c.data.items():
            key = name if name not in data else f"{name}: {c.name}"
            data[key] = m.table(columns)
    return TableResult(m.table(check_table(checks)), title, (), kind, data, {"model": m})


def check_overdispersion(m: MixedResult) -> TableResult:
    """Overdispersion of counts and proportions: squared Pearson residuals over the residual degrees of freedom.

    Parameters
    ----------
    m : MixedResult

    Returns
    -------
    TableResult
        check, status, statistic (the ratio), p_value, sentence; `.data["ratio"]` holds chisq, df, ratio, p_value.

    References
    ----------
    Gelman & Hill (2007), Data Analysis Using Regression and Multilevel Models, section 6.2.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("wants_univ ~ (1 | school_id)", d, family="binomial")
    >>> tn.check_overdispersion(m)["status"].tolist()
    ['ok']
    """
    return _result(m, [dispersion_checks.overdispersion(_model(m).fit)], "Overdispersion", "check_overdispersion")


def check_zeroinflation(m: MixedResult) -> TableResult:
    """Zeros observed against those that the model expects.

    Parameters
    ----------
    m : MixedResult

    Returns
    -------
    TableResult
        statistic is expected over observed; `.data["zeros"]` holds observed, expected, ratio, p_value.

    Examples
    --------
    >>> import tanada as tn
    >>> d = {"y": [0, 0, 0, 5, 6, 0, 7, 0, 0, 8, 0, 9], "g": list("aabbccddeeff")}
    >>> tn.check_zeroinflation(tn.mixed("y ~ 1 + (1 | g)", d, family="poisson", quiet=True)).columns
    ['check', 'status', 'statistic', 'p_value', 'sentence']
    """
    return _result(m, [dispersion_checks.zero_counts(_model(m).fit)], "Zero inflation", "check_zeroinflation")


def check_separation(m: MixedResult) -> TableResult:
    """Predictors that separate successes from failures, and groups whose responses are all the same.

    Parameters
    ----------
    m : MixedResult

    Returns
    -------
    TableResult
        `.data["groups"]`: group, level, all (0 or 1) of the groups without variation; `.data["columns"]`: the separating predictors.

    References
    ----------
    Konis (2007), Linear programming algorithms for detecting separated data in binary logistic regression models. DPhil thesis, Oxford.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("wants_univ ~ (1 | school_id)", d, family="binomial")
    >>> len(tn.check_separation(m).data["groups"])
    16
    """
    return _result(m, effect_checks.separation(_model(m).fit), "Separation", "check_separation")


def check_collinearity(m: MixedResult) -> TableResult:
    """Variance inflation factors of the fixed effects.

    Parameters
    ----------
    m : MixedResult

    Returns
    -------
    TableResult
        `.data["vif"]`: term, vif (generalized for terms of several columns), df, vif_per_df.

    References
    ----------
    Fox & Monette (1992), Journal of the American Statistical Association 87, 178-183.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + sch_escs_mean + (1 | school_id)", d)
    >>> tn.check_collinearity(m).data["vif"]["term"].tolist()
    ['escs', 'sch_escs_mean']
    """
    return _result(m, effect_checks.collinearity(_model(m).fit), "Collinearity", "check_collinearity")


def check_heteroscedasticity(m: MixedResult, seed: int | None = 1) -> TableResult:
    """Whether the spread of the residuals changes with the fitted value.

    Parameters
    ----------
    m : MixedResult
    seed : int, optional
        For the randomized quantile residuals of families other than the Gaussian.

    Returns
    -------
    TableResult
        `.data["scale_location"]`: fitted, root_abs_residual.

    References
    ----------
    Koenker (1981), Journal of Econometrics 17, 107-112.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> tn.check_heteroscedasticity(m).columns[0]
    'check'
    """
    return _result(m, [_spread(_model(m), seed)], "Heteroscedasticity", "check_heteroscedasticity")


def _spread(m: MixedResult, seed: int | None) -> Check:
    gaussian = m.family == "gaussian"
    scaled = residuals(m.fit, "scaled" if gaussian else "quantile", seed)
    return dispersion_checks.heteroscedasticity(m.fit, np.asarray(scaled, float), "residuals" if gaussian else "quantile residuals")


def check_residuals(m: MixedResult, n: int = SIMULATIONS, seed: int | None = 1, re: str = "new") -> TableResult:
    """Quantile residuals by simulation: uniformity, dispersion, outliers.

    Parameters
    ----------
    m : MixedResult
    n : int
        Number of simulated data sets.
    seed : int, optional
    re : {"new", "conditional"}
        New random effects in each simulation, or those of the fit.

    Returns
    -------
    TableResult
        `.data["residuals"]`: fitted, residual (uniform on 0 to 1 when the model is right).

    Notes
    -----
    p values come from the simulated data sets themselves, so that rows of a group need not be independent; the smallest possible is 1 / (n + 1).

    References
    ----------
    Dunn & Smyth (1996), Journal of Computational and Graphical Statistics 5, 236-244. Hartig, DHARMa (R package).

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> len(tn.check_residuals(m, n=50))
    3
    """
    found = simulated_residuals(_model(m).fit, _whole(n), seed, re)
    return _result(m, residual_checks(m.fit, found), "Quantile residuals", "check_residuals")


def _whole(n: Any) -> int:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 20:
        raise ModelError(f"check_residuals: n = {n!r}; it takes a whole number of 20 or more.")
    return int(n)


def check_ranef_normality(m: MixedResult) -> TableResult:
    """Normality of the random effects, from their standardized conditional modes.

    Parameters
    ----------
    m : MixedResult

    Returns
    -------
    TableResult
        `.data["quantiles"]`: group, level, term, estimate, standardized, theoretical.

    References
    ----------
    Shapiro & Wilk (1965), Biometrika 52, 591-611.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> len(tn.check_ranef_normality(m).data["quantiles"])
    183
    """
    found = effect_checks.ranef_normality(_model(m).fit)
    if not found:
        raise ModelError("check_ranef_normality: this model has no random effects.")
    return _result(m, found, "Normality of random effects", "check_ranef_normality")


def check_influence(m: MixedResult, group: str | None = None, refit: bool = False) -> TableResult:
    """Influence of each group on the fixed effects: Cook's distance and DFBETAS.

    Parameters
    ----------
    m : MixedResult
    group : str, optional
        Grouping factor; default the one with the fewest levels.
    refit : bool
        Leave each group out and fit again; otherwise one step with the variance parameters held.

    Returns
    -------
    TableResult
        `.data["influence"]`: level, n, cooks_distance, one column of DFBETAS a coefficient.

    References
    ----------
    Demidenko & Stukel (2005), Statistics in Medicine 24, 893-909. Nieuwenhuis, te Grotenhuis & Pelzer (2012), The R Journal 4(2), 38-47.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> len(tn.check_influence(m).data["influence"])
    183
    """
    return _result(m, [_influential(_model(m), group, refit)], "Influence of groups", "check_influence")


def _influential(m: MixedResult, group: str | None, refit: bool) -> Check:
    found = influence(m.work, group, refit)
    data = {"influence": found.columns()}
    largest = int(np.nanargmax(found.cooks))
    value, limit = float(found.cooks[largest]), 4.0 / len(found.levels)
    many = int(np.sum(found.cooks > limit))
    level = found.levels[largest]
    text = f"The largest Cook's distance of {found.group} is {value:.3f} ('{level}'); {many} of {len(found.levels)} exceed 4/{len(found.levels)} ({found.how})."
    if value > 1:
        return Check("influence", PROBLEM, f"{text} One group decides the result: report it with and without '{level}'.", value, data=data)
    if value > max(limit, 0.5):
        return Check("influence", WARNING, f"{text} Look at '{level}'.", value, data=data)
    return Check("influence", OK, text, value, data=data)


def check_mistakes(m: MixedResult) -> TableResult:
    """Common mistakes: slopes without fixed effect, mixed levels, stray group-level variables, few groups, tiny ICC, groups without variation, REML.

    Parameters
    ----------
    m : MixedResult

    Returns
    -------
    TableResult
        One row a finding.

    References
    ----------
    Enders & Tofighi (2007), Psychological Methods 12, 121-138.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> tn.check_mistakes(m)["check"].tolist()
    ['levels mixed']
    """
    return _result(m, mistakes(_model(m).fit, m.design), "Common mistakes", "check_mistakes")


def check_model(m: MixedResult, n: int = SIMULATIONS, seed: int | None = 1) -> TableResult:
    """All checks of a model in one table.

    Parameters
    ----------
    m : MixedResult
    n : int
        Simulations behind the quantile residuals.
    seed : int, optional

    Returns
    -------
    TableResult
        check, status ("ok", "note", "warning", "problem", "not applicable"), statistic, p_value, sentence; `.data` holds the tidy data of each panel of the figure.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> "convergence" in tn.check_model(m, n=50)["check"].tolist()
    True
    """
    fit = _model(m).fit
    checks = [_convergence(m), _singular(m)]
    checks += [dispersion_checks.overdispersion(fit), dispersion_checks.zero_counts(fit)] if m.family != "gaussian" else []
    checks += effect_checks.separation(fit) if m.family in ("binomial", "betabinomial") else []
    checks += effect_checks.collinearity(fit)
    checks.append(_attempt("heteroscedasticity", lambda: [_spread(m, seed)])[0])
    checks += _attempt("residuals", lambda: residual_checks(fit, simulated_residuals(fit, _whole(n), seed, "new")))
    checks += effect_checks.ranef_normality(fit)
    checks += _attempt("influence", lambda: [_influential(m, None, False)])
    checks += mistakes(fit, m.design)
    checks = list({(c.name, c.sentence): c for c in reversed(checks)}.values())[::-1]  # a finding of two checks counts once
    return _result(m, [c for c in checks if c.status != SKIPPED or c.sentence], "Checks of the model", "check_model")


def _attempt(name: str, make: Any) -> list[Check]:
    """The checks, or one line that says why they do not apply."""
    try:
        found: list[Check] = make()
    except TanadaError as error:
        return [Check(name, SKIPPED, str(error))]
    return found


def _convergence(m: MixedResult) -> Check:
    status = OK if m.converged else PROBLEM
    return Check("convergence", status, str(m.verdict.message if m.converged else m.verdict), float(m.verdict.scaled_gradient))


def _singular(m: MixedResult) -> Check:
    if not m.fit.terms:
        return Check("singularity", SKIPPED, "This model has no random effects.")
    rows = singular_rows(m.fit)
    bad = [f"{t} | {g}" for t, g, s in zip(rows["term"], rows["group"], rows["singular"]) if s]
    smallest = float(np.min(rows["smallest"]))
    if bad:
        text = f"Singular: the covariance of {', '.join(bad)} has no variance in some direction. Drop a term or a correlation (use ||)."
        return Check("singularity", WARNING, text, smallest)
    return Check("singularity", NOTE if m.verdict.status == "boundary" else OK, "No covariance matrix of random effects is singular.", smallest)
