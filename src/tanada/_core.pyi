from typing import Any

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]

# bindings/family.cpp
def family_registry() -> list[dict[str, Any]]: ...
def family_evaluate(
    name: str, link: str, zero_inflated: bool, options: list[float], y: _Array, trials: _Array, weights: _Array, eta: _Array,
    order: int, by_hand: bool = True,
) -> tuple[_Array, _Array | None, _Array | None, _Array | None]: ...
def family_expected_weight(
    name: str, link: str, zero_inflated: bool, options: list[float], y: _Array, trials: _Array, weights: _Array, eta: _Array
) -> _Array | None: ...
