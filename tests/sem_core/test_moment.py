from __future__ import annotations

import numpy as np
import pytest

from tanada import _core
from tests.sem_core import brute, cases


@pytest.fixture()
def sample():
    rng = np.random.default_rng(3)
    return rng.normal(size=(60, 6)) @ rng.normal(size=(6, 6)) * 0.4 + rng.normal(size=6)


def test_implied_moments_and_jacobian(sample):
    cells, x = cases.two_factor()
    m = brute.model(len(x), [cells])
    sigma, mu = m.implied(0, x)
    sigma0, mu0 = cells.implied(x)
    np.testing.assert_allclose(sigma, sigma0, atol=1e-13)
    np.testing.assert_allclose(mu, mu0, atol=1e-13)
    rows, cols = np.triu_indices(6)  # the lower triangle by columns

    def stacked(v):
        s, u = cells.implied(v)
        return np.concatenate([s[cols, rows], u])

    numeric = brute.numerical_gradient(stacked, x).T
    np.testing.assert_allclose(m.jacobian(0, x), numeric, atol=1e-8)


@pytest.mark.parametrize("means", [True, False])
def test_value_gradient_information(sample, means):
    cells, x = cases.two_factor(means)
    n, ybar = len(sample), sample.mean(axis=0)
    S = (sample - ybar).T @ (sample - ybar) / n
    f = _core.MomentObjective(brute.model(len(x), [cells]), [(n, S, ybar if means else None)])
    sigma, mu = cells.implied(x)
    dense = sum(brute.normal_m2ll(row, mu if means else ybar, sigma) for row in sample)
    value, gradient = f.evaluate(x)
    assert value == pytest.approx(dense, abs=1e-8)
    assert f.value(x) == value
    np.testing.assert_allclose(gradient, brute.numerical_gradient(f.value, x), rtol=1e-6, atol=1e-5)
    # the information is n [D' (V (x) V) D / 2 + M' V M] over the full vec
    J = f_jacobian_vec(cells, x)
    V = np.linalg.inv(sigma)
    expected = 0.5 * n * J[:36].T @ np.kron(V, V) @ J[:36]
    if means:
        expected += n * J[36:].T @ V @ J[36:]
    np.testing.assert_allclose(f.expected_information(x), expected, rtol=1e-6, atol=1e-6)
    numeric = np.array([brute.numerical_gradient(lambda v, k=k: f.evaluate(v)[1][k], x) for k in range(len(x))])
    np.testing.assert_allclose(f.hessian(x), numeric, rtol=1e-4, atol=1e-3)
    scores = f.scores(x, 0, np.ascontiguousarray(sample))
    np.testing.assert_allclose(scores.sum(axis=0), -0.5 * gradient, atol=1e-9)


def f_jacobian_vec(cells, x):
    return brute.numerical_gradient(lambda v: np.concatenate([part.ravel() for part in cells.implied(v)]), x).T


def test_fit_reaches_a_stationary_point():
    cells, x = cases.two_factor()
    rng = np.random.default_rng(0)
    sigma, mu = cells.implied(x)
    data = rng.multivariate_normal(mu, sigma, size=400)
    S = np.cov(data.T, bias=True)
    f = _core.MomentObjective(brute.model(len(x), [cells]), [(400, S, data.mean(axis=0))])
    free = np.full(len(x), np.inf)
    out = f.fit(x, -free, free)
    assert out.converged
    assert np.abs(out.gradient).max() < 1e-3
    assert out.value <= f.value(x)
    assert out.iterations < 20


def test_two_groups_add_up_and_equalities_by_basis():
    cells, x = cases.two_factor()
    d = len(x)
    second = brute.Cells(
        cells.n_ov, cells.n_lv, [(a, b, c, e + d if e >= 0 else -1, v) for a, b, c, e, v in cells.rows]
    )
    rng = np.random.default_rng(0)
    sigma, mu = cells.implied(x)
    data = rng.multivariate_normal(mu, sigma, size=400)
    groups = [(len(s), np.cov(s.T, bias=True), s.mean(axis=0)) for s in (data[:150], data[150:] + 0.3)]
    both = _core.MomentObjective(brute.model(2 * d, [cells, second]), groups)
    single = [_core.MomentObjective(brute.model(d, [cells]), [g]) for g in groups]
    assert both.value(np.tile(x, 2)) == pytest.approx(sum(f.value(x) for f in single), abs=1e-9)
    shared = _core.MomentObjective(brute.model(d, [cells, cells]), groups)
    free = np.full(d, np.inf)
    a = shared.fit(x, -free, free)
    b = both.fit(x, -free, free, basis=np.vstack([np.eye(d), np.eye(d)]), offset=np.zeros(2 * d))
    assert b.value == pytest.approx(a.value, abs=1e-6)
    np.testing.assert_allclose(b.x, np.tile(a.x, 2), atol=1e-3)


def test_scale_of_a_variable_changes_nothing():
    cells, x = cases.two_factor()
    rng = np.random.default_rng(0)
    sigma, mu = cells.implied(x)
    data = rng.multivariate_normal(mu, sigma, size=400)
    # the covariance of y2 and y5 and the shared residual variance tie y4 to y5 only: rescale y1
    free = np.full(len(x), np.inf)
    values = []
    for k in (1.0, 1e3, 1e-3):
        d = data * np.array([1, k, 1, 1, 1, 1])
        f = _core.MomentObjective(brute.model(len(x), [cells]), [(400, np.cov(d.T, bias=True), d.mean(axis=0))])
        start = x.copy()
        start[0] *= k
        start[5] *= k**2
        start[13] *= k
        out = f.fit(start, -free, free)
        assert out.converged
        values.append(out.value - 2 * 400 * np.log(k))
    np.testing.assert_allclose(values, values[0], atol=1e-6)


def test_impossible_moments_are_a_status_not_an_exception():
    cells, x = cases.two_factor()
    f = _core.MomentObjective(brute.model(len(x), [cells]), [(60, np.eye(6), np.zeros(6))])
    x[4] = -5.0
    value, gradient = f.evaluate(x)
    assert value == np.inf
    assert np.isnan(gradient).all()
    assert np.isnan(f.expected_information(x)).all()
    with pytest.raises(ValueError, match="length"):
        f.value(x[:-1])
