"""`.plot()` of results: the drawing function is looked up by name when it is called.

Results lie below the plot layer and cannot import it; the module and function are named by a string, so that figures stay optional and matplotlib is
loaded only for a figure. A result of kind "slopes" is drawn by `tanada.plot.slopes.plot_slopes(result, ax=None, ...)`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from tanada.errors import ModelError

SHARED = {"check_": "check_figures", "comparison": "comparison_figures", "hypotheses": "comparison_figures", "cross_validation": "comparison_figures"}


def draw(obj: Any, kind: str, /, *others: Any, **options: Any) -> Any:
    """Draw a result.

    Parameters
    ----------
    obj : object
        The result.
    kind : str
        Noun of the figure: module `tanada.plot.<kind>` or `tanada.plot.<kind>_figure` holds `plot_<kind>`.
    *others, **options
        Passed on; `ax` is a matplotlib Axes.

    Returns
    -------
    matplotlib Axes or Figure

    Raises
    ------
    ModelError
        When there is no such figure.
    """
    if find_spec("tanada.plot") is not None:
        shared = [module for start, module in SHARED.items() if kind.startswith(start)]
        for name in (*shared, f"{kind}_figure", kind):
            path = f"tanada.plot.{name}"
            found = getattr(import_module(path), f"plot_{kind}", None) if find_spec(path) is not None else None
            if found is not None:
                return found(obj, *others, **options)
    raise ModelError(f"there is no figure of '{kind}'; its data are in `.table` (or `.data`).")
