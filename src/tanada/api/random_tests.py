"""`tn.ranova`: likelihood-ratio tests of the random effects of one model."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import chdtrc

from tanada.errors import ModelError
from tanada.formula.mixed_formula import parse_formula
from tanada.results.call import updated_formula
from tanada.results.mixed_result import MixedResult


def ranova(model: MixedResult) -> Any:
    """Likelihood-ratio tests of each random effect against the model without it.

    Parameters
    ----------
    model : MixedResult
        REML fits are compared by their restricted likelihoods, as the fixed effects stay.

    Returns
    -------
    data frame
        term, npar, loglik, aic, chisq, df, p_value; the first row is the model itself. A term with slopes loses its slopes first.

    Raises
    ------
    ModelError
        When the model has no random effects.

    Notes
    -----
    The p values are conservative: under the hypothesis a variance is at the boundary of its range (Self & Liang 1987).

    References
    ----------
    Self, S. G. & Liang, K.-Y. (1987). Journal of the American Statistical Association, 82, 605-610.

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d, reml=True)
    >>> tn.ranova(m)["term"].tolist()
    ['<none>', '(1 | school_id)']
    """
    if not isinstance(model, MixedResult):
        raise ModelError(f"ranova takes a fitted mixed model; it was given an object of type '{type(model).__name__}'.")
    terms = parse_formula(model.formula, model.frame.names).random
    if not terms:
        raise ModelError("ranova: this model has no random effects.")
    rows = [("<none>", model.npar, model.loglik, model.aic, np.nan, np.nan, np.nan)]
    for t in terms:
        inside, bar, group = t.text.strip()[1:-1].partition("||" if "||" in t.text else "|")
        intercept_only = inside.strip() == "1"
        replacement = "" if intercept_only or inside.strip().startswith(("0", "-1")) else f" + (1 {bar} {group.strip()})"
        smaller = model.update(updated_formula(model.formula, f". ~ . - {t.text}{replacement}"))
        chisq, df = max(2 * (model.loglik - smaller.loglik), 0.0), model.npar - smaller.npar
        label = t.text if not replacement else f"{inside.strip()} in {t.text}"
        rows.append((label, smaller.npar, smaller.loglik, smaller.aic, chisq, float(df), float(chdtrc(df, chisq)) if df > 0 else np.nan))
    names = ("term", "npar", "loglik", "aic", "chisq", "df", "p_value")
    types = (object, np.int64, float, float, float, float, float)
    return model.table({n: np.array(c, dtype=k) for n, c, k in zip(names, zip(*rows), types)})
