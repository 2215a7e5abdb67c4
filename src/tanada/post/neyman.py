"""Johnson-Neyman intervals: where along a moderator a slope differs from zero, with exact ends.

The slope at v has estimate s(v) = l(v)'beta and variance l(v)'V l(v); it is significant where h(v) = s(v)^2 - c(v)^2 var(v) > 0, c the
critical value with the degrees of freedom at v. When l is linear in v and c constant, h is a quadratic and its roots are closed form (Johnson &
Fay 1950; Bauer & Curran 2005); elsewhere roots are bracketed on a grid and refined to machine accuracy. False discovery rate: Esarey & Sumner (2018).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.inference.ddf import FixedTests
from tanada.inference.wald import critical, p_values

Array = NDArray[np.float64]

Curve = Callable[[Array], tuple[Array, Array]]  # v (K,) -> estimate (K,), gradient (K, p)

FDR_POINTS = 1000


@dataclass(frozen=True)
class Neyman:
    """Where a slope is significant.

    Attributes
    ----------
    bounds : tuple of float
        All values of the moderator at which significance changes; for straight lines also those outside the observed range.
    observed : (float, float)
        Smallest and largest observed value.
    columns : dict
        conf-table: start, end, direction ("positive", "negative", "changes sign"), significant; over the observed range.
    critical : float or None
        Critical value, when it is the same everywhere.
    exact : bool
        Closed form.
    """

    bounds: tuple[float, ...]
    observed: tuple[float, float]
    columns: dict[str, NDArray[Any]]
    critical: float | None
    exact: bool


@dataclass(frozen=True)
class SlopeCurve:
    """The slope along the moderator, its variance, and its critical value."""

    curve: Curve
    tests: FixedTests
    level: float
    fixed: float | None = None
    points: int = 801  # of the grid on which roots are bracketed

    def parts(self, v: Array) -> tuple[Array, Array, Array]:
        """Estimate, standard error and degrees of freedom at v."""
        s, g = self.curve(v)
        se = np.sqrt(np.maximum(np.einsum("kp,pq,kq->k", g, self.tests.vcov, g), 0.0))
        return s, se, np.array([self.tests.tests.df(row) if np.any(row) else np.inf for row in g])

    def h(self, v: Array) -> Array:
        """Positive where significant; in units of the standard error."""
        s, se, df = self.parts(np.atleast_1d(v))
        c = critical(self.level, df) if self.fixed is None else np.full(len(s), self.fixed)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(se > 0, np.abs(s) / se, np.where(np.abs(s) > 0, np.inf, 0.0)) - c


def johnson_neyman_bounds(curve: SlopeCurve, observed: tuple[float, float], fdr: bool) -> Neyman:
    """The intervals of one slope along its moderator."""
    low, high = observed
    line = _line(curve, low, high)
    if fdr:
        curve = replace(curve, fixed=fdr_critical(curve, low, high))
    constant = _constant_critical(curve, low, high)
    if line is not None and constant is not None:
        return _assembled(curve, closed_form(line, curve.tests, constant), observed, constant, True)
    span = high - low if line is not None else 0.0
    bounds = _searched(curve, low - 2 * span, high + 2 * span)
    return _assembled(curve, bounds, observed, curve.fixed, False)


def _line(curve: SlopeCurve, low: float, high: float) -> tuple[Array, Array, Array] | None:
    """(s0, s1), l0, l1 with l(v) = l0 + l1 v, when the slope is a straight line in v; sizes are judged in standard errors."""
    v = np.array([low, 0.5 * (low + high), high, low + 0.2345 * (high - low)])
    s, g = curve.curve(v)
    sd = np.sqrt(np.abs(np.diag(curve.tests.vcov)))
    l1, s1 = (g[2] - g[0]) / (high - low), (s[2] - s[0]) / (high - low)
    l0, s0 = g[0] - l1 * low, s[0] - s1 * low
    size, tall = np.abs(g * sd).max(initial=1e-300), np.abs(s).max(initial=1e-300)
    straight = all(np.abs((g[i] - l0 - l1 * v[i]) * sd).max() < 1e-8 * size and abs(s[i] - s0 - s1 * v[i]) < 1e-8 * tall for i in (1, 3))
    if not straight:
        return None
    l1 = np.where(np.abs(l1) * sd * (high - low) < 1e-9 * size, 0.0, l1)
    s1 = s1 if np.any(l1) else 0.0
    return np.array([s0, s1]), l0, l1


def _constant_critical(curve: SlopeCurve, low: float, high: float) -> float | None:
    if curve.fixed is not None:
        return curve.fixed
    _, _, df = curve.parts(np.linspace(low, high, 3))
    return float(critical(curve.level, df[:1])[0]) if np.all(df == df[0]) else None


def closed_form(line: tuple[Array, Array, Array], tests: FixedTests, crit: float) -> tuple[float, ...]:
    """Roots of (s0 + s1 v)^2 = crit^2 (V00 + 2 v V01 + v^2 V11), none when the slope does not change its significance."""
    (s0, s1), l0, l1 = line
    V = tests.vcov
    a = s1**2 - crit**2 * float(l1 @ V @ l1)
    b = 2 * (s0 * s1 - crit**2 * float(l0 @ V @ l1))
    c = s0**2 - crit**2 * float(l0 @ V @ l0)
    if not np.any(l1):
        return ()
    if a == 0:
        return () if b == 0 else (-c / b,)
    disc = b * b - 4 * a * c
    if disc <= 0:
        return ()
    q = -0.5 * (b + np.copysign(np.sqrt(disc), b))
    roots = (q / a, c / q) if q != 0 else (0.0, -b / a)
    return tuple(sorted(float(r) for r in roots))


def _searched(curve: SlopeCurve, low: float, high: float) -> tuple[float, ...]:
    """Roots of h by a grid and Brent's method."""
    from scipy.optimize import brentq

    v = np.linspace(low, high, curve.points)
    h = curve.h(v)
    return tuple(
        float(brentq(lambda x: float(curve.h(np.array([x]))[0]), v[i], v[i + 1], xtol=1e-12, rtol=1e-13))
        for i in np.flatnonzero(np.sign(h[:-1]) * np.sign(h[1:]) < 0)
    )


def fdr_critical(curve: SlopeCurve, low: float, high: float) -> float:
    """Critical value that holds the false discovery rate over the observed range at 1 - level (Esarey & Sumner 2018).

    Benjamini and Hochberg's step-up rule on the p values at equally spaced values of the moderator; Bonferroni's value when none passes.
    """
    s, se, df = curve.parts(np.linspace(low, high, min(FDR_POINTS, 2 * curve.points)))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.sort(p_values(np.where(se > 0, s / se, 0.0), df))
    share = np.arange(1, len(p) + 1) / len(p)
    passed = np.flatnonzero(p <= share * (1 - curve.level))
    alpha = (1 - curve.level) * (share[passed[-1]] if len(passed) else share[0])
    return float(critical(1 - alpha, np.array([float(np.min(df))]))[0])


def _assembled(curve: SlopeCurve, bounds: tuple[float, ...], observed: tuple[float, float], crit: float | None, exact: bool) -> Neyman:
    low, high = observed
    inner = [b for b in bounds if low < b < high]
    ends = [low, *inner, high]
    starts, stops, direction, significant = [], [], [], []
    for a, b in zip(ends[:-1], ends[1:]):
        s, _, _ = curve.parts(np.linspace(a, b, 7)[1:-1])
        starts.append(a)
        stops.append(b)
        direction.append("positive" if np.all(s > 0) else "negative" if np.all(s < 0) else "changes sign" if np.any(s != 0) else "zero")
        significant.append(bool(curve.h(np.array([0.5 * (a + b)]))[0] > 0))
    columns = {
        "start": np.array(starts),
        "end": np.array(stops),
        "direction": np.array(direction, dtype=object),
        "significant": np.array(significant),
    }
    return Neyman(bounds, observed, columns, crit, exact)


def sentences(found: Neyman, trend: str, by: str, alpha: float) -> list[str]:
    """The intervals in plain words."""
    low, high = found.observed
    out = []
    c = found.columns
    for a, b, direction, significant in zip(c["start"], c["end"], c["direction"], c["significant"]):
        whole = len(c["start"]) == 1
        where = f"at every observed value of {by}" if whole else f"when {by} is {_range(a, b, low, high)}"
        if significant:
            out.append(f"The slope of {trend} is {direction} and significant (p < {alpha:g}) {where}.")
        else:
            out.append(f"The slope of {trend} is not significant {where}.")
    if len(c["start"]) == 1 and not c["significant"][0]:
        out = [f"The slope of {trend} is never significant (p < {alpha:g}) within the observed range of {by}."]
    outside = [b for b in found.bounds if not low < b < high]
    if outside:
        out.append("Outside the observed range, significance changes at " + " and ".join(f"{b:.4g}" for b in outside) + ".")
    out.append(f"Observed range of {by}: {low:.4g} to {high:.4g}.")
    return out


def _range(a: float, b: float, low: float, high: float) -> str:
    if a == low:
        return f"below {b:.4g}"
    return f"above {a:.4g}" if b == high else f"between {a:.4g} and {b:.4g}"
