"""What a caller asks of a mixed-model fit, beyond the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FitOptions:
    """Options of one fit; `control` holds optimiser settings ("max_iterations", "tolerance", ...)."""

    family: str = "gaussian"
    link: str | None = None
    reml: bool = False
    nagq: int = 1
    start: dict[str, Any] | None = None
    priors: Any = None
    control: dict[str, Any] = field(default_factory=dict)
    family_options: dict[str, Any] = field(default_factory=dict)  # fixed t df, ordinal threshold kind, ...
