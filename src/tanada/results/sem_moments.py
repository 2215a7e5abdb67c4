"""Tables of moments of a SEM: unrestricted, implied, residual, intraclass correlations, explained variance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_fit import SemFit
from tanada.errors import ModelError
from tanada.partable.table import Block
from tanada.post.sem_standardized import block_moments
from tanada.results.sem_tables import group_labels

Array = NDArray[np.float64]
Table = Callable[[dict[str, Any]], Any]


def block_name(fit: SemFit, b: Block) -> str:
    """The block in words: "level 1", "group Pasteur", or both."""
    parts = [f"group {b.group_label}"] if fit.table.n_groups > 1 else []
    if fit.table.n_levels > 1:
        parts.append(f"level {b.level}")
    return ", ".join(parts) or "all"


def _pair(b: Block, cov: Array, mean: Array | None, table: Table) -> dict[str, Any]:
    names = list(b.roles.ov)
    out = {"cov": table({"variable": names} | {v: cov[:, i] for i, v in enumerate(names)})}
    if mean is not None:
        out["mean"] = table({"variable": names, "mean": mean})
    return out


def moment_tables(fit: SemFit, table: Table, implied: bool) -> dict[str, dict[str, Any]]:
    out = {}
    for b in fit.table.blocks:
        if implied:
            cov, mean = fit.implied(b.number)
        else:
            m = fit.h1.moments[b.number]
            cov, mean = m.cov, m.mean
        out[block_name(fit, b)] = _pair(b, cov, mean if fit.table.meanstructure else None, table)
    return out


def residual_tables(fit: SemFit, table: Table, kind: str) -> dict[str, dict[str, Any]]:
    if kind not in ("raw", "cor", "standardized"):
        raise ModelError(f"residuals: kind = {kind!r}; it takes 'raw', 'cor' or 'standardized'.")
    out = {}
    for b in fit.table.blocks:
        m = fit.h1.moments[b.number]
        cov, mean = fit.implied(b.number)
        with np.errstate(invalid="ignore", divide="ignore"):
            s, t = np.sqrt(np.diag(m.cov)), np.sqrt(np.diag(cov))
            if kind == "cor":
                d, e = m.cov / np.outer(s, s) - cov / np.outer(t, t), m.mean / s - mean / t
            elif kind == "standardized":
                d, e = (m.cov - cov) / np.outer(s, s), (m.mean - mean) / s
            else:
                d, e = m.cov - cov, m.mean - mean
        out[block_name(fit, b)] = _pair(b, d, e if fit.table.meanstructure else None, table)
    return out


def icc_columns(fit: SemFit) -> dict[str, Any]:
    if fit.table.n_levels < 2:
        raise ModelError("icc: the model has one level; an intraclass correlation needs 'level: 1' and 'level: 2' blocks and cluster=.")
    names, groups, within, between = [], [], [], []
    for w, b in zip(fit.table.blocks[::2], fit.table.blocks[1::2]):
        for i, v in enumerate(w.roles.ov):
            if v in b.roles.ov:
                names.append(v)
                groups.append(w.group)
                within.append(fit.h1.moments[w.number].cov[i, i])
                j = b.roles.ov.index(v)
                between.append(fit.h1.moments[b.number].cov[j, j])
    a, c = np.array(within), np.array(between)
    return {"variable": names, "group": group_labels(fit, groups), "icc": c / (a + c), "var_within": a, "var_between": c}


def r2_columns(fit: SemFit) -> dict[str, Any]:
    """1 - residual / implied variance of whatever is explained in its block; NaN where the residual variance is negative."""
    names, groups, levels, values = [], [], [], []
    for m in fit.built.maps:
        moments = block_moments(fit, m, fit.x)
        explained = dict.fromkeys(
            [r.rhs for r in fit.table.rows if r.block == m.block.number and r.op == "=~"]
            + [r.lhs for r in fit.table.rows if r.block == m.block.number and r.op in ("~", "<~")]
        )
        for v in explained:
            total = moments.lv.get(v, moments.ov.get(v, np.nan))
            residual = moments.residual[v]
            names.append(v)
            groups.append(m.block.group)
            levels.append(m.block.level)
            values.append(1.0 - residual / total if residual >= 0 and total > 0 else np.nan)
    return {"variable": names, "group": group_labels(fit, groups), "level": np.array(levels, int), "r2": np.array(values, float)}
