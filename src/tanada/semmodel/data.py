"""Data of a SEM: columns of a frame (or given moments) -> one matrix per group, cluster codes, the missing-value rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Column
from tanada.errors import DataError, did_you_mean
from tanada.frame import Frame, read_frame

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SemGroup:
    """Rows of one group.

    Attributes
    ----------
    label : str
    Y : array (n, p) or None
        Columns in the order of `SemData.names`, NaN where missing; None when only moments were given.
    rows : array (n,)
        Positions in the caller's data.
    code : int64 array (n,) or None
        Cluster of each row, 0 .. J-1, in order of first appearance; None without clusters.
    clusters : tuple of str
        Labels of the clusters.
    weights : array (n,) or None
        Sampling weights, scaled to sum to n.
    """

    label: str
    n: int
    Y: Array | None = None
    rows: NDArray[np.intp] | None = None
    code: NDArray[np.int64] | None = None
    clusters: tuple[str, ...] = ()
    weights: Array | None = None
    given_cov: Array | None = None
    given_mean: Array | None = None


@dataclass(frozen=True)
class SemData:
    """All groups; `names` are the columns of every `Y`; `missing` says whether any value is missing."""

    names: tuple[str, ...]
    groups: tuple[SemGroup, ...]
    group_name: str | None
    cluster_name: str | None
    missing: bool
    frame: Any
    ordered: dict[str, tuple[str, ...]]  # ordered variables and the labels of their categories
    notes: tuple[str, ...] = ()

    @property
    def nobs(self) -> int:
        return sum(g.n for g in self.groups)

    @property
    def n_clusters(self) -> int:
        return sum(len(g.clusters) for g in self.groups)


@dataclass(frozen=True)
class Request:
    """What to read: variables, rules and names of special columns."""

    names: tuple[str, ...]
    cluster: str | None = None
    group: str | None = None
    ordered: tuple[str, ...] = ()
    keep_missing: bool = False
    complete: tuple[str, ...] = ()  # rows with a missing value here are dropped even when missing values are kept
    weights: str | None = None
    group_order: tuple[str, ...] = ()


def read_data(data: Any, request: Request) -> SemData:
    """Read, check and split the data of a model.

    Raises
    ------
    DataError
        Missing columns (with near matches), text, infinite or constant columns, nothing left after dropping missing values.
    """
    frame = read_frame(data)
    for v in request.names:
        if v not in frame:
            raise DataError(f"the model uses '{v}', which is not a column of the data.{did_you_mean(v, frame.names)} (A latent variable is one that stands left of '=~'.)")
    columns: list[Array] = []
    ordered: dict[str, tuple[str, ...]] = {}
    for v in request.names:
        values, labels = _ordinal(frame.column(v)) if v in request.ordered else (_numeric(frame.column(v)), None)
        columns.append(values)
        if labels is not None:
            ordered[v] = labels
    Y = np.empty((frame.n, len(columns)))
    for j, c in enumerate(columns):
        Y[:, j] = c
    return _split(frame, Y, request, ordered)


def _split(frame: Frame, Y: Array, request: Request, ordered: dict[str, tuple[str, ...]]) -> SemData:
    notes: list[str] = []
    total = Y.sum()
    keep: NDArray[np.bool_] = np.ones(frame.n, bool)
    missing = False
    if not np.isfinite(total):
        inf = np.isinf(Y).any(axis=0)
        if inf.any():
            raise DataError(f"column '{request.names[int(np.argmax(inf))]}' has infinite values; replace them by numbers or missing values.")
        nan = np.isnan(Y)
        if request.keep_missing:
            keep = np.asarray(~nan.all(axis=1))
            if request.complete:
                keep &= ~nan[:, [request.names.index(v) for v in request.complete]].any(axis=1)
        else:
            keep = np.asarray(~nan.any(axis=1))
        missing = bool(nan[keep].any())
    group, labels = _codes(frame, request.group, "group")
    cluster, cluster_labels = _codes(frame, request.cluster, "cluster")
    weights = _weights(frame, request.weights)
    for c in (group, cluster):
        if c is not None and (c < 0).any():
            keep &= c >= 0
    dropped = frame.n - int(keep.sum())
    if dropped:
        why = "missing values" if not request.keep_missing else "no value, or a missing value in a predictor or a grouping variable,"
        notes.append(f"{dropped} of {frame.n} rows with {why} were left out.")
    if not keep.any():
        raise DataError("no complete row is left; every row has a missing value in some variable of the model (missing='fiml' uses them).")
    if group is not None:
        order = request.group_order if set(request.group_order) == set(labels) else _appearance(group, labels)
        labels, group = _reorder(labels, group, order)
    groups = []
    for g, label in enumerate(labels) if group is not None else [(0, "")]:
        on = keep if group is None else keep & (group == g)
        rows = np.flatnonzero(on)
        if rows.size == 0:
            raise DataError(f"group '{label}' has no usable row.")
        code, names = (None, ()) if cluster is None else _first_appearance(cluster[rows], cluster_labels)
        w = None if weights is None else weights[rows] * (rows.size / weights[rows].sum())
        groups.append(SemGroup(label, rows.size, np.ascontiguousarray(Y[rows]) if dropped or group is not None else Y, rows, code, names, w))
    _check_spread(groups, request, ordered)
    return SemData(request.names, tuple(groups), request.group, request.cluster, missing, frame, ordered, tuple(notes))


def _numeric(c: Column) -> Array:
    if c.kind in ("number", "bool"):
        return c.numbers
    kind = {"factor": "categories", "date": "dates"}.get(c.kind, c.kind)
    raise DataError(f"column '{c.name}' holds {kind}; a continuous variable of the model takes numbers. Recode it, or list it in ordered= if its numbers are ordered categories.")


def _ordinal(c: Column) -> tuple[Array, tuple[str, ...]]:
    """Category numbers 0, 1, ... (NaN where missing) and the labels of the categories."""
    if c.kind == "factor" and c.ordered or c.kind in ("number", "bool"):
        codes, labels = c.factor
    else:
        raise DataError(f"ordered: column '{c.name}' holds {'unordered categories' if c.kind == 'factor' else c.kind}, whose order is unknown; give numbers or an ordered categorical.")
    if len(labels) < 2:
        raise DataError(f"ordered: column '{c.name}' has one category only; an ordered variable needs at least two.")
    if len(labels) > 50:
        raise DataError(f"ordered: column '{c.name}' has {len(labels)} different values; treat it as continuous, or merge categories.")
    out = codes.astype(float)
    out[codes < 0] = np.nan
    return out, labels


def _codes(frame: Frame, name: str | None, what: str) -> tuple[NDArray[np.int32] | None, tuple[str, ...]]:
    if name is None:
        return None, ()
    if not isinstance(name, str):
        raise DataError(f"{what} takes the name of one column, not {type(name).__name__}.")
    if name not in frame:
        raise DataError(f"{what}='{name}' is not a column of the data.{did_you_mean(name, frame.names)}")
    return frame.column(name).factor


def _reorder(labels: tuple[str, ...], group: NDArray[np.int32] | None, order: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int32] | None]:
    if group is None or set(order) != set(labels):
        return labels, group
    to = np.array([list(order).index(v) for v in labels], np.int32)
    return tuple(order), np.where(group >= 0, to[group], -1).astype(np.int32)


def _appearance(group: NDArray[np.int32], labels: tuple[str, ...]) -> list[str]:
    """Labels in the order in which the data show them."""
    found, first = np.unique(group[group >= 0], return_index=True)
    return [labels[i] for i in found[np.argsort(first)]]


def _first_appearance(code: NDArray[np.int32], labels: tuple[str, ...]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Codes 0 .. J-1 in order of first appearance, and the labels in that order."""
    n = int(code.max()) + 1
    first = np.full(n, code.size, np.int64)
    first[code[::-1]] = np.arange(code.size - 1, -1, -1)
    used = np.flatnonzero(first < code.size)
    order = used[np.argsort(first[used], kind="stable")]
    to = np.full(n, -1, np.int64)
    to[order] = np.arange(order.size)
    return to[code], tuple(labels[i] for i in order)


def _weights(frame: Frame, name: str | None) -> Array | None:
    if name is None:
        return None
    if name not in frame:
        raise DataError(f"weights='{name}' is not a column of the data.{did_you_mean(name, frame.names)}")
    w = _numeric(frame.column(name))
    if not np.isfinite(w).all() or (w <= 0).any():
        raise DataError(f"weights: column '{name}' has values that are missing, zero or negative; sampling weights are positive numbers.")
    return w


def _check_spread(groups: Sequence[SemGroup], request: Request, ordered: dict[str, tuple[str, ...]]) -> None:
    for g in groups:
        Y = g.Y
        assert Y is not None
        where = f" in group '{g.label}'" if g.label else ""
        if g.n < 2:
            raise DataError(f"{g.n} row{where}; a covariance needs at least two.")
        gone = np.isnan(Y)
        low = np.where(gone, np.inf, Y).min(axis=0) if gone.any() else Y.min(axis=0)
        high = np.where(gone, -np.inf, Y).max(axis=0) if gone.any() else Y.max(axis=0)
        flat = ~(high > low)
        if flat.any():
            j = int(np.argmax(flat))
            what = "no value" if np.isinf(low[j]) else f"the same value ({low[j]:g}) in every row"
            raise DataError(f"column '{request.names[j]}' has {what}{where}; its variance is zero. Leave it out of the model.")


def from_moments(names: Sequence[str], cov: Any, mean: Any, nobs: Any) -> SemData:
    """Data from sample moments; `cov`, `mean`, `nobs` are lists for several groups. Covariances have divisor n - 1 (as printed by most programs)."""
    many = isinstance(cov, list | tuple) and len(cov) > 0 and getattr(np.asarray(cov[0]), "ndim", 0) == 2
    covs = list(cov) if many else [cov]
    means = list(mean) if many and mean is not None else [mean] * len(covs)
    sizes = list(nobs) if isinstance(nobs, list | tuple | np.ndarray) else [nobs] * len(covs)
    if len(sizes) != len(covs) or len(means) != len(covs):
        raise DataError("sample_cov, sample_mean and sample_nobs must have one element per group.")
    groups = []
    for k, (c, m, n) in enumerate(zip(covs, means, sizes), 1):
        if n is None or isinstance(n, bool) or not np.isfinite(float(n)) or float(n) < 2:
            raise DataError(f"sample_nobs = {n!r}; it takes the number of observations (2 or more) behind sample_cov.")
        S, labels = _square(c, names)
        pick = _pick(labels, names, "sample_cov")
        S = S[np.ix_(pick, pick)]
        mu = None if m is None else _mean(m, names, labels)
        _check_cov(S, names)
        groups.append(SemGroup(f"group {k}" if many else "", int(n), given_cov=S, given_mean=mu))
    return SemData(tuple(names), tuple(groups), "group" if many else None, None, False, None, {})


def _square(c: Any, names: Sequence[str]) -> tuple[Array, list[str]]:
    labels = [str(v) for v in c.columns] if hasattr(c, "columns") else list(names)
    values = c.select([v for v in c.columns if c[v].dtype.is_numeric()]) if type(c).__module__.startswith("polars") else c
    S = np.asarray(values, float)
    if S.ndim != 2 or S.shape[0] != S.shape[1] or len(labels) < S.shape[0]:
        raise DataError(f"sample_cov must be a square matrix with names (a data frame) or one row per variable in the order {', '.join(names)}.")
    if hasattr(c, "columns") and len(labels) > S.shape[0]:
        labels = labels[-S.shape[0] :]
    if not hasattr(c, "columns") and S.shape[0] != len(names):
        raise DataError(f"sample_cov has {S.shape[0]} rows; the model has {len(names)} observed variables ({', '.join(names)}). Pass a data frame with names, or those variables in that order.")
    return S, labels


def _pick(labels: Sequence[str], names: Sequence[str], what: str) -> list[int]:
    for v in names:
        if v not in labels:
            raise DataError(f"{what} has no variable '{v}', which the model uses.{did_you_mean(v, labels)}")
    return [list(labels).index(v) for v in names]


def _mean(m: Any, names: Sequence[str], labels: Sequence[str]) -> Array:
    if isinstance(m, dict):
        return np.array([float(m[names[i]]) for i in range(len(names)) if _pick(list(m), names, "sample_mean")])
    if hasattr(m, "index") and hasattr(m, "to_numpy") and not isinstance(m, list):
        keys = [str(v) for v in m.index]
        return np.asarray(m, float)[_pick(keys, names, "sample_mean")]
    v = np.asarray(m, float).ravel()
    if v.size != len(labels):
        raise DataError(f"sample_mean has {v.size} values; it takes one per variable of sample_cov ({len(labels)}).")
    return v[_pick(labels, names, "sample_mean")]


def _check_cov(S: Array, names: Sequence[str]) -> None:
    if not np.isfinite(S).all():
        raise DataError("sample_cov has missing or infinite entries.")
    if np.abs(S - S.T).max(initial=0.0) > 1e-6 * max(1.0, float(np.abs(S).max(initial=0.0))):
        raise DataError("sample_cov is not symmetric.")
    d = np.diag(S)
    if (d <= 0).any():
        raise DataError(f"sample_cov: the variance of '{names[int(np.argmin(d))]}' is {d.min():g}; variances are positive.")
    r = S / np.sqrt(np.outer(d, d))
    if float(np.linalg.eigvalsh(r).min()) < 1e-10:
        raise DataError("sample_cov is not positive definite: some variable is a linear combination of others, or the matrix was rounded too far. Check for sum scores and duplicates.")
