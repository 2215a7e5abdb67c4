"""Unconstrained coordinates of a mixed model in which a standard deviation or a correlation is a coordinate of its own.

A term's covariance is D R R' D: D holds signed standard deviations, R is the Cholesky factor of a correlation matrix built from partial correlations
tanh(z) (Lewandowski, Kurowicka & Joe 2009), the first of which is a plain correlation; effects are permuted to put any pair first. The likelihood does
not depend on the sign of a standard deviation (a sign change of the effect), so no bound is needed and zero is an interior point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit, TermEstimate
from tanada.errors import ModelError
from tanada.inference.structures import theta_is_relative

Array = NDArray[np.float64]
Index = NDArray[np.intp]

SUPPORTED = ("us", "diag", "homdiag")


@dataclass(frozen=True)
class TermCoordinates:
    """Where the coordinates of one term stand, and the order of its effects."""

    structure: str
    k: int
    order: Index
    first: int
    theta: Index

    @property
    def sd_count(self) -> int:
        return 1 if self.structure == "homdiag" else self.k

    @property
    def count(self) -> int:
        return self.sd_count + (self.k * (self.k - 1) // 2 if self.structure == "us" else 0)

    def factor(self, q: Array) -> Array:
        """Lower-triangular factor (k, k) on the scale of the linear predictor, diagonal >= 0, from this term's coordinates."""
        sd = np.full(self.k, q[0]) if self.structure == "homdiag" else q[: self.k]
        if self.structure != "us":
            return np.diag(np.abs(sd))
        L = sd[:, None] * correlation_factor(np.tanh(q[self.k :]), self.k)
        if not np.array_equal(self.order, np.arange(self.k)):
            rows = np.empty_like(L)
            rows[self.order] = L
            L = np.asarray(np.linalg.qr(rows.T, mode="r"), float).T
        signs = np.where(np.diag(L) < 0, -1.0, 1.0)
        return np.tril(L * signs)

    def theta_of(self, q: Array) -> Array:
        L = self.factor(q)
        if self.structure == "diag":
            return np.diag(L).copy()
        if self.structure == "homdiag":
            return L[:1, 0].copy()
        c, r = np.triu_indices(self.k)
        return L[r, c]

    def from_cov(self, cov: Array) -> Array:
        """Coordinates of a covariance matrix; correlations of zero where an effect has no variance."""
        sd = np.sqrt(np.maximum(np.diag(cov), 0.0))
        if self.structure == "homdiag":
            return sd[:1]
        if self.structure == "diag":
            return sd
        ordered = cov[np.ix_(self.order, self.order)]
        s = sd[self.order]
        with np.errstate(divide="ignore", invalid="ignore"):
            R = np.where(np.outer(s, s) > 0, ordered / np.outer(s, s), np.eye(self.k))
        np.fill_diagonal(R, 1.0)
        return np.concatenate([s, np.arctanh(np.clip(partial_correlations(R), -1 + 1e-7, 1 - 1e-7))])


def correlation_factor(partial: Array, k: int) -> Array:
    """Cholesky factor of the correlation matrix with canonical partial correlations `partial`, row by row: (1,0), (2,0), (2,1), ..."""
    L = np.zeros((k, k))
    L[0, 0] = 1.0
    at = 0
    for i in range(1, k):
        rest = 1.0
        for j in range(i):
            L[i, j] = partial[at] * np.sqrt(rest)
            rest = max(rest - L[i, j] ** 2, 0.0)
            at += 1
        L[i, i] = np.sqrt(rest)
    return L


def partial_correlations(R: Array) -> Array:
    """The inverse of `correlation_factor`, for positive semidefinite R."""
    k = len(R)
    L = np.zeros((k, k))
    out = []
    for i in range(k):
        rest = 1.0
        for j in range(i):
            below = R[i, j] - L[i, :j] @ L[j, :j]
            L[i, j] = below / L[j, j] if L[j, j] > 1e-8 else 0.0
            out.append(L[i, j] / np.sqrt(rest) if rest > 1e-14 else 0.0)
            rest = max(rest - L[i, j] ** 2, 0.0)
        L[i, i] = np.sqrt(rest)
    return np.array(out)


@dataclass(frozen=True)
class Coordinates:
    """All variance parameters (and, for other engines than the profiled one, the fixed effects) as unconstrained coordinates.

    `free` are the positions in `MixedFit.values` that stand as they are; then come the terms' coordinates.
    """

    fit: MixedFit
    free: Index
    terms: tuple[TermCoordinates, ...]
    relative: bool

    @property
    def size(self) -> int:
        return len(self.free) + sum(t.count for t in self.terms)

    def start(self) -> Array:
        parts = [np.asarray(self.fit.values, float)[self.free]]
        parts += [t.from_cov(e.cov) for t, e in zip(self.terms, self.fit.terms, strict=True)]
        return np.concatenate(parts)

    def values(self, q: Array) -> Array:
        """Parameters on the engine's scale."""
        out = np.array(self.fit.values, float)
        out[self.free] = q[: len(self.free)]
        scale = float(np.exp(out[self.fit.params.index("sigma")[0]])) if self.relative else 1.0
        for t in self.terms:
            out[t.theta] = t.theta_of(q[t.first : t.first + t.count]) / scale
        return out

    def pull_back(self, q: Array, gradient: Array) -> Array:
        """Gradient in q from the gradient in the engine's parameters; Jacobians of the terms by central differences."""
        values = self.values(q)
        out = np.zeros(self.size)
        out[: len(self.free)] = gradient[self.free]
        scale = 1.0
        if self.relative:
            sigma = int(self.fit.params.index("sigma")[0])
            scale = float(np.exp(values[sigma]))
            theta = np.concatenate([t.theta for t in self.terms]) if self.terms else np.zeros(0, np.intp)
            out[list(self.free).index(sigma)] -= float(gradient[theta] @ values[theta])
        for t in self.terms:
            own = q[t.first : t.first + t.count]
            for j in range(t.count):
                h = 1e-6 * max(abs(own[j]), 1e-2)
                up, down = own.copy(), own.copy()
                up[j] += h
                down[j] -= h
                out[t.first + j] = float(gradient[t.theta] @ (t.theta_of(up) - t.theta_of(down))) / (2 * h * scale)
        return out


def coordinates(fit: MixedFit, with_fixed: bool, order: dict[int, Index] | None = None) -> Coordinates:
    """Coordinates of a fit.

    Parameters
    ----------
    fit : MixedFit
    with_fixed : bool
        Whether the fixed effects are among them.
    order : dict, optional
        Order of the effects of a term, by its number.

    Raises
    ------
    ModelError
        For covariance structures that are not free standard deviations and correlations.
    """
    for t in fit.terms:
        if t.structure not in SUPPORTED:
            raise ModelError(
                f"profile intervals of standard deviations are for unstructured and diagonal terms, not for '{t.structure}'; use method='wald' or 'boot'."
            )
    theta, fixed = fit.params.index("theta"), fit.params.index("fixed")
    drop = np.concatenate([theta, np.zeros(0, np.intp) if with_fixed else fixed])
    free = np.setdiff1d(np.arange(len(fit.params)), drop).astype(np.intp)
    first, terms = len(free), []
    for number, t in enumerate(fit.terms):
        terms.append(_term(t, first, (order or {}).get(number)))
        first += terms[-1].count
    return Coordinates(fit, free, tuple(terms), theta_is_relative(fit))


def _term(t: TermEstimate, first: int, order: Index | None) -> TermCoordinates:
    k = len(t.names)
    return TermCoordinates(t.structure, k, np.arange(k, dtype=np.intp) if order is None else order, first, t.theta_index)
