"""Codes, labels and missing values of single columns."""

from __future__ import annotations

import numpy as np
import pytest

from tanada.columns import Column, drop_unused, factor_of_numbers, number_column, sort_levels, text_column


@pytest.mark.parametrize("kind", ["int8", "int64", "uint8", "uint64", "float32", "float64"])
def test_factor_of_numbers_is_in_numeric_order(kind: str) -> None:
    values = np.array([100, 2, 127, 2, 0, 100], dtype=kind)
    codes, labels = factor_of_numbers(values, None)
    assert labels == ("0", "2", "100", "127")
    np.testing.assert_array_equal(codes, [2, 1, 3, 1, 0, 2])


def test_whole_range_of_a_small_type() -> None:
    codes, labels = factor_of_numbers(np.array([-128, 127, 0], dtype=np.int8), None)
    assert labels == ("-128", "0", "127")
    np.testing.assert_array_equal(codes, [0, 2, 1])


@pytest.mark.parametrize("size", [50, 150_000])
def test_wide_ranges_and_missing(size: int) -> None:
    values = np.resize(np.array([10**12, 5, -3]), size)
    missing = np.zeros(size, dtype=bool)
    missing[1] = True
    codes, labels = factor_of_numbers(values, missing)
    assert labels == ("-3", "5", str(10**12))
    assert codes[:4].tolist() == [2, -1, 0, 2]


def test_fractions_keep_their_digits() -> None:
    assert factor_of_numbers(np.array([0.5, 2.0, 0.1]), None)[1] == ("0.1", "0.5", "2")


def test_numbers_are_nan_where_missing_whatever_is_stored() -> None:
    for values in (np.array([1, 0, 3]), np.array([1.0, 0.0, 3.0]), np.array([True, False, True])):
        column = number_column("x", values, np.array([False, True, False]))
        assert np.isnan(column.numbers[1]) and column.n_missing == 1
        assert column.take(np.array([0, 2])).missing is None


def test_text_is_sorted_and_keeps_leading_zeros() -> None:
    column = text_column("id", np.array([0, 1, -1, 0]), ["010", "002"])
    assert column.levels == ("002", "010")
    assert column.values.tolist() == [1, 0, -1, 1]
    assert column.labels().tolist() == ["010", "002", None, "010"]


def test_unused_levels_go_and_order_stays() -> None:
    codes, levels = drop_unused(np.array([2, 0, -1, 2]), ("c", "b", "a"))
    assert levels == ("c", "a")
    assert codes.tolist() == [1, 0, -1, 1]


def test_bool_levels() -> None:
    assert number_column("b", np.array([True, False])).factor[1] == ("FALSE", "TRUE")
    assert number_column("b", np.array([True, True])).factor[1] == ("TRUE",)


def test_sorting_ten_thousand_labels() -> None:
    labels = [str(i) for i in range(10_000)]
    codes, levels = sort_levels(np.arange(10_000), labels)
    assert list(levels) == sorted(labels)
    assert [levels[c] for c in codes[:5]] == labels[:5]


def test_column_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Column("x", "number", np.zeros(1)).name = "y"  # type: ignore[misc]
