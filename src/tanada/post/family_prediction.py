"""Predictions of other than Gaussian responses: means with delta-method errors, probabilities, simulated prediction intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tanada.design.matrices import ComponentDesign
from tanada.engine.family import category_probabilities, simulate_categories
from tanada.engine.fit import MixedFit
from tanada.errors import ModelError
from tanada.inference.wald import critical
from tanada.inference.workspace import Workspace
from tanada.post.family_rows import all_predictors, family_of, zero_inflated
from tanada.post.prediction import Predictor, Request, joint_variance

Array = NDArray[np.float64]
Etas = dict[str, Array]
DRAWS = 2000  # simulated observations a row for prediction intervals
SEED = 20_150_101  # prediction intervals are the same in every call


def predict_family(
    work: Workspace, components: Sequence[ComponentDesign], found: dict[str, Predictor], request: Request, trials: Array
) -> dict[str, Array]:
    """estimate, std_error, conf_low, conf_high of the kind asked for."""
    fit = work.fit
    etas = {k: p.eta for k, p in found.items()}
    function, names = _target(fit, request.kind, etas)
    estimate = function(etas)
    out = {"estimate": estimate}
    if request.std_error:
        slopes = {name: _slope(function, etas, name) for name in names}
        variance = joint_variance(work, components, request, slopes) if names else _dispersion_variance(work, estimate)
        out["std_error"] = np.where(np.isnan(estimate), np.nan, np.sqrt(np.maximum(variance, 0.0)))
    if request.interval == "confidence":
        z = float(critical(request.level, np.array(np.inf)))
        out["conf_low"], out["conf_high"] = _confidence(function, names, etas, found, out, z)
    if request.interval == "prediction":
        out["conf_low"], out["conf_high"] = _prediction(fit, found, request.level, trials)
    if request.kind == "response" and family_of(fit).ordinal:
        share = category_probabilities(family_of(fit), etas["cond"], np.asarray(fit.extra["thresholds"], float))
        labels = fit.data.response_levels or tuple(str(k) for k in range(share.shape[1]))
        out |= {f"prob_{label}": share[:, k] for k, label in enumerate(labels)}
    return out


def _target(fit: MixedFit, kind: str, etas: Etas) -> tuple[Callable[[Etas], Array], list[str]]:
    """The function of the linear predictors that is predicted, and the components it depends on."""
    info, zi = family_of(fit), zero_inflated(fit)
    if kind == "zprob":
        return (lambda e: np.asarray(expit(e["zi"]), float)), ["zi"]
    if kind == "disp":
        return _dispersion(fit, etas)
    if info.ordinal:
        cuts = np.asarray(fit.extra["thresholds"], float)
        return (lambda e: category_probabilities(info, e["cond"], cuts) @ np.arange(len(cuts) + 1.0)), ["cond"]
    if kind == "conditional":
        return (lambda e: _nan_safe(info.mean(_inner(fit, e), None, False), e)), _used(etas, with_zi=False, plain=_plain(fit))
    return (lambda e: _nan_safe(info.mean(all_predictors(fit, e), None, zi), e)), _used(etas, with_zi=zi, plain=_plain(fit))


def _plain(fit: MixedFit) -> bool:
    """Whether the mean of the conditional part is the inverse link of its own predictor."""
    return not (fit.family.startswith("truncated_") or fit.family == "ordered_beta")


def _used(etas: Etas, with_zi: bool, plain: bool) -> list[str]:
    return [k for k in etas if k == "cond" or (k == "zi" and with_zi) or (k == "disp" and not plain)]


def _inner(fit: MixedFit, etas: Etas) -> Array:
    eta = all_predictors(fit, etas)
    return eta[:, :-1] if zero_inflated(fit) else eta


def _nan_safe(values: Array, etas: Etas) -> Array:
    return np.where(np.isnan(etas["cond"]), np.nan, values)


def _dispersion(fit: MixedFit, etas: Etas) -> tuple[Callable[[Etas], Array], list[str]]:
    gamma = -0.5 if fit.family == "gamma" else 1.0
    if "disp" in etas:
        return (lambda e: np.asarray(np.exp(gamma * e["disp"]), float)), ["disp"]
    if fit.sigma is None:
        raise ModelError(f"kind='disp': family '{fit.family}' has no dispersion parameter.")
    value = float(fit.sigma)
    return (lambda e: np.full(len(e["cond"]), value)), []


def _dispersion_variance(work: Workspace, estimate: Array) -> Array:
    """Variance of a constant dispersion parameter, by the delta method from its logarithm."""
    at = np.concatenate([work.fit.params.index("sigma"), work.fit.params.index("dispersion")])
    variance = np.nan_to_num(np.diag(work.full_vcov)[at[0]])
    return np.asarray((0.25 if work.fit.family == "gamma" else 1.0) * variance * estimate**2, float)


def _slope(function: Callable[[Etas], Array], etas: Etas, name: str) -> Array:
    """Derivative of the target in one predictor, by central differences."""
    h = 1e-5
    up, down = dict(etas), dict(etas)
    up[name], down[name] = etas[name] + h, etas[name] - h
    return np.nan_to_num((function(up) - function(down)) / (2 * h))


def _confidence(
    function: Callable[[Etas], Array], names: list[str], etas: Etas, found: dict[str, Predictor], out: Etas, z: float
) -> tuple[Array, Array]:
    """Limits: transformed from the scale of the predictor where the target depends on one, symmetric otherwise."""
    if len(names) != 1:
        return out["estimate"] - z * out["std_error"], out["estimate"] + z * out["std_error"]
    p = found[names[0]]
    assert p.variance is not None
    half = z * np.sqrt(np.maximum(p.variance, 0.0))
    ends = np.stack([function({**etas, names[0]: p.eta - half}), function({**etas, names[0]: p.eta + half})])
    return np.min(ends, axis=0), np.max(ends, axis=0)


def _prediction(fit: MixedFit, found: dict[str, Predictor], level: float, trials: Array) -> tuple[Array, Array]:
    """Quantiles of simulated new observations: predictors are drawn around their estimates, then responses from the family."""
    rng = np.random.default_rng(SEED)
    info, zi = family_of(fit), zero_inflated(fit)
    n = len(found["cond"].eta)
    low, high = np.full(n, np.nan), np.full(n, np.nan)
    good = np.flatnonzero(~np.isnan(found["cond"].eta))
    for part in np.array_split(good, max(1, len(good) * DRAWS // 2_000_000)):
        rows = np.repeat(part, DRAWS)
        etas = {}
        for k, p in found.items():
            assert p.variance is not None
            sd = np.sqrt(np.maximum(p.variance, 0.0) + p.unknown)[rows]
            etas[k] = p.eta[rows] + sd * rng.standard_normal(len(rows))
        if info.ordinal:
            y = simulate_categories(info, etas["cond"], np.asarray(fit.extra["thresholds"], float), rng)
        else:
            y = info.simulate(all_predictors(fit, etas), rng, trials[rows], zi)
        q = np.quantile(y.reshape(len(part), DRAWS), [0.5 - level / 2, 0.5 + level / 2], axis=1)
        low[part], high[part] = q[0], q[1]
    return low, high
