"""Which engine fits a mixed model."""

from __future__ import annotations

from tanada.design.matrices import ModelData
from tanada.engine.fit import MixedFit
from tanada.engine.gaussian import fit_gaussian
from tanada.engine.options import FitOptions

# structures whose covariance is on an absolute scale or whose parameters cannot be profiled with sigma
_ABSOLUTE = frozenset({"equalto"})


def fit_mixed(data: ModelData, options: FitOptions) -> MixedFit:
    """Fit by the profiled Gaussian engine where it applies, by the Laplace engine elsewhere.

    The Gaussian engine needs an identity link, one component (no zero-inflation or dispersion model), no priors and covariance structures
    that are relative to the residual variance.
    """
    if is_profiled(data, options):
        return fit_gaussian(data, options)
    from tanada.engine.glmm import fit_glmm

    return fit_glmm(data, options)


def is_profiled(data: ModelData, options: FitOptions) -> bool:
    """Whether the profiled Gaussian engine fits this model."""
    return (
        options.family == "gaussian"
        and options.link in (None, "identity")
        and len(data.components) == 1
        and not options.priors
        and options.nagq <= 1
        and not any(t.structure in _ABSOLUTE for t in data.components[0].random)
    )
