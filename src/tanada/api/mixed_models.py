"""`tn.mixed`: linear and generalized linear mixed models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tanada.engine.mixed_fit import fit_mixed
from tanada.results.call import Call, check_call
from tanada.results.mixed_result import MixedResult
from tanada.results.notices import announce


def mixed(
    formula: str,
    data: Any,
    family: str = "gaussian",
    link: str | None = None,
    zi: str | None = None,
    disp: str | None = None,
    reml: bool = False,
    weights: Any = None,
    offset: Any = None,
    nagq: int = 1,
    start: Mapping[str, Any] | None = None,
    priors: Any = None,
    control: Mapping[str, Any] | None = None,
    na: str = "drop",
    contrasts: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> MixedResult:
    """Fit a linear or generalized linear mixed model.

    Parameters
    ----------
    formula : str
        Wilkinson formula with random-effects terms in brackets: "y ~ x + (x | g)", "(1 | a/b)", "(x || g)". No random term is fine.
    data : data frame of any library, or a mapping of columns
    family : str
        "gaussian", "binomial", "poisson", "nbinom2", ...
    link : str, optional
        Default: the family's.
    zi, disp : str, optional
        One-sided formulas of the zero-inflation and dispersion models, random terms allowed.
    reml : bool
        Restricted maximum likelihood.
    weights, offset : str or array (n,), optional
        Column, expression, or numbers. Gaussian weights are inverse relative variances.
    nagq : int
        1 is the Laplace approximation; more is adaptive Gauss-Hermite quadrature with so many points (one grouping factor).
    start : mapping, optional
        Start values: {"theta": [...], "beta": [...]}.
    priors : optional
        Prior terms added to the log-likelihood of a penalized fit.
    control : mapping, optional
        Settings of the optimiser ("max_iterations", "tolerance") and constants of a family ("df" of a t family),
        and the matrices that propto() and equalto() name, as {"known": {"V": matrix}}.
    na : {"drop", "error"}
        Rows with missing values: left out and reported, or an error.
    contrasts : mapping, optional
        Contrasts by factor: {"f": "sum"}.
    quiet : bool
        Whether to keep notes from being shown as warnings; they stay in `m.notes`.

    Returns
    -------
    MixedResult

    Raises
    ------
    FormulaError
        When the formula cannot be understood.
    DataError
        When the data cannot be used as asked.
    ModelError
        When an argument makes no sense.
    ConvergenceError
        When the fit leaves no usable estimate.

    References
    ----------
    Bates, Maechler, Bolker & Walker (2015), Journal of Statistical Software 67(1). Brooks et al. (2017), The R Journal 9(2).

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> round(m.loglik, 2)
    -33234.06
    >>> m.converged
    True
    """
    call = check_call(
        Call(formula, family, link, zi, disp, reml, weights, offset, nagq, start, priors, control or {}, na, contrasts or {})
    )
    design = call.design(data)
    fit = fit_mixed(design.model, call.options())
    result = MixedResult(fit, design, call)
    if not quiet:
        announce(result)
    return result
