"""`tn.anova`: tests of terms of one model, likelihood-ratio comparison of several."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from tanada.design.matrices import ComponentDesign
from tanada.errors import ModelError, TanadaWarning
from tanada.inference.boundary_tests import boundary_corrected
from tanada.inference.likelihood_ratio import check_comparable, comparison_table, same_fixed_part
from tanada.inference.term_tests import term_contrasts, terms_table
from tanada.results.labels import argument_labels
from tanada.results.mixed_result import MixedResult


def anova(*models: MixedResult, type: int | str = 3, ddf: str | None = None, refit: bool = True, names: Any = None, boundary: bool = False) -> Any:
    """Tests of the terms of one model, or likelihood-ratio tests between models.

    Parameters
    ----------
    *models : MixedResult
        One model: F tests of its fixed-effect terms. Several: likelihood-ratio tests of each against the one before, ordered by
        number of parameters.
    type : {1, 2, 3}
        Type of the hypotheses (one model).
    ddf : {"satterthwaite", "kenward-roger", "z"}, optional
        Denominator degrees of freedom (one model). Default: Satterthwaite for Gaussian mixed models, chi-square tests for other families.
    refit : bool
        Whether REML fits whose fixed effects differ are refitted by ML before they are compared. Their REML likelihoods are not comparable.
    names : sequence of str, optional
        Labels of the models.
    boundary : bool
        Several models: p values of steps that add variances take half chi2(df - 1), half chi2(df) (Self & Liang 1987; Stram & Lee 1994), exact for one
        variance more, conservative for several.

    Returns
    -------
    data frame
        One model: term, sum_sq, mean_sq, num_df, den_df, f_value, p_value (chisq, df, p_value for z tests). Several: model, npar,
        aic, bic, loglik, deviance, chisq, df, p_value.

    Raises
    ------
    DataError
        When the models were fitted to different rows or responses.
    ModelError
        When REML fits with different fixed effects are compared with `refit=False`, or an argument is unknown.

    Notes
    -----
    A likelihood-ratio test of a variance against zero is conservative: the true p value is about half (Self & Liang 1987). Type III
    hypotheses are those of sum-to-zero coding, whatever coding the fit used.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m0 = tn.mixed("read_score ~ (1 | school_id)", d)
    >>> m1 = tn.mixed("read_score ~ sch_escs_mean + (1 | school_id)", d)
    >>> tn.anova(m0, m1)["chisq"].round(2).tolist()
    [nan, 130.02]
    """
    for m in models:
        if not isinstance(m, MixedResult):
            raise ModelError(f"anova takes fitted models; it was given {_article(m)}.")
    if not models:
        raise ModelError("anova needs at least one fitted model.")
    if len(models) == 1:
        return _terms(models[0], type, ddf)
    labels = argument_labels(models, names)
    check_comparable([m.fit for m in models], labels)
    fits = [m.fit for m in models]
    if any(m.reml for m in models):
        if len({m.reml for m in models}) == 1 and same_fixed_part(fits):
            _say("REML fits with the same fixed effects are compared by their restricted likelihoods.")
        elif not refit:
            raise ModelError("REML likelihoods of models with different fixed effects cannot be compared; use refit=True or fit by ML.")
        else:
            _say("REML fits were refitted by ML, because their fixed effects differ.")
            fits = [(m.update(reml=False) if m.reml else m).fit for m in models]
    columns = comparison_table(fits, labels)
    return models[0].table(boundary_corrected(fits, columns) if boundary else columns)


def _article(value: Any) -> str:
    return f"an object of type '{value.__class__.__name__}'"


def _say(text: str) -> None:
    warnings.warn(text, TanadaWarning, stacklevel=3)


def _terms(model: MixedResult, kind: int | str, ddf: str | None) -> Any:
    number = {"1": 1, "2": 2, "3": 3, "i": 1, "ii": 2, "iii": 3}.get(str(kind).lower())
    if number is None:
        raise ModelError(f"type = {kind!r}; term tests are of type 1, 2 or 3.")
    design = model.fit.data.components[0]
    tests = model.tests(ddf)
    contrasts = term_contrasts(design, number, containing(model, design), _sum_coded(model, design) if number == 3 else None)
    p = design.X.shape[1]
    total = len(tests.beta)
    padded = {t: np.hstack([L, np.zeros((len(L), total - p))]) for t, L in contrasts.items()}
    return model.table(terms_table(padded, tests, model.sigma if model.family == "gaussian" else None))


def containing(model: MixedResult, design: ComponentDesign) -> dict[str, set[str]]:
    """For each term, the terms that contain it: the same numeric variables and more factors."""
    kinds = {k: v != "number" for k, v in model.design.variables().items()}
    parts = {t: frozenset(_split(t)) for t in design.terms}
    out: dict[str, set[str]] = {t: set() for t in design.terms}
    for a, b in combinations(design.terms, 2):
        for small, large in ((a, b), (b, a)):
            extra = parts[large] - parts[small]
            if parts[small] < parts[large] and all(kinds.get(e, False) for e in extra):
                out[small].add(large)
    return out


def _split(term: str) -> list[str]:
    """Factors of a term label: "a:b" -> a, b, with brackets and backticks kept whole."""
    out, depth, current, quoted = [], 0, "", False
    for ch in term:
        quoted = quoted != (ch == "`")
        depth += 0 if quoted else (ch in "([") - (ch in ")]")
        if ch == ":" and depth == 0 and not quoted:
            out.append(current)
            current = ""
        else:
            current += ch
    return [*out, current]


def _sum_coded(model: MixedResult, design: ComponentDesign) -> Any:
    """X of the same model with sum-to-zero contrasts; None when no factor is in the fixed part."""
    factors = [name for name, kind in model.design.variables().items() if kind in ("text", "factor", "bool")]
    fixed = set(model.design.spec.parsed("cond").fixed_variables())
    wanted = {name: "sum" for name in factors if name in fixed}
    if not wanted:
        return None
    coded = replace(model.call, contrasts={**model.call.contrasts, **wanted}).design(model.frame)
    X = coded.model.components[0].X
    return X if X.shape[0] == design.X.shape[0] else X[np.isin(coded.rows, model.rows)]
