"""Fits under general equality and inequality constraints, by sequential quadratic programming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.partable.evaluate import Functions

Array = NDArray[np.float64]
ACTIVE = 1e-6


@dataclass(frozen=True)
class Outcome:
    """The fields of the core's outcome that the verdict reads."""

    x: Array
    value: float
    scaled_gradient: float
    iterations: int
    evaluations: int
    converged: bool
    message: str


def constrained_fit(
    objective: Any, functions: Functions, linear: tuple[Array, Array] | None, x0: Array, low: Array, high: Array, o: dict[str, Any]
) -> tuple[Any, Array | None]:
    """The optimum and the basis of the directions that active constraints leave.

    The fit without inequalities is tried first: when it satisfies them, they are not active and it stands.
    """
    from tanada.engine.sem_fit import null_space

    boxed = np.isfinite(low).any() or np.isfinite(high).any()
    if not functions.equal or (linear is not None and not boxed):
        if linear is None:
            out, basis = objective.fit(x0, low, high, **o), None
        else:
            basis, offset = null_space(*linear, x0)
            free = np.full(basis.shape[1], np.inf)
            out = objective.fit(basis.T @ (x0 - offset), -free, free, basis=basis, offset=offset, **o)
        above, _ = functions.values(functions.above, np.asarray(out.x))
        if out.converged and (above >= -1e-10).all():
            return out, basis
        x0 = np.asarray(out.x) if np.isfinite(out.value) else x0
    else:  # the gradient of a product of paths is zero at the usual start, where both are zero: begin at the free optimum
        out = objective.fit(x0, low, high, **o)
        x0 = np.asarray(out.x) if np.isfinite(out.value) else x0
    best = _sqp(objective, functions, x0, low, high, int(o["max_iterations"]))
    for shift in (0.3, -0.3, 1.0):
        if best.converged:
            break
        again = _sqp(objective, functions, x0 + shift * (0.1 + np.abs(x0)), low, high, int(o["max_iterations"]))
        best = again if again.converged or not best.converged and again.value < best.value else best
    return best, _active_basis(functions, best.x, low, high)


def _sqp(objective: Any, functions: Functions, x0: Array, low: Array, high: Array, max_iterations: int) -> Outcome:
    from scipy.optimize import Bounds, minimize

    information = np.asarray(objective.expected_information(x0))
    d = np.diag(information)
    scale = np.where(np.isfinite(d) & (d > 1e-300), 1.0 / np.sqrt(np.where(d > 1e-300, d, 1.0)), 1.0)
    count = [0]

    def fun(t: Array) -> tuple[float, Array]:
        count[0] += 1
        value, gradient = objective.evaluate(t * scale)
        if not np.isfinite(value):
            return 1e30, np.zeros_like(t)
        return float(value), np.asarray(gradient) * scale

    def constraint(which: Any, kind: str) -> dict[str, Any]:
        return {"type": kind, "fun": lambda t: functions.values(which, t * scale)[0], "jac": lambda t: functions.values(which, t * scale)[1] * scale}

    constraints = [constraint(e, k) for e, k in ((functions.equal, "eq"), (functions.above, "ineq")) if e]
    r = minimize(fun, x0 / scale, jac=True, method="SLSQP", bounds=Bounds(low / scale, high / scale), constraints=constraints, options={"maxiter": max_iterations, "ftol": 1e-13})
    x = np.asarray(r.x) * scale
    value, gradient = objective.evaluate(x)
    basis = _active_basis(functions, x, low, high)
    g = np.asarray(gradient) if basis is None else basis.T @ np.asarray(gradient)
    z = np.abs(x) if basis is None else np.abs(basis.T @ x)
    scaled = float(np.max(np.abs(g) * np.maximum(z, 1.0), initial=0.0) / max(abs(value), 1.0))
    equal, _ = functions.values(functions.equal, x)
    above, _ = functions.values(functions.above, x)
    feasible = bool((np.abs(equal) < 1e-6).all() and (above > -1e-6).all())
    return Outcome(x, float(value), scaled, int(r.nit), count[0], feasible and (bool(r.success) or scaled < 1e-5), str(r.message))


def _active_basis(functions: Functions, x: Array, low: Array, high: Array) -> Array | None:
    _, A = functions.values(functions.equal, x)
    v, B = functions.values(functions.above, x)
    active = [A, B[v < ACTIVE]] if v.size else [A]
    eye = np.eye(x.size)
    active.append(eye[(x <= low) | (x >= high)])
    J = np.concatenate([a.reshape(-1, x.size) for a in active])
    if not J.shape[0]:
        return None
    _, s, vt = np.linalg.svd(J)
    rank = int((s > 1e-10 * max(float(s.max(initial=0.0)), 1.0)).sum())
    return np.ascontiguousarray(vt[rank:].T)
