"""Dense reference engine for Gaussian mixed models: V is formed (n x n), derivatives are exact, the optimiser is SciPy's.

Only for small data in tests: the compiled engine must equal it to about 1e-8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import block_diag, cho_factor, cho_solve
from scipy.optimize import minimize

from tanada.design.matrices import ModelData, RandomDesign
from tanada.engine.fit import MixedFit, TermEstimate
from tanada.engine.options import FitOptions
from tanada.engine.verdict import Verdict
from tanada.params import ParameterMap


def template(structure: str, k: int, theta: np.ndarray) -> np.ndarray:
    """Lower-triangular factor of one level's covariance, relative to sigma."""
    L = np.zeros((k, k))
    if structure == "us":
        j = 0
        for c in range(k):
            for r in range(c, k):
                L[r, c] = theta[j]
                j += 1
    elif structure == "diag":
        L[np.diag_indices(k)] = theta
    elif structure == "homdiag":
        L[np.diag_indices(k)] = theta[0]
    else:
        raise ValueError(structure)
    return L


def n_theta(structure: str, k: int) -> int:
    return {"us": k * (k + 1) // 2, "diag": k, "homdiag": 1}[structure]


def dense_z(term: RandomDesign) -> np.ndarray:
    """(n, L k), columns level by level."""
    n, k = term.Z.shape
    Z = np.zeros((n, len(term.levels) * k))
    for j in range(k):
        Z[np.arange(n), term.codes * k + j] = term.Z[:, j]
    return Z


@dataclass(frozen=True)
class Dense:
    data: ModelData
    options: FitOptions

    @property
    def component(self) -> Any:
        return self.data.components[0]

    def sizes(self) -> list[int]:
        return [n_theta(t.structure, t.k) for t in self.component.random]

    def split(self, theta: np.ndarray) -> list[np.ndarray]:
        return np.split(theta, np.cumsum(self.sizes())[:-1]) if self.sizes() else []

    def pieces(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Z (n, q) and Lambda (q, q)."""
        n = self.data.nobs
        terms = self.component.random
        if not terms:
            return np.zeros((n, 0)), np.zeros((0, 0))
        Z = np.hstack([dense_z(t) for t in terms])
        Lam = block_diag(
            *[np.kron(np.eye(len(t.levels)), template(t.structure, t.k, th)) for t, th in zip(terms, self.split(theta))]
        )
        return Z, Lam

    def V(self, theta: np.ndarray) -> np.ndarray:
        """Covariance of y over sigma^2."""
        Z, Lam = self.pieces(theta)
        return np.diag(1.0 / self.data.weights) + Z @ Lam @ Lam.T @ Z.T

    def profiled(self, theta: np.ndarray) -> tuple[float, np.ndarray, float, np.ndarray]:
        """Profiled deviance, beta, sigma, (X'V^-1X)^-1."""
        y, X = self.data.y - self.component.offset, self.component.X
        n, p = X.shape
        cf = cho_factor(self.V(theta), lower=True)
        logdet = 2 * np.log(np.diag(cf[0])).sum()
        ViX = cho_solve(cf, X)
        XVX = X.T @ ViX
        K = np.linalg.inv(XVX) if p else XVX
        beta = K @ (ViX.T @ y)
        e = y - X @ beta
        r2 = float(e @ cho_solve(cf, e))
        m = n - p if self.options.reml else n
        dev = logdet + m * (1 + np.log(2 * np.pi * r2 / m))
        if self.options.reml and p:
            dev += np.linalg.slogdet(XVX)[1]
        return float(dev), beta, float(np.sqrt(r2 / m)), K

    def deviance(self, values: np.ndarray) -> float:
        """At any (beta, theta, log sigma); the REML criterion adds log|X'V^-1X| and uses the given beta in its quadratic form."""
        p = self.component.X.shape[1]
        beta, theta, s2 = values[:p], values[p:-1], np.exp(2 * values[-1])
        X = self.component.X
        cf = cho_factor(self.V(theta), lower=True)
        e = self.data.y - self.component.offset - X @ beta
        m = self.data.nobs - (p if self.options.reml else 0)
        dev = m * np.log(2 * np.pi * s2) + 2 * np.log(np.diag(cf[0])).sum() + e @ cho_solve(cf, e) / s2
        if self.options.reml and p:
            dev += np.linalg.slogdet(X.T @ cho_solve(cf, X))[1]
        return float(dev)

    def gradient(self, values: np.ndarray) -> np.ndarray:
        """Exact: traces with dV/dtheta formed densely."""
        p = self.component.X.shape[1]
        beta, theta, s2 = values[:p], values[p:-1], np.exp(2 * values[-1])
        X = self.component.X
        Z, Lam = self.pieces(theta)
        Vi = np.linalg.inv(self.V(theta))
        e = self.data.y - self.component.offset - X @ beta
        Vie, ViX = Vi @ e, Vi @ X
        m = self.data.nobs - (p if self.options.reml else 0)
        out = np.empty(len(values))
        out[:p] = -2 * (ViX.T @ e) / s2
        out[-1] = 2 * m - 2 * (e @ Vie) / s2
        P = Vi - ViX @ np.linalg.solve(X.T @ ViX, ViX.T) if self.options.reml and p else Vi
        for j in range(len(theta)):
            unit = np.zeros(len(theta))
            unit[j] = 1.0
            dL = self.pieces(unit)[1]
            dV = Z @ (dL @ Lam.T + Lam @ dL.T) @ Z.T
            out[p + j] = (P * dV).sum() - Vie @ dV @ Vie / s2
        return out

    def profiled_gradient(self, values: np.ndarray) -> np.ndarray:
        p = self.component.X.shape[1]
        at = np.array(values, float)
        at[:p] = self.profiled(at[p:-1])[1]
        return self.gradient(at)

    def vcov_derivatives(self, values: np.ndarray) -> np.ndarray:
        """d sigma^2 (X'V^-1X)^-1 / d theta = C X'V^-1 dV V^-1X C / sigma^2."""
        p = self.component.X.shape[1]
        theta, s2 = values[p:-1], np.exp(2 * values[-1])
        Z, Lam = self.pieces(theta)
        ViX = np.linalg.solve(self.V(theta), self.component.X)
        C = s2 * np.linalg.inv(self.component.X.T @ ViX)
        out = np.zeros((len(theta), p, p))
        for j in range(len(theta)):
            unit = np.zeros(len(theta))
            unit[j] = 1.0
            dL = self.pieces(unit)[1]
            A = Z.T @ ViX
            out[j] = C @ A.T @ (dL @ Lam.T + Lam @ dL.T) @ A @ C / s2
        return out

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Start values and lower bounds of theta."""
        start, lower = [], []
        for t in self.component.random:
            L = np.eye(t.k)
            if t.structure == "us":
                for c in range(t.k):
                    for r in range(c, t.k):
                        start.append(L[r, c])
                        lower.append(0.0 if r == c else -np.inf)
            else:
                start += [1.0] * n_theta(t.structure, t.k)
                lower += [0.0] * n_theta(t.structure, t.k)
        return np.array(start), np.array(lower)

    def refit(self, y: np.ndarray, start: np.ndarray | None = None) -> MixedFit:
        from dataclasses import replace

        return fit_dense(replace(self.data, y=np.asarray(y, float)), self.options)


def best_theta(full: Any, start: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """The best of several starts: the gradient in theta vanishes at zero, so a step onto the bound can be a trap."""
    if not len(start):
        return start
    best, value = start, np.inf
    for scale in (1.0, 0.3, 3.0):
        theta = scale * start
        for _ in range(2):
            theta = minimize(
                full, theta, jac=True, method="L-BFGS-B", bounds=[(a, None) for a in lower], options={"ftol": 1e-15, "gtol": 1e-9}
            ).x
        if full(theta)[0] < value - 1e-9:
            best, value = theta, full(theta)[0]
    return best


def fit_dense(data: ModelData, options: FitOptions) -> MixedFit:
    """The optimum by a numeric optimiser on the dense profiled deviance."""
    obj = Dense(data, options)
    comp = obj.component
    n, p = comp.X.shape
    start, lower = obj.bounds()

    def full(theta: np.ndarray) -> tuple[float, np.ndarray]:
        dev, beta, sigma, _ = obj.profiled(theta)
        return dev, obj.gradient(np.concatenate([beta, theta, [np.log(sigma)]]))[p:-1]

    theta = best_theta(full, start, lower)
    dev, beta, sigma, K = obj.profiled(theta)
    Z, Lam = obj.pieces(theta)
    W = data.weights
    M = Lam.T @ (Z.T * W) @ Z @ Lam + np.eye(Lam.shape[0])
    e = data.y - comp.offset - comp.X @ beta
    u = np.linalg.solve(M, Lam.T @ (Z.T @ (W * e)))
    b = Lam @ u
    condvar = sigma**2 * Lam @ np.linalg.inv(M) @ Lam.T
    names = [f"{c}" for c in comp.names]
    blocks = ["fixed:cond"] * p
    terms, at, pos = [], 0, 0
    for i, (t, th) in enumerate(zip(comp.random, obj.split(theta))):
        L, k = len(t.levels), t.k
        F = sigma * template(t.structure, k, th)
        sl = slice(at, at + L * k)
        cv = condvar[sl, sl].reshape(L, k, L, k)
        terms.append(
            TermEstimate(
                "cond", t.group, t.names, t.structure, t.levels, F @ F.T, F, b[sl].reshape(L, k),
                np.stack([cv[l, :, l, :] for l in range(L)]), np.arange(p + pos, p + pos + len(th)),
            )
        )
        names += [f"theta{i}.{j}" for j in range(len(th))]
        blocks += [f"theta:cond:{i}"] * len(th)
        at += L * k
        pos += len(th)
    eta = comp.offset + comp.X @ beta + Z @ b
    values = np.concatenate([beta, theta, [np.log(sigma)]])
    lo = np.concatenate([np.full(p, -np.inf), lower, [-np.inf]])
    params = ParameterMap.build(names + ["log(sigma)"], blocks + ["sigma"], values, lo, transforms=["identity"] * (len(values) - 1) + ["log"])
    boundary = tuple(n for n, v, l in zip(names[p:], theta, lower) if v <= l)
    verdict = Verdict("boundary" if boundary else "ok", "Converged.", boundary=boundary)
    return MixedFit(
        data, "gaussian", "identity", options.reml, "REML" if options.reml else "ML", params, values, {"cond": beta},
        sigma**2 * K, tuple(terms), sigma, -dev / 2, verdict, obj, eta,
    )
