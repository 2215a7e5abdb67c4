"""Factor scores: expected latent variables given the data, at each level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_fit import SemFit
from tanada.errors import ModelError
from tanada.post.sem_standardized import latent_moments
from tanada.semmodel.clusters import ClusterGroup
from tanada.semmodel.matrices import BlockMap, matrices

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Scores of one group and level: names of the latent variables, one row a unit; `units` are row positions or cluster labels."""

    group: int
    names: tuple[str, ...]
    values: Array
    units: NDArray[np.intp] | tuple[str, ...] | None


def factor_scores(fit: SemFit, level: int = 1, method: str = "regression") -> list[Scores]:
    """Scores by group.

    Parameters
    ----------
    fit : SemFit
    level : 1 or 2
    method : "regression" (expected value given the data; shrunken) or "bartlett" (maximum likelihood of the latent variable)

    Notes
    -----
    Two levels: the cluster part v_j is predicted from the cluster's mean and between-only variables, and rows are scored on y - v_j.
    """
    if method not in ("regression", "bartlett"):
        raise ModelError(f"scores: method = {method!r}; it takes 'regression' or 'bartlett'.")
    if level not in (1, 2) or level > fit.table.n_levels:
        raise ModelError(f"scores: level = {level!r}; this model has level{'s 1 and 2' if fit.table.n_levels > 1 else ' 1 only'}.")
    maps = [m for m in fit.built.maps if m.block.level == level]
    if not any(m.n_lv for m in maps):
        raise ModelError("scores: the model has no latent variable" + (f" at level {level}." if fit.table.n_levels > 1 else "."))
    if fit.table.n_levels > 1:
        return [_two_level(fit, m, level) for m in maps]
    out = []
    for m in maps:
        rows = getattr(fit.sample, "rows", None)
        if rows is None:
            raise ModelError("scores: not available for ordered variables.")
        Y = rows(m.block)
        out.append(Scores(m.block.group, m.lv[: m.n_lv], _score_rows(fit, m, Y, method), fit.sample.data.groups[m.block.group - 1].rows))
    return out


def _loading_moments(fit: SemFit, m: BlockMap) -> tuple[Array, Array, Array, Array]:
    """Covariance of latent with observed variables (n_lv, p), latent means, implied covariance and mean of the observed."""
    lam = matrices(m, fit.x)[0]
    eta, mean = latent_moments(m, fit.x)
    cov, mu = fit.implied(m.block.number)
    return (eta @ lam.T)[: m.n_lv], mean[: m.n_lv], cov, mu


def _score_rows(fit: SemFit, m: BlockMap, Y: Array, method: str) -> Array:
    C, mean, cov, mu = _loading_moments(fit, m)
    if not fit.table.meanstructure:
        mu = Y.mean(axis=0)
    if method == "bartlett":
        return _bartlett(fit, m, Y, mu)
    if not np.isnan(Y).any():
        return mean + (Y - mu) @ np.linalg.solve(cov, C.T)
    out = np.empty((len(Y), len(mean)))
    known = ~np.isnan(Y)
    patterns, which = np.unique(known, axis=0, return_inverse=True)
    for k, o in enumerate(patterns):
        rows = np.flatnonzero(which.ravel() == k)
        out[rows] = mean + (Y[np.ix_(rows, o)] - mu[o]) @ np.linalg.solve(cov[np.ix_(o, o)], C[:, o].T)
    return out


def _bartlett(fit: SemFit, m: BlockMap, Y: Array, mu: Array) -> Array:
    if len(m.lv) > m.n_lv or np.isnan(Y).any():
        raise ModelError("scores: method='bartlett' serves measurement models without observed predictors and with complete data; use 'regression'.")
    lam, theta = matrices(m, fit.x)[:2]
    _, mean = latent_moments(m, fit.x)
    W = np.linalg.solve(theta, lam)
    return mean + np.linalg.solve(lam.T @ W, W.T @ (Y - mu).T).T


def cluster_parts(fit: SemFit, g: ClusterGroup) -> Array:
    """Expected cluster part of every within variable given the cluster's data, (J, p): mu + E[u_j | data].

    Rows enter through A = sum T'W^-1T and r = sum T'W^-1 (y - mu), T picking what is observed; observed between-only variables by regression.
    """
    p, q = g.y.shape[1], g.z.shape[1]
    Sw, mu_w = fit.implied(g.within.number)
    Sb, mu_b = fit.implied(g.between.number)
    slot = {int(k): i for i, k in enumerate(g.between_index)}
    p2 = len(g.between_index)
    L = np.zeros((p, p2))  # picks the cluster part of each row variable from the between variables
    for j in range(p):
        if j in slot:
            L[j, slot[j]] = 1.0
    mu = mu_w + L @ mu_b
    zpos = np.array([slot[p + k] for k in range(q)], int)
    A, r = _row_sums(g, Sw, mu)
    v = np.empty((g.n_clusters, p))
    eye = np.eye(p2)
    for c in range(g.n_clusters):
        seen = zpos[~np.isnan(g.z[c])] if q else zpos
        m0, S = np.zeros(p2), Sb
        if seen.size:
            G = np.linalg.solve(Sb[np.ix_(seen, seen)], Sb[seen]).T
            m0 = G @ (g.z[c][~np.isnan(g.z[c])] - mu_b[seen])
            S = Sb - G @ Sb[seen]
        M = L.T @ A[c] @ L
        t = np.linalg.solve(eye + M @ S, L.T @ (r[c] - A[c] @ (L @ m0)))
        v[c] = mu + L @ (m0 + S @ t)
    return v


def _row_sums(g: ClusterGroup, Sw: Array, mu: Array) -> tuple[Array, Array]:
    J, p = g.n_clusters, g.y.shape[1]
    known = ~np.isnan(g.y)
    A, r = np.zeros((J, p, p)), np.zeros((J, p))
    if known.all():
        W = np.linalg.inv(Sw)
        n = np.bincount(g.code, minlength=J).astype(float)
        sums = np.stack([np.bincount(g.code, weights=g.y[:, j] - mu[j], minlength=J) for j in range(p)], axis=1)
        return n[:, None, None] * W, sums @ W
    patterns, which = np.unique(known, axis=0, return_inverse=True)
    for k, o in enumerate(patterns):
        rows = np.flatnonzero(which.ravel() == k)
        W = np.zeros((p, p))
        W[np.ix_(o, o)] = np.linalg.inv(Sw[np.ix_(o, o)])
        d = np.where(o, g.y[rows] - mu, 0.0)
        n = np.bincount(g.code[rows], minlength=J).astype(float)
        sums = np.stack([np.bincount(g.code[rows], weights=d[:, j], minlength=J) for j in range(p)], axis=1)
        A += n[:, None, None] * W
        r += sums @ W
    return A, r


def _two_level(fit: SemFit, m: BlockMap, level: int) -> Scores:
    g = fit.sample.groups[m.block.group - 1]  # type: ignore[attr-defined]
    v = cluster_parts(fit, g)
    C, mean, cov, mu = _loading_moments(fit, m)
    if level == 1:
        residual = g.y - v[g.code]
        values = _within_scores(residual, C, cov, mean)
        return Scores(m.block.group, m.lv[: m.n_lv], values, fit.sample.data.groups[m.block.group - 1].rows)
    place = {int(k): i for i, k in enumerate(g.between_index)}
    p = g.y.shape[1]
    u = np.zeros((g.n_clusters, len(g.between_index)))
    for k, i in place.items():
        u[:, i] = (v[:, k] if k < p else g.z[:, k - p]) - mu[i]
    if np.isnan(u).any():
        u = np.where(np.isnan(u), 0.0, u)
    values = mean + u @ np.linalg.lstsq(cov, C.T, rcond=1e-12)[0]
    return Scores(m.block.group, m.lv[: m.n_lv], values, g.clusters)


def _within_scores(d: Array, C: Array, cov: Array, mean: Array) -> Array:
    known = ~np.isnan(d)
    if known.all():
        return mean + d @ np.linalg.solve(cov, C.T)
    out = np.empty((len(d), len(mean)))
    patterns, which = np.unique(known, axis=0, return_inverse=True)
    for k, o in enumerate(patterns):
        rows = np.flatnonzero(which.ravel() == k)
        out[rows] = mean + (d[np.ix_(rows, o)] @ np.linalg.solve(cov[np.ix_(o, o)], C[:, o].T) if o.any() else 0.0)
    return out
