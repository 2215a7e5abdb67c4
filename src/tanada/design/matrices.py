"""What the engines receive: numeric matrices of each model component, with names. Frozen; nothing here parses or fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RandomDesign:
    """One random-effects term.

    Attributes
    ----------
    group : str
        Label of the grouping factor: "school_id", "school:class".
    names : tuple of str, length k
        Names of the effects: "(Intercept)", "x", "fB".
    structure : str
        Covariance structure: "us", "diag", "homdiag", "cs", "ar1", ...
    codes : int32 array (n,)
        Level number of each row, 0-based; -1 where the level is unknown (prediction only).
    levels : tuple of str, length L
    Z : float64 array (n, k), C order
    options : dict
        Arguments of the structure: "coords" (k, d), "known" (k, k), "rank", ...
    text : str
        The term as written, "(x | school_id)".
    """

    group: str
    names: tuple[str, ...]
    structure: str
    codes: NDArray[np.int32]
    levels: tuple[str, ...]
    Z: Array
    options: dict[str, Any] = field(default_factory=dict)
    text: str = ""

    @property
    def k(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class ComponentDesign:
    """The design of one linear predictor: conditional ("cond"), zero inflation ("zi") or dispersion ("disp").

    X holds the estimable columns only; `aliased` names those dropped because they are linear combinations of others.
    """

    name: str
    X: Array  # (n, p), C order
    names: tuple[str, ...]
    offset: Array  # (n,), zeros when there is none
    random: tuple[RandomDesign, ...] = ()
    aliased: tuple[str, ...] = ()
    term_of_column: tuple[int, ...] = ()  # index into `terms` for each column of X (type I/II/III tests)
    terms: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelData:
    """All an engine needs to fit a mixed model: response, weights, components.

    `trials` is the number of binomial trials of each row (ones otherwise), with y the number of successes. `response_levels` holds the
    category labels of a binary or ordinal response given as text (y is then 0/1 or 0..K-1).
    """

    y: Array  # (n,)
    weights: Array  # (n,), prior weights, ones when not given
    trials: Array  # (n,)
    components: tuple[ComponentDesign, ...]  # the conditional one first
    response: str = "y"
    response_levels: tuple[str, ...] = ()

    @property
    def nobs(self) -> int:
        return int(self.y.shape[0])

    def component(self, name: str) -> ComponentDesign:
        return next(c for c in self.components if c.name == name)
