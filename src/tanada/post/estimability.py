"""Estimability: which quantities do not depend on the columns that were dropped from a rank-deficient design.

x'beta is estimable when x, with all columns of the design (dropped ones too), is orthogonal to the null space of the fitted rows (Searle 1971, ch. 5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tanada.design.spec import DesignSpec
from tanada.post.functionals import Evaluation, Functional

Array = NDArray[np.float64]
TOLERANCE = 1e-7


def full_spec(spec: DesignSpec) -> DesignSpec:
    """The design with the columns that were dropped."""
    components = tuple(replace(c, kept=np.arange(len(c.columns), dtype=np.intp)) for c in spec.components)
    return replace(spec, components=components)


def null_space(X: Array) -> Array:
    """Orthonormal basis (p, r) of {v: Xv = 0}, columns scaled to unit length first."""
    size = np.sqrt(np.maximum((X**2).sum(axis=0), 1e-300))
    w, Q = np.linalg.eigh((X / size).T @ (X / size))
    return np.asarray(Q[:, w < 1e-10 * max(float(w[-1]), 1e-300)] / size[:, None])


def not_estimable(evaluation: Evaluation, compute: Callable[[Evaluation], Functional]) -> NDArray[np.bool_]:
    """Grid points whose estimate depends on the choice of the columns dropped.

    The functional is evaluated with the full design; its gradient must be orthogonal to the null space of the fitted rows (for a quantity that is not linear
    this holds at the estimates, which settles it up to accidents).
    """
    fit, design = evaluation.fit, evaluation.design
    spec = full_spec(design.spec)
    fitted = spec.rebuild({n: design.variable(n) for n in spec.predictors(random=False)} or {"(rows)": np.zeros(fit.nobs)}, random=False, offset=_offset(evaluation))
    bases, components, beta, widths = [], [], [], []
    for old, new in zip(fit.data.components, fitted.components, strict=True):
        bases.append(null_space(new.X))
        values = np.zeros(new.X.shape[1])
        kept = {n: i for i, n in enumerate(old.names)}
        for j, name in enumerate(new.names):
            if name in kept:
                values[j] = fit.beta[old.name][kept[name]]
        components.append(replace(old, X=new.X, names=new.names, aliased=()))
        beta.append(values)
        widths.append(new.X.shape[1])
    data = replace(fit.data, components=tuple(components))
    wide = replace(
        evaluation,
        fit=replace(fit, data=data, beta={c.name: b for c, b in zip(components, beta)}),
        design=replace(design, spec=spec, model=data),
        beta=np.concatenate(beta),
    )
    gradient = compute(wide).gradient
    bad = np.zeros(len(gradient), bool)
    at = 0
    for basis, width in zip(bases, widths):
        part = gradient[:, at : at + width]
        at += width
        if basis.shape[1]:
            scale = np.linalg.norm(part, axis=1)[:, None] * np.linalg.norm(basis, axis=0)[None, :] + 1e-300
            bad |= np.any(np.abs(part @ basis) > TOLERANCE * scale, axis=1)
    return bad


def _offset(evaluation: Evaluation) -> Array | None:
    return np.zeros(evaluation.fit.nobs) if evaluation.design.spec.offset == "" else None
