"""Fit measures of each level of a two-level model."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.engine.sem_baseline import baseline
from tanada.engine.sem_fit import SemFit
from tanada.engine.sem_levels import refit_level, saturate_level
from tanada.errors import ModelError
from tanada.post.sem_fitmeasures import fit_measures, incremental, rmsea, standard_test
from tanada.post.sem_residuals import level_srmr

MEASURES = ("chisq", "df", "p_value", "cfi", "tli", "rmsea", "srmr", "gfi")


def level_fit(fit: SemFit, method: str = "saturated") -> dict[str, Any]:
    """Columns of the table: one row a level.

    Parameters
    ----------
    method : "saturated" (the other level is unrestricted, in the baseline too) or "refit" (the level's unrestricted covariance matrix is fitted
        as if it came from that many independent observations)

    References
    ----------
    Ryu & West (2009), Structural Equation Modeling 16.
    """
    if fit.table.n_levels < 2:
        raise ModelError("level_fit: the model has one level; its fit is fit_measures().")
    if method not in ("saturated", "refit"):
        raise ModelError(f"level_fit: method = {method!r}; it takes 'saturated' or 'refit'.")
    rows = [_saturated(fit, lev) if method == "saturated" else _refit(fit, lev) for lev in (1, 2)]
    return {"level": np.array([1, 2])} | {k: np.array([r[k] for r in rows]) for k in MEASURES}


def _saturated(fit: SemFit, level: int) -> dict[str, float]:
    other = 3 - level
    part = saturate_level(fit, other)
    test, base = standard_test(part), baseline(part, (other,))
    out = incremental(test.stat, test.df, base.chisq, base.df)
    n = float(fit.sample.data.nobs if level == 1 else fit.sample.data.n_clusters)
    return {
        "chisq": test.stat, "df": test.df, "p_value": test.p_value, "cfi": out["cfi"], "tli": out["tli"],
        "rmsea": rmsea(test.stat, test.df, n, fit.table.n_groups), "srmr": level_srmr(part)[level - 1], "gfi": np.nan,
    }  # fmt: skip


def _refit(fit: SemFit, level: int) -> dict[str, float]:
    m = fit_measures(refit_level(fit, level))
    return {"chisq": m["chisq"], "df": m["df"], "p_value": m["pvalue"]} | {k: m[k] for k in ("cfi", "tli", "rmsea", "srmr", "gfi")}
