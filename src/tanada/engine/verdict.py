"""The convergence verdict: one status, one sentence of what happened, one of advice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, repr=False)
class Verdict:
    """What is known about an optimum.

    Attributes
    ----------
    status : str
        "ok", "boundary" (a variance of zero or a correlation of one, a valid optimum), "flat" (curvature of the free part is not positive),
        "not converged".
    message, advice : str
        What happened, and what to do; `advice` is empty when there is nothing to do.
    scaled_gradient : float
        Largest projected gradient, each entry times max(|parameter|, 1), over max(|objective|, 1).
    boundary : tuple of str
        Which components are at the boundary, in words: "variance of (Intercept) in school_id".
    evaluations : int
    min_eigenvalue : float or None
        Smallest eigenvalue of the scaled Hessian over the free parameters.
    """

    status: str
    message: str
    advice: str = ""
    scaled_gradient: float = 0.0
    boundary: tuple[str, ...] = ()
    evaluations: int = 0
    min_eigenvalue: float | None = None

    @property
    def converged(self) -> bool:
        """Whether the estimates are an optimum, at a boundary or not."""
        return self.status in ("ok", "boundary")

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()

    def __repr__(self) -> str:
        return f"<Verdict {self.status}: {self}>"


def scaled_projected_gradient(
    x: NDArray[np.float64], gradient: NDArray[np.float64], lower: NDArray[np.float64], upper: NDArray[np.float64], value: float
) -> float:
    """Largest entry of the projected gradient on the scale of the verdict (see `Verdict.scaled_gradient`)."""
    held = ((x <= lower) & (gradient > 0)) | ((x >= upper) & (gradient < 0))
    g = np.where(held, 0.0, np.abs(gradient) * np.maximum(np.abs(x), 1.0))
    return float(g.max(initial=0.0) / max(abs(value), 1.0))
