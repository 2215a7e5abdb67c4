"""Standard deviations and correlations of the random effects, with standard errors by the delta method.

Intervals are symmetric on the log scale of a standard deviation and on Fisher's z scale of a correlation (Pinheiro & Bates 2000, 2.4.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.inference.hessian import step_floors
from tanada.inference.structures import template, theta_is_relative
from tanada.inference.wald import critical
from tanada.inference.workspace import Workspace

Array = NDArray[np.float64]


@dataclass(frozen=True)
class VariancePart:
    """One standard deviation ("sd") or correlation ("cor") and where it belongs."""

    component: str
    group: str
    term1: str
    term2: str
    kind: str
    estimate: float
    std_error: float
    conf_low: float
    conf_high: float

    @property
    def name(self) -> str:
        if not self.term1:
            return "sigma" if self.group == "Residual" else "dispersion"
        head = "" if self.component == "cond" else self.component + "|"
        return head + (f"sd({self.term1}|{self.group})" if self.kind == "sd" else f"cor({self.term1},{self.term2}|{self.group})")


def _measures(work: Workspace, values: Array) -> Array:
    """Log SDs and Fisher z of correlations, term by term, then log sigma or log dispersion, as a function of the parameter vector."""
    fit = work.fit
    sigma = fit.params.index("sigma")
    scale = float(np.exp(values[sigma[0]])) if theta_is_relative(fit) else 1.0
    designs = {(c.name, i): d for c in fit.data.components for i, d in enumerate(c.random)}
    out: list[Array] = []
    seen: dict[str, int] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for t in fit.terms:
            number = seen.get(t.component, 0)
            seen[t.component] = number + 1
            L = scale * template(t.structure, len(t.names), values[t.theta_index], designs[(t.component, number)])
            cov = L @ L.T
            sd = np.sqrt(np.diag(cov))
            r, c = np.tril_indices(len(sd), -1)
            out += [np.log(sd), np.arctanh(np.clip(cov[r, c] / (sd[r] * sd[c]), -1, 1))]
    out += [values[sigma], values[fit.params.index("dispersion")]]
    return np.concatenate(out)


def variance_parts(work: Workspace, level: float) -> list[VariancePart]:
    """All standard deviations and correlations with Wald intervals; parts at a boundary get NaN limits."""
    fit, free = work.fit, work.free_variance
    x = np.asarray(fit.values, float)
    base = _measures(work, x)
    J, floor = np.zeros((len(base), len(free))), step_floors(fit)
    for i, j in enumerate(free):
        h = 1e-5 * max(abs(x[j]), floor[j])
        up, down = x.copy(), x.copy()
        up[j], down[j] = x[j] + h, max(x[j] - h, fit.params.lower[j])
        with np.errstate(invalid="ignore"):
            J[:, i] = (_measures(work, up) - _measures(work, down)) / (up[j] - down[j])
    with np.errstate(invalid="ignore"):
        se = np.sqrt(np.einsum("mi,ij,mj->m", J, work.variance_vcov, J))
    z = float(critical(level, np.array(np.inf)))
    out = []
    for label, value, s in zip(_labels(work.fit), base, se):
        out.append(_part(label, float(value), float(s), z))
    return out


def _labels(fit: MixedFit) -> list[tuple[str, str, str, str, str]]:
    out = []
    for t in fit.terms:
        out += [(t.component, t.group, n, "", "sd") for n in t.names]
        r, c = np.tril_indices(len(t.names), -1)
        out += [(t.component, t.group, t.names[b], t.names[a], "cor") for a, b in zip(r, c)]
    if len(fit.params.index("sigma")):
        out.append(("cond", "Residual", "", "", "sd"))
    if len(fit.params.index("dispersion")):
        out.append(("cond", "Dispersion", "", "", "sd"))
    return out


def part_names(fit: MixedFit) -> list[str]:
    """Names of all standard deviations and correlations, and of sigma, in the order of `variance_parts`."""
    return [_part(label, 0.0, np.nan, 0.0).name for label in _labels(fit)]


def _part(label: tuple[str, str, str, str, str], value: float, se: float, z: float) -> VariancePart:
    """Back from the log or Fisher z scale."""
    regular = np.isfinite(value) and np.isfinite(se) and abs(value) < 15
    s = se if regular else np.nan
    if label[4] == "sd":
        estimate = float(np.exp(value))
        return VariancePart(*label, estimate, estimate * s, float(np.exp(value - z * s)), float(np.exp(value + z * s)))
    estimate = float(np.tanh(value))
    return VariancePart(*label, estimate, (1 - estimate**2) * s, float(np.tanh(value - z * s)), float(np.tanh(value + z * s)))
