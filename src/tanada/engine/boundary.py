"""Which variance components lie at the boundary of the parameter space, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tanada.design.matrices import RandomDesign

Array = NDArray[np.float64]


def singular_parts(term: RandomDesign, factor: Array, tolerance: float = 1e-4) -> tuple[str, ...]:
    """Names of the singular parts of one term.

    Parameters
    ----------
    term : RandomDesign
    factor : array (k, k)
        Lower Cholesky factor of the covariance, relative to the residual SD where there is one.
    tolerance : float
        A standard deviation (relative to the largest of the term, or to 1) and a conditional standard deviation below it count as zero.
    """
    L = np.tril(factor)
    sd = np.sqrt((L**2).sum(1))
    scale = max(float(sd.max(initial=0.0)), 1.0)
    zero = sd <= tolerance * scale
    out = [f"variance of {name} in {term.group}" for name, z in zip(term.names, zero) if z]
    if term.structure not in ("us", "cs", "homcs") or term.k < 2:
        return tuple(out)
    for j in range(1, term.k):
        if zero[j] or abs(L[j, j]) > tolerance * max(sd[j], 1e-300):
            continue
        others = [i for i in range(j) if not zero[i]]
        if len(others) == 1:
            r = float(L[j] @ L[others[0]]) / (sd[j] * sd[others[0]])
            out.append(f"correlation of {term.names[others[0]]} and {term.names[j]} in {term.group} ({'+' if r > 0 else '-'}1)")
        elif others:
            out.append(f"correlations of {term.names[j]} with the other effects in {term.group} (linearly dependent)")
    return tuple(out)


def advice_for(parts: Sequence[str]) -> str:
    """What to do about singular parts."""
    if not parts:
        return ""
    correlation = any(p.startswith("correlation") for p in parts)
    variance = any(p.startswith("variance") for p in parts)
    hints = []
    if variance:
        hints.append("drop the term whose variance is zero")
    if correlation:
        hints.append("drop the correlation with (x || g)")
    hints.append("or keep it: the estimates are valid, tests of the variance are conservative")
    return "The data do not support all variance components: " + "; ".join(hints) + "."
