"""Cross-validation that keeps groups together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.errors import DataError, ModelError

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def folds(labels: NDArray[Any], k: int, seed: int | None) -> NDArray[np.intp]:
    """Fold number of each row: distinct labels are shuffled and dealt out, larger groups first, to the smallest fold.

    Raises
    ------
    DataError, ModelError
        When there are fewer labels than folds, or k is not a whole number of 2 or more.
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 2:
        raise ModelError(f"cross_validate: k = {k!r}; it takes a whole number of 2 or more.")
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(counts) < k:
        raise DataError(f"cross_validate: {len(counts)} groups cannot make {k} folds; use k = {len(counts)} or fewer.")
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts[order], kind="stable")]
    fold_of, size = np.empty(len(counts), np.intp), np.zeros(int(k))
    for g in order:
        smallest = int(np.argmin(size))
        fold_of[g] = smallest
        size[smallest] += counts[g]
    return fold_of[codes]


def take_rows(native: Any, library: str, rows: Index) -> Any:
    """Rows of the caller's data."""
    if library == "pandas":
        return native.iloc[rows]
    if library == "polars":
        eager = native.collect() if type(native).__name__ == "LazyFrame" else native
        return eager[rows]
    if library == "dict":
        return {name: np.asarray(values)[rows] for name, values in native.items()}
    import narwhals as nw

    wrapped = nw.from_native(native)
    eager = wrapped.collect() if isinstance(wrapped, nw.LazyFrame) else wrapped
    return eager.to_arrow().take(rows)


def scores(y: Array, mean: Array, binary: bool) -> dict[str, float]:
    """rmse, mae, r2 (against the mean of y) and, for responses between 0 and 1 of binomial models, the log score."""
    error = y - mean
    total = float(np.sum((y - y.mean()) ** 2))
    out = {
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.mean(np.abs(error))),
        "r2": 1 - float(np.sum(error**2)) / total if total > 0 else float("nan"),
    }
    if binary:
        p = np.clip(mean, 1e-12, 1 - 1e-12)
        out["log_loss"] = float(-np.mean(y * np.log(p) + (1 - y) * np.log1p(-p)))
    return out
