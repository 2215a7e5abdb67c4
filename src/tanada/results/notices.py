"""What a fit has to say at once: changed methods, dropped rows, aliased columns, boundaries, trouble with convergence."""

from __future__ import annotations

import warnings

from tanada.errors import TanadaWarning
from tanada.results.mixed_base import MixedNumbers


def announce(result: MixedNumbers) -> None:
    """Show the notes and, unless all is well, the verdict, as warnings of the caller's line."""
    for note in result.notes:
        warnings.warn(note, TanadaWarning, stacklevel=3)
    if result.verdict.status != "ok":
        warnings.warn(str(result.verdict), TanadaWarning, stacklevel=3)
