"""The figure of `tn.contrasts`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tanada.plot.coef import forest
from tanada.plot.marginal_means import label
from tanada.plot.style import finish


def plot_contrasts(result: Any, ax: Any = None, data_only: bool = False) -> Any:
    """Contrasts with their intervals as a forest plot.

    Parameters
    ----------
    result : TableResult of `tn.contrasts`
    ax : matplotlib Axes, optional
    data_only : bool
        Return the table.

    Returns
    -------
    matplotlib Axes, or a data frame
    """
    if data_only:
        return result.table
    names = list(result.columns)
    names = names[: names.index("estimate")]
    cols = {n: result.column(n) for n in result.columns}
    rows = [", ".join(label(v) if n == "contrast" else f"{n} = {label(v)}" for n, v in zip(names, cell)) for cell in zip(*(cols[n].tolist() for n in names))]
    ratio = any("ratio" in n for n in result.notes[:1])
    ax = forest(ax, rows, {k: np.asarray(cols[k], float) for k in ("estimate", "conf_low", "conf_high")}, None, 1.0 if ratio else 0.0)
    return finish(ax, "ratio" if ratio else "difference", "")
