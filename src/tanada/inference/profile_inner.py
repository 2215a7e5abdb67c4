"""The inner problem of a profile: the deviance minimised over all coordinates but one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit, ProfiledObjective
from tanada.inference.natural import Coordinates

Array = NDArray[np.float64]

STEP = 1e-4


def deviance_and_gradient(coords: Coordinates) -> Callable[[Array], tuple[float, Array]]:
    """The deviance in the coordinates; the profiled Gaussian engine also minimises over the fixed effects."""
    fit = coords.fit
    evaluate = _profiled(fit) if coords.relative else _joint(fit)

    def function(q: Array) -> tuple[float, Array]:
        value, gradient = evaluate(coords.values(q))
        if not np.isfinite(value):
            return 1e300, np.zeros(coords.size)
        return value, coords.pull_back(q, gradient)

    return function


def _profiled(fit: MixedFit) -> Callable[[Array], tuple[float, Array]]:
    return cast(ProfiledObjective, fit.objective).profiled


def _joint(fit: MixedFit) -> Callable[[Array], tuple[float, Array]]:
    objective = fit.objective
    return lambda values: (float(objective.deviance(values)), np.asarray(objective.gradient(values), float))


@dataclass
class Inner:
    """Constrained minimisation with coordinate `at` held; warm starts from the nearest point solved before."""

    coords: Coordinates
    at: int
    solved: list[tuple[float, Array]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.function = deviance_and_gradient(self.coords)
        self.q0 = self.coords.start()
        self.others = np.array([i for i in range(self.coords.size) if i != self.at], dtype=np.intp)
        self.H = self._curvature()
        self.solved.append((float(self.q0[self.at]), self.q0[self.others]))
        self.scaling = _scaling(self.H[np.ix_(self.others, self.others)])

    def _curvature(self) -> Array:
        d = self.coords.size
        H = np.empty((d, d))
        for j in range(d):
            h = STEP * max(abs(self.q0[j]), 1e-2)
            up, down = self.q0.copy(), self.q0.copy()
            up[j] += h
            down[j] -= h
            H[:, j] = (self.function(up)[1] - self.function(down)[1]) / (2 * h)
        return 0.5 * (H + H.T)

    def step(self) -> float:
        """About one standard error of the coordinate held."""
        inverse = _scaling(self.H)
        variance = 2.0 * float(inverse[self.at] @ inverse[self.at])
        if np.isfinite(variance) and variance > 0:
            return float(np.sqrt(variance))
        return max(0.1 * abs(float(self.q0[self.at])), 0.1)

    def deviance(self, t: float) -> float:
        """Smallest deviance with the coordinate at t."""
        from scipy.optimize import minimize

        if len(self.others) == 0:
            q = self.q0.copy()
            q[self.at] = t
            return self.function(q)[0]
        base = self._guess(t)
        W = self.scaling

        def inner(y: Array) -> tuple[float, Array]:
            q = np.empty(self.coords.size)
            q[self.at], q[self.others] = t, base + W @ y
            value, gradient = self.function(q)
            return value, W.T @ gradient[self.others]

        found = minimize(inner, np.zeros(W.shape[1]), jac=True, method="BFGS", options={"gtol": 2e-5, "maxiter": 200})
        self.solved.append((t, base + W @ found.x))
        return float(found.fun)

    def _guess(self, t: float) -> Array:
        """The nearest solution, or the line through the two nearest."""
        near = sorted(self.solved, key=lambda s: abs(s[0] - t))[:2]
        if len(near) < 2 or near[0][0] == near[1][0]:
            return near[0][1].copy()
        share = (t - near[0][0]) / (near[1][0] - near[0][0])
        return near[0][1] + float(np.clip(share, -2, 2)) * (near[1][1] - near[0][1])


def _scaling(H: Array) -> Array:
    """W with W'HW = I over the directions of positive curvature; flat directions are scaled by their diagonal."""
    size = np.sqrt(np.maximum(np.abs(np.diag(H)), 1e-8 * max(float(np.abs(np.diag(H)).max(initial=0.0)), 1e-8)))
    w, Q = np.linalg.eigh(H / np.outer(size, size))
    w = np.where(w > 1e-4, w, 1.0)
    return np.asarray((Q * np.sqrt(1.0 / w)) / size[:, None])
