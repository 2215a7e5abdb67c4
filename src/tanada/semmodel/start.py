"""Start values: user's, then moments of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tanada.partable.table import Block, ParameterTable, Row
from tanada.semmodel.sample import Moments

Array = NDArray[np.float64]


def start_values(table: ParameterTable, samples: Mapping[int, tuple[Sequence[str], Moments]]) -> Array:
    """A start for every table row (free or not), given the sample moments of each block: {block: (names, moments)}."""
    out = np.zeros(len(table.rows))
    for b in table.blocks:
        names, m = samples[b.number]
        where = {v: i for i, v in enumerate(names)}
        loading, variance = _factor_starts(table, b, where, m.cov)
        means = _latent_means(table, b, where, m.mean)
        for i, r in enumerate(table.rows):
            if r.block == b.number:
                out[i] = _start(r, b, where, m, loading, variance, means)
    _share(table, out)
    return out


def _start(
    r: Row, b: Block, where: Mapping[str, int], m: Moments, loading: Mapping[tuple[str, str], float], variance: Mapping[str, float], means: Mapping[str, float]
) -> float:
    if r.value is not None and not r.free:
        return r.value
    if r.start is not None:
        return r.start
    if r.op == "=~":
        return loading.get((r.lhs, r.rhs), 1.0 if r.rhs not in where else 0.5)
    if r.op == "~~" and r.lhs == r.rhs:
        if r.exo:
            return float(m.cov[where[r.lhs], where[r.lhs]])
        if r.lhs in where:
            return 0.5 * float(m.cov[where[r.lhs], where[r.lhs]])
        return variance.get(r.lhs, 0.05)
    if r.op == "~~":
        return float(m.cov[where[r.lhs], where[r.rhs]]) if r.exo or (r.lhs in b.roles.x and r.rhs in b.roles.x) else 0.0
    if r.op == "~1":
        return float(m.mean[where[r.lhs]]) if r.lhs in where else means.get(r.lhs, 0.0)
    if r.op in ("<~",):
        return 1.0 if r.free else 0.0
    return 0.0


def _factor_starts(table: ParameterTable, b: Block, where: Mapping[str, int], S: Array) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """Loadings and factor variances from the leading eigenvector of each factor's indicators, on the scale set by its fixed loading or variance."""
    loading: dict[tuple[str, str], float] = {}
    variance: dict[str, float] = {}
    by_factor: dict[str, list[Row]] = {}
    fixed_var: dict[str, float] = {}
    for r in table.rows:
        if r.block != b.number:
            continue
        if r.op == "=~":
            by_factor.setdefault(r.lhs, []).append(r)
        elif r.op == "~~" and r.lhs == r.rhs and not r.free and r.value:
            fixed_var[r.lhs] = r.value
    for f, rows in by_factor.items():
        seen = [r for r in rows if r.rhs in where]
        if len(seen) < 2:
            for r in seen:
                v = float(S[where[r.rhs], where[r.rhs]])
                scale = r.value if r.value else (0.7 * np.sqrt(v / fixed_var[f]) if f in fixed_var else 1.0)
                loading[f, r.rhs] = scale
                variance.setdefault(f, 0.5 * v / (scale * scale) if len(rows) > 1 else v / (scale * scale))
            continue
        idx = [where[r.rhs] for r in seen]
        sd = np.sqrt(np.diag(S)[idx])
        R = S[np.ix_(idx, idx)] / np.outer(sd, sd)
        lam = _one_factor(R) * sd
        anchor = next((k for k, r in enumerate(seen) if not r.free and r.value), None)
        if f in fixed_var:
            scale = 1.0 / np.sqrt(fixed_var[f])
            lam = lam * (scale if lam.sum() >= 0 else -scale)
            variance[f] = fixed_var[f]
        elif anchor is not None and abs(lam[anchor]) > 0.1 * sd[anchor]:
            ratio = lam[anchor] / (seen[anchor].value or 1.0)
            lam, variance[f] = lam / ratio, float(ratio * ratio)
        elif anchor is not None:
            variance[f] = 0.3 * float(sd[anchor] ** 2) / (seen[anchor].value or 1.0) ** 2
            lam = np.full(len(seen), 1.0)
        else:
            variance[f] = 1.0
        for r, v in zip(seen, lam):
            loading[f, r.rhs] = float(v)
    return loading, variance


def _one_factor(R: Array) -> Array:
    """Loadings of one factor of a correlation matrix: leading eigenvector of R with its largest row correlations as communalities."""
    k = R.shape[0]
    A = R - np.diag(np.diag(R))
    h = np.abs(A).max(axis=1)
    B = A + np.diag(np.minimum(h, 0.9))
    v = np.sign(A[int(np.argmax(np.abs(A).sum(axis=1)))] + 1e-12)
    v[int(np.argmax(np.abs(A).sum(axis=1)))] = 1.0
    size = 1.0
    for _ in range(20):  # power iterations: a start needs no more digits
        u = B @ v
        size = float(np.sqrt(u @ u))
        if size < 1e-12:
            break
        v = u / size
    lam = v * np.sqrt(max(size, 0.05 * k))
    return np.clip(lam if lam.sum() >= 0 else -lam, -0.95, 0.95)


def _latent_means(table: ParameterTable, b: Block, where: Mapping[str, int], mean: Array) -> dict[str, float]:
    """Means of latent variables whose indicators' intercepts are fixed (growth models): least squares on the fixed loadings."""
    rows = [r for r in table.rows if r.block == b.number]
    wanted = [r.lhs for r in rows if r.op == "~1" and r.free and r.lhs not in where]
    if not wanted:
        return {}
    fixed = {r.lhs: r.value or 0.0 for r in rows if r.op == "~1" and not r.free and r.lhs in where and not r.exo}
    if not fixed:
        return {}
    names = list(fixed)
    L = np.zeros((len(names), len(wanted)))
    for r in rows:
        if r.op == "=~" and r.rhs in fixed and r.lhs in wanted:
            L[names.index(r.rhs), wanted.index(r.lhs)] = r.value if not r.free and r.value is not None else 1.0
    y = np.array([mean[where[v]] - fixed[v] for v in names])
    solution = np.linalg.lstsq(L, y, rcond=None)[0]
    return dict(zip(wanted, solution.tolist()))


def _share(table: ParameterTable, out: Array) -> None:
    """Rows that share a free parameter start at the first one's value."""
    first: dict[int, float] = {}
    for i, r in enumerate(table.rows):
        if r.free:
            out[i] = first.setdefault(r.free, float(out[i]))
