"""Standardised solutions: latent variables only (std_lv), and all variables (std_all)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_fit import SemFit
from tanada.partable.evaluate import Functions
from tanada.partable.table import Row
from tanada.semmodel.matrices import BlockMap, matrices

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BlockMoments:
    """Implied variances of a block: of observed (p,) and latent variables (m,), residual variances of both."""

    ov: dict[str, float]
    lv: dict[str, float]
    residual: dict[str, float]


def latent_moments(m: BlockMap, x: Array) -> tuple[Array, Array]:
    """Covariance (k, k) and mean (k,) of the latent variables (and carried observed ones) of a block."""
    _, _, psi, beta, _, alpha = matrices(m, x)
    A = np.linalg.inv(np.eye(len(m.lv)) - beta) if len(m.lv) else np.zeros((0, 0))
    return A @ psi @ A.T, A @ alpha


def block_moments(fit: SemFit, m: BlockMap, x: Array) -> BlockMoments:
    lam, theta, psi, beta, _, _ = matrices(m, x)
    k = len(m.lv)
    A = np.linalg.inv(np.eye(k) - beta) if k else np.zeros((0, 0))
    eta = A @ psi @ A.T
    sigma = lam @ eta @ lam.T + theta
    latent = set(m.lv[m.n_lv :])
    residual = {v: float(theta[i, i]) for i, v in enumerate(m.ov) if v not in latent}
    residual.update({v: float(psi[i, i]) for i, v in enumerate(m.lv)})
    return BlockMoments({v: float(sigma[i, i]) for i, v in enumerate(m.ov)}, {v: float(eta[i, i]) for i, v in enumerate(m.lv[: m.n_lv])}, residual)


def standardized(fit: SemFit, estimates: Array | None = None, x: Array | None = None) -> tuple[Array, Array]:
    """std_lv and std_all of every table row.

    Notes
    -----
    Loadings and paths are multiplied by the implied standard deviation of their cause and divided by that of their effect; covariances are
    divided by the residual standard deviations, variances by the implied total variance.
    """
    x = fit.x if x is None else x
    estimates = fit.estimates if estimates is None else estimates
    lv_only, everything = estimates.copy(), estimates.copy()
    blocks = {m.block.number: block_moments(fit, m, x) for m in fit.built.maps}
    with np.errstate(invalid="ignore", divide="ignore"):
        for i, r in enumerate(fit.table.rows):
            b = blocks[r.block]
            for out, use_ov in ((lv_only, False), (everything, True)):
                out[i] = estimates[i] * _factor(r.lhs, r.op, r.rhs, b, use_ov)
    return lv_only, everything


def _factor(lhs: str, op: str, rhs: str, b: BlockMoments, use_ov: bool) -> float:
    if op == "=~":
        return _sd(lhs, b, use_ov) / _sd(rhs, b, use_ov)
    if op == "<~" or op == "~":
        return _sd(rhs, b, use_ov) / _sd(lhs, b, use_ov)
    if op == "~~":
        if lhs == rhs:
            return 1.0 / _sd(lhs, b, use_ov) ** 2
        return 1.0 / (_residual_sd(lhs, b, use_ov) * _residual_sd(rhs, b, use_ov))
    if op in ("~1", "|"):
        return 1.0 / _sd(lhs, b, use_ov)
    if op == "~*~":
        return _sd(lhs, b, use_ov)
    return 1.0


def change_factor(r: Row, b: BlockMoments, use_ov: bool) -> float:
    """What multiplies an expected parameter change to standardise it."""
    return _factor(r.lhs, r.op, r.rhs, b, use_ov)


def _sd(name: str, b: BlockMoments, use_ov: bool) -> float:
    if name in b.lv:
        return float(np.sqrt(np.float64(b.lv[name])))
    return float(np.sqrt(np.float64(b.ov[name]))) if use_ov else 1.0


def _residual_sd(name: str, b: BlockMoments, use_ov: bool) -> float:
    if name in b.lv or use_ov:
        return float(np.sqrt(np.float64(b.residual[name])))
    return 1.0


def defined_standardized(fit: SemFit, lv_only: Array, everything: Array) -> list[tuple[float, float]]:
    """Defined parameters computed from the standardised values of the labels they use."""
    if not fit.functions.defined:
        return []
    out = []
    for values in (lv_only, everything):
        labels: dict[str, float] = {}
        for k, (r, v) in enumerate(zip(fit.table.rows, values), 1):
            if r.label:
                labels.setdefault(r.label, float(v))
            labels[f".p{k}."] = float(v)
        out.append(_evaluate(fit.functions, labels))
    return list(zip(*out))


def _evaluate(functions: Functions, labels: dict[str, float]) -> list[float]:
    from tanada.partable.evaluate import Dual, evaluate

    empty = np.zeros(0)
    names = {k: Dual(v, empty) for k, v in labels.items()}
    for name, e in functions.defined:
        names[name] = evaluate(e, names, 0)
    return [names[name].value for name, _ in functions.defined]
