"""A result that is a table with a title, notes and a figure; it can be used as the data frame it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tanada.results import text
from tanada.results.office import as_great_table, write_docx
from tanada.results.plotting import draw


@dataclass(frozen=True, repr=False, eq=False)
class TableResult:
    """A table of the caller's library and what to say about it.

    Attributes
    ----------
    table : data frame
    title : str
    notes : tuple of str
        What a reader must know: scale, reading of random effects, corrections.
    kind : str
        Noun of its figure.
    data : dict of str to data frame
        Tidy data behind the figure, where it needs more than the table.
    info : dict
        What the figure needs besides data: labels, names.

    Notes
    -----
    Columns are reached as in the frame (`result["estimate"]`), and so are its methods (`result.to_csv(...)`).
    """

    table: Any
    title: str = ""
    notes: tuple[str, ...] = ()
    kind: str = "table"
    data: Mapping[str, Any] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)

    def plot(self, **options: Any) -> Any:
        """The figure of this result; `ax=` takes a matplotlib Axes."""
        return draw(self, self.kind, **options)

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.table.columns)

    def column(self, name: str) -> Any:
        """Values of a column as an array."""
        return np.asarray(self.table[name])

    def __getitem__(self, key: Any) -> Any:
        return self.table[key]

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.table)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "table":
            raise AttributeError(name)
        return getattr(self.table, name)

    def _block(self) -> text.Block:
        names = self.columns
        cells = [_cells(n, self.column(n)) for n in names]
        left = tuple(i for i, n in enumerate(names) if self.column(n).dtype.kind in "OUb")
        return text.Block(self.title, tuple(names), tuple(zip(*cells, strict=True)), left or (0,), self.notes)

    def __str__(self) -> str:
        return text.to_text(self._block())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return text.to_html(self._block())

    def to_markdown(self) -> str:
        """The table as Markdown."""
        return text.to_markdown(self._block())

    def to_latex(self) -> str:
        """The table as LaTeX."""
        return text.to_latex(self._block())

    def to_html(self) -> str:
        """The table as HTML."""
        return text.to_html(self._block())

    def to_docx(self, path: Any) -> None:
        """Write the table to a Word document (extra "tables").

        Parameters
        ----------
        path : str or path

        Raises
        ------
        ModelError
            When python-docx is not installed.
        """
        write_docx([self._block()], path)

    def as_gt(self) -> Any:
        """The table as a great_tables object (extra "tables").

        Raises
        ------
        ModelError
            When great_tables is not installed.
        """
        return as_great_table([self._block()], self.title)


def _cells(name: str, values: Any) -> list[str]:
    if values.dtype.kind not in "fiu":
        return [_plain(v) for v in values]
    if name.startswith("p_value") or name == "p":
        return [text.p_text(float(v)) for v in values]
    if name in ("loglik", "aic", "aicc", "bic", "deviance", "aic_difference"):
        return text.fixed(values, 2)
    if name == "df" and np.all(np.isnan(values) | (values == np.round(values))):
        return ["" if np.isnan(v) else "Inf" if np.isinf(v) else f"{v:.0f}" for v in values]
    if values.dtype.kind in "iu":
        return [str(v) for v in values]
    if np.isinf(values).any() and name == "df":
        return ["Inf" if np.isinf(v) else f"{v:.1f}" for v in values]
    return text.numbers(values)


def _plain(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return "yes" if value is True or value is np.True_ else "no" if value is False or value is np.False_ else str(value)
