"""z' Lambda M^-1 Lambda' z for many sparse rows z, without solving for each of them.

The factor with the most effects is eliminated: its part D of M is block diagonal by level. With the rest of M in blocks C (between) and E,

    M^-1 = [D^-1 0; 0 0] + [W; -I] S^-1 [W; -I]',   W = D^-1 C,   S = E - C'D^-1 C,

so a row a = Lambda'z costs a1'D^-1 a1 plus a quadratic form in c = W'a1 - a2, which is short when few levels of the other factors meet
in one level of the first. One grouping factor leaves nothing but D.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

if TYPE_CHECKING:
    from tanada.inference.system import System

Array = NDArray[np.float64]
Positions = NDArray[np.intp]

DENSE_LIMIT = 8000  # largest S held densely (0.5 GB)
CHUNK = 4_000_000  # dense entries at a time


@dataclass(frozen=True)
class Elimination:
    """Positions of the eliminated effects and of the others, D^-1 (q, q), W (q1, q2) and S^-1 (q2, q2)."""

    first: Positions
    rest: Positions
    inverse: sparse.csr_matrix
    W: sparse.csr_matrix
    schur: Array

    def quadratic(self, A: sparse.csr_matrix) -> Array:
        """a' M^-1 a for the rows a of A (r, q)."""
        A = sparse.csr_matrix(A)
        out = np.asarray((A @ self.inverse).multiply(A).sum(axis=1)).ravel()
        if not len(self.rest):
            return out
        c = sparse.csr_matrix(A[:, self.first] @ self.W - A[:, self.rest])
        step = max(1, CHUNK // len(self.rest))
        for start in range(0, c.shape[0], step):
            part = c[start : start + step]
            out[start : start + step] += np.asarray(part.multiply(part @ self.schur).sum(axis=1)).ravel()
        return out


def eliminate(system: System) -> Elimination | None:
    """The elimination of a system; None when the part that is left is too large to be held densely."""
    largest = max(range(len(system.terms)), key=lambda i: system.terms[i].modes.size)
    codes = system.designs[largest].codes
    own = [i for i, d in enumerate(system.designs) if d is system.designs[largest] or np.array_equal(d.codes, codes)]
    L = system.terms[largest].modes.shape[0]
    columns = np.concatenate(
        [system.starts[i] + np.arange(L)[:, None] * len(system.terms[i].names) + np.arange(len(system.terms[i].names)) for i in own], axis=1
    )
    first = np.sort(columns.ravel())
    rest = np.setdiff1d(np.arange(system.q), first).astype(np.intp)
    if len(rest) > DENSE_LIMIT:
        return None
    M = sparse.csr_matrix(system.M)
    inverse = block_inverse(M, columns)
    if not len(rest):
        return Elimination(first, rest, inverse, sparse.csr_matrix((len(first), 0)), np.zeros((0, 0)))
    C = M[first][:, rest]
    W = sparse.csr_matrix(inverse[first][:, first] @ C)
    return Elimination(first, rest, inverse, W, positive_inverse((M[rest][:, rest] - C.T @ W).toarray()))


def block_inverse(M: sparse.csr_matrix, columns: Positions) -> sparse.csr_matrix:
    """Inverse of the diagonal blocks of M whose positions are the rows of `columns` (L, K); zero elsewhere."""
    L, K = columns.shape
    rows, cols = np.repeat(columns, K, axis=1).ravel(), np.tile(columns, (1, K)).ravel()
    blocks = np.asarray(M[rows, cols]).reshape(L, K, K)
    return sparse.csr_matrix((np.linalg.inv(blocks).ravel(), (rows, cols)), shape=M.shape)


def positive_inverse(S: Array) -> Array:
    """Inverse of a symmetric positive definite matrix."""
    factor, status = lapack.dpotrf(S, lower=1)
    if status != 0:
        return np.asarray(np.linalg.inv(S), float)
    inverse, _ = lapack.dpotri(factor, lower=1)
    return np.asarray(np.tril(inverse) + np.tril(inverse, -1).T, float)
