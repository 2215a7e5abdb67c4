from __future__ import annotations

import numpy as np
import pytest

from tanada import _core
from tests.sem_core import brute, cases


def holes(rng, y, share=0.25):
    out = y.copy()
    out[rng.random(y.shape) < share] = np.nan
    return out


@pytest.fixture()
def data():
    cells, x = cases.two_factor()
    sigma, mu = cells.implied(x)
    return np.random.default_rng(0).multivariate_normal(mu, sigma, size=300)


def fiml(y, groups=1):
    cells, x = cases.two_factor()
    return _core.FimlObjective(brute.model(len(x), [cells] * groups), [y] * groups), cells, x


# many patterns of one row; few patterns of many rows
@pytest.mark.parametrize(("rows", "share"), [(40, 0.4), (300, 0.05)])
def test_equals_the_dense_normal(data, rows, share):
    y = holes(np.random.default_rng(1), data[:rows], share)
    y[0] = np.nan
    f, cells, x = fiml(y)
    x = x + 0.05
    sigma, mu = cells.implied(x)
    each = np.array([brute.normal_m2ll(row, mu, sigma) for row in y])
    value, gradient = f.evaluate(x)
    assert value == pytest.approx(each.sum(), abs=1e-8)
    assert f.value(x) == pytest.approx(value, abs=1e-9)
    np.testing.assert_allclose(gradient, brute.numerical_gradient(f.value, x), rtol=1e-6, atol=1e-5)
    scores = f.scores(x)
    np.testing.assert_allclose(scores.sum(axis=0), -0.5 * gradient, atol=1e-9)
    assert (scores[0] == 0).all()

    def by_row(v):
        s, m = cells.implied(v)
        return np.array([brute.normal_m2ll(row, m, s) for row in y])

    np.testing.assert_allclose(scores, -0.5 * brute.numerical_gradient(by_row, x).T, atol=1e-6)


def test_information_by_pattern(data):
    """The sum over rows of J' [V (x) V / 2] J and M' V M of what each row has."""
    y = holes(np.random.default_rng(1), data[:60])
    f, cells, x = fiml(y)
    sigma, mu = cells.implied(x)
    J = brute.numerical_gradient(lambda v: np.concatenate([part.ravel() for part in cells.implied(v)]), x).T
    expected = np.zeros((len(x), len(x)))
    for row in y:
        o = np.flatnonzero(~np.isnan(row))
        V = np.zeros((6, 6))
        V[np.ix_(o, o)] = np.linalg.inv(sigma[np.ix_(o, o)])
        expected += 0.5 * J[:36].T @ np.kron(V, V) @ J[:36] + J[36:].T @ V @ J[36:]
    np.testing.assert_allclose(f.expected_information(x), expected, rtol=1e-6, atol=1e-6)


def test_complete_data_equal_maximum_likelihood(data):
    f, cells, x = fiml(data)
    moments = (len(data), np.cov(data.T, bias=True), data.mean(axis=0))
    ml = _core.MomentObjective(brute.model(len(x), [cells]), [moments])
    assert f.value(x) == pytest.approx(ml.value(x), abs=1e-8)
    np.testing.assert_allclose(f.evaluate(x)[1], ml.evaluate(x)[1], atol=1e-7)
    np.testing.assert_allclose(f.expected_information(x), ml.expected_information(x), rtol=1e-10, atol=1e-8)


def test_fit_and_row_order(data):
    rng = np.random.default_rng(4)
    y = holes(rng, data)
    f, _, x = fiml(y)
    free = np.full(len(x), np.inf)
    out = f.fit(x, -free, free)
    assert out.converged
    assert np.abs(out.gradient).max() < 1e-3
    shuffled, _, _ = fiml(np.ascontiguousarray(y[rng.permutation(len(y))]))
    assert shuffled.value(out.x) == pytest.approx(out.value, abs=1e-8)
    twice, _, _ = fiml(y, groups=2)
    assert twice.value(out.x) == pytest.approx(2 * out.value, abs=1e-8)


def test_infinite_values_are_refused(data):
    data[3, 2] = np.inf
    with pytest.raises(ValueError, match="infinite"):
        fiml(data)
