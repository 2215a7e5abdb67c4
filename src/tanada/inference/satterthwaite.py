"""Satterthwaite's degrees of freedom for contrasts of fixed effects in Gaussian mixed models.

For a contrast l: nu = 2 (l'Cl)^2 / (g'Ag), C the covariance of beta-hat, g the gradient of l'Cl in the variance
parameters (theta, log sigma), A their covariance (Giesbrecht & Burns 1985). Several contrasts at once: Fai & Cornelius (1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import ProfiledObjective
from tanada.inference.workspace import Workspace

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Satterthwaite:
    """What the degrees of freedom of every contrast need.

    Attributes
    ----------
    vcov : array (p, p)
        Covariance of the fixed effects.
    jacobian : array (m, p, p)
        Derivative of `vcov` in each free variance parameter.
    variance_vcov : array (m, m)
    dropped : int
        Number of variance parameters left out because they are at a bound.
    """

    vcov: Array
    jacobian: Array
    variance_vcov: Array
    dropped: int

    def df(self, contrast: Array) -> float:
        """Degrees of freedom of l'beta for a contrast l (p,)."""
        var = float(contrast @ self.vcov @ contrast)
        g = np.einsum("p,jpq,q->j", contrast, self.jacobian, contrast)
        spread = float(g @ self.variance_vcov @ g)
        return 2.0 * var**2 / spread if spread > 0 and var > 0 else np.inf

    def f_test(self, L: Array, beta: Array) -> tuple[float, float, float]:
        """F, numerator and denominator degrees of freedom of L beta = 0, L (q, p)."""
        w, Q = np.linalg.eigh(L @ self.vcov @ L.T)
        keep = w > 1e-10 * max(float(w.max(initial=0.0)), 1e-300)
        rows = Q[:, keep].T @ L
        q = rows.shape[0]
        if q == 0:
            return np.nan, 0.0, np.nan
        F = float(np.mean((rows @ beta) ** 2 / w[keep]))
        return F, float(q), fai_cornelius(np.array([self.df(r) for r in rows]))


def fai_cornelius(nu: Array) -> float:
    """Denominator degrees of freedom of a sum of independent squared t statistics with `nu` degrees of freedom each."""
    q = len(nu)
    if q == 1:
        return float(nu[0])
    if np.all(np.isinf(nu)):
        return np.inf
    if np.ptp(nu) < 1e-8:
        return float(nu.mean())
    if np.any(nu <= 2):
        return 2.0
    expectation = float(np.sum(np.where(np.isinf(nu), 1.0, nu / np.where(np.isinf(nu), 1.0, nu - 2))))
    return 2 * expectation / (expectation - q)


def satterthwaite(work: Workspace) -> Satterthwaite:
    """Degrees of freedom machinery at the optimum of a Gaussian fit.

    dC/d theta_j = C [sum over levels H_l' dSigma_j H_l] C with H = Z'V^-1 X comes from the engine, and dC/d log sigma = 2 C. Cost: two
    gradients of the deviance a variance parameter.
    """
    fit, C = work.fit, work.fit.vcov_beta
    jacobian = np.zeros((len(fit.params), *C.shape))
    jacobian[fit.params.index("theta")] = cast(ProfiledObjective, fit.objective).vcov_derivatives(fit.values)
    jacobian[fit.params.index("sigma")] = 2.0 * C
    return Satterthwaite(C, jacobian[work.free_variance], work.variance_vcov, len(work.at_bound))
