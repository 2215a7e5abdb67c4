from __future__ import annotations

import numpy as np
import pytest

from tanada import _core
from tests.sem_core import brute, cases


def objective(singular=False, seed=1, **kw):
    w, b, wi, bi, x = cases.two_level(singular)
    y, code, z = cases.clustered(np.random.default_rng(seed), **kw)
    group = {"y": y, "code": code, "z": z, "within_index": wi, "between_index": bi}
    return _core.TwoLevelObjective(brute.model(len(x), [w, b]), [group]), x, (w, b, wi, bi, y, code, z)


@pytest.mark.parametrize("singular", [False, True])
def test_equals_the_dense_normal(singular):
    f, x, parts = objective(singular)
    value, gradient = f.evaluate(x)
    each = brute.two_level_m2ll(*parts, x)
    assert value == pytest.approx(each.sum(), abs=1e-8)
    np.testing.assert_allclose(gradient, brute.numerical_gradient(f.value, x), rtol=1e-6, atol=1e-5)
    scores = f.scores(x)
    np.testing.assert_allclose(scores.sum(axis=0), -0.5 * gradient, atol=1e-9)
    numeric = brute.numerical_gradient(lambda v: brute.two_level_m2ll(*parts, v), x).T
    np.testing.assert_allclose(scores, -0.5 * numeric, atol=1e-6)


def test_expected_information_is_the_mean_of_the_observed():
    """Simulating from the model at x, the average Hessian of the value tends to twice the information."""
    w, b, wi, bi, x = cases.two_level()
    rng = np.random.default_rng(5)
    mu_y, mu_z, sw, sb, szz, syz = brute.two_level_moments(w, b, wi, bi, 4, 2, x)
    J = 20_000
    code = np.repeat(np.arange(J), np.tile([2, 4], J // 2)).astype(np.int64)
    joint = rng.multivariate_normal(np.zeros(6), np.block([[szz, syz.T], [syz, sb]]), J)
    y = mu_y + joint[code, 2:] + rng.multivariate_normal(np.zeros(4), sw, len(code))
    f = _core.TwoLevelObjective(
        brute.model(len(x), [w, b]),
        [{"y": y, "code": code, "z": mu_z + joint[:, :2], "within_index": wi, "between_index": bi}],
    )
    expected = f.expected_information(x)
    s = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(0.5 * f.hessian(x) / np.outer(s, s), expected / np.outer(s, s), atol=0.07)


def test_row_order_labels_and_offsets_change_nothing():
    f, x, (w, b, wi, bi, y, code, z) = objective()
    rng = np.random.default_rng(9)
    order, label = rng.permutation(len(y)), rng.permutation(len(z))
    z2 = np.empty_like(z)
    z2[label] = z
    g = {"y": y[order], "code": label[code[order]], "z": z2, "within_index": wi, "between_index": bi}
    f2 = _core.TwoLevelObjective(brute.model(len(x), [w, b]), [g])
    assert f2.value(x) == pytest.approx(f.value(x), abs=1e-9)
    # a large constant costs few digits
    x2 = x.copy()
    x2[[11, 12, 13]] += 1e5
    g = {"y": y + np.array([1e5, 1e5, 1e5, 0]), "code": code, "z": z, "within_index": wi, "between_index": bi}
    assert _core.TwoLevelObjective(brute.model(len(x), [w, b]), [g]).value(x2) == pytest.approx(f.value(x), abs=1e-5)


def test_two_groups_are_the_sum_of_fits():
    f, x, (w, b, wi, bi, y, code, z) = objective()
    y2, code2, z2 = cases.clustered(np.random.default_rng(8))
    g1 = {"y": y, "code": code, "z": z, "within_index": wi, "between_index": bi}
    g2 = {"y": y2, "code": code2, "z": z2, "within_index": wi, "between_index": bi}
    both = _core.TwoLevelObjective(brute.model(len(x), [w, b, w, b]), [g1, g2])
    other = _core.TwoLevelObjective(brute.model(len(x), [w, b]), [g2])
    assert both.value(x) == pytest.approx(f.value(x) + other.value(x), abs=1e-9)
    np.testing.assert_allclose(both.scores(x, 1), other.scores(x, 0), atol=1e-12)


def test_no_between_only_variables():
    w = brute.Cells(2, 0).add(brute.THETA, 0, 0, 0).add(brute.THETA, 1, 1, 1).add(brute.THETA, 1, 0, 2)
    b = brute.Cells(2, 0).add(brute.THETA, 0, 0, 3).add(brute.THETA, 1, 1, 4).add(brute.THETA, 1, 0, 5)
    b.add(brute.NU, 0, 0, 6).add(brute.NU, 1, 0, 7)
    y, code, _ = cases.clustered(np.random.default_rng(2), J=40, p=2)
    f = _core.TwoLevelObjective(
        brute.model(8, [w, b]), [{"y": y, "code": code, "z": None, "within_index": [0, 1], "between_index": [0, 1]}]
    )
    x = np.array([1.0, 1.0, 0.1, 1.0, 1.0, 0.1, 0.0, 0.0])
    dense = brute.two_level_m2ll(w, b, [0, 1], [0, 1], y, code, np.zeros((40, 0)), x).sum()
    assert f.value(x) == pytest.approx(dense, abs=1e-8)
    out = f.fit(x, np.full(8, -np.inf), np.full(8, np.inf))
    assert out.converged
    assert np.abs(out.gradient).max() < 1e-3


def test_statistics():
    f, _, (_, _, _, _, y, code, z) = objective()
    s = f.stats()
    means = np.array([y[code == j].mean(axis=0) for j in range(len(z))])
    np.testing.assert_allclose(s["cluster_means"], means, atol=1e-13)
    e = y - means[code]
    np.testing.assert_allclose(s["within_cov"], e.T @ e / (len(y) - len(z)), atol=1e-13)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"code": np.array([0, 2], dtype=np.int64)}, "no rows"),
        ({"code": np.array([0, 5], dtype=np.int64)}, "outside"),
        ({"y": np.array([[np.nan, 1, 1, 1], [1, 1, 1, 1.0]])}, "not finite"),
        ({"within_index": [0, 1, 2, 2]}, "once"),
        ({"between_index": [5, 2, 0, 1, 1]}, "twice"),
    ],
)
def test_bad_input_is_named(change, message):
    w, b, wi, bi, x = cases.two_level()
    g = {
        "y": np.ones((2, 4)),
        "code": np.array([0, 1], dtype=np.int64),
        "z": np.zeros((3 if message == "no rows" else 2, 2)),
        "within_index": wi,
        "between_index": bi,
    }
    g.update(change)
    with pytest.raises(ValueError, match=message):
        _core.TwoLevelObjective(brute.model(len(x), [w, b]), [g])
