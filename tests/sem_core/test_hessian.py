"""The exact Hessian against differences of the exact gradient, for a model in which every pair of matrices has a second derivative."""

from __future__ import annotations

import numpy as np
import pytest

from tanada import _core
from tests.sem_core import brute, cases
from tests.sem_core.brute import ALPHA, BETA, LAMBDA, NU, PSI, THETA, Cells


def everything(n_ov=5, first=0, means=True):
    """Three latent variables in a feedback chain, crossed loadings, shared labels, all means; positions from `first`."""
    c = Cells(n_ov, 3)
    k = first
    for i in range(n_ov):
        c.add(LAMBDA, i, i % 3, free=k).add(
            LAMBDA, i, (i + 1) % 3, free=k + 1 if i else k
        )  # a label within the first row
        k += 2
    for i in range(n_ov):
        c.add(THETA, i, i, free=k + i)
    c.add(THETA, 2, 0, free=k + n_ov)
    k += n_ov + 1
    for i, j in [(0, 0), (1, 1), (2, 2), (2, 0)]:
        c.add(PSI, i, j, free=k)
        k += 1
    for i, j in [(1, 0), (2, 1), (0, 2)]:
        c.add(BETA, i, j, free=k)
        k += 1
    if means:
        for i in range(3):
            c.add(ALPHA, i, free=k + i)
        for i in range(n_ov):
            c.add(NU, i, free=k + 3 + i)
        k += 3 + n_ov
    rng = np.random.default_rng(first)
    x = np.concatenate([
        rng.uniform(0.3, 0.9, 2 * n_ov), rng.uniform(0.6, 1.0, n_ov), [0.1], [1.0, 0.8, 0.9, 0.2], rng.uniform(-0.3, 0.3, 3),
        rng.uniform(-0.5, 0.5, 3 + n_ov) if means else [],
    ])  # fmt: skip
    return c, x


def assert_same_hessian(f, x):
    exact, difference = f.hessian(x), f.difference_hessian(x)
    s = np.sqrt(np.abs(np.diag(f.expected_information(x))) + 1e-8)
    np.testing.assert_allclose(exact / np.outer(s, s), difference / np.outer(s, s), atol=2e-3)
    numeric = np.array([brute.numerical_gradient(lambda v, k=k: f.evaluate(v)[1][k], x, h=1e-5) for k in range(len(x))])
    np.testing.assert_allclose(exact / np.outer(s, s), numeric / np.outer(s, s), atol=1e-6)


@pytest.mark.parametrize("means", [True, False])
def test_moments(means):
    c, x = everything(means=means)
    Y = np.random.default_rng(1).normal(size=(40, 5)) @ np.random.default_rng(2).normal(size=(5, 5))
    group = (40, np.cov(Y.T, bias=True), Y.mean(axis=0) if means else None)
    assert_same_hessian(_core.MomentObjective(brute.model(len(x), [c]), [group]), x)


def test_fiml():
    c, x = everything()
    rng = np.random.default_rng(1)
    Y = rng.normal(size=(60, 5))
    Y[rng.random(Y.shape) < 0.25] = np.nan
    assert_same_hessian(_core.FimlObjective(brute.model(len(x), [c]), [Y]), x)


def test_two_levels():
    w, xw = everything(4, means=False)
    b, xb = everything(5, first=len(xw))
    rng = np.random.default_rng(3)
    y, code, _ = cases.clustered(rng, J=30)
    group = {
        "y": y,
        "code": code,
        "z": rng.normal(size=(30, 1)),
        "within_index": [2, 0, 1, 3],
        "between_index": [4, 1, 3, 0, 2],
    }
    x = np.concatenate([xw, xb])
    assert_same_hessian(_core.TwoLevelObjective(brute.model(len(x), [w, b]), [group]), x)


def test_two_groups_and_a_within_only_variable():
    w, b, wi, bi, x = cases.two_level()
    y, code, z = cases.clustered(np.random.default_rng(1), J=25)
    group = {"y": y, "code": code, "z": z, "within_index": wi, "between_index": bi}
    assert_same_hessian(_core.TwoLevelObjective(brute.model(len(x), [w, b, w, b]), [group, group]), x)
