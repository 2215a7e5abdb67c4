"""Checks of a response against its family, and start values from its moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tanada.errors import DataError

if TYPE_CHECKING:
    from tanada.engine.family import FamilyInfo

Array = NDArray[np.float64]

_WANTED = {
    "real": "finite numbers",
    "positive": "positive numbers",
    "nonnegative": "numbers that are zero or positive",
    "count": "counts: whole numbers that are zero or positive",
    "positive count": "positive counts: whole numbers from 1 on",
    "unit": "numbers between 0 and 1, without 0 and 1",
    "closed unit": "numbers from 0 to 1",
    "trials": "numbers of successes between 0 and the number of trials",
    "category": "ordered categories",
}


def check(info: FamilyInfo, y: Array, trials: ArrayLike | None, label: str, zero_inflated: bool) -> None:
    """Raises `DataError` when the response does not fit the family (see `FamilyInfo.check_response`)."""
    if y.size == 0:
        raise DataError(f"The response '{label}' has no rows left.")
    n = np.ones_like(y) if trials is None else np.asarray(trials, float)
    if not np.all(np.isfinite(y)):
        _refuse(info, y, ~np.isfinite(y), label, "a value that is not finite")
    zeros_allowed = zero_inflated and info.hurdle
    look = y[y != 0.0] if zeros_allowed else y
    bounds = {"positive": (0.0, np.inf), "unit": (0.0, 1.0)}.get(info.support)
    if bounds is not None:
        bad = (y <= bounds[0]) | (y >= bounds[1])
        if zeros_allowed:
            bad &= y != 0.0
        if bad.any():
            _refuse(info, y, bad, label, advice=_zero_advice(info, y, bad))
    elif info.support in ("nonnegative", "closed unit"):
        _refuse_where(info, y, (y < 0.0) | ((y > 1.0) & (info.support == "closed unit")), label)
    elif info.support in ("count", "positive count", "category"):
        _refuse_where(info, y, y < 0.0, label, "a negative value")
        _refuse_where(info, y, y != np.floor(y), label, "a value that is not a whole number")
        if info.support == "positive count" and not zeros_allowed and (y == 0.0).any():
            _refuse(info, y, y == 0.0, label, "zeros", " Add zi='~ 1' for a hurdle model.")
    elif info.support == "trials":
        _check_trials(info, y, n, label)
    _refuse_constant(info, y, n, look, label, zero_inflated)


def _check_trials(info: FamilyInfo, y: Array, n: Array, label: str) -> None:
    _refuse_where(info, n, ~(n > 0.0) | (n != np.floor(n)), f"{label}: trials", "a number of trials that is not a positive whole number")
    _refuse_where(info, y, (y < 0.0) | (y > n), label, "a value outside 0 to the number of trials")
    bad = np.abs(y - np.round(y)) > 1e-6
    _refuse_where(info, y, bad, label, "a number of successes that is not whole")


def _refuse_constant(info: FamilyInfo, y: Array, n: Array, look: Array, label: str, zero_inflated: bool) -> None:
    if look.size == 0 or (info.support in ("count", "nonnegative") and not (y > 0.0).any()):
        raise DataError(f"All values of the response '{label}' are zero: a {info.name} model has no finite estimate.")
    if info.support == "trials" and ((y == 0.0).all() or (y == n).all()):
        which = "failures" if (y == 0.0).all() else "successes"
        raise DataError(f"The response '{label}' has one category only (all {which}): a {info.name} model needs both.")
    if info.support == "category" and (y == y[0]).all():
        raise DataError(f"The response '{label}' has one category only: an ordinal model needs at least two.")
    if zero_inflated and not (y == 0.0).any():
        raise DataError(f"The response '{label}' has no zeros, so that zi= has nothing to model; leave it out.")


def _refuse_where(info: FamilyInfo, y: Array, bad: NDArray[np.bool_], label: str, what: str = "", advice: str = "") -> None:
    if bad.any():
        _refuse(info, y, bad, label, what, advice)


def _refuse(info: FamilyInfo, y: Array, bad: NDArray[np.bool_], label: str, what: str = "", advice: str = "") -> None:
    rows = np.flatnonzero(bad)
    found = f"{what or 'a value outside the support'} ({y[rows[0]]:g} in row {rows[0] + 1}"
    more = f", {rows.size} such rows)" if rows.size > 1 else ")"
    raise DataError(f"The response '{label}' has {found}{more}; family '{info.name}' takes {_WANTED[info.support]}.{advice}")


def _zero_advice(info: FamilyInfo, y: Array, bad: NDArray[np.bool_]) -> str:
    if info.name == "beta" and ((y[bad] == 0.0) | (y[bad] == 1.0)).all():
        return " For zeros and ones use family='ordered_beta'."
    if (y[bad] == 0.0).all():
        return " For zeros add zi='~ 1' (they get a part of their own), or use family='tweedie'."
    return ""


def start(info: FamilyInfo, y: Array, trials: ArrayLike | None) -> Array:
    """Start values of the predictors after the location."""
    count = len(info.predictors) - 1
    if count == 0 or info.ordinal:
        return np.zeros(count)
    used = y[y > 0.0] if info.hurdle and info.support != "real" else y
    mean, variance = float(np.mean(used)), float(np.var(used))
    if not variance > 0.0:
        variance = max(abs(mean), 1e-8)
    first = _log_dispersion(info.name.removeprefix("truncated_"), used, mean, variance)
    if info.name.startswith("truncated_"):  # moments of the truncated response say little about the parent's
        first = float(np.clip(first, -1.0, 1.0))
    shapes = {"t": [np.log(5.0)], "tweedie": [0.0], "skew_normal": [_skew_sign(used)], "ordered_beta": _cuts(y)}.get(info.name, [])
    return np.array([first, *shapes])[:count]


def _log_dispersion(name: str, y: Array, mean: float, variance: float) -> float:
    match name:
        case "gaussian" | "skew_normal" | "lognormal":
            return 0.5 * float(np.log(variance))
        case "t":
            mad = float(np.median(np.abs(y - np.median(y)))) / 0.6745
            return float(np.log(mad if mad > 0.0 else np.sqrt(variance)))
        case "nbinom1":
            value = variance / mean - 1.0
        case "nbinom2":
            value = mean**2 / max(variance - mean, 0.01 * mean**2)
        case "gamma":
            value = mean**2 / variance
        case "inverse_gaussian":
            return float(np.log(variance / mean**3))
        case "beta":
            value = mean * (1.0 - mean) / variance - 1.0
        case "ordered_beta":
            inside = y[(y > 0.0) & (y < 1.0)]
            m, v = (float(np.mean(inside)), float(np.var(inside))) if inside.size > 1 else (0.5, 0.05)
            value = m * (1.0 - m) / max(v, 1e-6) - 1.0
        case "tweedie":
            return float(np.log(variance / mean**1.5))
        case "genpois" | "compois":
            value = max(variance / mean, 1.1 if name == "genpois" else 0.0)
        case _:
            value = 5.0
    return float(np.log(np.clip(value, 0.05, 50.0)))


def _skew_sign(y: Array) -> float:
    return 1.0 if float(np.mean((y - y.mean()) ** 3)) >= 0.0 else -1.0


def _cuts(y: Array) -> list[float]:
    """Cut points of the ordered beta family from the shares of zeros and ones."""
    zero = float(np.clip(np.mean(y == 0.0), 0.01, 0.9))
    one = float(np.clip(np.mean(y == 1.0), 0.01, 0.9))
    low, high = float(np.log(zero / (1.0 - zero))), float(np.log((1.0 - one) / one))
    return [low, max(high, low + 0.5)]
