"""Small models and data sets that several tests of this folder use."""

from __future__ import annotations

import numpy as np

from tests.sem_core.brute import ALPHA, BETA, LAMBDA, NU, PSI, THETA, Cells


def two_factor(means=True):
    """Six indicators, two factors, the second regressed on the first, one residual covariance, equal labels; 21 or 15 parameters."""
    c = Cells(6, 2)
    c.add(LAMBDA, 0, 0, value=1.0).add(LAMBDA, 3, 1, value=1.0)
    for k, (row, col) in enumerate([(1, 0), (2, 0), (4, 1), (5, 1)]):
        c.add(LAMBDA, row, col, free=k)
    for i in range(6):
        c.add(THETA, i, i, free=4 + min(i, 4))  # the last two share a label
    c.add(THETA, 5, 2, free=9)
    c.add(PSI, 0, 0, free=10).add(PSI, 1, 1, free=11).add(BETA, 1, 0, free=12)
    x = [0.8, 1.2, 0.9, 1.1, 0.5, 0.6, 0.7, 0.8, 0.9, 0.1, 1.3, 0.6, 0.4]
    if means:
        for i in range(6):
            if i not in (0, 3):
                c.add(NU, i, free=13 + len([k for k in range(i) if k not in (0, 3)]))
        c.add(ALPHA, 0, free=17).add(ALPHA, 1, free=18)
        x += [0.1, -0.2, 0.3, 0.4, 1.0, -0.5]
    return c, np.array(x)


def two_level(singular=False):
    """Three row variables at both levels, a fourth within only, two between-only ones.

    Within: a factor of y0..y2 regressed on y3. Between: a factor of the same regressed on z0, z1 free. `singular`: the between
    residual variances are zero, so the between covariance has rank one in y.
    """
    w = Cells(4, 2)
    w.add(LAMBDA, 0, 0, value=1.0).add(LAMBDA, 1, 0, free=0).add(LAMBDA, 2, 0, free=1).add(LAMBDA, 3, 1, value=1.0)
    for i in range(3):
        w.add(THETA, i, i, free=2 + i)
    w.add(PSI, 0, 0, free=5).add(PSI, 1, 1, free=6).add(BETA, 0, 1, free=7).add(ALPHA, 1, free=8)
    b = Cells(5, 3)  # order z1, y2, y0, y1, z0; latent: factor, z0, z1
    b.add(LAMBDA, 2, 0, value=1.0).add(LAMBDA, 3, 0, free=9).add(LAMBDA, 1, 0, free=10)
    b.add(LAMBDA, 4, 1, value=1.0).add(LAMBDA, 0, 2, value=1.0)
    for k, i in enumerate((1, 2, 3)):
        b.add(THETA, i, i, value=0.0) if singular else b.add(THETA, i, i, free=17 + k)
        b.add(NU, i, free=11 + k)
    b.add(PSI, 0, 0, free=14).add(BETA, 0, 1, free=15).add(BETA, 0, 2, free=16)
    b.add(PSI, 1, 1, value=1.2).add(PSI, 2, 2, value=0.8).add(PSI, 1, 2, value=0.3).add(ALPHA, 1, value=0.2).add(
        ALPHA, 2, value=-0.1
    )
    x = [0.9, 1.1, 0.5, 0.7, 0.6, 0.8, 1.1, 0.4, 0.3, 0.7, 1.2, 0.5, -0.3, 0.2, 0.5, 0.3, -0.2]
    if not singular:
        x += [0.1, 0.2, 0.15]
    return w, b, [0, 1, 2, 3], [5, 2, 0, 1, 4], np.array(x)


def clustered(rng, J=12, p=4, q=2, sizes=(1, 2, 3, 3, 5)):
    n = rng.choice(sizes, J)
    code = np.repeat(np.arange(J), n)
    y = rng.normal(size=(len(code), p)) + rng.normal(size=(J, p))[code]
    order = rng.permutation(len(code))
    return np.ascontiguousarray(y[order]), code[order].astype(np.int64), rng.normal(size=(J, q))
