"""What is known about a SEM optimum, in words that name the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.engine.sem_base import Built, free_start
from tanada.engine.verdict import Verdict
from tanada.partable.table import ParameterTable
from tanada.semmodel.sample import is_positive

Array = NDArray[np.float64]


def sem_verdict(table: ParameterTable, built: Built, x: Array, out: Any, basis: Array | None, box: tuple[Array, Array]) -> Verdict:
    """Converged or not; identified or not; which parameters lie on their bounds (`box`: lower, upper)."""
    gradient, evaluations = float(out.scaled_gradient), int(out.evaluations)
    if not np.isfinite(out.value):
        return Verdict("not converged", "The optimiser found no parameter values with a positive definite model covariance matrix.", "Check the model for errors, and give start values with start(value)*variable.", gradient, (), evaluations)
    information = np.asarray(built.objective.expected_information(x))
    smallest, involved = weakest(table, information, basis)
    if smallest is not None and smallest < 1e-9:
        names = ", ".join(involved)
        if _identified_at_start(table, built, basis):
            return Verdict(
                "flat", f"These data do not determine {names}: along some combination of them the likelihood stays flat, or keeps rising without end.",
                "bounds=True keeps variances at 0 or above; otherwise fix a residual variance at 0, equate loadings, or simplify that part of the model.", gradient, involved, evaluations, smallest,
            )  # fmt: skip
        return Verdict(
            "flat", f"The model is not identified: the data say nothing about some combination of {names}.",
            "Fix or equate one of these parameters (a loading or the variance of each latent variable sets its scale), or drop one.", gradient, involved, evaluations, smallest,
        )  # fmt: skip
    if not out.converged:
        return Verdict("not converged", f"The optimiser stopped after {int(out.iterations)} iterations before the gradient vanished ({out.message}).", "Give start values, raise max_iterations, or simplify the model.", gradient, (), evaluations, smallest)
    parameters = table.free_names()
    at_bound = tuple(parameters[i] for i in np.flatnonzero((x <= box[0]) | (x >= box[1])))
    if at_bound:
        return Verdict("boundary", f"Converged after {int(out.iterations)} iterations, with {', '.join(at_bound)} at a bound.", "", gradient, at_bound, evaluations, smallest)
    return Verdict("ok", f"Converged after {int(out.iterations)} iterations.", "", gradient, (), evaluations, smallest)


def _identified_at_start(table: ParameterTable, built: Built, basis: Array | None) -> bool:
    """Full information at the starting values (moved off special points): the model as such is identified."""
    x = free_start(table, built.values)
    rng = np.random.default_rng(1)
    information = np.asarray(built.objective.expected_information(x * (1.0 + 0.05 * rng.standard_normal(x.size))))
    return bool(np.isfinite(information).all()) and weakest(table, information, basis)[0] is None


def weakest(table: ParameterTable, information: Array, basis: Array | None) -> tuple[float | None, tuple[str, ...]]:
    """Smallest eigenvalue of the scaled information and the parameters that make up its eigenvector; None when it is well away from 0."""
    if not np.isfinite(information).all():
        return 0.0, ()
    K = np.eye(information.shape[0]) if basis is None else basis
    reduced = K.T @ information @ K
    d = np.sqrt(np.maximum(np.diag(reduced), 1e-300))
    scaled = reduced / np.outer(d, d)
    if is_positive(scaled, 1e-9):
        return None, ()
    w, v = np.linalg.eigh(scaled)
    if w[0] > 1e-9:
        return float(w[0]), ()
    if float(np.diag(reduced).min()) <= 1e-300:
        w[0] = 0.0
    direction = K @ (v[:, 0] / d)
    weight = np.abs(direction) * np.sqrt(np.maximum(np.diag(information), 1e-300))
    top = np.argsort(-weight)[:6]
    names = table.free_names()
    return float(w[0]), tuple(names[i] for i in top if weight[i] > 0.05 * weight[top[0]])


def heywood(table: ParameterTable, x: Array, values: Array) -> tuple[str, ...]:
    """Negative variances and correlations beyond one, in words."""
    out = []
    value = {(r.block, *sorted((r.lhs, r.rhs))): (x[r.free - 1] if r.free else r.value) for r in table.rows if r.op == "~~"}
    for i, r in enumerate(table.rows):
        settled = r.lhs == r.rhs and r.lhs in table.ordered
        if r.op != "~~" or not (r.free or settled):
            continue
        v = x[r.free - 1] if r.free else values[i]
        if r.lhs == r.rhs:
            if v < 0:
                kind = "variance" if r.lhs in table.blocks[r.block - 1].roles.lv else "residual variance"
                out.append(f"The estimated {kind} of {table.describe(r).replace(f'{r.lhs} ~~ {r.rhs}', r.lhs)} is negative ({v:.4g}).")
            continue
        a, b = value.get((r.block, r.lhs, r.lhs)), value.get((r.block, r.rhs, r.rhs))
        if a is not None and b is not None and a > 0 and b > 0 and v * v > a * b * (1 + 1e-6):
            out.append(f"The estimated correlation of {table.describe(r)} is beyond 1 ({v / np.sqrt(a * b):.3f}).")
    return tuple(dict.fromkeys(out))
