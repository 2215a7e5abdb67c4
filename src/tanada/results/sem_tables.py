"""Columns of the tables of a SEM result."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_fit import SemFit
from tanada.errors import ModelError
from tanada.inference.sem_standard_errors import delta_method
from tanada.inference.sem_vcov import defined_parameters
from tanada.post.sem_modindices import ModIndices
from tanada.post.sem_scores import Scores
from tanada.post.sem_standardized import defined_standardized, standardized

Array = NDArray[np.float64]


def group_labels(fit: SemFit, groups: list[int]) -> list[Any]:
    """Group labels of the data, 1 where there are no groups."""
    labels = [g.label for g in fit.sample.data.groups]
    if len(labels) == 1 and not labels[0]:
        return groups
    return ["" if g == 0 else labels[g - 1] for g in groups]


def standard_errors(fit: SemFit, V: Array) -> Array:
    """Standard error of every table row; NaN where nothing is estimated."""
    with np.errstate(invalid="ignore"):
        se = np.sqrt(np.diag(V)) if V.size else np.zeros(0)
    free = np.array([r.free for r in fit.table.rows])
    return np.where(free > 0, se[np.maximum(free - 1, 0)] if se.size else np.nan, np.nan)


def parameter_columns(fit: SemFit, V: Array, standard: bool, level: float) -> dict[str, Any]:
    from scipy.special import ndtr, ndtri

    rows = fit.table.rows
    defined = defined_parameters(fit, V)
    estimate = np.concatenate([fit.estimates, [d[2] for d in defined]])
    se = np.concatenate([standard_errors(fit, V), [d[3] for d in defined]])
    k = len(defined)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(se > 0, estimate / se, np.nan)
    half = float(ndtri(0.5 + 0.5 * level)) * se
    out: dict[str, Any] = {
        "lhs": [r.lhs for r in rows] + [d[0] for d in defined],
        "op": [r.op for r in rows] + [":="] * k,
        "rhs": [r.rhs for r in rows] + [d[1] for d in defined],
        "label": ["" if r.label.startswith(".") else r.label for r in rows] + [d[0] for d in defined],
        "group": group_labels(fit, [r.group for r in rows] + [0] * k),
        "level": np.array([r.level for r in rows] + [0] * k),
        "free": np.array([r.free for r in rows] + [0] * k),
        "estimate": estimate, "std_error": se, "z": z, "p_value": 2.0 * ndtr(-np.abs(z)),
        "conf_low": estimate - half, "conf_high": estimate + half,
    }  # fmt: skip
    if fit.options.se == "bootstrap" and fit.options.bootstrap:
        from tanada.inference.sem_bootstrap import percentile_interval

        low, high = percentile_interval(fit, level)
        out["conf_low"], out["conf_high"] = low, high
    if standard:
        lv_only, everything = standardized(fit)
        extra = defined_standardized(fit, lv_only, everything)
        out["std_lv"] = np.concatenate([lv_only, [e[0] for e in extra]])
        out["std_all"] = np.concatenate([everything, [e[1] for e in extra]])
    return out


def standardized_columns(fit: SemFit, V: Array, kind: str, level: float) -> dict[str, Any]:
    from scipy.special import ndtr, ndtri

    if kind not in ("std_all", "std_lv"):
        raise ModelError(f"standardized: kind = {kind!r}; it takes 'std_all' or 'std_lv'.")
    which = int(kind == "std_all")
    value = standardized(fit)[which]
    se = delta_method(fit, V, lambda f: standardized(f)[which])
    se = np.where(se > 1e-10 * np.maximum(1.0, np.abs(value)), se, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = value / se
    half = float(ndtri(0.5 + 0.5 * level)) * se
    rows = fit.table.rows
    return {
        "lhs": [r.lhs for r in rows], "op": [r.op for r in rows], "rhs": [r.rhs for r in rows], "label": ["" if r.label.startswith(".") else r.label for r in rows],
        "group": group_labels(fit, [r.group for r in rows]), "level": np.array([r.level for r in rows]), "estimate": value, "std_error": se, "z": z,
        "p_value": 2.0 * ndtr(-np.abs(z)), "conf_low": value - half, "conf_high": value + half,
    }  # fmt: skip


def table_columns(fit: SemFit) -> dict[str, Any]:
    rows = fit.table.rows
    nan = float("nan")
    return {
        "id": np.arange(1, len(rows) + 1),
        "lhs": [r.lhs for r in rows], "op": [r.op for r in rows], "rhs": [r.rhs for r in rows],
        "user": np.array([r.user for r in rows]),
        "group": group_labels(fit, [r.group for r in rows]),
        "level": np.array([r.level for r in rows]),
        "free": np.array([r.free for r in rows]),
        "fixed_value": np.array([nan if r.free else v for r, v in zip(rows, fit.built.values)]),
        "exogenous": np.array([r.exo for r in rows]),
        "label": [r.label for r in rows],
        "start": np.array(fit.built.values, float),
    }  # fmt: skip


def modindex_columns(fit: SemFit, m: ModIndices, sort: bool, minimum: float) -> dict[str, Any]:
    keep = np.flatnonzero(np.isfinite(m.mi) & (m.mi >= minimum))
    if sort:
        keep = keep[np.argsort(-m.mi[keep], kind="stable")]
    rows = [m.rows[i] for i in keep]
    return {
        "lhs": [r.lhs for r in rows], "op": [r.op for r in rows], "rhs": [r.rhs for r in rows],
        "group": group_labels(fit, [r.group for r in rows]), "level": np.array([r.level for r in rows], int),
        "mi": m.mi[keep], "epc": m.epc[keep], "sepc_lv": m.sepc_lv[keep], "sepc_all": m.sepc_all[keep],
    }  # fmt: skip


def score_columns(fit: SemFit, scores: list[Scores], level: int) -> dict[str, Any]:
    names = list(dict.fromkeys(n for s in scores for n in s.names))
    out: dict[str, Any] = {}
    if len(scores) > 1:
        labels = group_labels(fit, [s.group for s in scores])
        out["group"] = [g for g, s in zip(labels, scores) for _ in range(len(s.values))]
    if level == 1:
        out["row"] = np.concatenate([np.asarray(s.units) for s in scores])
    else:
        out[fit.sample.data.cluster_name or "cluster"] = [u for s in scores for u in s.units or ()]
    for n in names:
        out[n] = np.concatenate([s.values[:, s.names.index(n)] if n in s.names else np.full(len(s.values), np.nan) for s in scores])
    return out
