"""Comparison of SEM fits: tables of fit measures, chi-square difference tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tanada.engine.sem_baseline import n_moments
from tanada.engine.sem_fit import SemFit
from tanada.errors import ModelError
from tanada.inference.sem_tests import ScaledTest, robust_kind, robust_test
from tanada.post.sem_fitmeasures import chi_square_p, standard_test


@dataclass(frozen=True)
class Difference:
    """A chi-square difference test."""

    stat: float
    df: int
    p_value: float


def check_comparable(fits: Sequence[SemFit]) -> None:
    """Fits of the same data by the same estimator."""
    first = fits[0]
    for f in fits[1:]:
        if f.sample.data.nobs != first.sample.data.nobs:
            raise ModelError(f"the models were fitted to different data ({first.sample.data.nobs} and {f.sample.data.nobs} rows); fit both to the same rows.")
        if f.options.estimator != first.options.estimator:
            raise ModelError(f"the models were fitted by different estimators ({first.options.estimator} and {f.options.estimator}); use one.")
        names = [set(b.roles.ov) for b in f.table.blocks], [set(b.roles.ov) for b in first.table.blocks]
        if names[0] != names[1]:
            raise ModelError("the models have different observed variables, so that one is not nested in the other; compare AIC or BIC of models of the same variables.")


def degrees(fit: SemFit) -> int:
    return n_moments(fit.table) - fit.npar


def difference(small: SemFit, large: SemFit) -> Difference:
    """Test of the model with more degrees of freedom (`small`) against the other.

    Notes
    -----
    Robust estimators: Satorra & Bentler (2001), T = (T0 - T1) / c with c = (df0 c0 - df1 c1) / (df0 - df1) and the unscaled statistics.
    """
    t0, t1 = standard_test(small), standard_test(large)
    df = t0.df - t1.df
    stat = t0.stat - t1.stat
    if df <= 0:
        return Difference(np.nan, df, np.nan)
    if robust_kind(small) is not None:
        r0, r1 = robust_test(small, t0.stat), robust_test(large, t1.stat)
        c = (t0.df * _factor(r0) - t1.df * _factor(r1)) / df
        stat = stat / c if c > 0 else np.nan
    return Difference(max(stat, 0.0) if np.isfinite(stat) else stat, df, chi_square_p(stat, df))


def _factor(t: ScaledTest) -> float:
    return 0.0 if t.df == 0 or not np.isfinite(t.mean_factor) else t.mean_factor
