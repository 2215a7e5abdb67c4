"""The engine of Gaussian models with identity link: profiled ML and REML.

beta and sigma are profiled out, so the optimiser sees theta only (relative covariance factors); see the method notes and
Bates, Maechler, Bolker & Walker (2015).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada import _core
from tanada.design.matrices import ModelData
from tanada.engine.boundary import advice_for, singular_parts
from tanada.engine.fit import MixedFit, TermEstimate
from tanada.engine.options import FitOptions
from tanada.engine.random_input import core_input
from tanada.engine.verdict import Verdict, scaled_projected_gradient
from tanada.errors import ConvergenceError, DataError, ModelError
from tanada.params import ParameterMap

Array = NDArray[np.float64]

LOG_2PI = float(np.log(2 * np.pi))
GRADIENT_TOLERANCE = 1e-4


@dataclass(frozen=True)
class GaussianObjective:
    """The deviance in (beta, theta, log sigma) and refits; owns the core's model."""

    data: ModelData
    options: FitOptions
    model: Any  # _core.GaussianModel
    params: ParameterMap
    loaded: list[Array] = field(default_factory=list)  # the response now in the core's model, shared by all refits

    def _load(self) -> None:
        """Put this fit's response into the core's model, which refits share."""
        if not self.loaded or self.loaded[0] is not self.data.y:
            component = self.data.components[0]
            self.model.set_response(self.data.y - component.offset, component.X)
            self.loaded[:] = [self.data.y]

    @cached_property
    def _parts(self) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
        return self.params.index("fixed"), self.params.index("theta"), len(self.params) - 1

    def deviance(self, values: Array) -> float:
        """-2 log-likelihood at (beta, theta, log sigma); the REML criterion does not depend on beta."""
        return self._evaluate(values, gradient=False)[0]

    def gradient(self, values: Array) -> Array:
        return self._evaluate(values, gradient=True)[1]

    def profiled(self, values: Array) -> tuple[float, Array]:
        """The deviance at (theta, log sigma) with beta profiled out, and its gradient; zero for the fixed effects."""
        self._load()
        _, theta_at, sigma_at = self._parts
        v = np.asarray(values, float)
        sigma = float(np.exp(v[sigma_at]))
        value, grad, status = self.model.evaluate_sigma(v[theta_at], sigma, self.options.reml)
        out = np.zeros(len(v))
        if status != 0:
            return float("inf"), np.full(len(v), np.nan)
        out[theta_at], out[sigma_at] = grad[:-1], grad[-1] * sigma
        return float(value), out

    def theta_deviance(self, theta: Array) -> float:
        """The deviance at theta with sigma and beta profiled out."""
        self._load()
        found = self.model.solution(np.asarray(theta, float), self.options.reml)
        return float("inf") if found is None else float(found["deviance"])

    def profiled_gradient(self, values: Array) -> Array:
        """Gradient of `profiled`."""
        return self.profiled(values)[1]

    def _evaluate(self, values: Array, gradient: bool) -> tuple[float, Array]:
        self._load()
        fixed, theta_at, sigma_at = self._parts
        v = np.asarray(values, float)
        theta, sigma, reml = v[theta_at], float(np.exp(v[sigma_at])), self.options.reml
        value, grad, status = self.model.evaluate_sigma(theta, sigma, reml)
        out = np.zeros(len(v))
        if status != 0:
            return float("inf"), np.full(len(v), np.nan)
        out[theta_at], out[sigma_at] = grad[:-1], grad[-1] * sigma
        if reml or not len(fixed):
            return float(value), out
        # away from the profiled beta: d(beta) = d(beta-hat) + (beta - beta-hat)' V^-1-information (beta - beta-hat) / sigma^2
        s = self.model.solution(theta, reml)
        delta = v[fixed] - s["beta"]
        information = np.linalg.inv(s["unscaled"])
        quadratic = float(delta @ information @ delta)
        value += quadratic / sigma**2
        if gradient:
            out[fixed] = 2 * information @ delta / sigma**2
            out[sigma_at] -= 2 * quadratic / sigma**2
            h = information @ delta
            derivatives = self.model.unscaled_derivatives(theta)
            shift = self._beta_shift(theta) if np.any(delta) else np.zeros((len(theta), len(fixed)))
            for j, D in enumerate(derivatives):
                out[theta_at[j]] -= (float(h @ D @ h) + 2 * float(h @ shift[j])) / sigma**2
        return float(value), out

    def _beta_shift(self, theta: Array) -> Array:
        """d beta-hat / d theta by central differences of the exact profile (used only away from the optimum)."""
        rows = []
        for j in range(len(theta)):
            h = 1e-5 * max(abs(theta[j]), 1e-2)
            e = np.zeros(len(theta))
            e[j] = h
            rows.append((self.model.solution(theta + e, False)["beta"] - self.model.solution(theta - e, False)["beta"]) / (2 * h))
        return np.array(rows).reshape(len(theta), -1)

    def vcov_derivatives(self, values: Array) -> Array:
        """Derivative of sigma^2 (X'V^-1X)^-1 in each theta, (d, p, p)."""
        v = np.asarray(values, float)
        fixed, theta_at, sigma_at = self._parts
        p = len(fixed)
        if not len(theta_at):
            return np.zeros((0, p, p))
        self.model.solution(v[theta_at], self.options.reml)
        return np.exp(2 * v[sigma_at]) * np.array(self.model.unscaled_derivatives(v[theta_at])).reshape(len(theta_at), p, p)

    def refit(self, y: Array, start: Array | None = None) -> MixedFit:
        y = np.ascontiguousarray(y, float)
        if y.shape != self.data.y.shape:
            raise DataError(f"refit needs {self.data.nobs} responses, one for each row of the fit; {y.size} were given.")
        if not np.isfinite(y).all():
            raise DataError("refit: the new response has missing or infinite values.")
        other = replace(self, data=replace(self.data, y=y))
        other._load()
        theta = start[self._parts[1]] if start is not None else None
        return _optimum(other.data, self.options, self.model, theta, self.loaded)


def fit_gaussian(data: ModelData, options: FitOptions) -> MixedFit:
    """Fit a Gaussian (mixed) model with identity link by ML or REML.

    Parameters
    ----------
    data : ModelData
        One component, "cond".
    options : FitOptions
        `start` may hold "theta" (relative covariance factors).

    Raises
    ------
    DataError
        Weights that are not positive; a response without variation.
    ConvergenceError
        No point with a finite likelihood was found.
    """
    component = data.components[0]
    _check_data(data)
    factors, terms = core_input(data.components)
    unit = bool(np.all(data.weights == 1.0))
    X = np.ascontiguousarray(component.X, float)
    y = np.ascontiguousarray(data.y - component.offset, float)
    weights = None if unit else np.ascontiguousarray(data.weights, float)
    model = _core.GaussianModel.build(X, y, weights, factors, terms)
    start = (options.start or {}).get("theta")
    return _optimum(data, options, model, None if start is None else np.asarray(start, float), [data.y])


def _check_data(data: ModelData) -> None:
    component = data.components[0]
    n, p = component.X.shape
    if np.any(~(data.weights > 0)):
        raise DataError("Weights must be positive; drop the rows whose weight is zero or negative.")
    if n <= p:
        raise DataError(f"{n} rows cannot identify {p} fixed effects and a residual variance; there must be more rows than coefficients.")


def _optimum(data: ModelData, options: FitOptions, model: Any, start: Array | None, loaded: list[Array]) -> MixedFit:
    info = model.theta_info()
    lower = np.array([t[2] for t in info])
    if start is not None and len(start) != len(info):
        raise ModelError(f"start['theta'] has {len(start)} values; this model has {len(info)} covariance parameters.")
    control = options.control
    settings: dict[str, Any] = {
        "max_iterations": int(control.get("max_iterations", 300)),
        "tol_gradient": float(control.get("tol_gradient", 1e-6)),
        "tol_decrease": float(control.get("tol_decrease", 1e-10)),
    }
    theta, outcome, evaluations = np.zeros(0), None, 1
    if info:
        first = model.moment_start() if start is None else start
        outcome = model.fit(first, options.reml, **settings)
        evaluations = outcome.evaluations
        if _in_doubt(outcome, lower):
            second = model.fit(_neutral_start(data, info), options.reml, **settings)
            evaluations += second.evaluations
            if not np.isfinite(outcome.value) or second.value < outcome.value - 1e-9:
                outcome = second
            if _without_residual(data, outcome):  # the optimum lies at large relative SDs: start there
                third = model.fit(10.0 * _neutral_start(data, info), options.reml, **settings)
                evaluations += third.evaluations
                if third.value < outcome.value - 1e-9:
                    outcome = third
        if not np.isfinite(outcome.value):
            raise ConvergenceError(
                "No finite likelihood was found from the start values. Check for a response that the fixed effects fit perfectly, or give start={'theta': [...]}."
            )
        theta = outcome.x
    solution = model.solution(theta, options.reml)
    scale = float(np.var(data.y)) if data.nobs else 0.0
    if solution is None or not solution["sigma2"] > 1e-18 * max(scale, 1e-300):
        raise DataError(
            f"The residual variance of '{data.response}' is zero: the model fits the response perfectly. "
            "Remove predictors that determine it, or check that it is not constant."
        )
    return _assemble(data, options, model, theta, solution, outcome, evaluations, loaded)


def _neutral_start(data: ModelData, info: list[tuple[Any, ...]]) -> Array:
    """The structures' own start values, standard deviations in the units of the effects' columns."""
    theta, at = np.array([t[1] for t in info], float), 0
    for term in data.components[0].random:
        size = np.sqrt(np.maximum(np.mean(term.Z**2, axis=0), 1e-300))
        k = term.k
        if term.structure == "us":
            for c in range(k):
                theta[at] /= size[c]
                at += k - c
        elif term.structure == "diag":
            theta[at : at + k] /= size
            at += k
        else:
            return theta
    return theta


def _without_residual(data: ModelData, outcome: Any) -> bool:
    """Whether an unfinished fit drives the residual variance to zero: relative SDs run away and a term has an effect for each row."""
    one_each = any(np.count_nonzero(t.Z) <= data.nobs and t.k * len(t.levels) >= data.nobs // 2 for t in data.components[0].random)
    return not outcome.converged and one_each and bool(np.max(np.abs(outcome.x)) > 20.0)


def _in_doubt(outcome: Any, lower: Array) -> bool:
    """A second start is worth its time when the first failed, or stopped with a parameter at its bound."""
    return not outcome.converged or not np.isfinite(outcome.value) or bool(np.any(outcome.x <= lower + 1e-8))


def _assemble(
    data: ModelData,
    options: FitOptions,
    model: Any,
    theta: Array,
    solution: dict[str, Any],
    outcome: Any,
    evaluations: int,
    loaded: list[Array],
) -> MixedFit:
    component = data.components[0]
    sigma = float(np.sqrt(solution["sigma2"]))
    params = _parameters(data, model, solution["beta"], theta, sigma)
    terms: list[TermEstimate] = []
    boundary: list[str] = []
    conditional_scale = solution["sigma2"]
    for t, design in enumerate(component.random):
        at = np.flatnonzero([b == f"theta:cond:{t}" for b in params.blocks]).astype(np.intp)
        L = model.term_factor(t, theta)
        terms.append(
            TermEstimate(
                component="cond",
                group=design.group,
                names=design.names,
                structure=design.structure,
                levels=design.levels,
                cov=conditional_scale * (L @ L.T),
                factor=sigma * L,
                modes=solution["modes"][t],
                cond_var=conditional_scale * model.conditional_variances(t),
                theta_index=at,
            )
        )
        boundary += singular_parts(design, L)
    return MixedFit(
        data=data,
        family="gaussian",
        link="identity",
        reml=options.reml,
        method="REML" if options.reml else "ML",
        params=params,
        values=np.concatenate([solution["beta"], theta, [np.log(sigma)]]),
        beta={"cond": solution["beta"]},
        vcov_beta=conditional_scale * solution["unscaled"],
        terms=tuple(terms),
        sigma=sigma,
        loglik=-0.5 * solution["deviance"],
        verdict=_verdict(outcome, params, theta, tuple(boundary), evaluations, outcome is not None and _without_residual(data, outcome)),
        objective=GaussianObjective(data, options, model, params, loaded),
    )


def _parameters(data: ModelData, model: Any, beta: Array, theta: Array, sigma: float) -> ParameterMap:
    component = data.components[0]
    info = model.theta_info()
    names = list(component.names)
    blocks = ["fixed:cond"] * len(names)
    bounds = [model.theta_start(t) for t in range(len(component.random))] + [len(info)]
    for t, design in enumerate(component.random):
        for j in range(bounds[t], bounds[t + 1]):
            names.append(f"{design.text or design.group}: {info[j][0]}")
            blocks.append(f"theta:cond:{t}")
    p = len(component.names)
    lower = np.concatenate([np.full(p, -np.inf), [i[2] for i in info], [-np.inf]])
    upper = np.concatenate([np.full(p, np.inf), [i[3] for i in info], [np.inf]])
    return ParameterMap(
        (*names, "sigma"),
        (*blocks, "sigma"),
        np.concatenate([beta, theta, [np.log(sigma)]]),
        lower,
        upper,
        ("identity",) * (p + len(info)) + ("log",),
    )


def _verdict(
    outcome: Any, params: ParameterMap, theta: Array, boundary: tuple[str, ...], evaluations: int, residual_free: bool
) -> Verdict:
    if outcome is None:
        return Verdict("ok", "No random effects: the estimates are exact.", evaluations=evaluations)
    at = params.index("theta")
    gradient = scaled_projected_gradient(theta, outcome.gradient, params.lower[at], params.upper[at], outcome.value)
    common: dict[str, Any] = {"scaled_gradient": gradient, "boundary": boundary, "evaluations": evaluations}
    if gradient > GRADIENT_TOLERANCE and residual_free:
        return Verdict(
            "not converged",
            "The residual variance runs to zero: a random term with one effect for each row takes up all variation.",
            "Fit the model without a residual, disp='~ 0', or with fewer positions in the term.",
            **common,
        )
    if gradient > GRADIENT_TOLERANCE:
        return Verdict(
            "not converged",
            f"The optimiser stopped with a scaled gradient of {gradient:.2g} ({outcome.message}).",
            "Raise control={'max_iterations': ...}, rescale predictors that span many orders of magnitude, or simplify the random effects.",
            **common,
        )
    if boundary:
        return Verdict(
            "boundary", "Converged at the boundary: " + ", ".join(boundary) + " estimated at the limit.", advice_for(boundary), **common
        )
    return Verdict("ok", f"Converged (scaled gradient {gradient:.1g}, {evaluations} evaluations).", **common)
