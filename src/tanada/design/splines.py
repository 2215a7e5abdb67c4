"""Natural cubic splines, the basis of R's splines::ns (Hastie 1992, chapter 7 of Statistical Models in S)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import DataError

Vector = NDArray[np.float64]


def natural_knots(x: Vector, df: int, knots: Any = None) -> dict[str, Vector]:
    """Interior knots (at quantiles unless given) and boundary knots (the range) for `df` columns."""
    boundary = np.array([x.min(), x.max()])
    if boundary[0] == boundary[1]:
        raise DataError("ns(): the column is constant.")
    if knots is None:
        interior = np.quantile(x, np.linspace(0, 1, df + 1)[1:-1])
    else:
        interior = np.sort(np.atleast_1d(np.asarray(knots, float)))
    return {"knots": interior, "boundary": boundary}


def natural_basis(x: Vector, knots: Vector, boundary: Vector) -> NDArray[np.float64]:
    """The (n, len(knots) + 1) basis without intercept; linear outside the boundary knots."""
    from scipy.interpolate import BSpline

    t = np.concatenate([np.repeat(boundary[0], 4), knots, np.repeat(boundary[1], 4)])
    count = len(t) - 4
    spline = BSpline(t, np.eye(count), 3)
    inside = np.clip(x, boundary[0], boundary[1])
    basis = spline(inside)
    slope = spline.derivative()
    for side, outside in ((boundary[0], x < boundary[0]), (boundary[1], x > boundary[1])):
        if outside.any():
            basis[outside] = spline(side) + (x[outside] - side)[:, None] * slope(side)
    second = spline.derivative(2)(boundary)[:, 1:]  # zero curvature at the ends, intercept column left out
    q, _ = np.linalg.qr(second.T, mode="complete")
    return np.asarray(basis[:, 1:] @ q[:, 2:])
