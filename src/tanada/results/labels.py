"""Labels of models in tables that compare them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tanada.errors import ModelError
from tanada.results.mixed_base import MixedNumbers


def argument_labels(models: Sequence[MixedNumbers], names: Any = None) -> list[str]:
    """Labels given, or the formulas; those that occur more than once get a number.

    Raises
    ------
    ModelError
        When the number of labels is not that of the models.
    """
    if names is None:
        texts = [m.formula for m in models]
        return [t if texts.count(t) == 1 else f"{t} [{i + 1}]" for i, t in enumerate(texts)]
    labels = [str(n) for n in names]
    if len(labels) != len(models):
        raise ModelError(f"names has {len(labels)} labels for {len(models)} models.")
    return labels
