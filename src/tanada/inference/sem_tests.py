"""Robust tests of fit: which one goes with a fit, and its scaling."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_base import build
from tanada.engine.sem_baseline import block_moments, n_moments, number
from tanada.engine.sem_fit import SemFit
from tanada.inference.sem_vcov import invert, score_products, survey
from tanada.partable.evaluate import Functions

Array = NDArray[np.float64]
_BY_ESTIMATOR = {
    "MLR": "yuan.bentler.mplus", "MLM": "satorra.bentler", "MLMV": "scaled.shifted", "MLMVS": "mean.var.adjusted",
    "WLSM": "satorra.bentler", "WLSMV": "scaled.shifted", "ULSM": "satorra.bentler", "ULSMV": "scaled.shifted",
}  # fmt: skip


@dataclass(frozen=True)
class ScaledTest:
    """A robust test.

    Attributes
    ----------
    kind : str
    stat, df : float
    factor : float
        What the standard statistic is divided by.
    shift : float
        What is added afterwards (scaled and shifted test).
    mean_factor : float
        Scaling to the mean only, which the robust fit indices use.
    h1, h0 : float
        Scaling factors of the unrestricted model and of the model (Yuan-Bentler tests; NaN otherwise).
    """

    kind: str
    stat: float
    df: float
    factor: float
    shift: float = 0.0
    mean_factor: float = np.nan
    h1: float = np.nan
    h0: float = np.nan


def robust_kind(fit: SemFit) -> str | None:
    """The scaled test of the estimator, or the one asked for; None for the standard test only."""
    o = fit.options
    if o.test is not None:
        return None if o.test in ("standard", "none") else o.test
    kind = _BY_ESTIMATOR.get(o.estimator)
    if kind is None and survey(fit):
        kind = "yuan.bentler.mplus"
    return kind


def saturated_fit(fit: SemFit) -> SemFit:
    """The unrestricted model as a fit, at its optimum: what the Yuan-Bentler scaling compares with."""
    rows = [r for b in fit.table.blocks for r in block_moments(fit.table, b, True)]
    table = number(fit.table, rows)
    values = np.zeros(len(rows))
    for i, r in enumerate(rows):
        m, ov = fit.h1.moments[r.block], fit.sample.ov(fit.table.blocks[r.block - 1])
        j = ov.index(r.lhs)
        values[i] = r.value if r.value is not None else m.mean[j] if r.op == "~1" else m.cov[j, ov.index(r.rhs)]
    built = build(fit.sample, table, values)
    x = np.zeros(table.n_free)
    for r, v in zip(table.rows, values):
        if r.free:
            x[r.free - 1] = v
    return replace(fit, built=built, functions=Functions.of(table), x=x, value=-2.0 * fit.h1.loglik, basis=None)


def trace_factor(fit: SemFit, expected: bool = False) -> float:
    """tr(A^-1 B): A the information, B the sum of squared unit scores."""
    if expected:
        A = np.asarray(fit.built.objective.expected_information(fit.x))
    else:
        A = 0.5 * np.asarray(fit.built.objective.hessian(fit.x))
    return float(np.sum(invert(A, fit.basis) * score_products(fit)))


def yuan_bentler(fit: SemFit, stat: float, h1_trace: float, kind: str) -> ScaledTest:
    """Yuan & Bentler (2000) scaled test, in the form of Mplus.

    Notes
    -----
    c = [tr(A1^-1 B1) - tr(A0^-1 B0)] / df, A1 and B1 at the unrestricted model, A0 and B0 at the model.
    """
    k = n_moments(fit.table)
    df = k - fit.npar
    h0 = trace_factor(fit)
    factor = (h1_trace - h0) / df if df > 0 else np.nan
    scaled = stat / factor if df > 0 and factor > 0 else (0.0 if df == 0 else np.nan)
    return ScaledTest(kind, scaled, df, factor, 0.0, factor, h1_trace / k if k else np.nan, h0 / fit.npar if fit.npar else np.nan)


def robust_test(fit: SemFit, stat: float, h1_trace: float | None = None) -> ScaledTest:
    """The robust test of a fit whose standard statistic is `stat`."""
    kind = robust_kind(fit)
    assert kind is not None
    if kind.startswith("yuan"):
        return yuan_bentler(fit, stat, trace_factor(saturated_fit(fit)) if h1_trace is None else h1_trace, kind)
    from tanada.inference.sem_moments import moment_test

    return moment_test(fit, stat, kind)
