"""Two-level samples: complete rows in clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada import _core
from tanada.engine.sem_base import H1, Built
from tanada.partable.table import Block, ParameterTable
from tanada.semmodel.clusters import ClusterGroup, cluster_group
from tanada.semmodel.data import SemData
from tanada.semmodel.sample import Moments, normal_loglik

Array = NDArray[np.float64]


class TwoLevelSample:
    """Complete data in clusters (McDonald & Goldstein 1989): moments by cluster size are sufficient."""

    kind = "twolevel"
    likelihood = True

    def __init__(self, data: SemData, table: ParameterTable) -> None:
        self.data, self.table = data, table
        pairs = list(zip(table.blocks[::2], table.blocks[1::2]))
        self.groups: tuple[ClusterGroup, ...] = tuple(cluster_group(data, g, w, b) for g, (w, b) in zip(data.groups, pairs))

    def ov(self, block: Block) -> tuple[str, ...]:
        return block.roles.ov

    def block_n(self, block: Block) -> float:
        g = self.groups[block.group - 1]
        return float(g.y.shape[0] if block.level == 1 else g.n_clusters)

    def objective(self, model: Any, table: ParameterTable, values: Array) -> Any:
        return _core.TwoLevelObjective(model, [g.as_core() for g in self.groups])

    @cached_property
    def _start(self) -> dict[int, tuple[Sequence[str], Moments]]:
        out: dict[int, tuple[Sequence[str], Moments]] = {}
        for g in self.groups:
            w, b = _start_moments(g)
            out[g.within.number] = (g.within.roles.ov, w)
            out[g.between.number] = (g.between.roles.ov, b)
        return out

    def start_moments(self) -> Mapping[int, tuple[Sequence[str], Moments]]:
        return self._start

    @cached_property
    def _h1(self) -> H1:
        loglik, moments = 0.0, {}
        for k, g in enumerate(self.groups):
            ll, w, b = saturated(g, self._start[g.within.number][1], self._start[g.between.number][1], self._single(k))
            loglik += ll
            moments[g.within.number] = w
            moments[g.between.number] = b
        return H1(loglik, moments)

    def _single(self, k: int) -> Any:
        return lambda model: _core.TwoLevelObjective(model, [self.groups[k].as_core()])

    def h1(self) -> H1:
        return self._h1

    def x_loglik(self) -> float:
        """Rows at the total ML covariance for within-only predictors, clusters for between-only ones; a predictor at both levels stays in."""
        out = 0.0
        for g in self.groups:
            both = set(g.within.roles.ov) & set(g.between.roles.ov)
            for b, values, names in ((g.within, g.y, g.within.roles.ov), (g.between, g.z, g.between_only)):
                x = [r.lhs for r in self.table.rows if r.exo and r.block == b.number and r.op == "~~" and r.lhs == r.rhs and r.lhs not in both]
                if x:
                    v = values[:, [names.index(n) for n in x]]
                    d = v - v.mean(axis=0)
                    out += normal_loglik(len(v), d.T @ d / len(v))
        return out

    def scores(self, built: Built, x: Array) -> Array:
        """One row per cluster."""
        return np.concatenate([np.asarray(built.objective.scores(x, k)) for k in range(len(self.groups))])


class TwoLevelFimlSample(TwoLevelSample):
    """Clusters with missing values in rows or in cluster variables."""

    kind = "twolevel_fiml"

    def objective(self, model: Any, table: ParameterTable, values: Array) -> Any:
        return _core.TwoLevelFimlObjective(model, [g.as_core() for g in self.groups])

    def _single(self, k: int) -> Any:
        return lambda model: _core.TwoLevelFimlObjective(model, [self.groups[k].as_core()])


def _start_moments(g: ClusterGroup) -> tuple[Moments, Moments]:
    """Pooled within covariance, and the moment estimate of the between covariance made positive definite."""
    N, p = g.y.shape
    size = np.bincount(g.code, minlength=g.n_clusters).astype(float)
    sums = np.stack([np.bincount(g.code, weights=np.nan_to_num(g.y[:, j]), minlength=g.n_clusters) for j in range(p)], axis=1)
    known = ~np.isnan(g.y)
    if known.all():
        count = np.repeat(size[:, None], p, axis=1)
        filled = g.y
    else:
        count = np.stack([np.bincount(g.code, weights=known[:, j].astype(float), minlength=g.n_clusters) for j in range(p)], axis=1)
        grand = sums.sum(axis=0) / np.maximum(count.sum(axis=0), 1.0)
        means = np.where(count > 0, sums / np.maximum(count, 1.0), grand)
        filled = np.where(known, g.y, means[g.code])
    means = np.where(count > 0, sums / np.maximum(count, 1.0), (sums.sum(axis=0) / np.maximum(count.sum(axis=0), 1.0))[None, :])
    d = filled - means[g.code]
    share = np.clip(known.mean(axis=0), 0.05, 1.0)
    Sw = d.T @ d / max(N - g.n_clusters, 1) / np.sqrt(np.outer(share, share))
    grand = (size[:, None] * means).sum(axis=0) / N
    z = np.where(np.isnan(g.z), np.nanmean(g.z, axis=0), g.z) if g.z.size else g.z
    b = np.concatenate([means, z], axis=1)
    center = np.concatenate([means.mean(axis=0), z.mean(axis=0)])
    e = b - center
    Sb = e.T @ e / g.n_clusters
    s = (N - float((size**2).sum()) / N) / max(g.n_clusters - 1, 1)
    Sb[:p, :p] -= Sw / s
    pick = list(g.between_index)
    Sb = _positive(Sb[np.ix_(pick, pick)], np.concatenate([np.diag(Sw), np.zeros(z.shape[1])])[pick])
    mean_w = np.where(np.isin(g.within_index, g.between_index), 0.0, grand)
    return Moments(N, _positive(Sw, np.diag(Sw)), mean_w), Moments(g.n_clusters, Sb, center[pick])


def _positive(S: Array, reference: Array) -> Array:
    """The nearest correlation structure with eigenvalues of at least 0.05 and variances of at least 2 % of `reference`."""
    d = np.maximum(np.diag(S), np.maximum(0.02 * reference, 1e-12))
    sd = np.sqrt(d)
    R = S / np.outer(sd, sd)
    np.fill_diagonal(R, 1.0)
    w, v = np.linalg.eigh(R)
    if w[0] < 0.05:
        R = (v * np.maximum(w, 0.05)) @ v.T
        r = np.sqrt(np.diag(R))
        R = R / np.outer(r, r)
    return R * np.outer(sd, sd)


def saturated(g: ClusterGroup, w: Moments, b: Moments, objective: Any) -> tuple[float, Moments, Moments]:
    """The unrestricted model of one group: every covariance at both levels and every mean free; its log-likelihood and moments."""
    pw, pb = len(g.within_index), len(g.between_index)
    blocks, start, k = [], [], 0
    only_within = ~np.isin(g.within_index, g.between_index)
    for p, m, free_mean in ((pw, w, only_within), (pb, b, np.ones(pb, bool))):
        i, j = np.tril_indices(p)
        means = np.flatnonzero(free_mean)
        n = i.size + means.size
        slot = np.concatenate([np.full(i.size, 1), np.full(means.size, 4)]).astype(np.int8)
        row = np.concatenate([i, means]).astype(np.int32)
        col = np.concatenate([j, np.zeros(means.size)]).astype(np.int32)
        blocks.append(_core.SemBlock(p, 0, slot, row, col, np.arange(k, k + n, dtype=np.int32), np.zeros(n)))
        start.append(np.concatenate([m.cov[i, j], m.mean[means]]))
        k += n
    model = _core.SemModel(k, blocks)
    free = np.full(k, np.inf)
    f = objective(model)
    out = f.fit(np.concatenate(start), -free, free, max_iterations=1000, tol_gradient=1e-7)
    x = np.asarray(out.x)
    cov_w, mean_w = model.implied(0, x)
    cov_b, mean_b = model.implied(1, x)
    return -0.5 * float(out.value), replace(w, cov=np.asarray(cov_w), mean=np.asarray(mean_w)), replace(b, cov=np.asarray(cov_b), mean=np.asarray(mean_b))
