"""Small random data sets: crossed, nested, vector-valued, weighted, singular."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def crossed(seed: int = 1, n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 6, n), rng.integers(0, 5, n)
    x = rng.standard_normal(n)
    y = 1 + 0.5 * x + rng.standard_normal(6)[a] + 0.7 * rng.standard_normal(5)[b] * x + rng.standard_normal(n)
    return pd.DataFrame({"y": y, "x": x, "a": [f"a{i}" for i in a], "b": [f"b{i}" for i in b], "w": rng.uniform(0.5, 2, n)})


def nested(seed: int = 2, n: int = 72) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a, c = np.repeat(np.arange(6), n // 6), np.tile(np.arange(3), n // 3)
    x = rng.standard_normal(n)
    y = 2 - x + rng.standard_normal(6)[a] + 0.6 * rng.standard_normal(18)[3 * a + c] + 0.8 * rng.standard_normal(n)
    f = rng.choice(["p", "q", "r"], n)
    return pd.DataFrame({"y": y, "x": x, "a": [f"a{i}" for i in a], "c": [f"c{i}" for i in c], "f": f, "w": rng.uniform(0.5, 2, n)})


def singular(seed: int = 3, n: int = 60) -> pd.DataFrame:
    """Groups whose means are closer together than chance: the variance is estimated as zero."""
    rng = np.random.default_rng(seed)
    a = np.tile(np.arange(6), n // 6)
    x = rng.standard_normal(n)
    e = rng.standard_normal(n)
    for g in range(6):
        e[a == g] -= e[a == g].mean()
    return pd.DataFrame({"y": 1 + x + e, "x": x, "a": [f"a{i}" for i in a], "w": np.ones(n)})


CASES: dict[str, tuple[pd.DataFrame, str, dict[str, Any]]] = {
    "one factor": (crossed(), "y ~ x + (1 | a)", {}),
    "vector": (crossed(), "y ~ x + (x | a)", {}),
    "independent slopes": (crossed(), "y ~ x + (x || a)", {}),
    "crossed": (crossed(), "y ~ x + (1 | a) + (1 | b)", {}),
    "crossed with slopes": (crossed(), "y ~ x + (1 | a) + (x | b)", {}),
    "crossed, weights": (crossed(), "y ~ x + (1 | a) + (0 + x | b)", {"weights": "w"}),
    "nested": (nested(), "y ~ x + (1 | a / c)", {}),
    "nested with slopes, weights": (nested(), "y ~ x + f + (x | a) + (1 | a:c)", {"weights": "w"}),
    "singular": (singular(), "y ~ x + (1 | a)", {}),
    "offset": (nested(), "y ~ f + offset(2 * x) + (1 | a)", {}),
}
