"""Random-effects designs in the form the compiled core takes: distinct grouping factors, and terms that refer to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tanada.design.matrices import ComponentDesign, RandomDesign
from tanada.errors import DataError

FactorTuple = tuple[int, Any]
TermTuple = tuple[int, int, Any, str, dict[str, Any]]


def terms_of(components: Sequence[ComponentDesign]) -> list[tuple[int, RandomDesign]]:
    """All random terms with the number of their component, in the order of the parameters."""
    return [(c, term) for c, component in enumerate(components) for term in component.random]


def core_input(components: Sequence[ComponentDesign]) -> tuple[list[FactorTuple], list[TermTuple]]:
    """Factors (levels, codes) and terms (factor, predictor, Z, structure, options); terms of the same factor share it.

    The predictor of a term is the number of its component. Two factors are the same when their labels and codes agree.

    Raises
    ------
    DataError
        If a grouping factor has missing levels (codes below zero): designs for fitting never have.
    """
    factors: list[FactorTuple] = []
    terms: list[TermTuple] = []
    by_label: dict[str, list[int]] = {}
    for c, term in terms_of(components):
        if term.codes.size and int(term.codes.min()) < 0:
            raise DataError(f"The grouping factor '{term.group}' has rows without a level; drop them before fitting.")
        known = by_label.setdefault(term.group, [])
        number = next((i for i in known if factors[i][1] is term.codes or np.array_equal(factors[i][1], term.codes)), None)
        if number is None:
            number = len(factors)
            factors.append((len(term.levels), np.ascontiguousarray(term.codes, dtype=np.int32)))
            known.append(number)
        Z = np.ascontiguousarray(term.Z, dtype=np.float64)
        terms.append((number, c, Z, term.structure, _options(term)))
    return factors, terms


def _options(term: RandomDesign) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key in ("coords", "known"):
        if term.options.get(key) is not None:
            out[key] = np.asfortranarray(np.atleast_2d(np.asarray(term.options[key], float)))
    if term.options.get("rank"):
        out["rank"] = int(term.options["rank"])
    return out
