"""Contrasts of a list of estimates: pairwise, against a reference, in sequence, against the mean, polynomial, or given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import ModelError, did_you_mean

Array = NDArray[np.float64]

METHODS = ("pairwise", "revpairwise", "reference", "trt.vs.ctrl", "sequential", "consecutive", "eff", "poly")


def contrast_rows(method: Any, labels: Sequence[str], reference: Any = None) -> tuple[list[str], Array]:
    """Names and coefficients (q, k) of the contrasts of k labelled estimates.

    Parameters
    ----------
    method : str, mapping or matrix
        One of METHODS; {"name": coefficients}; or a matrix (q, k).
    labels : sequence of str, length k
    reference : optional
        Label that "reference" compares with; default the first.

    Raises
    ------
    ModelError
    """
    k = len(labels)
    if isinstance(method, Mapping):
        return [str(n) for n in method], np.array([_given(n, c, labels) for n, c in method.items()])
    if not isinstance(method, str):
        L = np.atleast_2d(np.asarray(method, float))
        if L.ndim != 2 or L.shape[1] != k:
            raise ModelError(f"method: a matrix of contrasts needs {k} columns, one for each of {', '.join(labels[:6])}; it has {L.shape[-1]}.")
        return [_describe(row, labels) for row in L], L
    if method not in METHODS:
        raise ModelError(f"method = {method!r} is not a set of contrasts.{did_you_mean(method, METHODS)}")
    if k < 2:
        raise ModelError(f"a contrast needs two estimates or more; there is one ({labels[0]}).")
    if method in ("pairwise", "revpairwise"):
        pairs = [(a, b) if method == "pairwise" else (b, a) for a, b in combinations(range(k), 2)]
    elif method in ("reference", "trt.vs.ctrl"):
        r = _reference(reference, labels)
        pairs = [(i, r) for i in range(k) if i != r]
    elif method in ("sequential", "consecutive"):
        pairs = [(i + 1, i) for i in range(k - 1)]
    elif method == "eff":
        return [f"{n} - mean" for n in labels], np.eye(k) - 1.0 / k
    else:
        return _polynomial(k)
    L = np.zeros((len(pairs), k))
    for row, (a, b) in enumerate(pairs):
        L[row, a], L[row, b] = 1.0, -1.0
    return [f"{labels[a]} - {labels[b]}" for a, b in pairs], L


def _reference(reference: Any, labels: Sequence[str]) -> int:
    if reference is None:
        return 0
    if str(reference) not in labels:
        raise ModelError(f"reference = {reference!r} is not among the estimates.{did_you_mean(str(reference), labels)}")
    return list(labels).index(str(reference))


def _given(name: Any, coefficients: Any, labels: Sequence[str]) -> Array:
    if isinstance(coefficients, Mapping):
        row = np.zeros(len(labels))
        for label, value in coefficients.items():
            if str(label) not in labels:
                raise ModelError(f"contrast '{name}': '{label}' is not among the estimates.{did_you_mean(str(label), labels)}")
            row[list(labels).index(str(label))] = float(value)
        return row
    row = np.asarray(coefficients, float).ravel()
    if row.shape != (len(labels),) or not np.isfinite(row).all():
        raise ModelError(f"contrast '{name}' needs {len(labels)} finite coefficients, one for each of {', '.join(labels[:6])}; it has {row.size}.")
    return row


def _describe(row: Array, labels: Sequence[str]) -> str:
    parts: list[str] = []
    for c, label in zip(row, labels, strict=True):
        if c:
            size = "" if abs(c) == 1 else f"{abs(c):g} "
            parts.append(("- " if c < 0 else "+ " if parts else "") + size + label)
    return " ".join(parts) or "0"


def _polynomial(k: int) -> tuple[list[str], Array]:
    """Orthogonal polynomials over equal steps, each row of length one."""
    x = np.arange(k, dtype=float)
    Q, R = np.linalg.qr(np.vander(x - x.mean(), k, increasing=True))
    rows = (Q * np.sign(np.diag(R))).T[1:]
    names = ["linear", "quadratic", "cubic", "quartic"]
    return [names[i] if i < 4 else f"degree {i + 1}" for i in range(k - 1)], rows
