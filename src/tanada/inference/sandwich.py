"""Cluster-robust covariance of the fixed effects: CR0, CR1 for all models, CR2 for Gaussian ones, by the outermost grouping factor.

Fits by Laplace's approximation or quadrature: V (sum_c s_c s_c') V with V the inverse Hessian in all parameters and s_c the cluster's score
(White 1982; Liang & Zeger 1986). Gaussian models with one residual variance:

CR0 = K (sum_c X_c'V_c^-1 e_c e_c'V_c^-1 X_c) K with K = (X'V^-1X)^-1; CR1 multiplies by G/(G-1); CR2 inflates each
cluster's residuals so that the estimator is exact when the model is right (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018, with V as working
model). The CR2 adjustment (I - Q_c)^-1/2, Q_c = V_c^-1/2 X_c K X_c' V_c^-1/2, acts on the p-dimensional scores as
R (I - R K R)^-1/2 R^+ with R = (X_c'V_c^-1X_c)^1/2, so that no matrix has the size of a cluster.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.engine.glmm_scores import cluster_scores
from tanada.errors import ModelError, did_you_mean
from tanada.inference.structures import theta_is_relative
from tanada.inference.workspace import Workspace

Array = NDArray[np.float64]
KINDS = ("CR0", "CR1", "CR2")


def cluster_vcov(work: Workspace, kind: str, cluster: NDArray[np.intp] | None = None) -> Array:
    """Robust covariance (p, p) of the fixed effects.

    Raises
    ------
    ModelError
        For an unknown kind, a model that is not Gaussian with one residual variance, or random effects that cross the clusters.
    """
    if kind not in KINDS:
        raise ModelError(f"robust = {kind!r} is not a cluster-robust covariance.{did_you_mean(str(kind), KINDS)}")
    codes = outer_clusters(work) if cluster is None else cluster
    if not theta_is_relative(work.fit):
        return _likelihood_vcov(work, kind, codes)
    system = work.system
    X, G = system.X, int(codes.max()) + 1
    e = work.fit.data.y - work.fit.data.components[0].offset - X @ work.beta
    ViX, Vie = system.v_inverse(X), system.v_inverse(e)
    p = X.shape[1]
    scores: Array = np.column_stack([np.bincount(codes, X[:, j] * Vie, minlength=G) for j in range(p)])
    K = np.linalg.inv(system.XVX)
    if kind == "CR2":
        S = np.stack([np.stack([np.bincount(codes, X[:, i] * ViX[:, j], minlength=G) for j in range(p)], -1) for i in range(p)], -2)
        scores = (_adjustments(np.asarray(S, float), np.asarray(K, float)) @ scores[:, :, None])[:, :, 0]
    meat = scores.T @ scores
    out = K @ meat @ K
    return out * G / (G - 1) if kind == "CR1" else out


def _likelihood_vcov(work: Workspace, kind: str, codes: NDArray[np.intp]) -> Array:
    if kind == "CR2":
        raise ModelError("robust = 'CR2' is defined for Gaussian models with one residual variance; 'CR0' and 'CR1' are available here.")
    vcov = np.asarray(work.fit.extra["vcov"], float)
    free = np.flatnonzero(np.isfinite(np.diag(vcov)))
    scores = cluster_scores(work.fit, codes)[:, free]
    V = vcov[np.ix_(free, free)]
    out = np.full_like(vcov, np.nan)
    out[np.ix_(free, free)] = V @ (scores.T @ scores) @ V
    G = int(codes.max()) + 1
    fixed = work.fit.params.index("fixed")
    return out[np.ix_(fixed, fixed)] * (G / (G - 1) if kind == "CR1" else 1.0)


def _adjustments(S: Array, K: Array) -> Array:
    """Matrices (G, p, p) that map a cluster's score to its CR2 score: R (I - R K R)^-1/2 R^+ with R = S_c^1/2."""
    R, inverse = _power(S, 0.5), _power(S, -0.5)
    return R @ _power(R @ inverse - R @ K @ R, -0.5) @ inverse


def _power(S: Array, a: float) -> Array:
    """Symmetric (pseudo-)power of each matrix."""
    w, Q = np.linalg.eigh(0.5 * (S + S.swapaxes(-1, -2)))
    top = np.maximum(w.max(axis=-1, keepdims=True), 1e-300)
    v = np.where(w > 1e-10 * top, np.maximum(w, 1e-300) ** a, 0.0)
    return (Q * v[..., None, :]) @ Q.swapaxes(-1, -2)


def outer_clusters(work: Workspace) -> NDArray[np.intp]:
    """Cluster number of each row: the grouping factor within which all others are nested."""
    designs = work.system.designs
    if not designs:
        raise ModelError("a cluster-robust covariance needs a grouping factor; this model has no random effects.")
    outer = min(designs, key=lambda d: len(d.levels))
    for d in designs:
        pairs = np.unique(np.column_stack([d.codes, outer.codes]), axis=0)
        if len(np.unique(pairs[:, 0])) != len(pairs):
            raise ModelError(
                f"the levels of '{d.group}' are crossed with those of '{outer.group}': there are no independent clusters for a robust covariance."
            )
    return outer.codes.astype(np.intp)
