"""Standard errors and tests from the asymptotic covariance of sample moments (Satorra & Bentler 1994; Asparouhov & Muthen 2010)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_baseline import n_moments
from tanada.engine.sem_fit import SemFit
from tanada.errors import ModelError
from tanada.inference.sem_tests import ScaledTest
from tanada.inference.sem_vcov import invert
from tanada.semmodel.gamma import Statistics, continuous, normal_weight

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Linearised:
    """One group at the estimates: Jacobian (r, n_free) of its statistics, weight (r, r) times n, covariance of the statistics (r, r)."""

    jacobian: Array
    weight: Array
    cov: Array


def _groups(fit: SemFit) -> list[Linearised]:
    return _least_squares(fit) if fit.sample.kind == "least_squares" else _normal_theory(fit)


def _least_squares(fit: SemFit) -> list[Linearised]:
    out = []
    for k, b in enumerate(fit.table.blocks):
        s: Statistics = fit.sample.statistics[b.number]  # type: ignore[attr-defined]
        W = fit.sample.weights[b.number]  # type: ignore[attr-defined]
        if s.gamma is None:
            raise ModelError("robust standard errors and tests need the raw data.")
        J = np.asarray(fit.built.objective.stats_jacobian(fit.x, k))
        out.append(Linearised(J, s.n * (np.diag(W) if W.ndim == 1 else W), s.gamma / s.n))
    return out


def _normal_theory(fit: SemFit) -> list[Linearised]:
    """ML: the weight is that of normal theory at the implied moments."""
    if fit.sample.kind != "moments":
        raise ModelError(f"estimator='{fit.options.estimator}' needs complete data of one level; use estimator='MLR'.")
    out = []
    means = fit.table.meanstructure
    for k, b in enumerate(fit.table.blocks):
        m = fit.h1.moments[b.number]
        g = fit.sample.data.groups[b.group - 1]
        fixed = sorted({b.roles.ov.index(r.lhs) for r in fit.table.rows if r.exo and r.block == b.number})
        s = continuous(m, means, fit.sample.rows(b), unbiased=False, weights=g.weights, fixed=fixed)  # type: ignore[attr-defined]
        J = np.asarray(fit.built.model.jacobian(k, fit.x))
        p = len(m.mean)
        stars = p * (p + 1) // 2
        J = np.concatenate([J[stars:], J[:stars]]) if means else J[:stars]
        cov, _ = fit.implied(b.number)
        out.append(Linearised(J, s.n * normal_weight(s, np.asarray(np.linalg.inv(cov), float)), s.gamma / s.n if s.gamma is not None else np.zeros(0)))
    return out


def bread(fit: SemFit) -> Array:
    """(K'J'WJK)^-1 expanded to all parameters."""
    A = np.sum([g.jacobian.T @ g.weight @ g.jacobian for g in _groups(fit)], axis=0)
    return invert(A, fit.basis)


def sandwich_vcov(fit: SemFit) -> Array:
    """A^-1 J'W Gamma W J A^-1, which is right whatever the distribution and the weight."""
    E = bread(fit)
    B = np.sum([g.jacobian.T @ g.weight @ g.cov @ g.weight @ g.jacobian for g in _groups(fit)], axis=0)
    return E @ B @ E


def least_squares_vcov(fit: SemFit) -> Array:
    """A^-1: standard errors that take the weight for the inverse covariance of the statistics."""
    return invert(np.asarray(fit.built.objective.expected_information(fit.x)), fit.basis)


def moment_test(fit: SemFit, stat: float, kind: str) -> ScaledTest:
    """Satorra-Bentler, mean-and-variance adjusted, or scaled-and-shifted test.

    Notes
    -----
    With U = W - W J A^-1 J' W and Gamma the covariance of the statistics: scaled by tr(U Gamma) / df; mean and variance adjusted to
    df' = tr(U Gamma)^2 / tr((U Gamma)^2); scaled and shifted to a T + df - a tr(U Gamma), a = sqrt(df / tr((U Gamma)^2)).
    """
    df = n_moments(fit.table) - fit.npar
    groups = _groups(fit)
    E = bread(fit)
    sizes = [len(g.jacobian) for g in groups]
    r = sum(sizes)
    W, G, J = np.zeros((r, r)), np.zeros((r, r)), np.concatenate([g.jacobian for g in groups])
    at = 0
    for g, k in zip(groups, sizes):
        W[at : at + k, at : at + k] = g.weight
        G[at : at + k, at : at + k] = g.cov
        at += k
    UG = W @ G - W @ J @ E @ (J.T @ (W @ G))
    first, second = float(np.trace(UG)), float(np.sum(UG * UG.T))
    if df <= 0 or second <= 0:
        return ScaledTest(kind, stat, df, np.nan, 0.0, np.nan)
    mean_factor = first / df
    if kind == "mean.var.adjusted":
        adjusted = first * first / second
        return ScaledTest(kind, stat * adjusted / first, adjusted, first / adjusted, 0.0, mean_factor)
    if kind == "scaled.shifted":
        a = float(np.sqrt(df / second))
        shift = df - a * first
        return ScaledTest(kind, a * stat + shift, df, 1.0 / a, shift, mean_factor)
    return ScaledTest("satorra.bentler", stat / mean_factor, df, mean_factor, 0.0, mean_factor)
