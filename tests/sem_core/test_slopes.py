from __future__ import annotations

import numpy as np
import pytest

import tanada as tn
from tanada import _core
from tests.sem_core import brute
from tests.sem_core.brute import ALPHA, BETA, LAMBDA, NU, PSI, THETA, Cells


def growth(singular=False):
    """Within: factor f of y0..y2, y3 regressed on f. Slopes of x0 on f and of x1 on y3. Between (z0, y3, y0, y1, y2, s0, s1): z0 -> s0, y0."""
    w = Cells(4, 2)
    w.add(LAMBDA, 0, 0, value=1.0).add(LAMBDA, 1, 0, free=0).add(LAMBDA, 2, 0, free=1).add(LAMBDA, 3, 1, value=1.0)
    w.add(BETA, 1, 0, free=2).add(PSI, 0, 0, free=3).add(PSI, 1, 1, free=4)
    for i in range(3):
        w.add(THETA, i, i, free=5 + i)
    b = Cells(7, 7)
    for i in range(7):
        b.add(LAMBDA, i, i, value=1.0)
    b.add(BETA, 5, 0, free=8).add(BETA, 2, 0, free=9)
    for k, i in enumerate((0, 1, 2, 3, 4, 5)):
        b.add(PSI, i, i, **({"value": 0.0} if singular and i in (3, 4) else {"free": 10 + k}))
        b.add(ALPHA, i, free=16 + k)
    b.add(PSI, 5, 2, free=22).add(ALPHA, 6, free=23)  # s1 has no variance: a plain regression
    x = [
        0.8,
        1.1,
        0.4,
        0.9,
        0.6,
        0.5,
        0.7,
        0.4,
        0.3,
        -0.2,
        1.2,
        0.3,
        0.4,
        0.2,
        0.25,
        0.15,
        0.1,
        0.2,
        -0.1,
        0.3,
        0.0,
        0.5,
        0.1,
        -0.4,
    ]
    return w, b, [0, 1, 2, 3], [4, 3, 0, 1, 2, 5, 6], np.array(x)


def data(rng, J=10, missing=0.0):
    n = rng.choice([1, 2, 4, 6], J)
    code = rng.permutation(np.repeat(np.arange(J), n)).astype(np.int64)
    y = rng.normal(size=(len(code), 4)) + rng.normal(size=(J, 4))[code]
    y[rng.random(y.shape) < missing] = np.nan
    z = rng.normal(size=(J, 1))
    z[rng.random(z.shape) < missing] = np.nan
    x = np.column_stack([rng.normal(size=len(code)) + 1, rng.integers(0, 2, len(code)).astype(float)])
    return y, code, z, x


def dense(w, b, wi, bi, y, code, z, x, theta):
    """-2 log-likelihood of each cluster: y | x and z as one normal vector."""
    sw, _ = w.implied(theta)
    A = np.zeros((4, 2))
    A[:3, 0] = [1.0, theta[0], theta[1]]
    A[3, 1] = 1.0
    L = A @ np.linalg.inv(np.eye(2) - np.array([[0, 0], [theta[2], 0]]))  # slope 0 acts on f, slope 1 on y3
    full, mu = np.zeros((7, 7)), np.zeros(7)
    s0, m0 = b.implied(theta)
    full[np.ix_(bi, bi)] = s0
    mu[bi] = m0  # order y0..y3, z0, s0, s1
    out = []
    for j in range(len(z)):
        rows = np.flatnonzero(code == j)
        Q = np.vstack([np.hstack([np.eye(4), np.zeros((4, 1)), L * x[i]]) for i in rows])
        Q = np.vstack([np.eye(7)[4], Q])
        cov = Q @ full @ Q.T
        cov[1:, 1:] += np.kron(np.eye(len(rows)), sw)
        out.append(brute.normal_m2ll(np.concatenate([z[j], y[rows].ravel()]), Q @ mu, cov))
    return np.array(out)


def build(parts):
    w, b, wi, bi, theta, y, code, z, x = parts
    group = {"y": y, "code": code, "z": z, "x": x, "within_index": wi, "between_index": bi, "slope_outcome": [0, 1]}
    return _core.TwoLevelSlopeObjective(brute.model(len(theta), [w, b]), [group])


@pytest.mark.parametrize("singular", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_equals_the_dense_normal(singular, missing):
    w, b, wi, bi, theta = growth(singular)
    y, code, z, x = data(np.random.default_rng(4), missing=missing)
    f = build((w, b, wi, bi, theta, y, code, z, x))
    value, gradient = f.evaluate(theta)
    assert value == pytest.approx(dense(w, b, wi, bi, y, code, z, x, theta).sum(), abs=1e-8)
    np.testing.assert_allclose(gradient, brute.numerical_gradient(f.value, theta), rtol=1e-6, atol=1e-5)
    scores = f.scores(theta)
    np.testing.assert_allclose(scores.sum(axis=0), -0.5 * gradient, atol=1e-9)
    numeric = brute.numerical_gradient(lambda v: dense(w, b, wi, bi, y, code, z, x, v), theta).T
    np.testing.assert_allclose(scores, -0.5 * numeric, atol=1e-6)
    np.testing.assert_allclose(f.expected_information(theta), scores.T @ scores, atol=1e-9)


def test_slope_model_of_the_school_survey():
    """read_score on a binary escs with a random slope: lme4 and the wide-format model of lavaan give -33240.1703."""
    d = tn.load_dataset("school_survey")
    x = (d["escs"] > d["escs"].mean()).to_numpy(float)[:, None]
    y = d[["read_score"]].to_numpy(float)
    code = np.unique(d["school_id"], return_inverse=True)[1].astype(np.int64)
    w = Cells(1, 1).add(LAMBDA, 0, 0, value=1.0).add(THETA, 0, 0, free=0)
    b = (
        Cells(2, 0)
        .add(THETA, 0, 0, free=1)
        .add(THETA, 1, 1, free=2)
        .add(THETA, 1, 0, free=3)
        .add(NU, 0, free=4)
        .add(NU, 1, free=5)
    )
    group = {
        "y": y,
        "code": code,
        "z": None,
        "x": x,
        "within_index": [0],
        "between_index": [0, 1],
        "slope_outcome": [0],
    }
    f = _core.TwoLevelSlopeObjective(brute.model(6, [w, b]), [group])
    start = np.array([5000.0, 3000.0, 100.0, 0.0, 500.0, 10.0])
    out = f.fit(start, np.full(6, -np.inf), np.full(6, np.inf))
    assert out.converged
    assert -out.value / 2 == pytest.approx(-33240.1703425692, abs=1e-4)


def test_without_slopes_it_is_two_level_fiml():
    w, b, wi, bi, theta = growth()
    y, code, z, _ = data(np.random.default_rng(5), missing=0.2)
    bb = Cells(5, 5)
    for row in b.rows:
        if row[1] < 5 and row[2] < 5:
            bb.rows.append(row)
    m = brute.model(len(theta), [w, bb])
    group = {"y": y, "code": code, "z": z, "within_index": wi, "between_index": bi[:5]}
    f = _core.TwoLevelFimlObjective(m, [group])
    s = _core.TwoLevelSlopeObjective(m, [group | {"x": np.zeros((len(y), 0)), "slope_outcome": []}])
    assert s.value(theta) == pytest.approx(f.value(theta), abs=1e-9)
    np.testing.assert_allclose(s.evaluate(theta)[1], f.evaluate(theta)[1], atol=1e-9)


def test_missing_regressors_are_refused():
    w, b, wi, bi, theta = growth()
    y, code, z, x = data(np.random.default_rng(5))
    x[0, 0] = np.nan
    with pytest.raises(ValueError, match="random slope"):
        build((w, b, wi, bi, theta, y, code, z, x))
