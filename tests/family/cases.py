"""Responses inside the support and moderate predictors for every family, link by link."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np

from tanada import _core

REGISTRY = {entry["name"]: entry for entry in _core.family_registry()}
CASES = [(name, link) for name, entry in REGISTRY.items() for link in entry["links"]]

# The range of the location predictor for links that do not take any real number.
LOCATION = {"inverse": (0.3, 2.0), "1/mu^2": (0.2, 2.0), "sqrt": (0.5, 2.0), "log": (-1.0, 1.5)}


def location(link: str, support: str, n: int, rng: np.random.Generator) -> np.ndarray:
    if support in ("trials", "unit", "closed unit"):
        low, high = {"identity": (0.1, 0.9), "log": (-2.0, -0.1)}.get(link, (-2.0, 2.0))
    elif support in ("real", "category"):
        low, high = LOCATION.get(link, (-2.0, 2.0))
    else:
        low, high = (0.3, 3.0) if link == "identity" else LOCATION.get(link, (-2.0, 2.0))
    return rng.uniform(low, high, n)


def response(support: str, trials: np.ndarray, categories: int, rng: np.random.Generator) -> np.ndarray:
    n = trials.shape[0]
    if support == "real":
        return rng.normal(0.5, 1.5, n)
    if support == "positive":
        return rng.gamma(1.5, 1.0, n)
    if support == "nonnegative":
        return np.where(rng.random(n) < 0.3, 0.0, rng.gamma(1.5, 1.0, n))
    if support == "count":
        return np.where(rng.random(n) < 0.15, 60.0 + rng.poisson(30, n), rng.poisson(2.0, n)).astype(float)
    if support == "positive count":
        return 1.0 + rng.poisson(2.0, n)
    if support == "unit":
        return rng.uniform(0.02, 0.98, n)
    if support == "closed unit":
        return np.clip(rng.uniform(-0.3, 1.3, n), 0.0, 1.0)
    if support == "trials":
        return rng.binomial(trials.astype(int), 0.4).astype(float)
    assert support == "category"
    return rng.integers(0, categories, n).astype(float)


def predictors(name: str, link: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, m): location, then moderate values of the others (ordered thresholds)."""
    entry = REGISTRY[name]
    columns = [location(link, entry["support"], n, rng)]
    for label in entry["predictors"][1:]:
        if label.startswith("lower"):
            columns.append(rng.uniform(-2.0, -0.2, n))
        elif label.startswith("upper"):
            columns.append(rng.uniform(0.2, 2.0, n))
        else:  # the generalized Poisson has a bounded support for phi < 1
            columns.append(rng.uniform(0.1 if "genpois" in name else -1.0, 1.5, n))
    return np.column_stack(columns)


def options(name: str) -> list[float]:
    return [4.0] if REGISTRY[name]["support"] == "category" else []


def make(name: str, link: str, n: int = 60, seed: int = 1, zero_inflated: bool = False):
    """(y, trials, weights, eta) for `_core.family_evaluate`."""
    rng = np.random.default_rng(seed)
    entry = REGISTRY[name]
    trials = rng.integers(1, 12, n).astype(float) if entry["support"] == "trials" else np.ones(n)
    y = response(entry["support"], trials, 4, rng)
    eta = predictors(name, link, n, rng)
    if zero_inflated:
        eta = np.column_stack([eta, rng.uniform(-2.0, 2.0, n)])
        y = np.where(rng.random(n) < 0.3, 0.0, y)
    return y, trials, rng.uniform(0.5, 2.0, n), eta


def evaluate(name, link, data, order=3, zero_inflated=False, by_hand=True):
    y, trials, weights, eta = data
    return _core.family_evaluate(name, link, zero_inflated, options(name), y, trials, weights, np.ascontiguousarray(eta), order, by_hand)


def packed(m: int, order: int) -> list[tuple[int, ...]]:
    return list(combinations_with_replacement(range(m), order))
