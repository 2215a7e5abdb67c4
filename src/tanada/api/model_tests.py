"""Tests and comparisons of fitted models: linear hypotheses, random effects, bootstrap likelihood ratios, criteria, cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tanada.engine.fit import MixedFit
from tanada.engine.mixed_fit import fit_mixed
from tanada.errors import ModelError, TanadaWarning
from tanada.inference.boundary_tests import ranova_table, reduced_fits
from tanada.inference.likelihood_ratio import check_comparable, same_fixed_part
from tanada.post.bootstrap import check_replicates, replicate, without_errors
from tanada.post.cross_validation import folds, scores, take_rows
from tanada.post.information import information_table
from tanada.post.random_effects import groups_of
from tanada.results.hypothesis_result import HypothesisResult
from tanada.results.labels import argument_labels
from tanada.results.mixed_result import MixedResult
from tanada.results.table_result import TableResult


def linear_hypothesis(
    m: MixedResult, hypotheses: str | Sequence[str], ddf: str | None = None, level: float = 0.95, robust: str | None = None
) -> HypothesisResult:
    """Wald tests of linear hypotheses on the fixed effects; see `MixedResult.test`.

    Parameters
    ----------
    m : MixedResult
    hypotheses : str or sequence of str
        "x - z = 0", "2 * x = 1", ...
    ddf, level, robust
        As in `MixedResult.test`.

    Returns
    -------
    HypothesisResult

    Raises
    ------
    ModelError

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + sch_escs_mean + (1 | school_id)", d)
    >>> round(tn.linear_hypothesis(m, ["escs = 0", "sch_escs_mean = 0"]).joint["num_df"])
    2
    """
    return m.test(hypotheses, ddf, level, robust)


def ranova(m: MixedResult) -> TableResult:
    """Likelihood-ratio tests of the random effects, each left out in turn.

    Parameters
    ----------
    m : MixedResult

    Returns
    -------
    TableResult
        term, npar, loglik, aic, chisq, df, p_value, p_boundary. `p_value` takes chi-square with `df`; `p_boundary` the mixture of chi-squares that holds for
        a variance of zero (Self & Liang 1987; Stram & Lee 1994).

    Raises
    ------
    ModelError
        When the model has no random effects.

    Notes
    -----
    REML fits are compared by their restricted likelihoods, whose fixed effects are the same.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (escs | school_id)", d)
    >>> tn.ranova(m)["term"].tolist()
    ['<none>', 'escs in (escs | school_id)']
    """
    if not m.fit.terms:
        raise ModelError("ranova: this model has no random effects.")
    table = ranova_table(m.fit, reduced_fits(m.fit))
    note = "p_boundary: half chi2(df - 1) and half chi2(df), exact when one variance goes, conservative when several do."
    return TableResult(m.table(table), "Likelihood-ratio tests of the random effects", (note,), "ranova")


def bootstrap_lrt(m0: MixedResult, m1: MixedResult, n: int = 1000, seed: int | None = None, workers: int = 1) -> TableResult:
    """Likelihood-ratio test of two nested models whose distribution comes from data simulated from the smaller one.

    Parameters
    ----------
    m0, m1 : MixedResult
        The smaller and the larger model; REML fits with different fixed effects are refitted by ML.
    n : int
        Number of simulated data sets.
    seed : int, optional
    workers : int

    Returns
    -------
    TableResult
        chisq, df, p_value (bootstrap), p_chisq, n, failed. `p_value` is (1 + number at least as large) / (1 + number of refits).

    Raises
    ------
    DataError, ModelError

    References
    ----------
    Halekoh & Hojsgaard (2014), Journal of Statistical Software 59(9).

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m0 = tn.mixed("read_score ~ 1 + (1 | school_id)", d)
    >>> m1 = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> float(tn.bootstrap_lrt(m0, m1, n=19, seed=1)["p_value"][0])
    0.05
    """
    from scipy.special import chdtrc

    n, workers = check_replicates(n, workers)
    fits = _ml([m0, m1], argument_labels([m0, m1]))
    small, large = sorted(fits, key=lambda f: f.npar)
    df = large.npar - small.npar
    if df < 1:
        raise ModelError("bootstrap_lrt: the models have the same number of parameters; one must be nested in the other.")
    chisq = max(2 * (large.loglik - small.loglik), 0.0)

    def statistic(a: MixedFit, b: MixedFit) -> np.ndarray[Any, Any]:
        return np.array([max(2 * (b.loglik - a.loglik), 0.0)])

    found = replicate([without_errors(small), without_errors(large)], statistic, n, seed, workers, "bootstrap test")
    t = found.values[:, 0]
    columns = {
        "chisq": np.array([chisq]),
        "df": np.array([df]),
        "p_value": np.array([(1 + np.sum(t >= chisq - 1e-9)) / (1 + len(t))]),
        "p_chisq": np.array([float(chdtrc(df, chisq))]),
        "n": np.array([n]),
        "failed": np.array([found.failed]),
    }
    notes = (f"Distribution from {len(t)} data sets simulated from the smaller model, seed {seed}.",)
    return TableResult(m0.table(columns), "Bootstrap likelihood-ratio test", notes, "bootstrap", {"replicates": m0.table({"chisq": t})})


def _ml(models: list[MixedResult], labels: list[str]) -> list[MixedFit]:
    """Comparable fits: REML fits are refitted by ML unless their fixed effects are the same."""
    fits = [m.fit for m in models]
    check_comparable(fits, labels)
    if any(f.reml for f in fits) and not (len({f.reml for f in fits}) == 1 and same_fixed_part(fits)):
        warnings.warn("REML fits were refitted by ML, because their fixed effects differ.", TanadaWarning, stacklevel=3)
        fits = [fit_mixed(f.data, replace(f.objective.options, reml=False, start=None)) if f.reml else f for f in fits]
    return fits


def compare(*models: MixedResult, names: Any = None) -> TableResult:
    """Models side by side by information criteria and their weights.

    Parameters
    ----------
    *models : MixedResult
        Fits to the same rows of the same response; they need not be nested.
    names : sequence of str, optional

    Returns
    -------
    TableResult
        model, npar, loglik, aic, aicc, bic, aic_difference, aic_weight, bic_weight, in the order given.

    Raises
    ------
    DataError, ModelError

    References
    ----------
    Burnham & Anderson (2002), Model Selection and Multimodel Inference.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m0 = tn.mixed("read_score ~ 1 + (1 | school_id)", d)
    >>> m1 = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> tn.compare(m0, m1)["aic_weight"].round(3).tolist()
    [0.0, 1.0]
    """
    if len(models) < 2:
        raise ModelError("compare needs two fitted models or more.")
    for m in models:
        if not isinstance(m, MixedResult):
            raise ModelError(f"compare takes fitted models; it was given an object of type '{type(m).__name__}'.")
    labels = argument_labels(list(models), names)
    fits = _ml(list(models), labels)
    return TableResult(models[0].table(information_table(fits, labels)), "Comparison of models", (), "comparison")


def cross_validate(m: MixedResult, k: int = 5, by: str | None = None, seed: int | None = 1) -> TableResult:
    """Cross-validation in which whole groups are left out.

    Parameters
    ----------
    m : MixedResult
    k : int
        Number of folds.
    by : str, optional
        Column whose values stay together; default the grouping factor with the fewest levels. "(rows)" leaves out single rows and predicts them with the
        random effects of their groups.
    seed : int, optional

    Returns
    -------
    TableResult
        fold (1..k, and "all"), n, rmse, mae, r2 (and log_loss for binomial models). New groups are predicted at random effects of zero.

    Raises
    ------
    DataError, ModelError

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> len(tn.cross_validate(m, k=3))
    4
    """
    labels = _fold_labels(m, by)
    fold = folds(labels, k, seed)
    mean = np.full(m.nobs, np.nan)
    rows = np.asarray(m.rows)
    for f in range(int(k)):
        out, kept = np.flatnonzero(fold == f), np.flatnonzero(fold != f)
        call = _subset_call(m, kept)
        trained = MixedResult(*_fitted(call, take_rows(m.frame.native, m.frame.library, rows[kept])))
        held = take_rows(m.frame.native, m.frame.library, rows[out])
        offset = None if m.call.offset is None or isinstance(m.call.offset, str) else np.asarray(m.call.offset, float)[rows[out]]
        mean[out] = np.asarray(trained.predict(held, std_error=False, offset=offset)["estimate"], float)
    trials = m.fit.data.trials
    binary = m.family in ("binomial", "betabinomial")
    y = m.fit.data.y / trials if binary else m.fit.data.y
    parts = [(str(f + 1), fold == f) for f in range(int(k))] + [("all", np.ones(m.nobs, bool))]
    table = [scores(y[mask], mean[mask], binary) for _, mask in parts]
    columns: dict[str, Any] = {"fold": np.array([p[0] for p in parts], dtype=object), "n": np.array([int(p[1].sum()) for p in parts])}
    columns |= {name: np.array([t[name] for t in table]) for name in table[0]}
    note = "Rows were left out singly." if by == "(rows)" else f"Groups of '{by or _outermost(m)}' were left out whole and predicted at random effects of zero."
    return TableResult(m.table(columns), f"{k}-fold cross-validation", (note,), "cross_validation")


def _fitted(call: Any, data: Any) -> tuple[Any, Any, Any]:
    design = call.design(data)
    return fit_mixed(design.model, call.options()), design, call


def _subset_call(m: MixedResult, kept: Any) -> Any:
    """The call with arrays of weights and offsets cut to the rows kept."""
    changes = {}
    for name in ("weights", "offset"):
        value = getattr(m.call, name)
        if value is not None and not isinstance(value, str):
            changes[name] = np.asarray(value, float)[np.asarray(m.rows)[kept]]
    return replace(m.call, **changes)


def _outermost(m: MixedResult) -> str:
    groups = groups_of(m.fit)
    if not groups:
        raise ModelError("cross_validate: this model has no grouping factor; give by='(rows)' to leave out single rows.")
    return min(groups, key=lambda g: m.n_groups[g])


def _fold_labels(m: MixedResult, by: str | None) -> Any:
    if by == "(rows)":
        return np.arange(m.nobs)
    name = _outermost(m) if by is None else by
    for component in m.fit.data.components:
        for term in component.random:
            if term.group == name:
                return term.codes
    return np.array([str(v) for v in m.design.variable(name)])
