from __future__ import annotations

import numpy as np
import pytest

from tanada import _core
from tests.sem_core import brute, cases


def moments_group(S, mean, W=None):
    p = len(S)
    cols, rows = np.triu_indices(p)
    kind = np.r_[np.zeros(len(rows), int), np.ones(p, int)]
    stats = np.r_[S[rows, cols], mean]
    W = np.ones(len(stats)) if W is None else W
    return {
        "stats": stats,
        "weight": W,
        "kind": kind,
        "row": np.r_[rows, np.arange(p)],
        "col": np.r_[cols, np.zeros(p, int)],
    }


@pytest.mark.parametrize("full", [True, False])
def test_value_and_gradient(full):
    cells, x = cases.two_factor()
    rng = np.random.default_rng(0)
    S, mean = np.cov(rng.normal(size=(50, 6)).T), rng.normal(size=6)
    A = rng.normal(size=(27, 27))
    W = A @ A.T if full else rng.random(27) + 0.1
    f = _core.WlsObjective(brute.model(len(x), [cells]), [moments_group(S, mean, W)])
    sigma, mu = cells.implied(x)
    cols, rows = np.triu_indices(6)
    d = np.r_[S[rows, cols], mean] - np.r_[sigma[rows, cols], mu]
    value, gradient = f.evaluate(x)
    assert value == pytest.approx(d @ (W @ d if full else W * d))
    np.testing.assert_allclose(gradient, brute.numerical_gradient(f.value, x), rtol=1e-6, atol=1e-5)
    J = f.stats_jacobian(x)
    np.testing.assert_allclose(f.expected_information(x), J.T @ (W @ J if full else W[:, None] * J), atol=1e-9)


def ordinal_group(x, standardized):
    """Four ordinal variables with two thresholds each (parameters 8-15), a fifth continuous one."""
    rows, cols = zip(*[(i, j) for j in range(5) for i in range(j + 1, 5)], (4, 4))
    kind = [2] * 8 + [1] + [0] * len(rows)
    row = [k // 2 for k in range(8)] + [4, *rows]
    col = [*range(8), 0, *cols]
    r = len(kind)
    group = {"stats": np.linspace(-1, 1, r), "weight": np.linspace(0.5, 2, r), "kind": kind, "row": row, "col": col}
    group |= {"tau_free": list(range(8, 16)), "tau_value": [0.0] * 8}
    if standardized:
        group["standardized"] = [1, 1, 1, 1, 0]
    else:
        group |= {"delta_free": [-1, 16, 17, -1, -1], "delta_value": [0.8, 1.0, 1.0, 1.0, 1.0]}
    return group


def ordinal_model(n_free):
    c = brute.Cells(5, 1)
    for i in range(5):
        c.add(brute.LAMBDA, i, 0, free=i)
        c.add(brute.THETA, i, i, **({"value": 1.0} if i < 4 else {"free": 5}))
    c.add(brute.PSI, 0, 0, value=1.0).add(brute.ALPHA, 0, free=6).add(brute.NU, 4, free=7)
    return c, brute.model(n_free, [c])


@pytest.mark.parametrize("standardized", [True, False])
def test_thresholds_and_scales(standardized):
    n_free = 16 if standardized else 18
    x = np.r_[0.7, 0.9, 1.1, 0.5, 0.8, 1.3, 0.2, 0.4, np.linspace(-1.2, 1.2, 8), [] if standardized else [0.9, 1.2]]
    cells, m = ordinal_model(n_free)
    group = ordinal_group(x, standardized)
    f = _core.WlsObjective(m, [group])

    def stats(v):
        sigma, mu = cells.implied(v)
        d = np.r_[1 / np.sqrt(np.diag(sigma)[:4]), 1.0] if standardized else np.r_[0.8, v[16], v[17], 1.0, 1.0]
        out = []
        for kind, i, j in zip(group["kind"], group["row"], group["col"]):
            out.append([d[i] * d[j % 5] * sigma[i, j % 5], d[i] * mu[i], d[i] * (v[8 + j % 8] - mu[i])][kind])
        return np.array(out)

    np.testing.assert_allclose(f.implied_stats(x), stats(x), atol=1e-13)
    np.testing.assert_allclose(f.stats_jacobian(x), brute.numerical_gradient(stats, x).T, atol=1e-8)
    np.testing.assert_allclose(f.evaluate(x)[1], brute.numerical_gradient(f.value, x), rtol=1e-6, atol=1e-5)


def test_least_squares_recover_a_model_that_holds():
    cells, x = cases.two_factor()
    sigma, mu = cells.implied(x)
    f = _core.WlsObjective(brute.model(len(x), [cells]), [moments_group(sigma, mu)])
    free = np.full(len(x), np.inf)
    out = f.fit(x + 0.1, -free, free)
    assert out.converged
    assert out.value < 1e-10
    np.testing.assert_allclose(out.x, x, atol=1e-4)


def test_sizes_are_checked():
    cells, x = cases.two_factor()
    g = moments_group(np.eye(6), np.zeros(6))
    g["weight"] = np.ones(5)
    with pytest.raises(ValueError, match="differ in size"):
        _core.WlsObjective(brute.model(len(x), [cells]), [g])
