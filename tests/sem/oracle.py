"""The likelihood of a two-level model as one dense multivariate normal a cluster, missing values left out: slow and plain."""

from __future__ import annotations

import numpy as np


def cluster_loglik(y: np.ndarray, z: np.ndarray, within: tuple, between: tuple, between_index: np.ndarray) -> float:
    """Rows y (n, p) and between-only z (q,) of one cluster; (Sigma, mu) of each block, the between one in the order of `between_index`."""
    n, p = y.shape
    q = z.size
    Sw, mw = within
    Sb, mb = between
    full, mean = np.zeros((p + q, p + q)), np.zeros(p + q)
    full[np.ix_(between_index, between_index)] = Sb
    mean[between_index] = mb
    size = n * p + q
    S, m = np.zeros((size, size)), np.zeros(size)
    for i in range(n):
        a = slice(i * p, (i + 1) * p)
        m[a] = mw + mean[:p]
        S[a, n * p :] = full[:p, p:]
        S[n * p :, a] = full[p:, :p]
        for j in range(n):
            S[a, j * p : (j + 1) * p] = full[:p, :p] + (Sw if i == j else 0.0)
    S[n * p :, n * p :] = full[p:, p:]
    m[n * p :] = mean[p:]
    v = np.concatenate([y.ravel(), z])
    o = ~np.isnan(v)
    d = v[o] - m[o]
    V = S[np.ix_(o, o)]
    return -0.5 * (o.sum() * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + d @ np.linalg.solve(V, d))
