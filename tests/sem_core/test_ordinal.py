from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal, norm

from tanada import _core


@pytest.mark.parametrize("rho", [0.0, 0.5, -0.95, 0.99, -0.9999])
def test_bivariate_normal(rho):
    points = np.array([-np.inf, -3.0, -0.7, 0.0, 0.70001, 2.5, np.inf])
    got = np.array([[_core.bivariate_normal_cdf(a, b, rho) for b in points] for a in points])
    mass = np.diff(np.diff(got, axis=0), axis=1)
    assert mass.sum() == pytest.approx(1.0, abs=1e-14)
    assert mass.min() > -1e-13
    for i, j in [(1, 2), (2, 4), (4, 4), (5, 3)]:
        dense = multivariate_normal.cdf(points[[i, j]], cov=[[1, rho], [rho, 1]], abseps=1e-12, releps=1e-12)
        assert got[i, j] == pytest.approx(dense, abs=1e-9)


def test_normal_quantile():
    p = np.array([1e-12, 1e-5, 0.01, 0.3, 0.5, 0.9, 1 - 1e-9])
    np.testing.assert_allclose([_core.normal_quantile(v) for v in p], norm.ppf(p), rtol=1e-12)


def simulated(n, seed=0):
    """Two ordinal variables (3 and 4 categories), a binary one and two continuous ones."""
    rng = np.random.default_rng(seed)
    R = 0.35 + 0.65 * np.eye(5)
    z = rng.multivariate_normal(np.zeros(5), R, n)
    cuts = [[-0.5, 0.6], [-1.0, 0.0, 0.8], [0.3]]
    cols = [np.digitize(z[:, k], c).astype(float) for k, c in enumerate(cuts)]
    return np.column_stack([*cols, 3 + 2 * z[:, 3], 100 * z[:, 4]]), [3, 4, 2, 0, 0], cuts


def test_correlations_maximise_the_pairwise_likelihood():
    Y, categories, _ = simulated(300)
    r = _core.polychoric(Y, categories)
    assert r["converged"]
    tau = [np.r_[-np.inf, t, np.inf] for t in r["thresholds"][:3]]
    for k in range(3):
        shares = np.cumsum(np.bincount(Y[:, k].astype(int)))[:-1] / len(Y)
        np.testing.assert_allclose(r["thresholds"][k], norm.ppf(shares), atol=1e-12)

    def ordinal(rho):
        table = np.zeros((3, 4))
        np.add.at(table, (Y[:, 0].astype(int), Y[:, 1].astype(int)), 1)
        F = np.array([[_core.bivariate_normal_cdf(a, b, rho) for b in tau[1]] for a in tau[0]])
        return -(table * np.log(np.diff(np.diff(F, axis=0), axis=1))).sum()

    def serial(rho):
        z = (Y[:, 3] - Y[:, 3].mean()) / Y[:, 3].std()
        c, s = Y[:, 1].astype(int), np.sqrt(1 - rho**2)
        return -np.log(norm.cdf((tau[1][c + 1] - rho * z) / s) - norm.cdf((tau[1][c] - rho * z) / s)).sum()

    for fun, (i, j) in [(ordinal, (0, 1)), (serial, (1, 3))]:
        best = minimize_scalar(fun, bounds=(-0.9, 0.9), method="bounded", options={"xatol": 1e-9})
        assert r["correlation"][i, j] == pytest.approx(best.x, abs=1e-6)
    assert r["correlation"][3, 4] == pytest.approx(np.corrcoef(Y[:, 3], Y[:, 4])[0, 1], abs=1e-9)


def test_statistics_follow_the_layout_of_the_objective():
    Y, categories, _ = simulated(300)
    r = _core.polychoric(Y, categories)
    kind, row, col, s = (np.array(r[k]) for k in ("kind", "row", "col", "stats"))
    assert kind.tolist() == [2] * 6 + [1, 1] + [0] * 12
    assert row[:8].tolist() == [0, 0, 1, 1, 1, 2, 3, 4]
    assert col[:6].tolist() == list(range(6))
    cov = np.diag(r["variance"])
    sd = np.sqrt(r["variance"])
    np.testing.assert_allclose(s[(kind == 0) & (row == col)], r["variance"][3:])
    for k in np.flatnonzero((kind == 0) & (row != col)):
        cov[row[k], col[k]] = s[k]
        assert s[k] == pytest.approx(r["correlation"][row[k], col[k]] * sd[row[k]] * sd[col[k]])
    np.testing.assert_allclose(np.diag(cov)[:3], 1.0)


def test_asymptotic_covariance_is_that_of_repeated_samples():
    n, reps = 400, 300
    draws = []
    for seed in range(reps):
        Y, categories, _ = simulated(n, seed + 1)
        draws.append(_core.polychoric(Y, categories, gamma=False)["stats"])
    Y, categories, _ = simulated(20_000, 999)
    gamma = _core.polychoric(Y, categories)["gamma"]
    observed = n * np.cov(np.array(draws).T)
    s = np.sqrt(np.diag(gamma))
    np.testing.assert_allclose(np.sqrt(np.diag(observed)) / s, 1.0, atol=0.17)
    np.testing.assert_allclose(observed / np.outer(s, s), gamma / np.outer(s, s), atol=0.27)
    assert np.linalg.eigvalsh(gamma / np.outer(s, s)).min() > 0


def test_missing_values_use_the_pairs_that_are_there():
    Y, categories, _ = simulated(500)
    Z = Y.copy()
    Z[:100, 0] = np.nan
    r = _core.polychoric(Z, categories)
    part = _core.polychoric(Y[100:], categories)
    assert r["correlation"][1, 3] == pytest.approx(_core.polychoric(Y, categories)["correlation"][1, 3], abs=1e-12)
    np.testing.assert_allclose(r["thresholds"][0], part["thresholds"][0])
    assert np.isfinite(r["gamma"]).all()


@pytest.mark.parametrize(
    ("column", "categories", "message"),
    [
        (np.array([0.0, 2, 2, 0]), 3, "never chosen"),
        (np.array([0.0, 1, 2, 3]), 3, "out of range"),
        (np.array([0.0, 0.5, 1, 1]), 2, "out of range"),
        (np.ones(4), 0, "constant"),
        (np.ones(4), 1, "two categories"),
    ],
)
def test_bad_input_is_named(column, categories, message):
    with pytest.raises(ValueError, match=message):
        _core.polychoric(column[:, None], [categories])
