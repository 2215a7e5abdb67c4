"""Adaptive quadrature: nodes, convergence to brute-force integration, gradient of the rule itself."""

import numpy as np
import pytest
from scipy.integrate import quad

from tanada import _core
from tests.engine.glmm_cases import build, numeric_gradient


def test_nodes_match_numpy():
    for n in (2, 5, 16, 25):
        x, w = _core.gauss_hermite(n)
        ex, ew = np.polynomial.hermite.hermgauss(n)
        np.testing.assert_allclose(x, ex, atol=1e-12)
        np.testing.assert_allclose(w, ew, rtol=1e-9, atol=1e-300)


def brute_force(case, psi):
    """Sum over groups of the log of a one-dimensional integral by adaptive integration."""
    t = case.terms[0]
    sd = psi[case.p]
    fixed = case.fixed(psi[: case.p])
    total = 0.0
    for level in range(t["levels"]):
        rows = t["codes"] == level

        def integrand(u, rows=rows):
            eta = fixed.copy()
            eta[:, 0] += sd * u
            return np.exp(case.derivatives(eta, 0)[0][rows].sum() - 0.5 * u * u) / np.sqrt(2 * np.pi)

        total += np.log(quad(integrand, -9, 9, epsabs=0, epsrel=1e-11, limit=200)[0])
    return -2 * total


@pytest.mark.parametrize("kind", ["probit crossed", "nbinom2 dispersion model", "poisson nested"])
def test_quadrature_converges_to_the_integral(kind):
    case, psi = build(kind)
    case.terms = [t for t in case.terms if t["Z"].shape[1] == 1][:1]
    psi = psi[: case.p + 1]
    exact = brute_force(case, psi)
    errors = [abs(case.engine().evaluate(psi, n)[0] - exact) for n in (1, 3, 9, 25)]
    assert errors[2] < 1e-2 * errors[0]
    assert errors[3] < 1e-8


def test_vector_quadrature_converges():
    case, psi = build("logit slope")
    values = [case.engine().evaluate(psi, n)[0] for n in (1, 5, 15, 25)]
    fine = case.engine().evaluate(psi, 40)[0]
    assert abs(values[0] - fine) > 1e-3 > abs(values[2] - fine)
    assert values[3] == pytest.approx(fine, abs=1e-8)


@pytest.mark.parametrize("kind", ["logit slope", "nbinom2", "nbinom2 dispersion model", "gaussian dispersion effects"])
@pytest.mark.parametrize("points", [2, 7])
def test_gradient_is_that_of_the_rule(kind, points):
    case, psi = build(kind, seed=11)
    engine = case.engine()
    _, gradient, status = engine.evaluate(psi, points)
    assert status == "ok"
    np.testing.assert_allclose(
        gradient, numeric_gradient(lambda x: engine.evaluate(x, points)[0], psi), rtol=5e-6, atol=5e-5
    )


def test_one_point_is_laplace():
    case, psi = build("nbinom2")
    assert case.engine().evaluate(psi, 1)[0] == pytest.approx(case.laplace(psi), abs=1e-8)


def test_crossed_factors_are_refused():
    case, psi = build("probit crossed")
    with pytest.raises(ValueError, match="one grouping factor"):
        case.engine().evaluate(psi, 5)
