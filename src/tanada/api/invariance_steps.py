"""Measurement invariance across groups: the usual sequence of models, fitted and compared."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from tanada.api.structural import cfa
from tanada.errors import ModelError, did_you_mean
from tanada.frame import to_caller
from tanada.post.sem_compare import difference
from tanada.results.sem_result import SemResult

STEPS = {
    "configural": (), "metric": ("loadings",), "scalar": ("loadings", "intercepts"), "strict": ("loadings", "intercepts", "residuals"),
    "means": ("loadings", "intercepts", "residuals", "means"),
}  # fmt: skip


@dataclass(frozen=True)
class Invariance:
    """Fits by step, and their comparison.

    Attributes
    ----------
    fits : dict of str to SemResult
    table : data frame
        step, chisq, df, chisq_diff, df_diff, p_value, cfi, cfi_diff, rmsea, srmr, bic.
    """

    fits: dict[str, SemResult]
    table: Any

    def __repr__(self) -> str:
        return str(self.table)


def invariance(model: str, data: Any, group: str, steps: tuple[str, ...] = ("configural", "metric", "scalar", "strict"), **options: Any) -> Invariance:
    """Fit a factor model with more and more equalities between groups, and test each step.

    Parameters
    ----------
    model : str
        The measurement model, in lavaan syntax.
    data : data frame
    group : str
        Column of the groups.
    steps : tuple of str
        From "configural" (same form), "metric" (equal loadings), "scalar" (and intercepts), "strict" (and residual variances), "means" (and
        latent means), in this order.
    **options
        As in `tn.cfa`.

    Returns
    -------
    Invariance
        `.table` and `.fits`.

    Raises
    ------
    ModelError
        For unknown steps.

    References
    ----------
    Meredith (1993), Psychometrika 58; Cheung & Rensvold (2002), Structural Equation Modeling 9 (a CFI that falls by more than 0.01).

    Examples
    --------
    >>> import tanada as tn
    >>> d = tn.load_dataset("school_survey")
    >>> d["size"] = (d["s_t_ratio"] > 12).map({True: "large", False: "small"})
    >>> i = tn.invariance("f =~ belong1 + belong2 + belong3 + belong4", d, group="size", steps=("configural", "metric"))
    >>> i.table["df"].tolist()
    [4, 7]
    """
    for s in steps:
        if s not in STEPS:
            raise ModelError(f"invariance: '{s}' is not a step.{did_you_mean(s, STEPS)}")
    if not steps:
        raise ModelError("invariance: give at least one step, such as 'configural'.")
    fits: dict[str, SemResult] = {}
    for s in sorted(steps, key=list(STEPS).index):
        with warnings.catch_warnings():
            if fits:  # the notes of the first fit are those of all
                warnings.simplefilter("ignore")
            fits[s] = cfa(model, data, group=group, group_equal=STEPS[s], **options)
    chosen = list(fits.values())
    tests = [difference(b._fit, a._fit) for a, b in zip(chosen, chosen[1:])]
    nan = float("nan")
    measures = {k: np.array([f.fit_measures(k)[k] for f in chosen]) for k in ("cfi", "rmsea", "srmr")}
    columns = {
        "step": list(fits), "chisq": np.array([f.chisq for f in chosen]), "df": np.array([f.df for f in chosen]),
        "chisq_diff": np.array([nan, *(t.stat for t in tests)]), "df_diff": np.array([nan, *(float(t.df) for t in tests)]),
        "p_value": np.array([nan, *(t.p_value for t in tests)]), "cfi": measures["cfi"], "cfi_diff": np.array([nan, *np.diff(measures["cfi"])]),
        "rmsea": measures["rmsea"], "srmr": measures["srmr"], "bic": np.array([f.bic for f in chosen]),
    }  # fmt: skip
    return Invariance(fits, to_caller(columns, chosen[0]._fit.sample.data.frame))
