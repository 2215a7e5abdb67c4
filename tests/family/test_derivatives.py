"""Derivatives of the log-densities: jets against central differences, hand-written ones against jets, wrappers too."""

from __future__ import annotations

import numpy as np
import pytest

from tests.family.cases import CASES, REGISTRY, evaluate, make, packed

STEP = 1e-5


def difference_errors(name, link, zero_inflated, by_hand):
    """Largest difference between each order's derivatives and central differences of the order below."""
    data = make(name, link, zero_inflated=zero_inflated)
    y, trials, weights, eta = data
    m = eta.shape[1]
    exact = evaluate(name, link, data, 3, zero_inflated, by_hand)
    worst = []
    for a in range(m):
        shift = np.zeros(m)
        shift[a] = STEP
        high = evaluate(name, link, (y, trials, weights, eta + shift), 3, zero_inflated, by_hand)
        low = evaluate(name, link, (y, trials, weights, eta - shift), 3, zero_inflated, by_hand)
        for order in (1, 2, 3):
            lower = packed(m, order - 1)
            index = {t: i for i, t in enumerate(packed(m, order))}
            for j, t in enumerate(lower):
                below_high, below_low = (high[0], low[0]) if order == 1 else (high[order - 1][:, j], low[order - 1][:, j])
                numeric = (below_high - below_low) / (2 * STEP)
                analytic = exact[order][:, index[tuple(sorted((*t, a)))]]
                scale = 1.0 + np.abs(analytic) + np.abs(below_high)
                worst.append(np.max(np.abs(numeric - analytic) / scale))
                assert np.all(np.isfinite(analytic))
    return max(worst)


@pytest.mark.parametrize("zero_inflated", [False, True])
@pytest.mark.parametrize(("name", "link"), CASES)
def test_jets_agree_with_differences(name, link, zero_inflated):
    assert difference_errors(name, link, zero_inflated, by_hand=False) < 2e-7


@pytest.mark.parametrize(("name", "link"), CASES)
def test_hand_written_agree_with_jets(name, link):
    data = make(name, link, n=300)
    for fast, jets in zip(evaluate(name, link, data), evaluate(name, link, data, by_hand=False)):
        np.testing.assert_allclose(fast, jets, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", REGISTRY)
def test_lower_orders_give_the_same_numbers(name):
    link = REGISTRY[name]["links"][0]
    data = make(name, link)
    full = evaluate(name, link, data, 3)
    for order in (0, 1, 2):
        part = evaluate(name, link, data, order)
        for got, expected in zip(part[: order + 1], full):
            np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", REGISTRY)
def test_rows_of_weight_zero_vanish(name):
    link = REGISTRY[name]["links"][0]
    y, trials, weights, eta = make(name, link)
    weights = weights.copy()
    weights[::2] = 0.0
    eta = eta.copy()
    eta[0] = 1e6  # overflows, and must not matter
    for part in evaluate(name, link, (y, trials, weights, eta)):
        assert np.all(part[::2] == 0.0)
