"""Parameter table -> cells of the LISREL matrices, block by block.

All-y notation: Sigma = Lambda (I - B)^-1 Psi (I - B)^-T Lambda' + Theta, mu = nu + Lambda (I - B)^-1 alpha. An observed variable that takes part
in a regression (or covaries with a latent variable) is carried by a latent variable of the same name: loading 1, no residual.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.partable.table import Block, ParameterTable, Row

LAMBDA, THETA, PSI, BETA, NU, ALPHA = range(6)
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class BlockMap:
    """Cells of one block.

    Attributes
    ----------
    block : Block
    ov : tuple of str, length p
        Observed variables in the order of Sigma.
    lv : tuple of str, length m
        Latent variables, then the observed ones that are carried by a latent.
    n_lv : int
        How many of `lv` are latent variables of the model.
    slot, row, col, free, value : arrays (cells,)
        Matrix, place, free parameter (0-based, -1 fixed) and fixed value.
    table_row : array (cells,)
        Row of the parameter table, -1 for structural ones.
    """

    block: Block
    ov: tuple[str, ...]
    lv: tuple[str, ...]
    n_lv: int
    slot: Ints
    row: Ints
    col: Ints
    free: Ints
    value: NDArray[np.float64]
    table_row: Ints


def carried(rows: Sequence[Row], ov: Sequence[str], lv: Sequence[str]) -> list[str]:
    """Observed variables that need a latent of their own."""
    latent = set(lv)
    out = {v for r in rows if r.op in ("~", "<~") for v in (r.lhs, r.rhs) if v not in latent}
    pairs = [(r.lhs, r.rhs) for r in rows if r.op == "~~" and r.lhs != r.rhs]
    grown = True
    while grown:
        grown = False
        for a, b in pairs:
            ina, inb = a in latent or a in out, b in latent or b in out
            if ina != inb:
                out.add(b if ina else a)
                grown = True
    return [v for v in ov if v in out]


Place = tuple[int, int, int]


def locator(rows: Sequence[Row], ov: Sequence[str], lv: Sequence[str]) -> tuple[tuple[str, ...], Callable[[str, str, str], Place]]:
    """The latent names of a block and the function (lhs, op, rhs) -> (matrix, row, column)."""
    names = (*lv, *carried(rows, ov, lv))
    o = {v: i for i, v in enumerate(ov)}
    k = {v: i for i, v in enumerate(names)}

    def place(lhs: str, op: str, rhs: str) -> Place:
        if op == "=~":
            return (BETA, k[rhs], k[lhs]) if rhs in k else (LAMBDA, o[rhs], k[lhs])
        if op == "~":
            return BETA, k[lhs], k[rhs]
        if op == "<~":
            return BETA, k[lhs], k[rhs]
        if op == "~~":
            if lhs in k and rhs in k:
                i, j = k[lhs], k[rhs]
                return PSI, max(i, j), min(i, j)
            i, j = o[lhs], o[rhs]
            return THETA, max(i, j), min(i, j)
        return (ALPHA, k[lhs], 0) if lhs in k else (NU, o[lhs], 0)

    return names, place


def block_map(table: ParameterTable, block: Block, ov: Sequence[str], values: NDArray[np.float64] | None = None) -> BlockMap:
    """Cells of one block; `values` (by table row) fills the moments of exogenous variables that the table leaves open."""
    ids = [i for i, r in enumerate(table.rows) if r.block == block.number]
    rows = [table.rows[i] for i in ids]
    names, place = locator(rows, ov, block.roles.lv)
    cells: list[tuple[int, int, int, int, float, int]] = []
    for i, r in zip(ids, rows):
        if r.op in ("|", "~*~"):
            continue
        slot, a, b = place(r.lhs, r.op, r.rhs)
        value = r.value if r.value is not None else 0.0
        if values is not None and not r.free and r.value is None:
            value = float(values[i])
        cells.append((slot, a, b, r.free - 1, value, i))
    where = {v: i for i, v in enumerate(ov)}
    n_lv = len(block.roles.lv)
    cells += [(LAMBDA, where[v], n_lv + j, -1, 1.0, -1) for j, v in enumerate(names[n_lv:])]
    cols = list(zip(*cells))
    ints = [np.array(c, np.int32) for c in (*cols[:4], cols[5])]
    return BlockMap(block, tuple(ov), names, n_lv, ints[0], ints[1], ints[2], ints[3], np.array(cols[4], float), ints[4])


def matrices(m: BlockMap, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Lambda (p, m), Theta (p, p), Psi (m, m), B (m, m), nu (p,), alpha (m,) at the free parameters `x`."""
    p, k = len(m.ov), len(m.lv)
    v = np.where(m.free >= 0, x[m.free], m.value) if x.size else m.value
    out = [np.zeros(s) for s in ((p, k), (p, p), (k, k), (k, k), (p, 1), (k, 1))]
    for slot, a in enumerate(out):
        on = m.slot == slot
        a[m.row[on], m.col[on]] = v[on]
        if slot in (THETA, PSI):
            a[m.col[on], m.row[on]] = v[on]
    return out[0], out[1], out[2], out[3], out[4][:, 0], out[5][:, 0]
