"""The model without fixed effects beyond the intercept, whose mean fixes observation-level variances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tanada.design.matrices import ModelData


def null_data(data: ModelData) -> ModelData:
    """The same data and random terms with an intercept as the only fixed effect of the conditional model."""
    first = data.components[0]
    intercept = replace(
        first, X=np.ones((data.nobs, 1)), names=("(Intercept)",), aliased=(), term_of_column=(0,), terms=("(Intercept)",)
    )
    return replace(data, components=(intercept, *data.components[1:]))
