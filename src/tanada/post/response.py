"""From linear predictors to the scale asked for: means, zero probabilities, dispersion, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tanada.engine.fit import MixedFit
from tanada.inference.wald import critical
from tanada.inference.workspace import Workspace

if TYPE_CHECKING:
    from tanada.post.prediction import Predictor, Request

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Response:
    """The response side of a fit."""

    fit: MixedFit

    @property
    def identity(self) -> bool:
        """Whether the mean is the linear predictor itself."""
        return self.fit.link == "identity" and not any(c.name == "zi" for c in self.fit.data.components)

    def predict(self, work: Workspace, found: dict[str, Predictor], request: Request, weights: Array) -> dict[str, Array]:
        if request.kind == "link" or (self.identity and request.kind in ("response", "conditional")):
            p = found["cond"]
            return self._linear(p, request, self._noise(found, weights) if request.interval == "prediction" else None)
        from tanada.post.family_prediction import predict_family

        return predict_family(self.fit, found, request, weights)

    def _noise(self, found: dict[str, Predictor], weights: Array) -> Array:
        """Variance of a new observation around its mean."""
        if "disp" in found:
            return np.asarray(np.exp(2 * found["disp"].eta) / weights, float)
        return np.asarray(float(self.fit.sigma or 0.0) ** 2 / weights, float)

    def _linear(self, p: Predictor, request: Request, noise: Array | None) -> dict[str, Array]:
        out = {"estimate": p.eta}
        if p.variance is None:
            return out
        se = np.where(np.isnan(p.eta), np.nan, np.sqrt(np.maximum(p.variance, 0.0)))
        out["std_error"] = se
        if request.interval is not None:
            spread = se if noise is None else np.sqrt(se**2 + p.unknown + noise)
            df = np.inf if self.fit.terms else float(self.fit.nobs - len(self.fit.vcov_beta))
            half = float(critical(request.level, np.array(df))) * spread
            out["conf_low"], out["conf_high"] = p.eta - half, p.eta + half
        return out
