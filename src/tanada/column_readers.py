"""Columns of each data-frame library turned into `Column`: dtype by dtype, without copies where possible."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanada.columns import Column, factor_column, missing_of_codes, number_column, text_column
from tanada.errors import DataError


def from_array(name: str, values: Any) -> Column:
    """A column of a mapping: a NumPy array, list, or the series of some library."""
    module = type(values).__module__.partition(".")[0]
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise DataError(f"column '{name}' has {values.ndim} dimensions; a column is a vector.")
        if values.dtype.kind in "fiub":
            return number_column(name, values)
    elif module == "polars":
        return from_polars(name, values)
    elif module == "pyarrow":
        return from_arrow(name, values)
    import pandas as pd

    return from_pandas(name, values if isinstance(values, pd.Series) else pd.Series(values))


def from_pandas(name: str, series: Any) -> Column:
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        if dtype.kind in "fiub":
            return number_column(name, series.to_numpy())
        if dtype.kind in "mM":
            return _dates(name, series)
        if dtype.kind == "c":
            raise DataError(f"column '{name}' holds complex numbers; real numbers are accepted.")
        return _from_objects(name, series)
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        return factor_column(name, series.cat.codes.to_numpy(), dtype.categories.tolist(), bool(dtype.ordered))
    if isinstance(dtype, pd.StringDtype):
        return _from_strings(name, series)
    if isinstance(dtype, pd.ArrowDtype):
        import pyarrow as pa

        return from_arrow(name, pa.Array.from_pandas(series))
    if isinstance(dtype, pd.SparseDtype):
        return from_pandas(name, series.sparse.to_dense())
    kind = getattr(dtype, "kind", "O")
    if kind in "fiub":  # nullable extension types
        missing = series.isna().to_numpy()
        plain = {"f": np.float64, "b": bool}.get(kind, dtype.numpy_dtype)
        fill = np.nan if kind == "f" else 0
        return number_column(name, series.to_numpy(dtype=plain, na_value=fill), missing)
    return _dates(name, series)


def _from_strings(name: str, series: Any) -> Column:
    if getattr(series.dtype, "storage", "") == "pyarrow":
        import pyarrow as pa

        return _arrow_text(name, pa.array(series.array, from_pandas=True))
    codes, labels = series.factorize()
    return text_column(name, codes, labels)


def _encode(array: Any) -> tuple[NDArray[Any], Any]:
    """Codes (-1 where null) and the Arrow array of distinct values."""
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    encoded = array.dictionary_encode() if not pa.types.is_dictionary(array.type) else array
    indices = encoded.indices
    codes = indices.cast(pa.int32())
    codes = codes.fill_null(-1) if codes.null_count else codes
    return codes.to_numpy(zero_copy_only=False), encoded.dictionary


def _arrow_text(name: str, array: Any, kind: str = "text") -> Column:
    """A text column from Arrow memory; the few distinct labels are sorted, not the rows."""
    codes, dictionary = _encode(array)
    if len(dictionary) < 2000:
        return text_column(name, codes, dictionary.to_pylist(), kind)
    import pyarrow.compute as pc

    order = pc.sort_indices(dictionary)  # by UTF-8 bytes, which is the order of code points
    rank = np.full(len(dictionary) + 1, -1, dtype=np.int32)
    rank[order.to_numpy()] = np.arange(len(dictionary), dtype=np.int32)
    sorted_codes = rank[codes]
    return Column(name, kind, sorted_codes, tuple(dictionary.take(order).to_pylist()), missing=missing_of_codes(sorted_codes))


def _from_objects(name: str, series: Any) -> Column:
    import pandas as pd

    found = pd.api.types.infer_dtype(series, skipna=True)
    if found == "string":
        codes, labels = pd.factorize(series)
        return text_column(name, codes, labels)
    if found == "boolean":
        missing = series.isna().to_numpy()
        return number_column(name, series.where(~missing, False).to_numpy(dtype=bool), missing)
    if found in ("integer", "floating", "mixed-integer-float", "decimal", "integer-na"):
        return number_column(name, series.to_numpy(dtype=np.float64, na_value=np.nan))
    if found == "empty":
        return number_column(name, np.full(len(series), np.nan))
    if found in ("date", "datetime", "datetime64", "time", "timedelta", "period"):
        return _dates(name, series)
    first = {type(v).__name__ for v in series[series.notna()].head(1000)}
    raise DataError(
        f"column '{name}' holds values that are neither all numbers nor all text ({', '.join(sorted(first))}); "
        "convert it to numbers, text or categories."
    )


def _dates(name: str, series: Any) -> Column:
    """Dates, times and other types with an order but no number: usable as groups only."""
    import pandas as pd

    codes, labels = pd.factorize(series)
    return text_column(name, codes, [str(v) for v in labels], kind="date")


def from_polars(name: str, series: Any) -> Column:
    import polars as pl

    dtype = series.dtype
    if dtype.is_decimal():
        series, dtype = series.cast(pl.Float64), pl.Float64()
    if dtype.is_numeric() or dtype == pl.Boolean:
        if series.null_count() == 0:
            return number_column(name, series.to_numpy())
        missing = series.is_null().to_numpy()
        fill: Any = False if dtype == pl.Boolean else 0
        return number_column(name, series.fill_null(fill).to_numpy(), missing)
    if dtype == pl.Enum:
        codes = series.to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
        return factor_column(name, codes, dtype.categories.to_list(), False)
    if dtype == pl.Categorical:
        # the pool of categories is shared by the process and its order means nothing, so labels are sorted
        return replace(_polars_strings(name, series.cast(pl.String)), kind="factor")
    if dtype == pl.String:
        return _polars_strings(name, series)
    if dtype.is_temporal():
        return replace(_polars_strings(name, series.cast(pl.String)), kind="date")
    if dtype == pl.Null:
        return number_column(name, np.full(len(series), np.nan))
    raise DataError(f"column '{name}' holds {dtype} values; numbers, truth values, text or categories are accepted.")


def _polars_strings(name: str, series: Any) -> Column:
    from importlib.util import find_spec

    if find_spec("pyarrow") is not None:
        return _arrow_text(name, series.to_arrow())
    import pandas as pd

    codes, labels = pd.factorize(np.asarray(series.to_list(), dtype=object))
    return text_column(name, codes, list(labels))


def from_arrow(name: str, array: Any) -> Column:
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    kind = array.type
    if pa.types.is_decimal(kind):
        array, kind = array.cast(pa.float64()), pa.float64()
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        if array.null_count == 0:
            return number_column(name, array.to_numpy(zero_copy_only=False))
        missing = array.is_null().to_numpy(zero_copy_only=False)
        return number_column(name, array.fill_null(False if pa.types.is_boolean(kind) else 0).to_numpy(zero_copy_only=False), missing)
    if pa.types.is_dictionary(kind):
        codes, labels = _encode(array)
        return factor_column(name, codes, labels.to_pylist(), bool(kind.ordered))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _arrow_text(name, array)
    if pa.types.is_temporal(kind):
        return _arrow_text(name, array.cast(pa.string()), "date")
    if pa.types.is_null(kind):
        return number_column(name, np.full(len(array), np.nan))
    raise DataError(f"column '{name}' holds {kind} values; numbers, truth values, text or categories are accepted.")
