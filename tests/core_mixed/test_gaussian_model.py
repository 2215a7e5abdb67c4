"""The profiled Gaussian objective of the core against dense matrices on small random designs."""

import numpy as np
import pytest

from tanada import _core


def dense_deviance(y, X, w, Z, L, reml, sigma=None):
    """Deviance and REML criterion from V = W^-1 + Z L L' Z', nothing clever."""
    n, p = X.shape
    V = np.diag(1 / w) + Z @ L @ L.T @ Z.T
    Vi = np.linalg.inv(V)
    A = X.T @ Vi @ X
    beta = np.linalg.solve(A, X.T @ Vi @ y) if p else np.zeros(0)
    e = y - X @ beta
    r2 = e @ Vi @ e
    nu = n - p if reml else n
    s2 = r2 / nu if sigma is None else sigma**2
    d = np.linalg.slogdet(V)[1] + nu * np.log(2 * np.pi * s2) + r2 / s2
    if reml:
        d += np.linalg.slogdet(A)[1]
    return d, beta, r2 / nu, np.linalg.inv(A), Vi


class Case:
    """A random design: terms as (codes, levels, Z, kind), the dense Z and the dense L for theta."""

    def __init__(self, rng, n, terms, p=3, weighted=False, shift=0.0):
        self.n = n
        self.X = np.column_stack([np.ones(n)] + [rng.normal(size=n) + shift for _ in range(p - 1)]) if p else np.zeros((n, 0))
        self.y = rng.normal(size=n) + self.X.sum(1) + shift
        self.w = rng.uniform(0.5, 2, n) if weighted else np.ones(n)
        self.factors, self.terms, self.blocks = [], [], []
        seen = {}
        for codes, levels, Z, kind in terms:
            key = codes.tobytes()
            if key not in seen:
                seen[key] = len(self.factors)
                self.factors.append((levels, codes))
            self.terms.append((seen[key], 0, np.ascontiguousarray(Z), kind, {}))
            k = Z.shape[1]
            D = np.zeros((n, levels * k))
            for i in range(n):
                D[i, codes[i] * k : codes[i] * k + k] = Z[i]
            self.blocks.append((D, levels, k, kind))
        self.Z = np.hstack([b[0] for b in self.blocks]) if self.blocks else np.zeros((n, 0))
        weights = self.w if weighted else None
        self.model = _core.GaussianModel.build(self.X, self.y, weights, self.factors, self.terms)

    def start(self):
        return np.array([t[1] for t in self.model.theta_info()])

    def factor(self, theta):
        out, at = [], 0
        for _, levels, k, kind in self.blocks:
            L = np.zeros((k, k))
            if kind == "us":
                for c in range(k):
                    for r in range(c, k):
                        L[r, c] = theta[at]
                        at += 1
            else:
                L = np.diag(theta[at : at + k])
                at += k
            out.append(np.kron(np.eye(levels), L))
        total = sum(b.shape[0] for b in out)
        full, i = np.zeros((total, total)), 0
        for b in out:
            full[i : i + len(b), i : i + len(b)] = b
            i += len(b)
        return full


def designs():
    rng = np.random.default_rng(3)
    n = 40

    def codes(levels):
        return rng.permutation(np.arange(n) % levels).astype(np.int32)

    one = np.ones((n, 1))
    slope = np.column_stack([np.ones(n), rng.normal(size=n)])
    cube = np.column_stack([np.ones(n), rng.normal(size=n), rng.normal(size=n)])
    wide = np.column_stack([np.ones(n)] + [rng.normal(size=n) for _ in range(4)])
    a, b, c = codes(8), codes(5), codes(3)
    nested = (a * 2 + rng.integers(0, 2, n)).astype(np.int32)
    nested = np.unique(nested, return_inverse=True)[1].astype(np.int32)
    many = np.arange(n, dtype=np.int32) // 2
    return {
        "intercept": [(a, 8, one, "us")],
        "slope": [(a, 8, slope, "us")],
        "uncorrelated": [(a, 8, one, "us"), (a, 8, slope[:, 1:].copy(), "us")],
        "three effects": [(a, 8, cube, "us")],
        "five effects": [(b, 5, wide, "us")],
        "diag": [(a, 8, cube, "diag")],
        "crossed": [(a, 8, one, "us"), (b, 5, one, "us")],
        "crossed slopes": [(a, 8, slope, "us"), (b, 5, slope, "us"), (c, 3, one, "us")],
        "nested": [(nested, int(nested.max()) + 1, one, "us"), (a, 8, slope, "us")],
        "many": [(many, 20, slope, "us"), (a, 8, one, "us"), (c, 3, slope, "us")],
    }


def make(name, **kw):
    return Case(np.random.default_rng(7), 40, designs()[name], **kw)


@pytest.mark.parametrize("name", designs())
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("singular", [False, True])
def test_objective_and_gradient_equal_dense_computation(name, weighted, reml, singular):
    case = make(name, weighted=weighted)
    rng = np.random.default_rng(1)
    theta = case.start() * rng.uniform(0.3, 1.5, len(case.start())) + rng.normal(0, 0.3, len(case.start())) * (case.start() == 0)
    if singular:
        theta[0] = 0.0
        if len(theta) > 2:
            theta[2] = 0.0

    def dense(t):
        return dense_deviance(case.y, case.X, case.w, case.Z, case.factor(t), reml)[0]

    value, gradient, status = case.model.evaluate(theta, reml)
    assert status == 0
    assert value == pytest.approx(dense(theta), rel=1e-10, abs=1e-8)
    h = 1e-5
    numeric = np.array([(dense(theta + h * e) - dense(theta - h * e)) / (2 * h) for e in np.eye(len(theta))])
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["slope", "crossed slopes", "nested", "many"])
@pytest.mark.parametrize("reml", [False, True])
def test_sigma_form_and_its_gradient(name, reml):
    case = make(name, weighted=True)
    theta, sigma = case.start() * 0.7 + 0.1, 1.3

    def dense(t):
        return dense_deviance(case.y, case.X, case.w, case.Z, case.factor(t[:-1]), reml, t[-1])[0]

    at = np.append(theta, sigma)
    value, gradient, _ = case.model.evaluate_sigma(theta, sigma, reml)
    assert value == pytest.approx(dense(at), rel=1e-10)
    h = 1e-5
    numeric = np.array([(dense(at + h * e) - dense(at - h * e)) / (2 * h) for e in np.eye(len(at))])
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", designs())
def test_solution_modes_and_conditional_variances(name):
    case = make(name, weighted=True, shift=50.0)
    theta = case.start() * 0.8 + 0.05
    theta[0] = 0.0 if name == "crossed slopes" else theta[0]
    L = case.factor(theta)
    _, beta, s2, unscaled, Vi = dense_deviance(case.y, case.X, case.w, case.Z, L, True)
    s = case.model.solution(theta, True)
    np.testing.assert_allclose(s["beta"], beta, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(s["unscaled"], unscaled, rtol=1e-8, atol=1e-10)
    assert s["sigma2"] == pytest.approx(s2, rel=1e-9)
    e = case.y - case.X @ beta
    G = L @ L.T
    b = G @ case.Z.T @ Vi @ e
    C = G - G @ case.Z.T @ Vi @ case.Z @ G
    at = 0
    for t, (_, levels, k, _) in enumerate(case.blocks):
        np.testing.assert_allclose(s["modes"][t].ravel(), b[at : at + levels * k], rtol=1e-8, atol=1e-9)
        V = case.model.conditional_variances(t)
        for l in range(levels):
            i = at + l * k
            np.testing.assert_allclose(V[l], C[i : i + k, i : i + k], rtol=1e-7, atol=1e-9)
        at += levels * k


def test_derivatives_of_the_covariance_of_beta():
    case = make("crossed slopes")
    theta = case.start() * 0.8 + 0.1
    exact = case.model.unscaled_derivatives(theta)
    h = 1e-5
    for j, e in enumerate(np.eye(len(theta))):
        up = case.model.solution(theta + h * e, False)["unscaled"]
        down = case.model.solution(theta - h * e, False)["unscaled"]
        np.testing.assert_allclose(exact[j], (up - down) / (2 * h), rtol=1e-5, atol=1e-8)


def test_sparse_schur_complement_equals_dense():
    """Enough outer levels that the rest is kept sparse: three nested levels with 400 middle groups."""
    rng = np.random.default_rng(5)
    n = 2400
    low = (np.arange(n) // 2).astype(np.int32)
    mid = (low // 3).astype(np.int32)
    top = (mid // 20).astype(np.int32)
    slope = np.column_stack([np.ones(n), rng.normal(size=n)])
    case = Case(rng, n, [(low, 1200, np.ones((n, 1)), "us"), (mid, 400, slope, "us"), (top, 20, np.ones((n, 1)), "us")])
    theta = np.array([0.8, 0.7, 0.2, 0.4, 0.5])
    value, gradient, status = case.model.evaluate(theta, True)
    expected = dense_deviance(case.y, case.X, case.w, case.Z, case.factor(theta), True)[0]
    assert status == 0
    assert value == pytest.approx(expected, rel=1e-10)
    h = 1e-4
    for j in (0, 2, 4):
        e = np.eye(5)[j]
        up, down = case.model.value(theta + h * e, True)[0], case.model.value(theta - h * e, True)[0]
        assert gradient[j] == pytest.approx((up - down) / (2 * h), rel=1e-5, abs=1e-4)


def test_no_random_effects_is_least_squares():
    case = make("intercept")
    m = _core.GaussianModel.build(case.X, case.y, None, [], [])
    s = m.solution(np.zeros(0), False)
    beta, rss = np.linalg.lstsq(case.X, case.y, rcond=None)[:2]
    np.testing.assert_allclose(s["beta"], beta, rtol=1e-10)
    assert s["sigma2"] == pytest.approx(rss[0] / 40, rel=1e-10)
    assert s["deviance"] == pytest.approx(40 * (np.log(2 * np.pi * rss[0] / 40) + 1), rel=1e-12)


def test_fit_reaches_a_stationary_point_and_refits():
    case = make("slope")
    m = case.model
    out = m.fit(m.moment_start(), True)
    assert out.converged
    lower = np.array([t[2] for t in m.theta_info()])
    free = out.x > lower
    assert np.abs(out.gradient[free]).max(initial=0.0) < 1e-4
    y2 = case.y * 3 + 10
    m.set_response(y2, case.X)
    again = m.fit(out.x, True)
    np.testing.assert_allclose(again.x, out.x, atol=1e-4)
    assert again.value == pytest.approx(out.value + (40 - 3) * 2 * np.log(3), rel=1e-9)
