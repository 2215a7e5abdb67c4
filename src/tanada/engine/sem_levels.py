"""Fit of one level of a two-level model: by saturating the other level, or by refitting the level's own covariance matrix."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tanada.engine.sem_baseline import block_moments, number
from tanada.engine.sem_fit import SemFit, fit_sem
from tanada.engine.sem_single import MomentSample
from tanada.errors import ModelError
from tanada.partable.build import build_table
from tanada.partable.options import TableOptions
from tanada.partable.table import ParameterTable, Row
from tanada.semmodel.data import SemData, SemGroup
from tanada.syntax.parse import parse_model
from tanada.syntax.statements import ModelText, Section


def saturate_level(fit: SemFit, level: int) -> SemFit:
    """The model with every moment of `level` free (Ryu & West 2009); constraints on its parameters are dropped."""
    kept: list[Row] = []
    for b in fit.table.blocks:
        kept += [replace(r) for r in fit.table.rows if r.block == b.number] if b.level != level else block_moments(fit.table, b, True)
    shared: dict[int, Row] = {}
    n = 0
    for r in kept:
        old = r.free if fit.table.blocks[r.block - 1].level != level else 0
        if not r.free:
            continue
        if old and old in shared:
            r.free = shared[old].free
            continue
        n += 1
        r.free = n
        if old:
            shared[old] = r
    blocks = tuple(b if b.level != level else replace(b, roles=replace(b.roles, lv=(), lv_x=(), y_last=(), formative=())) for b in fit.table.blocks)
    table = replace(fit.table, rows=tuple(kept), blocks=blocks, constraints=(), n_free=n, labels={}, notes=())
    return fit_sem(fit.sample, table, fit.options, _start(fit, table, level))


def _start(fit: SemFit, table: ParameterTable, level: int) -> np.ndarray:
    value = {(r.block, r.lhs, r.op, r.rhs): v for r, v in zip(fit.table.rows, fit.estimates)}
    out = np.zeros(len(table.rows))
    for i, r in enumerate(table.rows):
        b = table.blocks[r.block - 1]
        if b.level != level:
            out[i] = value[r.block, r.lhs, r.op, r.rhs]
            continue
        m, ov = fit.h1.moments[r.block], b.roles.ov
        out[i] = r.value if r.value is not None else m.mean[ov.index(r.lhs)] if r.op == "~1" else m.cov[ov.index(r.lhs), ov.index(r.rhs)]
    return out


def refit_level(fit: SemFit, level: int) -> SemFit:
    """The level's formulas fitted as a single-level model to its unrestricted moments; rows or clusters count as observations."""
    model = parse_model(fit.table.text)
    if model.groups:
        raise ModelError("level_fit(method='refit') serves models of one group.")
    sections = tuple(Section("", "", s.terms, s.position) for s in model.sections if s.level == model.levels[level - 1])
    one = ModelText(model.text, sections, ())
    b = next(b for b in fit.table.blocks if b.level == level and b.group == 1)
    m = fit.h1.moments[b.number]
    o = fit.options
    data = SemData(b.roles.ov, (SemGroup("", int(m.n), given_cov=m.cov, given_mean=m.mean),), None, None, False, fit.sample.data.frame, {})
    options = TableOptions(
        meanstructure=True, std_lv=o.std_lv, fixed_x=o.fixed_x, orthogonal=o.orthogonal, auto_fix_first=o.auto_fix_first,
        auto_var=o.auto_var, auto_cov_lv_x=o.auto_cov_lv_x, auto_cov_y=o.auto_cov_y,
    )  # fmt: skip
    table = build_table(one, options)
    return fit_sem(MomentSample(data, table), table, replace(o, estimator="ML", information=None))


__all__ = ["number", "refit_level", "saturate_level"]
