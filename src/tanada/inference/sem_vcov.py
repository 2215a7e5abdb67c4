"""Covariance matrix of SEM estimates: standard, first order, robust (sandwich)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_fit import SemFit
from tanada.errors import ModelError
from tanada.semmodel.sample import is_positive

Array = NDArray[np.float64]


def default_se(fit: SemFit) -> str:
    """lavaan's kind of standard errors for the estimator."""
    o = fit.options
    if o.se is not None and o.se != "robust":
        return {"cluster": "robust.huber.white"}.get(o.se, o.se)
    if o.estimator == "MLR" or (o.se == "robust" and o.estimator == "ML" and fit.sample.likelihood):
        return "robust.huber.white"
    if survey(fit):
        return "robust.huber.white"
    if o.estimator == "MLF":
        return "first.order"
    if o.estimator in ("MLM", "MLMV", "MLMVS", "WLSM", "WLSMV", "ULSM", "ULSMV") or o.se == "robust":
        return "robust.sem"
    return "standard"


def survey(fit: SemFit) -> bool:
    """Rows of one level that are clustered or weighted: maximum likelihood with robust errors and tests."""
    data = fit.sample.data
    return fit.sample.likelihood and fit.table.n_levels == 1 and (data.cluster_name is not None or any(g.weights is not None for g in data.groups))


def default_information(fit: SemFit) -> str:
    """Expected information for complete single-level data, observed elsewhere."""
    o = fit.options
    if o.information is not None:
        return o.information
    if not fit.sample.likelihood:
        return "expected"
    if fit.sample.kind != "moments" or default_se(fit) == "robust.huber.white":
        return "observed"
    return "expected"


def information(fit: SemFit, kind: str | None = None) -> Array:
    """Information matrix of all free parameters, total over the sample.

    Parameters
    ----------
    fit : SemFit
    kind : "expected", "observed" or "first.order", optional

    Returns
    -------
    array (n_free, n_free)
    """
    kind = kind or default_information(fit)
    if kind == "expected":
        return np.asarray(fit.built.objective.expected_information(fit.x))
    if kind == "first.order":
        s = unit_scores(fit)
        return s.T @ s
    return 0.5 * np.asarray(fit.built.objective.hessian(fit.x))


def unit_scores(fit: SemFit) -> Array:
    """Scores of independent units: clusters of two-level models and where cluster= was given, rows otherwise."""
    s = fit.sample.scores(fit.built, fit.x)
    data = fit.sample.data
    if data.cluster_name is None or fit.table.n_levels > 1:
        return s
    parts, at = [], 0
    for g in data.groups:
        assert g.code is not None
        rows = s[at : at + g.n]
        at += g.n
        total = np.zeros((len(g.clusters), s.shape[1]))
        np.add.at(total, g.code, rows)
        parts.append(total)
    return np.concatenate(parts)


def score_products(fit: SemFit) -> Array:
    """Sum of squared unit scores; times J / (J - 1) for the J clusters of a single-level model."""
    s = unit_scores(fit)
    B = s.T @ s
    if fit.sample.data.cluster_name is None or fit.table.n_levels > 1:
        return B
    J = fit.sample.data.n_clusters
    return B * (J / max(J - 1, 1))


def invert(A: Array, basis: Array | None) -> Array:
    """K (K' A K)^-1 K', K the directions that constraints leave free; NaN where the information is singular."""
    K = np.eye(A.shape[0]) if basis is None else basis
    R = K.T @ A @ K
    if not R.size:
        return np.zeros_like(A)
    if not np.isfinite(R).all():
        return np.full_like(A, np.nan)
    d = np.sqrt(np.abs(np.diag(R)))
    if (d == 0).any():
        return np.full_like(A, np.nan)
    scaled = R / np.outer(d, d)
    if not is_positive(scaled, 1e-9) and np.abs(np.linalg.eigvalsh(scaled)).min() < 1e-9:
        return np.full_like(A, np.nan)
    inverse = np.linalg.inv(scaled) / np.outer(d, d)
    return K @ inverse @ K.T


def vcov(fit: SemFit, kind: str | None = None) -> Array:
    """Covariance matrix (n_free, n_free) of the free parameters.

    Notes
    -----
    "robust.huber.white" is A^-1 B A^-1 with A the observed information and B the sum of squared unit scores (White 1982); "robust.sem" replaces
    B by the asymptotic covariance of the sample moments (Satorra & Bentler 1994).
    """
    kind = kind or default_se(fit)
    if kind == "none" or not fit.x.size:
        return np.full((fit.x.size, fit.x.size), np.nan)
    if kind == "bootstrap":
        from tanada.inference.sem_bootstrap import bootstrap_vcov

        return bootstrap_vcov(fit)
    if kind == "first.order":
        return invert(information(fit, "first.order"), fit.basis)
    if kind == "robust.sem":
        from tanada.inference.sem_moments import sandwich_vcov

        return sandwich_vcov(fit)
    A = invert(information(fit), fit.basis)
    if kind == "standard":
        return _standard(fit, A)
    if kind != "robust.huber.white":
        raise ModelError(f"se='{kind}' is not available for this model.")
    return A @ score_products(fit) @ A


def _standard(fit: SemFit, A: Array) -> Array:
    if fit.sample.kind == "least_squares":
        from tanada.inference.sem_moments import least_squares_vcov

        return least_squares_vcov(fit)
    return A


def defined_parameters(fit: SemFit, V: Array) -> list[tuple[str, str, float, float]]:
    """Name, formula, value and delta-method standard error of each defined parameter."""
    functions = fit.functions
    if not functions.defined:
        return []
    names = functions.names(fit.x)
    text = {c.lhs_text: c.rhs_text for c in fit.table.defined()}
    if default_se(fit) == "bootstrap":
        from tanada.inference.sem_bootstrap import defined_errors

        return [(n, text[n], names[n].value, float(e)) for (n, _), e in zip(functions.defined, defined_errors(fit))]
    out = []
    for name, _ in functions.defined:
        d = names[name]
        variance = float(d.gradient @ V @ d.gradient)
        out.append((name, text[name], d.value, float(np.sqrt(variance)) if variance >= 0 else np.nan))
    return out
