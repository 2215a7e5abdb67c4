"""Johnson-Neyman intervals as a result: bounds, table of intervals, plain words."""

from __future__ import annotations

from dataclasses import dataclass, field

from tanada.results import text
from tanada.results.table_result import TableResult


@dataclass(frozen=True, repr=False, eq=False)
class NeymanResult(TableResult):
    """Johnson-Neyman intervals.

    Attributes
    ----------
    table : data frame
        start, end, direction, significant: the observed range of the moderator cut where significance changes.
    bounds : tuple of float
        Values of the moderator at which significance changes; for slopes that are straight lines also those outside the observed range.
    observed : (float, float)
        Range of the moderator.
    trend, by : str
    level : float
    critical : float or None
        Critical value of |t| or |z|, when it is constant.
    exact : bool
        Whether the bounds are the closed form.
    sentences : tuple of str
    data : dict
        "curve": the slope with its limits on a grid of the moderator.
    """

    bounds: tuple[float, ...] = ()
    observed: tuple[float, float] = (0.0, 0.0)
    trend: str = ""
    by: str = ""
    level: float = 0.95
    critical: float | None = None
    exact: bool = False
    sentences: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return "\n".join([*self.sentences, "", text.to_text(self._block())])
