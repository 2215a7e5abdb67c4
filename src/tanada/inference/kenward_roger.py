"""Kenward & Roger's (1997) adjusted covariance matrix and degrees of freedom for REML fits of Gaussian mixed models.

V is linear in the variance-covariance parameters gamma (the distinct entries of each term's covariance matrix, then sigma^2), with
G_r = dV/d gamma_r. Per term G_r = Z (I x E_r) Z', so everything is made of S = Z'V^-1 Z and H = Z'V^-1 X:

    P_r = -H'E_r H,   Q_rs = H'E_r S E_s H,   tr(V^-1 G_r V^-1 G_s) = tr(S E_r S E_s)

and the residual's parts of R = Z'V^-1 W^-1 V^-1 Z and V^-1 X. Terms that share one grouping factor need S by level only (k x k blocks); otherwise S is
a dense (q, q) matrix. Notation and the F scaling follow Halekoh & Hojsgaard (2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.errors import ModelError
from tanada.inference.structures import linear_directions
from tanada.inference.system import System
from tanada.inference.workspace import Workspace

Array = NDArray[np.float64]

MAX_DENSE = 5000  # random effects in all, when they are not independent between the levels of one factor


@dataclass(frozen=True)
class KenwardRoger:
    """Adjusted covariance `vcov` (p, p), unadjusted `phi` (p, p), P (m, p, p) and the covariance W (m, m) of the variance parameters."""

    vcov: Array
    phi: Array
    P: Array
    W: Array

    def f_test(self, L: Array, beta: Array) -> tuple[float, float, float]:
        """Scaled F, numerator and denominator degrees of freedom of L beta = 0, L (q, p) of full row rank."""
        q = L.shape[0]
        theta = L.T @ np.linalg.solve(L @ self.phi @ L.T, L)
        tp = theta @ self.phi
        TP = np.array([tp @ P @ self.phi for P in self.P])
        trace = np.einsum("rii->r", TP)
        a1 = float(trace @ self.W @ trace)
        a2 = float(np.einsum("rs,rij,sji->", self.W, TP, TP, optimize=True))
        df, scaling = _moments(q, a1, a2)
        Lb = L @ beta
        F = float(Lb @ np.linalg.solve(L @ self.vcov @ L.T, Lb)) / q
        return F * scaling, float(q), df

    def df(self, contrast: Array) -> float:
        """Degrees of freedom of l'beta."""
        return self.f_test(contrast[None, :], np.zeros(len(contrast)))[2]


def _moments(q: int, a1: float, a2: float) -> tuple[float, float]:
    """Denominator degrees of freedom and scale of F, by matching two moments (Kenward & Roger 1997, section 3)."""
    if a2 <= 0:
        return np.inf, 1.0
    B = (a1 + 6 * a2) / (2 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    c1, c2, c3 = (x / (3 * q + 2 * (1 - g)) for x in (g, q - g, q + 2 - g))
    v0, v1, v2 = 1 + c1 * B, 1 - c2 * B, 1 - c3 * B
    v0 = 0.0 if abs(v0) < 1e-10 else v0
    ratio = 1.0 if abs(1 - a2 / q) < 1e-14 and abs(v1) < 1e-14 else (1 - a2 / q) / v1
    rho = ratio**2 * v0 / (q * v2)
    df = 4 + (q + 2) / (q * rho - 1)
    return float(df), 1.0 if abs(df - 2) < 1e-2 else float(df * (1 - a2 / q) / (df - 2))


@dataclass(frozen=True)
class _Parts:
    """Per variance parameter of the random effects: P (m, p, p), E_r H, and traces (m, m), (m,) of S and R."""

    traces: Array
    residual_traces: Array
    residual_self: float
    EH: list[Array]  # each (q, p)


def kenward_roger(work: Workspace) -> KenwardRoger:
    """The adjustment at a REML optimum.

    Raises
    ------
    ModelError
        When a structure's covariance is not linear in its parameters, or when the dense blocks would be too large.
    """
    fit, system = work.fit, work.system
    directions = _directions(fit, system)
    sigma2 = float(fit.sigma or 1.0) ** 2
    inverse_weight = 1.0 / (system.curvature * sigma2)
    shared = system.one_factor or not system.terms
    parts = (
        _by_level(system, directions, sigma2, system.n) if shared else _dense_blocks(system, directions, sigma2, system.n)
    )
    A = system.v_inverse(system.X)
    T = inverse_weight[:, None] * A
    VT = system.v_inverse(T)
    ZVT = system.Z.T @ VT
    m = len(parts.EH) + 1
    p = system.X.shape[1]
    P, Q = np.zeros((m, p, p)), np.zeros((m, m, p, p))
    SEH = [system.Z.T @ system.v_inverse(system.Z @ E) for E in parts.EH]
    for r, E in enumerate(parts.EH):
        P[r] = -system.H.T @ E
        for s in range(m - 1):
            Q[r, s] = E.T @ SEH[s]
        Q[r, -1] = E.T @ ZVT
        Q[-1, r] = Q[r, -1].T
    P[-1], Q[-1, -1] = -A.T @ T, T.T @ VT
    K = np.zeros((m, m))
    K[:-1, :-1] = parts.traces
    K[-1, :-1] = K[:-1, -1] = parts.residual_traces
    K[-1, -1] = parts.residual_self
    return _assemble(fit.vcov_beta, P, Q, K)


def _assemble(phi: Array, P: Array, Q: Array, K: Array) -> KenwardRoger:
    """Expected information of the variance parameters and the adjusted covariance."""
    PhiP = np.einsum("ij,rjk->rik", phi, P)
    info = K - 2 * np.einsum("ij,rsji->rs", phi, Q) + np.einsum("rij,sji->rs", PhiP, PhiP)
    scale = 1.0 / np.sqrt(np.maximum(np.diag(info), 1e-300))
    W = 2 * scale[:, None] * np.linalg.pinv(scale[:, None] * info * scale, hermitian=True) * scale
    U = np.einsum("rs,rsij->ij", W, Q) - np.einsum("rs,rij,sjk->ik", W, P, PhiP, optimize=True)
    vcov = phi + 2 * phi @ (0.5 * (U + U.T)) @ phi
    return KenwardRoger(vcov, phi, P, W)


def _directions(fit: MixedFit, system: System) -> list[tuple[int, Array]]:
    """(term number, E_r) of every variance parameter of the random effects."""
    out = []
    for i, term in enumerate(system.terms):
        E = linear_directions(term.structure, len(term.names))
        if E is None:
            raise ModelError(
                f"Kenward-Roger needs covariance structures that are linear in their parameters; term ({' + '.join(term.names)} | {term.group}) "
                f"has structure '{term.structure}'. Use ddf='satterthwaite'."
            )
        out += [(i, e) for e in E]
    return out


def _expand(system: System, directions: list[tuple[int, Array]]) -> list[Array]:
    """(I x E_r) H as (q, p) for each variance parameter."""
    out = []
    for i, E in directions:
        block = np.zeros_like(system.H)
        rows = slice(system.starts[i], system.starts[i + 1])
        block[rows] = np.einsum("ab,lbp->lap", E, system.level_blocks(system.H, i)).reshape(-1, system.H.shape[1])
        out.append(block)
    return out


def _by_level(system: System, directions: list[tuple[int, Array]], sigma2: float, n: int) -> _Parts:
    """All terms on one factor: S and R are block diagonal, one (K, K) block a level."""
    if not system.terms:
        return _Parts(np.zeros((0, 0)), np.zeros(0), n / sigma2**2, [])
    k = [len(t.names) for t in system.terms]
    at = np.concatenate([[0], np.cumsum(k)])
    Z = np.hstack([d.Z for d in system.designs])
    codes, L, K = system.designs[0].codes, system.terms[0].modes.shape[0], int(at[-1])
    C = np.empty((L, K, K))
    for a in range(K):
        for b in range(a + 1):
            C[:, a, b] = C[:, b, a] = np.bincount(codes, system.curvature * Z[:, a] * Z[:, b], minlength=L)
    F = np.zeros((K, K))
    for i, t in enumerate(system.terms):
        F[at[i] : at[i + 1], at[i] : at[i + 1]] = t.factor
    Mi = np.linalg.inv(F.T @ C @ F + np.eye(K))
    N = F @ Mi @ F.T
    S = C - C @ N @ C
    R = (S - C @ (F @ Mi @ Mi @ F.T) @ C) / sigma2
    E = np.zeros((len(directions), K, K))
    for r, (i, e) in enumerate(directions):
        E[r, at[i] : at[i + 1], at[i] : at[i + 1]] = e
    SE = np.einsum("lab,rbc->rlac", S, E)
    traces = np.einsum("rlab,slba->rs", SE, SE, optimize=True)
    return _Parts(
        traces, np.einsum("rab,lba->r", E, R), (n - L * K + float(np.sum(Mi**2))) / sigma2**2, _expand(system, directions)
    )


def _dense_blocks(system: System, directions: list[tuple[int, Array]], sigma2: float, n: int) -> _Parts:
    """Crossed or nested factors: S and R as dense (q, q) matrices."""
    q = system.q
    if q > MAX_DENSE:
        raise ModelError(
            f"Kenward-Roger would need dense matrices of {q} x {q} (about {3 * 8 * q * q / 1e9:.1f} GB) for these crossed or nested factors; "
            "use ddf='satterthwaite', which agrees closely with this many levels."
        )
    C = (system.Z.T @ (system.D @ system.Z)).toarray()
    F = system.factor
    Mi = np.linalg.inv(system.M.toarray())
    FC = F.T @ C
    S = C - FC.T @ Mi @ FC
    MFC = Mi @ FC
    R = (S - MFC.T @ MFC) / sigma2
    m = len(directions)
    traces, residual = np.empty((m, m)), np.empty(m)
    SE = []
    for i, E in directions:
        rows = slice(system.starts[i], system.starts[i + 1])
        L, k = system.terms[i].modes.shape
        SE.append(np.einsum("qlb,bc->qlc", S[:, rows].reshape(q, L, k), E).reshape(q, L * k))
    for r, (i, E) in enumerate(directions):
        rows = slice(system.starts[i], system.starts[i + 1])
        L, k = system.terms[i].modes.shape
        idx = np.arange(L)
        residual[r] = np.einsum("ab,lba->", E, R[rows, rows].reshape(L, k, L, k)[idx, :, idx, :])
        for s, (j, _) in enumerate(directions):
            other = slice(system.starts[j], system.starts[j + 1])
            traces[r, s] = np.sum(SE[r][other] * SE[s][rows].T)
    return _Parts(traces, residual, (n - q + float(np.sum(Mi**2))) / sigma2**2, _expand(system, directions))
