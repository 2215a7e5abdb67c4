"""Profile-likelihood intervals of fixed effects, standard deviations, correlations and sigma.

zeta(t) = sign(t - t-hat) sqrt(d(t) - d(t-hat)), d(t) the deviance minimised over all other parameters with the parameter of interest held at t (Bates &
Watts 1988; Bates et al. 2015, section 5.1). The ends solve zeta(t) = -+ z exactly, by a bracketed secant on zeta, which is nearly straight; where the range of
the parameter ends first (a standard deviation of zero, a correlation of one), that is the end. REML fits are profiled by ML, as lme4 does.

Cost: about five constrained fits an end. Fixed effects are held through the offset of a refit by the engine; variance parameters by quasi-Newton steps
in the coordinates of `natural.py`, scaled by the curvature at the optimum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.design.matrices import ComponentDesign, ModelData
from tanada.engine.fit import MixedFit
from tanada.engine.mixed_fit import fit_mixed
from tanada.errors import ConvergenceError
from tanada.inference.components import variance_parts
from tanada.inference.ddf import FixedTests
from tanada.inference.intervals import Rows, is_variance, register
from tanada.inference.natural import Coordinates, coordinates
from tanada.inference.structures import theta_is_relative
from tanada.inference.wald import critical
from tanada.inference.workspace import Workspace

Array = NDArray[np.float64]
Constrained = Callable[[float], float]

TOLERANCE = 1e-7  # of zeta


@register("profile")
def profile(work: Workspace, tests: FixedTests, level: float, parm: Sequence[str] | str | None = None, **_: Any) -> Rows:
    """Profile intervals of the parameters asked for, variance parameters first."""
    fit = work.fit
    if fit.reml:
        fit = fit_mixed(fit.data, replace(fit.objective.options, reml=False, start=None))
        work = Workspace(fit)
    z = float(critical(level, np.array(np.inf)))
    rows = []
    for name, make in targets(work):
        if parm is None or _wanted(name, parm):
            rows.append((name, *make().interval(z)))
        else:
            rows.append((name, np.nan, np.nan))
    return rows


def _wanted(name: str, parm: Sequence[str] | str) -> bool:
    asked = [parm] if isinstance(parm, str) else list(parm)
    return name in asked or (("variance" in asked) if is_variance(name) else ("fixed" in asked))


def targets(work: Workspace) -> list[tuple[str, Callable[[], Target]]]:
    """Name of each parameter and how to make its profile."""
    fit = work.fit
    out: list[tuple[str, Callable[[], Target]]] = []
    parts = variance_parts(work, 0.95)
    at = 0
    for number, t in enumerate(fit.terms):
        k = len(t.names)
        for i in range(k):
            out.append((parts[at].name, _later(sd_target, work, number, i)))
            at += 1
        r, c = np.tril_indices(k, -1)
        for a, b in zip(r, c):
            if t.structure == "us":
                out.append((parts[at].name, _later(cor_target, work, number, int(a), int(b))))
            at += 1
    for block in ("sigma", "dispersion"):
        if len(fit.params.index(block)):
            out.append((block, _later(scale_target, work, block)))
    many = len(fit.data.components) > 1
    for c_number, component in enumerate(fit.data.components):
        for j, name in enumerate(component.names):
            label = f"{component.name}|{name}" if many and component.name != "cond" else name
            out.append((label, _later(fixed_target, work, c_number, j)))
    return out


def _later(make: Callable[..., Target], *args: Any) -> Callable[[], Target]:
    return lambda: make(*args)


@dataclass
class Target:
    """One parameter: its estimate, a step of about one standard error, its range, and the constrained deviance.

    `back` takes the scale of the search to that of the report.
    """

    estimate: float
    step: float
    low: float
    high: float
    best: float
    deviance: Constrained
    back: Callable[[float], float] = float
    known: dict[float, float] = field(default_factory=dict)

    def zeta(self, t: float) -> float:
        """Signed root of the rise in deviance."""
        if t not in self.known:
            rise = max(self.deviance(t) - self.best, 0.0)
            self.known[t] = float(np.sign(t - self.estimate) * np.sqrt(rise)) if np.isfinite(rise) else float(np.sign(t - self.estimate) * 1e6)
        return self.known[t]

    def interval(self, z: float) -> tuple[float, float]:
        return self.back(self._end(-z)), self.back(self._end(z))

    def _end(self, z: float) -> float:
        side = np.sign(z)
        limit = self.high if side > 0 else self.low
        if side * (limit - self.estimate) <= 0:
            return limit
        inner, inner_zeta = self.estimate, 0.0
        outer = self.estimate + z * self.step
        for _ in range(60):
            if side * (outer - limit) >= 0:
                if side * self.zeta(limit) < abs(z):
                    return limit
                outer = limit
            found = self.zeta(outer)
            if side * found >= abs(z):
                return self._refine(inner, inner_zeta, outer, found, z)
            ratio = abs(z) / max(abs(found), 1e-3)
            inner, inner_zeta = outer, found
            outer = self.estimate + (outer - self.estimate) * min(max(1.05 * ratio, 1.2), 4.0)
        return float("inf") * side

    def _refine(self, a: float, fa: float, b: float, fb: float, z: float) -> float:
        """Regula falsi with the Illinois rule on zeta - z."""
        ga, gb = fa - z, fb - z
        for _ in range(50):
            if abs(gb) < TOLERANCE:
                return b
            if abs(ga) < TOLERANCE:
                return a
            t = b - gb * (b - a) / (gb - ga)
            if not min(a, b) < t < max(a, b):
                t = 0.5 * (a + b)
            g = self.zeta(t) - z
            if abs(g) < TOLERANCE or abs(b - a) < 1e-10 * max(abs(b), 1e-8):
                return t
            if g * gb < 0:
                a, ga = b, gb
            else:
                ga *= 0.5
            b, gb = t, g
        return b


def fixed_target(work: Workspace, component: int, column: int) -> Target:
    """A fixed effect, held at t through the offset while the engine fits the others."""
    fit = work.fit
    c = fit.data.components[component]
    x = c.X[:, column]
    reduced = replace(
        c, X=np.ascontiguousarray(np.delete(c.X, column, axis=1)), names=(*c.names[:column], *c.names[column + 1 :]), term_of_column=(), terms=()
    )
    options = replace(fit.objective.options, reml=False, start=_start(fit, component, column))

    def deviance(t: float) -> float:
        data = _with_component(fit.data, component, replace(reduced, offset=c.offset + t * x))
        try:
            return -2.0 * fit_mixed(data, options).loglik
        except ConvergenceError:
            return float("inf")

    position = int(work.fixed[sum(len(k.names) for k in fit.data.components[:component]) + column])
    step = float(np.sqrt(max(fit.vcov_beta[position_of(work, position), position_of(work, position)], 0.0)))
    estimate = float(fit.values[position])
    return Target(estimate, step if np.isfinite(step) and step > 0 else max(abs(estimate), 1.0), -np.inf, np.inf, -2.0 * fit.loglik, deviance)


def position_of(work: Workspace, position: int) -> int:
    """Row of a fixed effect in the stacked covariance matrix."""
    return int(np.flatnonzero(work.fixed == position)[0])


def _start(fit: MixedFit, component: int, column: int) -> dict[str, Any]:
    theta = np.asarray(fit.values, float)[fit.params.index("theta")]
    if theta_is_relative(fit):
        return {"theta": theta}
    beta = {c.name: np.delete(b, column) if i == component else b for i, (c, b) in enumerate((c, fit.beta[c.name]) for c in fit.data.components)}
    return {"theta": theta, "beta": beta}


def _with_component(data: ModelData, number: int, component: ComponentDesign) -> ModelData:
    return replace(data, components=tuple(component if i == number else c for i, c in enumerate(data.components)))


def sd_target(work: Workspace, number: int, effect: int) -> Target:
    """The standard deviation of one effect."""
    coords = _coordinates(work)
    t = coords.terms[number]
    at = t.first + (0 if t.structure == "homdiag" else effect)
    return _coordinate_target(work, coords, at, 0.0, np.inf, float)


def cor_target(work: Workspace, number: int, a: int, b: int) -> Target:
    """The correlation of two effects: the first partial correlation when they are put first."""
    k = len(work.fit.terms[number].names)
    order = np.array([b, a, *(i for i in range(k) if i not in (a, b))], dtype=np.intp)
    coords = _coordinates(work, {number: order})
    return _coordinate_target(work, coords, coords.terms[number].first + k, -8.0, 8.0, lambda z: float(np.sign(z)) if abs(z) >= 8 else float(np.tanh(z)))


def scale_target(work: Workspace, block: str) -> Target:
    """The residual standard deviation or the dispersion parameter, on the log scale."""
    coords = _coordinates(work)
    at = list(coords.free).index(int(work.fit.params.index(block)[0]))
    return _coordinate_target(work, coords, at, -np.inf, np.inf, lambda v: float(np.exp(v)))


def _coordinates(work: Workspace, order: dict[int, NDArray[np.intp]] | None = None) -> Coordinates:
    return coordinates(work.fit, with_fixed=not theta_is_relative(work.fit), order=order)


def _coordinate_target(work: Workspace, coords: Coordinates, at: int, low: float, high: float, back: Callable[[float], float]) -> Target:
    from tanada.inference.profile_inner import Inner

    inner = Inner(coords, at)
    q = coords.start()
    return Target(float(q[at]), inner.step(), low, high, -2.0 * work.fit.loglik, inner.deviance, back)

