"""Modification indices: score tests of fixed parameters, with the expected change of each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_base import build
from tanada.engine.sem_fit import SemFit
from tanada.inference.sem_vcov import invert
from tanada.partable.table import Block, Row
from tanada.post.sem_standardized import block_moments, change_factor

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ModIndices:
    """Candidate rows, score-test statistics (NaN where the parameter would not be identified), expected parameter changes."""

    rows: tuple[Row, ...]
    mi: Array
    epc: Array
    sepc_lv: Array
    sepc_all: Array


def candidates(fit: SemFit) -> list[Row]:
    """Fixed rows of the table, then parameters that the model leaves out: loadings on other factors' indicators, covariances, paths."""
    out = [r for r in fit.table.rows if not r.free and r.op in ("=~", "~", "~~", "~1")]
    for b in fit.table.blocks:
        out += _absent(fit, b)
    return out


def _absent(fit: SemFit, b: Block) -> list[Row]:
    rows = fit.table.rows_of_block(b.number)
    have = {(r.lhs, r.op, r.rhs) for r in rows} | {(r.rhs, r.op, r.lhs) for r in rows if r.op == "~~"}
    lv, x = b.roles.lv, set(b.roles.x)
    indicators = [v for v in b.roles.ov if any(r.op == "=~" and r.rhs == v for r in rows)]
    nox = [v for v in b.roles.ov if v not in x]
    paths = list(dict.fromkeys([r.lhs for r in rows if r.op == "~"] + [r.rhs for r in rows if r.op == "~"]))
    wanted = [(f, "=~", v) for f in lv for v in indicators]
    wanted += [(a, "~~", c) for group in (nox, lv) for i, a in enumerate(group) for c in group[i + 1 :]]
    wanted += [(a, "~", c) for a in paths for c in paths if a != c]
    return [Row(*w, b.number, b.group, b.level, user=False, free=0, value=0.0) for w in wanted if w not in have]


def modification_indices(fit: SemFit, extra: list[Row] | None = None) -> ModIndices:
    """Score tests of every candidate (or of `extra`), all from one information matrix of the extended model.

    Notes
    -----
    mi = s^2 / v and epc = s / v, with s the score of the candidate and v its information less what the free parameters explain of it
    (Sorbom 1989); the information is the expected one, as in lavaan.
    """
    wanted = candidates(fit) if extra is None else extra
    d, k = fit.x.size, len(wanted)
    table = fit.table
    place = {id(r): i for i, r in enumerate(table.rows)}
    rows = list(table.rows)
    values = list(fit.estimates)
    fixed = np.zeros(k)
    for j, r in enumerate(wanted):
        new = replace(r, free=d + 1 + j, exo=False)
        if id(r) in place:
            fixed[j] = values[place[id(r)]]
            rows[place[id(r)]] = new
        else:
            rows.append(new)
            values.append(0.0)
    extended = replace(table, rows=tuple(rows), n_free=d + k)
    built = build(fit.sample, extended, np.array(values))
    x = np.concatenate([fit.x, fixed])
    _, gradient = built.objective.evaluate(x)
    information = np.asarray(built.objective.expected_information(x))
    score = -0.5 * np.asarray(gradient)[d:]
    within = invert(information[:d, :d], fit.basis)
    cross = information[:d, d:]
    own = np.diag(information)[d:]
    v = own - np.einsum("ij,ij->j", cross, within @ cross)
    with np.errstate(invalid="ignore", divide="ignore"):
        identified = v > 1e-8 * np.abs(own)
        epc = np.where(identified, score / v, np.nan)
        mi = np.where(identified, score * score / v, np.nan)
    blocks = {m.block.number: block_moments(fit, m, fit.x) for m in fit.built.maps}
    with np.errstate(invalid="ignore", divide="ignore"):
        lv = np.array([e * change_factor(r, blocks[r.block], False) for r, e in zip(wanted, epc)])
        everything = np.array([e * change_factor(r, blocks[r.block], True) for r, e in zip(wanted, epc)])
    return ModIndices(tuple(wanted), mi, epc, lv, everything)
