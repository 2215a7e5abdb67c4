"""The engine, ranef, predictions and inference against dense matrices on small designs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tanada as tn
from tanada.engine.options import FitOptions
from tanada.inference.kenward_roger import kenward_roger
from tanada.inference.satterthwaite import satterthwaite
from tanada.inference.workspace import Workspace
from tests.brute.designs import CASES
from tests.brute.gaussian import Dense, dense_z, fit_dense

BOTH = pytest.mark.parametrize("reml", [False, True], ids=["ML", "REML"])
EACH = pytest.mark.parametrize("name", CASES)


def fitted(name: str, reml: bool) -> tuple[Any, Dense]:
    data, formula, options = CASES[name]
    m = tn.mixed(formula, data, reml=reml, quiet=True, **options)
    return m, Dense(m.fit.data, FitOptions(reml=reml))


@BOTH
@EACH
def test_deviance_and_gradient_anywhere(name: str, reml: bool) -> None:
    m, dense = fitted(name, reml)
    rng = np.random.default_rng(0)
    p = len(m.fit.beta["cond"])
    for _ in range(3):
        v = np.array(m.fit.values)
        v[p:-1] = np.abs(v[p:-1]) + rng.uniform(0.1, 1, len(v) - p - 1)
        v[-1] += rng.normal(0, 0.2)
        v[:p] = dense.profiled(v[p:-1])[1]
        assert m.fit.objective.deviance(v) == pytest.approx(dense.deviance(v), rel=1e-10)
        np.testing.assert_allclose(m.fit.objective.profiled_gradient(v)[p:], dense.gradient(v)[p:], rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(m.fit.objective.vcov_derivatives(v), dense.vcov_derivatives(v), rtol=1e-7, atol=1e-9)


@BOTH
@EACH
def test_optimum_is_not_below_the_dense_one(name: str, reml: bool) -> None:
    m, _ = fitted(name, reml)
    reference = fit_dense(m.fit.data, FitOptions(reml=reml))
    assert m.loglik >= reference.loglik - 1e-7
    if m.loglik > reference.loglik + 1e-6:  # the dense optimiser stopped at a local optimum
        return
    np.testing.assert_allclose(m.fit.beta["cond"], reference.beta["cond"], atol=1e-4)
    assert m.sigma == pytest.approx(reference.sigma, rel=1e-4)


@BOTH
@EACH
def test_modes_and_predictions_at_the_estimates(name: str, reml: bool) -> None:
    m, dense = fitted(name, reml)
    comp = m.fit.data.components[0]
    theta = m.fit.values[m.fit.params.index("theta")]
    Z, Lam = dense.pieces(theta)
    V = dense.V(theta)
    e = m.fit.data.y - comp.offset - comp.X @ m.fit.beta["cond"]
    b = Lam @ Lam.T @ Z.T @ np.linalg.solve(V, e)
    np.testing.assert_allclose(np.concatenate([t.modes.ravel() for t in m.fit.terms]), b, atol=1e-8)
    np.testing.assert_allclose(m.fitted(), comp.offset + comp.X @ m.fit.beta["cond"] + Z @ b, atol=1e-8)
    S = m.sigma**2 * Lam @ Lam.T
    sV = m.sigma**2 * V
    conditional = S - S @ Z.T @ np.linalg.solve(sV, Z @ S)
    C = np.linalg.inv(comp.X.T @ np.linalg.solve(sV, comp.X))
    np.testing.assert_allclose(m.fit.vcov_beta, C, atol=1e-8)
    B = S @ Z.T @ np.linalg.solve(sV, comp.X)
    A = comp.X - Z @ B
    variance = np.einsum("np,pq,nq->n", A, C, A) + np.einsum("nq,qr,nr->n", Z, conditional, Z)
    np.testing.assert_allclose(m.predict()["std_error"], np.sqrt(variance), atol=1e-8)
    joint = conditional + B @ C @ B.T
    np.testing.assert_allclose(term_order(m, m.ranef(joint=True)["std_error"]), np.sqrt(np.diag(joint)), atol=1e-8)
    np.testing.assert_allclose(term_order(m, m.ranef()["std_error"]), np.sqrt(np.maximum(np.diag(conditional), 0)), atol=1e-7)


def term_order(m: Any, column: Any) -> np.ndarray:
    """The rows of a ranef table (effect by effect) as level by level."""
    out, at, values = [], 0, np.asarray(column)
    for t in m.fit.terms:
        L, k = t.modes.shape
        out.append(values[at : at + L * k].reshape(k, L).T.ravel())
        at += L * k
    return np.concatenate(out)


@EACH
def test_kenward_roger_equals_dense_matrices(name: str) -> None:
    m, dense = fitted(name, True)
    kr = kenward_roger(Workspace(m.fit))
    reference = dense_kenward_roger(m, dense)
    np.testing.assert_allclose(kr.vcov, reference, rtol=1e-6, atol=1e-10)


def dense_kenward_roger(m: Any, dense: Dense) -> np.ndarray:
    """Kenward & Roger (1997) with n x n matrices."""
    comp, n = m.fit.data.components[0], m.nobs
    theta = m.fit.values[m.fit.params.index("theta")]
    V, X = m.sigma**2 * dense.V(theta), comp.X
    G = []
    for d in comp.random:
        Z, L = dense_z(d), len(d.levels)
        for i in range(d.k):
            for j in range(i, d.k):
                E = np.zeros((d.k, d.k))
                E[i, j] = E[j, i] = 1
                if d.structure == "us" or i == j:
                    G.append(Z @ np.kron(np.eye(L), E) @ Z.T)
    G.append(np.diag(1 / m.fit.data.weights))
    Vi = np.linalg.inv(V)
    Phi = np.linalg.inv(X.T @ Vi @ X)
    P = [-X.T @ Vi @ g @ Vi @ X for g in G]
    Q = [[X.T @ Vi @ g @ Vi @ h @ Vi @ X for h in G] for g in G]
    info = np.array(
        [[np.trace(Vi @ g @ Vi @ h) - 2 * np.trace(Phi @ Q[r][s]) + np.trace(Phi @ P[r] @ Phi @ P[s]) for s, h in enumerate(G)] for r, g in enumerate(G)]
    )
    W = 2 * np.linalg.inv(info)
    U = sum(W[r, s] * (Q[r][s] - P[r] @ Phi @ P[s]) for r in range(len(G)) for s in range(len(G)))
    assert n == len(V)
    return Phi + 2 * Phi @ U @ Phi


@BOTH
@EACH
def test_satterthwaite_equals_differences_of_the_dense_deviance(name: str, reml: bool) -> None:
    m, dense = fitted(name, reml)
    work = Workspace(m.fit)
    s = satterthwaite(work)
    reference = satterthwaite(Workspace(fit_of(m, dense)))
    for row in np.eye(len(m.fit.beta["cond"])):
        assert s.df(row) == pytest.approx(reference.df(row), rel=1e-4)


def fit_of(m: Any, dense: Dense) -> Any:
    from dataclasses import replace

    return replace(m.fit, objective=dense)
