"""The Laplace engine of the core against dense matrices and differences, and its invariances."""

import numpy as np
import pytest

from tests.engine.glmm_cases import NAMES, Case, build, grouping, numeric_gradient


@pytest.mark.parametrize("kind", NAMES)
def test_deviance_equals_dense_laplace(kind):
    case, psi = build(kind)
    value, _, status = case.engine().evaluate(psi)
    assert status == "ok"
    assert value == pytest.approx(case.laplace(psi), abs=1e-8)


@pytest.mark.parametrize("kind", NAMES)
def test_gradient_equals_differences(kind):
    case, psi = build(kind, seed=2)
    engine = case.engine()
    _, gradient, _ = engine.evaluate(psi)
    numeric = numeric_gradient(lambda x: engine.evaluate(x)[0], psi, 1e-5)
    np.testing.assert_allclose(gradient, numeric, rtol=2e-6, atol=2e-5)


@pytest.mark.parametrize("kind", ["logit slope", "poisson crossed slope", "nbinom2"])
def test_gradient_at_singular_templates(kind):
    case, psi = build(kind, seed=3)
    psi[case.p :] = 0.0
    psi[case.p] = 0.7  # the slope variance and the correlation are zero
    engine = case.engine()
    value, gradient, status = engine.evaluate(psi)
    assert status == "ok"
    assert value == pytest.approx(case.laplace(psi), abs=1e-8)
    np.testing.assert_allclose(
        gradient, numeric_gradient(lambda x: engine.evaluate(x)[0], psi, 1e-5), rtol=2e-6, atol=2e-5
    )


def test_laplace_of_a_gaussian_model_is_exact():
    rng = np.random.default_rng(4)
    n = 50
    X = np.column_stack([np.ones(n), rng.normal(size=n)])
    g = grouping(rng, n, 6)
    y = X @ [1.0, 0.5] + rng.normal(size=6)[g] + rng.normal(size=n)
    case = Case(
        "gaussian",
        y,
        [(X, np.zeros(n), 0), (np.ones((n, 1)), np.zeros(n), 2)],
        [{"predictor": 0, "codes": g, "levels": 6, "Z": X, "kind": "us"}],
    )
    psi = np.array([0.8, 0.4, -0.1, 0.9, 0.3, 0.4])
    L = np.array([[0.9, 0.0], [0.3, 0.4]])
    Z = np.zeros((n, 12))
    for i in range(n):
        Z[i, 2 * g[i] : 2 * g[i] + 2] = X[i]
    V = Z @ np.kron(np.eye(6), L @ L.T) @ Z.T + np.exp(-0.2) * np.eye(n)
    e = y - X @ psi[:2]
    exact = n * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + e @ np.linalg.solve(V, e)
    assert case.engine().evaluate(psi)[0] == pytest.approx(exact, abs=1e-9)


def test_reml_of_a_gaussian_model_is_exact():
    rng = np.random.default_rng(5)
    n = 40
    X = np.column_stack([np.ones(n), rng.normal(size=n)])
    g = grouping(rng, n, 6)
    y = X @ [1.0, 0.5] + rng.normal(size=6)[g] + rng.normal(size=n)
    terms = [
        {"predictor": 0, "codes": g, "levels": 6, "Z": np.ones((n, 1)), "kind": "us"},
        {"predictor": 0, "codes": np.zeros(n, np.int32), "levels": 1, "Z": X, "kind": "us", "flat": True},
    ]
    case = Case("gaussian", y, [(np.zeros((n, 0)), np.zeros(n), 0), (X, np.zeros(n), 0)], terms)
    psi = np.array([-0.1, 0.2, 0.8])
    V = 0.64 * np.equal.outer(g, g) + np.diag(np.exp(2 * (X @ psi[:2])))
    Vi = np.linalg.inv(V)
    A = X.T @ Vi @ X
    e = y - X @ np.linalg.solve(A, X.T @ Vi @ y)
    exact = (n - 2) * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + np.linalg.slogdet(A)[1] + e @ Vi @ e
    engine = case.engine()
    value, gradient, _ = engine.evaluate(psi)
    assert value == pytest.approx(exact, abs=1e-9)
    np.testing.assert_allclose(gradient, numeric_gradient(lambda x: engine.evaluate(x)[0], psi), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("kind", ["logit slope", "poisson crossed slope", "zip random zi"])
def test_fit_is_invariant_to_order_labels_and_scale(kind):
    case, _ = build(kind, seed=6, n=150)
    start = np.zeros(case.p + len(case.engine().theta_info()))
    start[case.p :] = [i[1] for i in case.engine().theta_info()]
    reference = case.engine().fit(start)
    rng = np.random.default_rng(7)
    order = rng.permutation(len(case.y))
    terms = []
    for t in case.terms:
        relabel = rng.permutation(t["levels"]).astype(np.int32)
        terms.append(dict(t, codes=relabel[t["codes"]][order], Z=t["Z"][order]))
    scaled = []
    for X, o, f in case.predictors:
        X = X[order].copy()
        X[:, 1] = 1e4 * X[:, 1] + 3e5
        scaled.append((X, o[order], f))
    other = Case(case.family, case.y[order], scaled, terms, link=case.link, zero_inflated=case.zero_inflated)
    found = other.engine().fit(start)
    assert reference["converged"] and found["converged"]
    assert found["deviance"] == pytest.approx(reference["deviance"], abs=1e-6)
    np.testing.assert_allclose(found["psi"][1] * 1e4, reference["psi"][1], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found["psi"][case.p :], reference["psi"][case.p :], rtol=2e-3, atol=1e-3)


def test_hessian_equals_differences_of_the_gradient():
    case, psi = build("poisson crossed slope", seed=8, n=150)
    engine = case.engine()
    fit = engine.fit(psi)
    numeric = np.zeros((len(psi), len(psi)))
    for j in range(len(psi)):
        e = np.zeros(len(psi))
        e[j] = 1e-4
        numeric[j] = (engine.evaluate(fit["psi"] + e)[1] - engine.evaluate(fit["psi"] - e)[1]) / 2e-4
    free = np.isfinite(np.diag(fit["hessian"]))
    np.testing.assert_allclose(fit["hessian"][np.ix_(free, free)], numeric[np.ix_(free, free)], rtol=1e-3, atol=1e-2)


def test_a_zero_variance_is_reached():
    rng = np.random.default_rng(9)
    n = 200
    g = np.repeat(np.arange(20), 10).astype(np.int32)
    y = np.tile([0.0, 1.0], 100)  # less variation between groups than by chance
    rng.shuffle(y[:4])
    case = Case(
        "binomial",
        y,
        [(np.ones((n, 1)), np.zeros(n), 0)],
        [{"predictor": 0, "codes": g, "levels": 20, "Z": np.ones((n, 1)), "kind": "us"}],
    )
    fit = case.engine().fit(np.array([0.0, 1.0]))
    assert fit["converged"] and fit["psi"][1] == 0.0
    assert np.isnan(fit["hessian"][1, 1]) and fit["hessian"][0, 0] > 0


def test_failure_is_a_status():
    case, psi = build("logit slope")
    psi[0] = np.nan
    value, _, status = case.engine().evaluate(psi)
    assert status != "ok" and value == np.inf


def test_a_start_at_zero_does_not_stay_there():
    """The deviance is even in a standard deviation, so zero is stationary whatever the data say."""
    case, _ = build("poisson nested", seed=12, n=200)
    d = case.p + 2
    free = case.engine().fit(np.zeros(d))
    stuck = case.engine().fit(np.zeros(d), theta_given=[True, True])
    assert stuck["deviance"] == pytest.approx(free["deviance"], abs=1e-6)


def test_slow_trade_offs_end_in_newton_steps():
    """A spatial range, a nugget and a variance: expected information without their covariances is not enough."""
    rng = np.random.default_rng(13)
    n = 80
    at = rng.uniform(size=(n, 2))
    distance = np.sqrt(((at[:, None] - at[None]) ** 2).sum(2))
    y = np.linalg.cholesky(np.exp(-distance / 0.3) + 1e-9 * np.eye(n)) @ rng.normal(size=n) + 0.5 * rng.normal(size=n)
    one, zero = np.ones((n, 1)), np.zeros(n)
    term = {"predictor": 0, "codes": np.zeros(n, np.int32), "levels": 1, "Z": np.eye(n), "kind": "exp", "coords": np.asfortranarray(at)}
    case = Case("gaussian", y, [(one, zero, 0), (one, zero, 1)], [term])
    engine = case.engine()
    fit = engine.fit(np.r_[0.0, 0.0, [i[1] for i in engine.theta_info()]])
    assert fit["converged"] and fit["evaluations"] < 150
    assert np.max(np.abs(fit["gradient"])) < 1e-3
