from __future__ import annotations

import numpy as np
import pytest

from tanada import _core
from tests.sem_core import brute


def sample(rng, n, p, share):
    y = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) + rng.normal(size=p) * 3
    y[rng.random(y.shape) < share] = np.nan
    return y


def test_complete_data_give_the_sample_moments():
    y = sample(np.random.default_rng(0), 50, 4, 0.0)
    r = _core.h1_fiml(y)
    np.testing.assert_allclose(r["mean"], y.mean(axis=0), atol=1e-10)
    np.testing.assert_allclose(r["cov"], np.cov(y.T, bias=True), atol=1e-8)
    assert r["converged"]


# 6 variables are finished by Fisher scoring, 22 by EM alone
@pytest.mark.parametrize(("n", "p"), [(150, 6), (600, 22)])
def test_is_a_stationary_point_of_the_dense_likelihood(n, p):
    y = sample(np.random.default_rng(p), n, p, 0.15)
    r = _core.h1_fiml(y)
    assert r["converged"]

    def dense(mean, cov):
        return -0.5 * sum(brute.normal_m2ll(row, mean, cov) for row in y)

    assert r["loglik"] == pytest.approx(dense(r["mean"], r["cov"]), abs=1e-6)
    rng = np.random.default_rng(1)
    L = np.linalg.cholesky(r["cov"])
    for _ in range(3):  # one standard-error-sized push in any direction loses, and loses alike on both sides
        e = L @ rng.normal(size=(p, p)) @ L.T
        e = 0.5 * (e + e.T) * 0.3 / np.sqrt(n)
        u = L @ rng.normal(size=p) * 0.3 / np.sqrt(n)
        up, down = dense(r["mean"] + u, r["cov"] + e), dense(r["mean"] - u, r["cov"] - e)
        assert max(up, down) < r["loglik"]
        assert abs(up - down) < 0.2 * (2 * r["loglik"] - up - down)


def test_scale_of_a_variable():
    y = sample(np.random.default_rng(3), 200, 4, 0.2)
    s = np.array([1.0, 1e4, 1e-3, 1.0])
    a, b = _core.h1_fiml(y), _core.h1_fiml(y * s)
    np.testing.assert_allclose(b["cov"], a["cov"] * np.outer(s, s), rtol=1e-4)
    assert b["loglik"] == pytest.approx(a["loglik"] - (~np.isnan(y)).sum(axis=0) @ np.log(s), abs=1e-5)


def test_a_variable_never_observed_is_refused():
    y = sample(np.random.default_rng(3), 20, 3, 0.0)
    y[:, 1] = np.nan
    with pytest.raises(ValueError, match="no observed values"):
        _core.h1_fiml(y)
