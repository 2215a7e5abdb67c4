"""Covariance structures: factors are factors of the covariance by its formula, pullbacks agree with differences, bounds are reachable."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from tanada import _core

K = 5
RNG = np.random.default_rng(4)
LINE = np.array([[0.0], [0.4], [1.5], [1.9], [3.0]])
PLANE = RNG.uniform(0, 3, (K, 2))
KNOWN = np.cov(RNG.normal(size=(K, 30)))
PLACES = {"ou": LINE, "exp": PLANE, "gau": PLANE, "mat": PLANE}
KINDS = _core.structure_kinds()


def arguments(kind, k=K):
    return kind, k, PLACES.get(kind), KNOWN if kind in ("propto", "equalto") else None, 2 if kind == "rr" else 0


def random_theta(kind, seed=1):
    info = _core.structure_info(*arguments(kind))
    rng = np.random.default_rng(seed)
    lower = np.array([t["lower"] for t in info])
    theta = rng.normal(0.0, 0.7, len(info))
    return np.where(lower == 0.0, 0.3 + np.abs(theta), theta)


def factor(kind, theta):
    return _core.structure_factor(*arguments(kind), theta)


@pytest.mark.parametrize("kind", KINDS)
def test_factor_is_lower_triangular_with_a_diagonal_that_is_not_negative(kind):
    L = factor(kind, random_theta(kind))
    assert np.all(np.triu(L, 1) == 0.0)
    assert np.all(np.diag(L) >= 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_pullback_agrees_with_differences(kind):
    theta = random_theta(kind)
    dL = np.tril(np.random.default_rng(7).normal(size=(K, K)))
    exact = _core.structure_pullback(*arguments(kind), theta, dL)
    step = 1e-6
    for j in range(theta.size):
        shift = np.zeros(theta.size)
        shift[j] = step
        numeric = np.sum(dL * (factor(kind, theta + shift) - factor(kind, theta - shift))) / (2 * step)
        assert exact[j] == pytest.approx(numeric, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_starts_lie_inside_the_bounds_and_give_a_factor(kind):
    info = _core.structure_info(*arguments(kind))
    assert all(t["lower"] <= t["start"] <= t["upper"] for t in info)
    assert factor(kind, np.array([t["start"] for t in info])) is not None


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "equalto"])
def test_zero_standard_deviations_give_a_zero_covariance(kind):
    theta = random_theta(kind)
    if kind in ("us", "rr"):
        theta[:] = 0.0
    else:
        theta[[t["name"].startswith("sd") for t in _core.structure_info(*arguments(kind))]] = 0.0
    assert np.all(factor(kind, theta) == 0.0)


def distances(points):
    return np.linalg.norm(points[:, None, :] - points[None, :, :], axis=2)


def expected_covariance(kind, theta):
    sds = theta[0] if kind in ("ar1", "homcs", "homtoep", "ou", "exp", "gau", "mat") else theta[:K]
    psi = theta[1:] if np.ndim(sds) == 0 else theta[K:]
    if kind in ("ar1", "hetar1"):
        R = (psi[0] / np.sqrt(1 + psi[0] ** 2)) ** np.abs(np.subtract.outer(np.arange(K), np.arange(K)))
    elif kind in ("cs", "homcs"):
        p = special.expit(psi[0])
        R = np.full((K, K), p - (1 - p) / (K - 1))
        np.fill_diagonal(R, 1.0)
    elif kind == "ou":
        R = np.exp(-np.exp(psi[0]) * distances(LINE))
    elif kind == "exp":
        R = np.exp(-distances(PLANE) / np.exp(psi[0]))
    elif kind == "gau":
        R = np.exp(-((distances(PLANE) / np.exp(psi[0])) ** 2))
    else:
        x, nu = distances(PLANE) / np.exp(psi[0]), np.exp(psi[1])
        with np.errstate(invalid="ignore"):
            R = x**nu * special.kv(nu, x) / (2 ** (nu - 1) * special.gamma(nu))
        np.fill_diagonal(R, 1.0)
    return R * np.outer(sds * np.ones(K), sds * np.ones(K))


@pytest.mark.parametrize("kind", ["ar1", "hetar1", "cs", "homcs", "ou", "exp", "gau", "mat"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_covariance_follows_its_formula(kind, seed):
    theta = random_theta(kind, seed)
    L = factor(kind, theta)
    np.testing.assert_allclose(L @ L.T, expected_covariance(kind, theta), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("nu", [0.02, 0.5, 1.5, 2.5, 20.0, 50.0])
def test_matern_at_extreme_distances(nu):
    points = np.array([[0.0], [1e-6], [0.3], [4.0], [60.0]])
    theta = np.array([1.0, 0.0, np.log(nu)])
    L = _core.structure_factor("mat", 5, points, None, 0, theta)
    x = distances(points)
    with np.errstate(all="ignore"):
        R = np.exp(nu * np.log(x) + np.log(special.kve(nu, x)) - x - (nu - 1) * np.log(2) - special.gammaln(nu))
    if L is None:  # numerically singular: two points a millionth of the range apart
        assert nu > 1.0
        return
    off = ~np.eye(5, dtype=bool) & np.isfinite(R)
    np.testing.assert_allclose((L @ L.T)[off], R[off], rtol=1e-8, atol=1e-12)


def test_toeplitz_covariance_depends_on_the_lag_and_reaches_any_positive_definite_one():
    theta = random_theta("homtoep")
    S = factor("homtoep", theta) @ factor("homtoep", theta).T
    for lag in range(K):
        assert np.ptp(np.diagonal(S, lag)) < 1e-12
    # partial autocorrelations of a moving average, from the ratio of determinants
    r = np.array([1.0, 0.45, 0.0, 0.0, 0.0])
    partial = []
    for n in range(1, K):
        R = r[np.abs(np.subtract.outer(np.arange(n), np.arange(n)))]
        partial.append(np.linalg.solve(R, r[1 : n + 1])[-1])
    p = np.array(partial)
    L = factor("homtoep", np.concatenate([[1.0], p / np.sqrt(1 - p**2)]))
    np.testing.assert_allclose((L @ L.T)[0], r, atol=1e-12)


def test_reduced_rank_has_its_rank():
    L = factor("rr", random_theta("rr"))
    assert np.linalg.matrix_rank(L @ L.T) == 2


def test_known_matrices():
    np.testing.assert_allclose(factor("equalto", np.empty(0)) @ factor("equalto", np.empty(0)).T, KNOWN, rtol=1e-10)
    L = factor("propto", np.array([1.7]))
    np.testing.assert_allclose(L @ L.T, 1.7**2 * KNOWN, rtol=1e-10)
    singular = np.outer([1.0, 2.0, 0.0], [1.0, 2.0, 0.0])
    L = _core.structure_factor("equalto", 3, None, singular, 0, np.empty(0))
    np.testing.assert_allclose(L @ L.T, singular, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "k", "coords", "known", "rank", "message"),
    [
        ("ar2", 3, None, None, 0, "unknown covariance structure 'ar2'"),
        ("exp", 3, None, None, 0, "coordinates"),
        ("rr", 3, None, None, 4, "rank"),
        ("propto", 3, None, np.eye(2), 0, "known matrix"),
        ("equalto", 2, None, np.array([[1.0, 2.0], [2.0, 1.0]]), 0, "positive semi-definite"),
        ("equalto", 2, None, np.array([[1.0, 0.5], [0.2, 1.0]]), 0, "symmetric"),
    ],
)
def test_wrong_arguments_are_refused(kind, k, coords, known, rank, message):
    with pytest.raises(ValueError, match=message):
        _core.structure_info(kind, k, coords, known, rank)


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("propto", "equalto")])
def test_one_effect_has_one_parameter(kind):
    coords = np.zeros((1, 1)) if kind in PLACES else None
    assert len(_core.structure_info(kind, 1, coords, None, 1)) == 1
    L = _core.structure_factor(kind, 1, coords, None, 1, np.array([0.7]))
    np.testing.assert_allclose(L, [[0.7]])


def test_large_spatial_structures_use_the_same_formulas():
    points = np.random.default_rng(3).uniform(0, 10, (120, 2))
    theta = np.array([1.2, 0.3])
    L = _core.structure_factor("exp", 120, points, None, 0, theta)
    np.testing.assert_allclose(L @ L.T, 1.44 * np.exp(-distances(points) / np.exp(0.3)), rtol=1e-9, atol=1e-10)
    dL = np.tril(np.random.default_rng(8).normal(size=L.shape))
    exact = _core.structure_pullback("exp", 120, points, None, 0, theta, dL)
    high = _core.structure_factor("exp", 120, points, None, 0, theta + [0, 1e-6])
    low = _core.structure_factor("exp", 120, points, None, 0, theta - [0, 1e-6])
    assert exact[1] == pytest.approx(np.sum(dL * (high - low)) / 2e-6, rel=1e-6)
