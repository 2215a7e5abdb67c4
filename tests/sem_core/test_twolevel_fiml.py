from __future__ import annotations

import numpy as np
import pytest

from tanada import _core
from tests.sem_core import brute, cases


def build(y, code, z, singular=False, fiml=True):
    w, b, wi, bi, x = cases.two_level(singular)
    kind = _core.TwoLevelFimlObjective if fiml else _core.TwoLevelObjective
    group = {"y": y, "code": code, "z": z, "within_index": wi, "between_index": bi}
    return kind(brute.model(len(x), [w, b]), [group]), x, (w, b, wi, bi, y, code, z)


def holes(rng, y, share):
    out = y.copy()
    out[rng.random(y.shape) < share] = np.nan
    return out


@pytest.mark.parametrize("singular", [False, True])
@pytest.mark.parametrize("share_z", [0.0, 0.3])
def test_equals_the_dense_normal(singular, share_z):
    rng = np.random.default_rng(2)
    y, code, z = cases.clustered(rng)
    y = holes(rng, y, 0.35)
    y[code == 1] = np.nan  # a cluster of which only z is known
    y[code == 2, 1] = np.nan  # one where a variable is never seen
    z = holes(rng, z, share_z)
    f, x, parts = build(y, code, z, singular)
    value, gradient = f.evaluate(x)
    each = brute.two_level_m2ll(*parts, x)
    assert value == pytest.approx(each.sum(), abs=1e-8)
    np.testing.assert_allclose(gradient, brute.numerical_gradient(f.value, x), rtol=1e-6, atol=1e-5)
    scores = f.scores(x)
    np.testing.assert_allclose(scores.sum(axis=0), -0.5 * gradient, atol=1e-9)
    numeric = brute.numerical_gradient(lambda v: brute.two_level_m2ll(*parts, v), x).T
    np.testing.assert_allclose(scores, -0.5 * numeric, atol=1e-6)


def test_indefinite_between_covariance():
    """A negative between residual variance is legal while the covariance of each cluster is positive definite."""
    rng = np.random.default_rng(2)
    y, code, z = cases.clustered(rng)
    f, x, parts = build(holes(rng, y, 0.2), code, z)
    x[17:] = -0.04
    assert np.linalg.eigvalsh(brute.two_level_moments(*parts[:4], 4, 2, x)[3]).min() < 0
    assert f.value(x) == pytest.approx(brute.two_level_m2ll(*parts, x).sum(), abs=1e-8)
    x[17] = -5.0
    assert f.value(x) == np.inf


@pytest.mark.parametrize("singular", [False, True])
def test_complete_data_equal_the_complete_formula(singular):
    y, code, z = cases.clustered(np.random.default_rng(3), J=30)
    f, x, _ = build(y, code, z, singular)
    g, _, _ = build(y, code, z, singular, fiml=False)
    assert f.value(x) == pytest.approx(g.value(x), abs=1e-8)
    np.testing.assert_allclose(f.evaluate(x)[1], g.evaluate(x)[1], atol=1e-8)
    np.testing.assert_allclose(f.scores(x), g.scores(x), atol=1e-9)
    np.testing.assert_allclose(f.expected_information(x), g.expected_information(x), rtol=1e-9, atol=1e-9)


def test_fit():
    rng = np.random.default_rng(6)
    w, b, wi, bi, x = cases.two_level()
    mu_y, mu_z, sw, sb, szz, syz = brute.two_level_moments(w, b, wi, bi, 4, 2, x)
    J = 150
    code = np.repeat(np.arange(J), rng.integers(3, 9, J)).astype(np.int64)
    joint = rng.multivariate_normal(np.zeros(6), np.block([[szz, syz.T], [syz, sb]]), J)
    y = mu_y + joint[code, 2:] + rng.multivariate_normal(np.zeros(4), sw, len(code))
    f, x, _ = build(holes(rng, y, 0.2), code, mu_z + joint[:, :2])
    free = np.full(len(x), np.inf)
    out = f.fit(x, -free, free)
    assert out.converged
    assert np.abs(out.gradient).max() < 1e-2
    se = np.sqrt(np.diag(np.linalg.inv(f.hessian(out.x) / 2)))
    assert (np.abs(out.x - x) < 4 * se).all()
    order = rng.permutation(len(y))
    shuffled, _, _ = build(
        np.ascontiguousarray(holes(np.random.default_rng(7), y, 0.2)[order]), code[order], mu_z + joint[:, :2]
    )
    same, _, _ = build(holes(np.random.default_rng(7), y, 0.2), code, mu_z + joint[:, :2])
    assert shuffled.value(out.x) == pytest.approx(same.value(out.x), abs=1e-8)


def test_values_stay_honest_far_from_the_data():
    """Huge between variances and nearly singular within ones: the dense value, or inf; never a rounding error that looks like an optimum."""
    rng = np.random.default_rng(11)
    y, code, z = cases.clustered(rng)
    f, x, parts = build(holes(rng, y, 0.2), code, z)
    for scale in (1e2, 1e4, 1e6, 1e9, 1e12, 1e16):
        v = x.copy()
        v[[14, 17, 18, 19]] = np.array([scale, 0.3 * scale, 0.5 * scale, 0.2 * scale])
        value = f.value(v)
        if scale <= 1e9:
            assert value == pytest.approx(brute.two_level_m2ll(*parts, v).sum(), rel=1e-6)
        assert value > 0
    for tiny in (1e-6, 1e-12, 1e-16, 1e-20):
        v = x.copy()
        v[[5, 6]] = tiny
        v[[2, 3, 4]] = tiny
        assert f.value(v) > f.value(x)
