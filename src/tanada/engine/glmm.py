"""The engine of all mixed models that are not Gaussian with constant variance: Laplace's approximation or adaptive quadrature.

The core does the work (core/mixed/laplace_*.hpp): modes by damped Newton, joint optimum over all parameters with exact gradients, curvature at
the optimum by differences of that gradient. Here its inputs are laid out and its optimum becomes a `MixedFit`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada import _core
from tanada.design.matrices import ModelData
from tanada.engine import glmm_verdict
from tanada.engine.family import category_probabilities
from tanada.engine.fit import MixedFit, TermEstimate
from tanada.engine.glmm_input import GlmmInput, build_input, threshold_basis
from tanada.engine.glmm_layout import Layout, build_layout
from tanada.engine.options import FitOptions
from tanada.engine.priors import prior_items
from tanada.engine.starts import start_coefficients
from tanada.errors import ConvergenceError, DataError, ModelError

Array = NDArray[np.float64]


@dataclass
class GlmmObjective:
    """The deviance in all parameters of the fit; with priors the penalised one. Owns the core's engine and remembers the last point."""

    inputs: GlmmInput
    options: FitOptions
    engine: Any  # _core.LaplaceEngine
    layout: Layout
    constant: float
    _last: tuple[bytes, float, Array] | None = field(default=None, repr=False)

    def _at(self, values: Array) -> tuple[float, Array]:
        psi = self.layout.to_core(values)
        key = psi.tobytes()
        if self._last is None or self._last[0] != key:
            value, gradient, _ = self.engine.evaluate(psi, self.options.nagq)
            self._last = (key, float(value) + self.constant, gradient)
        return self._last[1], self._last[2]

    def deviance(self, values: Array) -> float:
        """-2 log-likelihood (minus twice the log prior when there is one); infinite where it cannot be evaluated."""
        return self._at(values)[0]

    def gradient(self, values: Array) -> Array:
        return self.layout.vector_from_core(self._at(values)[1])

    def refit(self, y: Array, start: Array | None = None) -> MixedFit:
        """The same model fitted to another response, from `start` (values of this fit's parameters) when given."""
        y = np.ascontiguousarray(y, float)
        data = self.inputs.data
        if y.shape != data.y.shape:
            raise DataError(f"refit needs {data.nobs} responses, one for each row of the fit; {y.size} were given.")
        if not np.isfinite(y).all():
            raise DataError("refit: the new response has missing or infinite values.")
        return _fit(replace(data, y=y), self.options, None if start is None else np.asarray(start, float))


def fit_glmm(data: ModelData, options: FitOptions) -> MixedFit:
    """Fit a mixed model by the Laplace approximation (or adaptive Gauss-Hermite quadrature when `options.nagq` > 1).

    Parameters
    ----------
    data : ModelData
        Components "cond", "zi", "disp", each with fixed and random parts.
    options : FitOptions
        `start`: "beta" (array, or dict by component), "theta"; `priors`: see `tanada.engine.priors`; `control`: "max_iterations",
        "tolerance" (scaled gradient), "hessian" (False skips standard errors).

    Returns
    -------
    MixedFit
        `values` holds absolute theta. `extra`: "vcov" (all parameters; NaN for those held at a bound), "eta" (n, m) all linear predictors,
        "predictors" their roles, "theta_names", "thresholds" (ordinal), "family_options", "log_prior", "zero_inflated".

    Raises
    ------
    DataError, ModelError, ConvergenceError

    References
    ----------
    Kristensen, K., Nielsen, A., Berg, C. W., Skaug, H. & Bell, B. M. (2016). TMB: automatic differentiation and Laplace approximation.
    Journal of Statistical Software, 70(5). Pinheiro, J. C. & Chao, E. C. (2006). Efficient Laplacian and adaptive Gaussian quadrature
    algorithms for multilevel generalized linear mixed models. Journal of Computational and Graphical Statistics, 15, 58-81.
    """
    return _fit(data, options, None)


def _fit(data: ModelData, options: FitOptions, start: Array | None) -> MixedFit:
    _check(data, options)
    inputs = build_input(data, options)
    priors = prior_items(options.priors, inputs) if options.priors else []
    terms = inputs.core_terms()
    engine = _core.LaplaceEngine(
        inputs.info.name,
        inputs.info.link,
        inputs.zero_inflated,
        list(inputs.info.options),
        np.ascontiguousarray(data.y, float),
        np.ascontiguousarray(data.trials, float),
        np.ascontiguousarray(data.weights, float),
        inputs.beta_count,
        [(p.X, p.offset, p.first) for p in inputs.predictors],
        terms,
        priors,
    )
    layout = build_layout(inputs, engine)
    outcome = _optimise(inputs, options, engine, layout, start)
    return _assemble(inputs, options, engine, layout, outcome)


def _check(data: ModelData, options: FitOptions) -> None:
    if np.any(~(data.weights >= 0)) or not np.any(data.weights > 0):
        raise DataError("Weights must not be negative, and some must be positive.")
    if isinstance(options.nagq, bool) or not isinstance(options.nagq, int) or not 1 <= options.nagq <= 100:
        raise ModelError(f"nagq = {options.nagq!r}; it takes a whole number from 1 (Laplace) to 100 quadrature points.")
    if options.nagq > 1:
        groups = {t.group for c in data.components for t in c.random}
        width = sum(t.k for c in data.components for t in c.random)
        if len(groups) != 1 or width > 3:
            raise ModelError(
                f"nagq = {options.nagq} needs one grouping factor with one to three random effects per level; this model has "
                f"{len(groups)} grouping factors and {width} effects. Use nagq=1 (Laplace)."
            )


def _optimise(
    inputs: GlmmInput, options: FitOptions, engine: Any, layout: Layout, start: Array | None
) -> dict[str, Any]:
    """The best of one or two runs: a second start is tried when the first did not converge or ended at a bound."""
    control, given = options.control, dict(options.start or {})
    info = engine.theta_info()
    theta = np.array([i[1] for i in info])
    theta_given = [False] * len(info)
    if given.get("theta") is not None:
        theta = np.asarray(given["theta"], float).ravel()
        if len(theta) != len(info):
            raise ModelError(
                f"start['theta'] has {len(theta)} values; this model has {len(info)} covariance parameters."
            )
        theta_given = [True] * len(info)
    settings = {
        "nagq": options.nagq,
        "max_iterations": int(control.get("max_iterations", 300)),
        "tol_gradient": float(control.get("tolerance", 1e-6)),
        "hessian": bool(control.get("hessian", True)),
    }
    if start is not None:
        psi = layout.to_core(start)
        outcome = engine.fit(psi, glm_start=False, theta_given=[True] * len(info), **settings)
    else:
        beta = start_coefficients(inputs, given)
        psi = np.concatenate([beta, theta])
        outcome = engine.fit(psi, glm_start=given.get("beta") is None, theta_given=theta_given, **settings)
    if not _sound(outcome):
        outcome = _second(inputs, engine, outcome, theta, settings)
    if outcome["status"] != "ok" or not np.isfinite(outcome["deviance"]):
        raise ConvergenceError(
            f"No finite likelihood was found from the start values ({outcome['status']}: {outcome['message']}). Check the response for extreme "
            "values, rescale predictors, or give start={'beta': [...], 'theta': [...]}."
        )
    return outcome


def _sound(outcome: dict[str, Any]) -> bool:
    return outcome["status"] == "ok" and bool(outcome["converged"])


def _second(
    inputs: GlmmInput, engine: Any, first: dict[str, Any], theta: Array, settings: dict[str, Any]
) -> dict[str, Any]:
    psi = np.concatenate([start_coefficients(inputs), theta])
    second = engine.fit(psi, glm_start=False, theta_given=[True] * len(theta), **settings)
    usable = second["status"] == "ok" and np.isfinite(second["deviance"])
    better = usable and (first["status"] != "ok" or second["deviance"] < first["deviance"] - 1e-9)
    best = second if better else first
    if not better and first["status"] == "ok":  # the engine's state belongs to the point reported
        engine.evaluate(first["psi"], settings["nagq"])
    best["evaluations"] = first["evaluations"] + second["evaluations"]
    return best


def _assemble(inputs: GlmmInput, options: FitOptions, engine: Any, layout: Layout, outcome: dict[str, Any]) -> MixedFit:
    data, info = inputs.data, inputs.info
    constant = _flat_constant(inputs)
    psi = np.asarray(outcome["psi"])
    flat, flat_vcov = _flat_estimates(inputs, engine)
    values = layout.from_core(psi, flat)
    params = layout.parameters(values)
    terms = tuple(_term(inputs, engine, layout, t) for t in range(len(inputs.terms)))
    eta = engine.predictors()
    curvature = glmm_verdict.curvature(inputs, layout, values, outcome)
    vcov = _full_vcov(inputs, engine, layout, curvature.vcov, flat_vcov)
    fixed = params.index("fixed")
    beta = {c.name: values[params.index(f"fixed:{c.name}")] for c in data.components}
    method = (
        "REML"
        if inputs.flat
        else "Laplace"
        if options.nagq == 1 and inputs.terms
        else f"AGQ({options.nagq})"
        if inputs.terms
        else "ML"
    )
    verdict, notes = glmm_verdict.judge(inputs, layout, values, outcome, curvature, terms, eta)
    thresholds = threshold_basis(inputs, values[params.index("threshold")]) if info.ordinal else None
    extra: dict[str, Any] = {
        "vcov": vcov,
        "eta": eta,
        "predictors": tuple(p.role for p in inputs.predictors),
        "family_options": dict(options.family_options),
        "log_prior": float(outcome["log_prior"]),
        "zero_inflated": inputs.zero_inflated,
    }
    if thresholds is not None:
        extra["thresholds"] = thresholds
    return MixedFit(
        data=data,
        family=info.name,
        link=info.link,
        reml=inputs.flat,
        method=method,
        params=params,
        values=values,
        beta=beta,
        vcov_beta=vcov[np.ix_(fixed, fixed)],
        terms=terms,
        sigma=_sigma(inputs, params, values),
        loglik=-0.5 * (float(outcome["deviance"]) + constant),
        known_fitted=_fitted(inputs, eta, thresholds),
        known_eta=np.ascontiguousarray(eta[:, 0]),
        verdict=verdict,
        objective=GlmmObjective(inputs, options, engine, layout, constant),
        notes=notes,
        extra=extra,
    )


def _term(inputs: GlmmInput, engine: Any, layout: Layout, t: int) -> TermEstimate:
    component, design = inputs.terms[t]
    L = np.asarray(engine.term_factor(t))
    modes, variances = engine.term_effects(t)
    return TermEstimate(
        component=inputs.data.components[component].name,
        group=design.group,
        names=design.names,
        structure=design.structure,
        levels=design.levels,
        cov=L @ L.T,
        factor=L,
        modes=modes,
        cond_var=variances,
        theta_index=layout.theta[t],
    )


def _flat_constant(inputs: GlmmInput) -> float:
    """-2 log of the Jacobian of the scaled coefficients that REML integrates out."""
    if inputs.flat_scaling is None:
        return 0.0
    return -2.0 * float(np.linalg.slogdet(inputs.flat_scaling)[1])


def _flat_estimates(inputs: GlmmInput, engine: Any) -> tuple[Array | None, Array | None]:
    """REML: the conditional coefficients and their covariance given the other parameters."""
    if inputs.flat_scaling is None:
        return None, None
    modes, variances = engine.term_effects(len(inputs.terms))
    T = inputs.flat_scaling
    return T @ modes[0], T @ variances[0] @ T.T


def _full_vcov(inputs: GlmmInput, engine: Any, layout: Layout, outer: Array, flat_vcov: Array | None) -> Array:
    """Covariance of all parameters; coefficients integrated out also carry the uncertainty of the others, as in glmmTMB."""
    d = len(layout.core)
    vcov = np.zeros((d, d))
    at = layout.outer
    order = layout.core[at]
    vcov[np.ix_(at, at)] = outer[np.ix_(order, order)]
    if flat_vcov is None:
        return vcov
    assert inputs.flat_scaling is not None
    p = len(flat_vcov)
    move = inputs.flat_scaling @ engine.effect_derivatives(len(inputs.terms))  # (p, core parameters)
    usable = np.nan_to_num(outer)
    fixed = np.flatnonzero(layout.core < 0)
    vcov[np.ix_(fixed, fixed)] = flat_vcov + move @ usable @ move.T
    cross = (move @ usable)[:, order]
    vcov[np.ix_(fixed, at)] = cross.reshape(p, -1)
    vcov[np.ix_(at, fixed)] = cross.T
    return vcov


def _sigma(inputs: GlmmInput, params: Any, values: Array) -> float | None:
    at = np.concatenate([params.index("sigma"), params.index("dispersion")])
    if not len(at):
        return None
    phi = float(np.exp(values[at[0]]))
    return phi**-0.5 if inputs.info.name == "gamma" else phi


def _fitted(inputs: GlmmInput, eta: Array, thresholds: Array | None) -> Array:
    """Conditional means; the expected category number (0..K-1) of an ordinal model."""
    if thresholds is None:
        return inputs.info.mean(eta, inputs.data.trials, inputs.zero_inflated)
    share = category_probabilities(inputs.info, eta[:, 0], thresholds)
    return share @ np.arange(share.shape[1], dtype=float)
