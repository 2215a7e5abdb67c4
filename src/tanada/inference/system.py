"""Henderson's mixed-model equations at an optimum: products with V^-1 that never form an n x n matrix.

Everything is on the scale of the linear predictor: b = Lambda u with u ~ N(0, I), D = minus the second derivative of the log-density
(Gaussian: weights / sigma^2). With M = Lambda'Z'DZ Lambda + I (Bates et al. 2015, eq. 18; Henderson 1975):

    V^-1 = D - D Z Lambda M^-1 Lambda' Z' D          Var(b | y) = Lambda M^-1 Lambda'
    H    = Z'V^-1 X                                  b-hat moves with beta-hat as -Sigma H,  Sigma = Lambda Lambda'

All hold when Lambda is singular. Several linear predictors (conditional, zero inflation, dispersion) are stacked: row i of
predictor a is row a n + i. Cost: one sparse factorisation of M (q x q) and one solve a right-hand side.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from tanada import _core
from tanada.design.matrices import ComponentDesign, RandomDesign
from tanada.engine import family
from tanada.engine.fit import MixedFit, TermEstimate
from tanada.inference.mode_variance import Elimination, eliminate
from tanada.inference.structures import theta_is_relative

Array = NDArray[np.float64]


@dataclass(frozen=True)
class System:
    """The equations of one fit. `curvature` is (n,) for one linear predictor, (n, m, m) for m of them."""

    components: tuple[ComponentDesign, ...]
    terms: tuple[TermEstimate, ...]
    curvature: Array

    @property
    def designs(self) -> tuple[RandomDesign, ...]:
        return tuple(t for c in self.components for t in c.random)

    @property
    def n(self) -> int:
        return int(self.curvature.shape[0])

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """First column of Z of each term, and q at the end."""
        return np.concatenate([[0], np.cumsum([t.modes.size for t in self.terms])]).astype(np.intp)

    @property
    def q(self) -> int:
        return int(self.starts[-1])

    @cached_property
    def X(self) -> Array:
        """(m n, p) fixed-effects matrix, block diagonal over the predictors."""
        if len(self.components) == 1:
            return self.components[0].X
        p = [c.X.shape[1] for c in self.components]
        out = np.zeros((len(p) * self.n, sum(p)))
        at = 0
        for i, c in enumerate(self.components):
            out[i * self.n : (i + 1) * self.n, at : at + p[i]] = c.X
            at += p[i]
        return out

    @cached_property
    def Z(self) -> sparse.csr_matrix:
        """(m n, q) random-effects matrix, columns term by term, level by level."""
        return random_matrix([c.random for c in self.components], self.starts, self.n)

    @cached_property
    def D(self) -> sparse.spmatrix:
        """(m n, m n) curvature of the log-density."""
        if self.curvature.ndim == 1:
            return sparse.diags(self.curvature)
        m = self.curvature.shape[1]
        return sparse.bmat([[sparse.diags(self.curvature[:, a, b]) for b in range(m)] for a in range(m)], format="csr")

    @cached_property
    def factor(self) -> sparse.csc_matrix:
        """Lambda (q, q), block diagonal."""
        return sparse.block_diag(
            [sparse.kron(sparse.eye(t.modes.shape[0]), sparse.csr_matrix(t.factor)) for t in self.terms], format="csc"
        )

    @cached_property
    def M(self) -> sparse.csc_matrix:
        ZL = self.Z @ self.factor
        return (ZL.T @ (self.D @ ZL) + sparse.eye(self.q)).tocsc()

    @cached_property
    def _lu(self) -> splu:
        return splu(self.M, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})

    def solve(self, a: Array) -> Array:
        """Lambda M^-1 Lambda' a for a (q,) or (q, r)."""
        if self.q == 0:
            return np.zeros_like(a)
        return self.factor @ self._lu.solve(np.ascontiguousarray(self.factor.T @ a))

    def v_inverse(self, a: Array) -> Array:
        """V^-1 a for a (m n,) or (m n, r)."""
        Da = self.D @ a
        if self.q == 0:
            return Da
        return Da - self.D @ (self.Z @ self.solve(self.Z.T @ Da))

    @cached_property
    def H(self) -> Array:
        """Z'V^-1 X, (q, p)."""
        return self.Z.T @ self.v_inverse(self.X)

    @cached_property
    def XVX(self) -> Array:
        return self.X.T @ self.v_inverse(self.X)

    def sigma_times(self, a: Array) -> Array:
        """Sigma a, Sigma the covariance of all random effects."""
        return self.factor @ (self.factor.T @ a)

    @cached_property
    def drift(self) -> Array:
        """B = Sigma H (q, p): b-hat is linear in beta-hat with slope -B."""
        return self.sigma_times(self.H)

    def level_blocks(self, a: Array, term: int) -> Array:
        """Rows of a (q, r) that belong to a term, as (L, k, r)."""
        L, k = self.terms[term].modes.shape
        return a[self.starts[term] : self.starts[term + 1]].reshape(L, k, -1)

    @cached_property
    def one_factor(self) -> bool:
        """Whether all terms share the levels of one grouping factor, row by row, so that M is block diagonal by level."""
        first = self.designs[0] if self.designs else None
        return first is not None and all(d is first or np.array_equal(d.codes, first.codes) for d in self.designs)

    @cached_property
    def elimination(self) -> Elimination | None:
        """M^-1 in a form that gives the variances of many rows; None where it would be too large."""
        return eliminate(self)

    def mode_variance(self, Z0: sparse.csr_matrix) -> Array:
        """z' Var(b | y) z for each row z of Z0 (r, q)."""
        r = Z0.shape[0]
        if self.q == 0 or r == 0:
            return np.zeros(r)
        A = sparse.csr_matrix(Z0 @ self.factor)
        if self.elimination is not None:
            return self.elimination.quadratic(A)
        out = np.empty(r)
        for start in range(0, r, 256):
            part = np.ascontiguousarray(A[start : start + 256].T.toarray())
            out[start : start + 256] = np.einsum("ij,ij->j", part, self._lu.solve(part))
        return out

    def linear_variance(self, X0: Array, Z0: sparse.csr_matrix, vcov_beta: Array) -> Array:
        """Var(x'beta-hat + z'b-hat - x'beta - z'b) for rows of X0 (r, p) and Z0 (r, q), beta and b jointly."""
        A = X0 - Z0 @ self.drift if self.q else X0
        return np.einsum("ij,jk,ik->i", A, vcov_beta, A) + self.mode_variance(Z0)


def random_matrix(random: list[tuple[RandomDesign, ...]], starts: NDArray[np.intp], n: int) -> sparse.csr_matrix:
    """Stacked sparse Z of all predictors; rows with level -1 are empty."""
    rows, cols, vals = [], [], []
    number = 0
    for a, terms in enumerate(random):
        for t in terms:
            known = np.flatnonzero(t.codes >= 0)
            base = starts[number] + t.codes[known].astype(np.intp) * t.k
            for j in range(t.k):
                rows.append(known + a * n)
                cols.append(base + j)
                vals.append(t.Z[known, j])
            number += 1
    shape = (len(random) * n, int(starts[-1]))
    if not rows:
        return sparse.csr_matrix(shape)
    return sparse.csr_matrix((np.concatenate(vals), (np.concatenate(rows), np.concatenate(cols))), shape=shape)


def build_system(fit: MixedFit) -> System:
    """The equations of a fit, at its optimum."""
    if theta_is_relative(fit):
        assert fit.sigma is not None
        return System(fit.data.components[:1], fit.terms, fit.data.weights / fit.sigma**2)
    return System(fit.data.components, fit.terms, component_curvature(fit))


def family_of(fit: MixedFit) -> family.FamilyInfo:
    """The response family with the constants of the fit."""
    options = dict(fit.extra.get("family_options") or {})
    if "thresholds" in fit.extra:
        options["categories"] = len(fit.extra["thresholds"]) + 1
    return family.get(fit.family, fit.link, options)


def component_curvature(fit: MixedFit) -> Array:
    """Minus the second derivatives of the log-density in the components' predictors at the modes: (n,) or (n, m, m)."""
    eta, roles = np.asarray(fit.extra["eta"], float), tuple(fit.extra["predictors"])
    info = family_of(fit)
    data = fit.data
    packed = _core.family_evaluate(
        info.name,
        info.link,
        bool(fit.extra["zero_inflated"]),
        list(info.options),
        np.ascontiguousarray(data.y, float),
        np.ascontiguousarray(data.trials, float),
        np.ascontiguousarray(data.weights, float),
        np.ascontiguousarray(eta),
        2,
    )[2]
    assert packed is not None
    m = eta.shape[1]
    at = {pair: j for j, pair in enumerate((a, b) for a in range(m) for b in range(a, m))}
    chosen = [roles.index(c.name) for c in data.components]
    if len(chosen) == 1:
        return -packed[:, at[chosen[0], chosen[0]]]
    return -np.stack([np.stack([packed[:, at[min(a, b), max(a, b)]] for b in chosen], -1) for a in chosen], -2)
