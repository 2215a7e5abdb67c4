"""The maximum likelihood discrepancy of polychoric correlations at least-squares estimates, and its expectation where the model holds."""

from __future__ import annotations

import numpy as np

from tanada.engine.sem_fit import SemFit
from tanada.semmodel.gamma import COVARIANCE, normal_weight


def polychoric_discrepancy(fit: SemFit) -> tuple[float, float]:
    """n F(R, P) of a single group of ordered variables, and tr(W M Gamma M') (Savalei 2021).

    R are the polychoric, P the implied correlations; W is the normal-theory weight of correlations at P, and M = I - J (J'VJ)^-1 J'V
    the projection of the least-squares fit with weight V.
    """
    block = fit.table.blocks[0].number
    sample = fit.sample
    s, V = sample.statistics[block], sample.weights[block]  # type: ignore[attr-defined]
    V = np.diag(V) if V.ndim == 1 else V
    J = np.asarray(fit.built.objective.stats_jacobian(fit.x, 0))
    J = J if fit.basis is None else J @ fit.basis
    M = np.eye(len(J)) - J @ np.linalg.solve(J.T @ V @ J, J.T @ V)
    R, (P, _) = fit.h1.moments[block].cov, fit.implied(block)
    inverse = np.asarray(np.linalg.inv(P), float)
    c = np.flatnonzero(s.kind == COVARIANCE)
    full = normal_weight(s, inverse)
    W = np.zeros_like(full)
    W[np.ix_(c, c)] = full[np.ix_(c, c)]
    F = float(np.linalg.slogdet(P)[1] - np.linalg.slogdet(R)[1] + np.trace(R @ inverse) - len(R))
    return s.n * F, float(np.trace(W @ M @ s.gamma @ M.T))
