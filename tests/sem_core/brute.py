"""Plain NumPy versions of the SEM likelihoods: dense multivariate normals, no structure used."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

LAMBDA, THETA, PSI, BETA, NU, ALPHA = range(6)


@dataclass
class Cells:
    """Cells of one block; `add` takes a free parameter's position or, with `value`, a fixed number."""

    n_ov: int
    n_lv: int
    rows: list[tuple[int, int, int, int, float]] = field(default_factory=list)

    def add(self, matrix: int, row: int, col: int = 0, free: int = -1, value: float = 0.0) -> Cells:
        self.rows.append((matrix, row, col, free, value))
        return self

    def block(self):
        from tanada import _core

        cols = list(zip(*self.rows)) if self.rows else [[]] * 5
        kinds = (np.int8, np.int32, np.int32, np.int32, np.float64)
        return _core.SemBlock(self.n_ov, self.n_lv, *(np.array(c, dtype=k) for c, k in zip(cols, kinds)))

    def implied(self, x):
        p, m = self.n_ov, self.n_lv
        mats = [
            np.zeros((p, m)),
            np.zeros((p, p)),
            np.zeros((m, m)),
            np.zeros((m, m)),
            np.zeros((p, 1)),
            np.zeros((m, 1)),
        ]
        for matrix, row, col, free, value in self.rows:
            v = x[free] if free >= 0 else value
            mats[matrix][row, col] = v
            if matrix in (THETA, PSI):
                mats[matrix][col, row] = v
        L, T, P, B, nu, al = mats
        A = L @ np.linalg.inv(np.eye(m) - B)
        return A @ P @ A.T + T, (nu + A @ al)[:, 0]


def model(n_free, cells):
    from tanada import _core

    return _core.SemModel(n_free, [c.block() for c in cells])


def normal_m2ll(y, mu, sigma):
    """-2 log-density of one vector; entries that are NaN are left out."""
    o = ~np.isnan(y)
    if not o.any():
        return 0.0
    d, s = (y - mu)[o], sigma[np.ix_(o, o)]
    assert np.linalg.eigvalsh(s).min() > 0
    return o.sum() * np.log(2 * np.pi) + np.linalg.slogdet(s)[1] + d @ np.linalg.solve(s, d)


def cluster_m2ll(y, z, mu_y, mu_z, sw, sb, szz, syz):
    """-2 log-density of one cluster (n x p rows y, q values z): the dense covariance of (z, y_1, ..., y_n)."""
    n, q = len(y), len(z)
    big = (
        np.block(
            [
                [szz, np.tile(syz.T, (1, n))],
                [np.tile(syz, (n, 1)), np.kron(np.ones((n, n)), sb) + np.kron(np.eye(n), sw)],
            ]
        )
        if q
        else np.kron(np.ones((n, n)), sb) + np.kron(np.eye(n), sw)
    )
    return normal_m2ll(np.concatenate([z, y.ravel()]), np.concatenate([mu_z, np.tile(mu_y, n)]), big)


def two_level_moments(within, between, w_index, b_index, p, q, x):
    """(mu_y, mu_z, Sw, Sb, Szz, Syz) with row variables 0..p-1 and between-only ones p..p+q-1."""
    sw0, mw = within.implied(x)
    sb0, mb = between.implied(x)
    sw, full, mu = np.zeros((p, p)), np.zeros((p + q, p + q)), np.zeros(p + q)
    sw[np.ix_(w_index, w_index)] = sw0
    full[np.ix_(b_index, b_index)] = sb0
    mu[w_index] += mw
    mu[b_index] += mb
    return mu[:p], mu[p:], sw, full[:p, :p], full[p:, p:], full[:p, p:]


def two_level_m2ll(within, between, w_index, b_index, y, code, z, x):
    p, q = y.shape[1], z.shape[1]
    mu_y, mu_z, sw, sb, szz, syz = two_level_moments(within, between, w_index, b_index, p, q, x)
    return np.array([cluster_m2ll(y[code == j], z[j], mu_y, mu_z, sw, sb, szz, syz) for j in range(len(z))])


def numerical_gradient(fun, x, h=1e-5):
    out = []
    for k in range(len(x)):
        e = np.zeros(len(x))
        e[k] = h * max(1.0, abs(x[k]))
        out.append((fun(x + e) - fun(x - e)) / (2 * e[k]))
    return np.array(out)
