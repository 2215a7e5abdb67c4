"""Fit of incomplete data as complete data would show it: discrepancy of the unrestricted FIML moments, and its bias.

The FIML chi-square shrinks with the share of missing values, so that RMSEA and CFI from it look too good. Zhang & Savalei (2023) take the
complete-data discrepancy between the unrestricted and the implied moments, less the expectation it has where the model holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_fit import SemFit
from tanada.inference.sem_tests import saturated_fit
from tanada.inference.sem_vcov import unit_scores
from tanada.semmodel.gamma import COVARIANCE, Statistics, continuous, normal_weight

Array = NDArray[np.float64]
LARGE = 700  # above so many unrestricted parameters the expected information replaces the observed one


@dataclass(frozen=True)
class Saturated:
    """Information (r, r) of the unrestricted moments in the order of `Statistics`, their covariance, and the complete-data weight times n."""

    information: Array
    cov: Array
    weight: Array


def saturated_information(fit: SemFit, robust: bool) -> Saturated:
    """All groups together, block by block: means, then covariances by columns."""
    full = saturated_fit(fit)
    objective = full.built.objective
    H = np.asarray(objective.expected_information(full.x)) if full.x.size > LARGE else 0.5 * np.asarray(objective.hessian(full.x))
    place, at, weights = np.zeros(full.x.size, int), 0, []
    for b in fit.table.blocks:
        s, where = _statistics(fit, b.number)
        for r in full.table.rows:
            if r.block == b.number and r.free:
                place[r.free - 1] = at + where[frozenset((r.lhs, r.rhs))]
        weights.append(s.n * normal_weight(s, np.asarray(np.linalg.inv(fit.h1.moments[b.number].cov), float)))
        at += s.values.size
    information = np.zeros((at, at))
    information[np.ix_(place, place)] = H
    free = np.sort(place)
    cov = np.zeros((at, at))
    cov[np.ix_(free, free)] = np.linalg.inv(information[np.ix_(free, free)])
    if robust:
        scores = np.zeros((len(unit_scores(full)), at))
        scores[:, place] = unit_scores(full)
        cov = cov @ (scores.T @ scores) @ cov
    W = np.zeros((at, at))
    at = 0
    for w in weights:
        W[at : at + len(w), at : at + len(w)] = w
        at += len(w)
    return Saturated(information, cov, W)


def _statistics(fit: SemFit, block: int) -> tuple[Statistics, dict[frozenset[str], int]]:
    m, ov = fit.h1.moments[block], fit.table.blocks[block - 1].roles.ov
    s = continuous(m, True, None, unbiased=False)
    where = {frozenset((ov[i], ov[j] if k == COVARIANCE else "")): n for n, (k, i, j) in enumerate(zip(s.kind, s.row, s.col))}
    return s, where


def complete_discrepancy(fit: SemFit, h: Saturated) -> tuple[float, float]:
    """n F between the unrestricted and the implied moments, and its expectation where the model holds."""
    total, parts = 0.0, []
    for k, b in enumerate(fit.table.blocks):
        m = fit.h1.moments[b.number]
        cov, mean = fit.implied(b.number)
        inverse, d = np.linalg.inv(cov), m.mean - mean
        total += m.n * float(np.linalg.slogdet(cov)[1] - np.linalg.slogdet(m.cov)[1] + np.trace(m.cov @ inverse) - len(d) + d @ inverse @ d)
        J = np.asarray(fit.built.model.jacobian(k, fit.x))
        stars = len(d) * (len(d) + 1) // 2
        parts.append(np.concatenate([J[stars:], J[:stars]]))
    J = np.concatenate(parts) if fit.basis is None else np.concatenate(parts) @ fit.basis
    A = J.T @ h.information @ J
    M = np.eye(len(J)) - J @ np.linalg.solve(A, J.T @ h.information)
    return total, float(np.trace(h.weight @ M @ h.cov @ M.T))
