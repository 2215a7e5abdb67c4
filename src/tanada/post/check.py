"""What a check of a fitted model finds: one record, and the table of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

OK, NOTE, WARNING, PROBLEM, SKIPPED = "ok", "note", "warning", "problem", "not applicable"


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes
    ----------
    name : str
    status : str
        "ok", "note", "warning", "problem" or "not applicable".
    sentence : str
        What was found and what to do, in plain words.
    statistic, p_value : float
        NaN where there is none.
    data : dict of str to dict of columns
        Tidy data behind the finding, by name.
    """

    name: str
    status: str
    sentence: str
    statistic: float = float("nan")
    p_value: float = float("nan")
    data: dict[str, dict[str, Any]] = field(default_factory=dict)


def check_table(checks: Sequence[Check]) -> dict[str, NDArray[Any]]:
    """check, status, statistic, p_value, sentence."""
    return {
        "check": np.array([c.name for c in checks], dtype=object),
        "status": np.array([c.status for c in checks], dtype=object),
        "statistic": np.array([c.statistic for c in checks], float),
        "p_value": np.array([c.p_value for c in checks], float),
        "sentence": np.array([c.sentence for c in checks], dtype=object),
    }


def p_words(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
