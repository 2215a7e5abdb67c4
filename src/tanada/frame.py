"""Any data frame in, tables of the caller's own library out.

pandas and polars are read directly; pyarrow tables, mappings of arrays and everything else that narwhals knows go through it. A column is
read when a model asks for it, and only then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tanada.columns import Column
from tanada.errors import DataError, did_you_mean


class Frame:
    """The caller's data: names, number of rows, columns read on demand.

    Attributes
    ----------
    native : object
        What the caller passed in.
    library : str
        "pandas", "polars", "pyarrow", "dict" or "other".
    names : tuple of str
    n : int
        Number of rows.
    """

    def __init__(self, native: Any, library: str, source: Any, names: Iterable[Any], n: int) -> None:
        self.native = native
        self.library = library
        self.names: tuple[str, ...] = tuple(str(c) for c in names)
        self.n = int(n)
        self._source = source
        self._columns: dict[str, Column] = {}
        self._known: frozenset[str] = frozenset(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def column(self, name: str) -> Column:
        """The column called `name`.

        Raises
        ------
        DataError
            When there is no such column, more than one, or its type cannot be used.
        """
        found = self._columns.get(name)
        if found is None:
            self._check_name(name)
            found = self._columns[name] = self._read(name)
        return found

    def _check_name(self, name: str) -> None:
        if name not in self._known:
            raise DataError(f"there is no column '{name}' in the data.{self._suggest(name)}")
        if len(self._known) != len(self.names) and self.names.count(name) > 1:
            raise DataError(f"the data have {self.names.count(name)} columns called '{name}'; rename all but one.")

    def _suggest(self, name: str) -> str:
        same = [c for c in self.names if c.casefold() == name.casefold()]
        if same:
            return f" Did you mean '{same[0]}'?"
        near = did_you_mean(name, self.names)
        return near or f" Its {len(self.names)} columns begin with " + ", ".join(f"'{c}'" for c in self.names[:8]) + "."

    def _read(self, name: str) -> Column:
        from tanada import column_readers

        if self.library == "pandas":
            direct = name in self._source.columns  # cheaper than by position; labels that are not text have only a position
            return column_readers.from_pandas(name, self._source[name] if direct else self._source.iloc[:, self.names.index(name)])
        if self.library == "polars":
            return column_readers.from_polars(name, self._source.get_column(name))
        if self.library == "pyarrow" or self.library == "other":
            return column_readers.from_arrow(name, self._source.column(self.names.index(name)))
        return column_readers.from_array(name, self._source[name])

    def arrow(self) -> Any:
        """The Arrow table behind a "pyarrow" or "other" frame."""
        return self._source


def read_frame(data: Any) -> Frame:
    """Wrap a data frame of any library, or a mapping of columns.

    Parameters
    ----------
    data : pandas, polars (eager or lazy), pyarrow or other narwhals-compatible frame, or a mapping of name to array
        The data, one row an observation.

    Returns
    -------
    Frame

    Raises
    ------
    DataError
        When `data` is not a data frame, or the columns of a mapping differ in length.
    """
    if isinstance(data, Frame):
        return data
    module = type(data).__module__.partition(".")[0]
    kind = type(data).__name__
    if module == "pandas" and kind == "DataFrame":
        return Frame(data, "pandas", data, data.columns, len(data))
    if module == "polars" and kind in ("DataFrame", "LazyFrame"):
        eager = data.collect() if kind == "LazyFrame" else data
        return Frame(data, "polars", eager, eager.columns, eager.height)
    if module == "pyarrow" and kind == "Table":
        return Frame(data, "pyarrow", data, data.column_names, data.num_rows)
    if isinstance(data, Mapping):
        return _from_mapping(data)
    return _from_narwhals(data)


def _from_mapping(data: Mapping[Any, Any]) -> Frame:
    lengths = {str(k): len(v) if hasattr(v, "__len__") and not isinstance(v, str) else None for k, v in data.items()}
    bad = [k for k, size in lengths.items() if size is None]
    if bad:
        raise DataError(f"data['{bad[0]}'] is not a column: it has no length. A mapping must hold one array or list per column.")
    if len(set(lengths.values())) > 1:
        raise DataError("columns of unequal length: " + ", ".join(f"'{k}' has {size}" for k, size in lengths.items()) + ".")
    n = next(iter(lengths.values()), 0) or 0
    return Frame(data, "dict", {str(k): v for k, v in data.items()}, data.keys(), n)


def _from_narwhals(data: Any) -> Frame:
    import narwhals as nw

    try:
        wrapped = nw.from_native(data)
    except TypeError:
        raise DataError(
            f"data is {_article(data)}; a data frame (pandas, polars, pyarrow, ...) or a mapping of column names to arrays is accepted."
        ) from None
    native = wrapped.to_native()
    if native is not data:
        return read_frame(native)
    eager = wrapped.collect() if isinstance(wrapped, nw.LazyFrame) else wrapped
    table = eager.to_arrow()
    return Frame(data, "other", table, table.column_names, table.num_rows)


def _article(data: Any) -> str:
    if data is None:
        return "None"
    name = type(data).__name__
    return ("an " if name[:1].lower() in "aeiou" else "a ") + name


def to_caller(columns: Mapping[str, Any], like: Any = None) -> Any:
    """A table in the library of the caller: polars for polars input, pandas otherwise.

    Parameters
    ----------
    columns : mapping of str to array or list
        Columns of equal length, in order.
    like : Frame, data frame, "polars", "pandas" or None
        What the caller passed in.

    Returns
    -------
    pandas.DataFrame or polars.DataFrame
    """
    library = like if isinstance(like, str) else like.library if isinstance(like, Frame) else type(like).__module__.partition(".")[0]
    if library == "polars":
        import polars as pl

        return pl.DataFrame({k: _for_polars(v) for k, v in columns.items()}, strict=False)
    import pandas as pd

    return pd.DataFrame(dict(columns), copy=False)


def _for_polars(values: Any) -> Any:
    if isinstance(values, np.ndarray) and values.dtype == object:
        return values.tolist()
    if isinstance(values, np.ndarray) and values.dtype.kind == "U":
        return values.tolist()
    return values


def with_columns(frame: Frame, new: Mapping[str, Any]) -> Any:
    """The caller's data with columns added or replaced: polars for polars input, pandas otherwise. The caller's object is left as it is."""
    native = frame.native
    if frame.library == "polars":
        import polars as pl

        eager = native.collect() if type(native).__name__ == "LazyFrame" else native
        return eager.with_columns([pl.Series(name, values) for name, values in new.items()])
    if frame.library == "pandas":
        return native.assign(**new)
    import pandas as pd

    table = frame.arrow().to_pandas() if frame.library in ("pyarrow", "other") else pd.DataFrame(dict(native))
    return table.assign(**new)
