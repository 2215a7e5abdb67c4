"""Files of the formats that people in this field exchange, as data frames."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from tanada.data.bundled import check_library
from tanada.errors import DataError, did_you_mean


def read(path: str | Path, *, name: str | None = None, encoding: str | None = None, as_: str = "pandas") -> Any:
    """Read a data file.

    Parameters
    ----------
    path : str or Path
        A file ending in .csv, .tsv, .txt (each also with .gz), .parquet, .feather, .arrow, .rds, .rdata, .sav, .zsav, .por, .dta,
        .sas7bdat, .xpt, .xlsx or .json.
    name : str, optional
        Which object of an .rdata file, or which sheet of an .xlsx file, when there are several.
    encoding : str, optional
        Of text files; UTF-8 unless given. Japanese spreadsheets often write "cp932".
    as_ : {"pandas", "polars"}
        Library of the frame returned.

    Returns
    -------
    data frame
        Whole-number columns of text files in which some value starts with a superfluous zero ("007") stay text: they are identifiers. Value
        labels of SPSS, Stata and SAS files become categories where every value has a label.

    Raises
    ------
    DataError
        When the file does not exist, cannot be read, or the package that reads its format is missing.

    Examples
    --------
    >>> import tanada as tn
    >>> import tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = pathlib.Path(folder.name) / "pupils.csv"
    >>> _ = file.write_text("school,score\\n007,1.5\\n012,2.5\\n")
    >>> tn.read(file)["school"].tolist()
    ['007', '012']
    >>> folder.cleanup()
    """
    file = Path(path)
    check_library(as_)
    if not file.exists():
        siblings = [p.name for p in file.parent.iterdir()] if file.parent.is_dir() else []
        raise DataError(f"there is no file '{file}'." + (did_you_mean(file.name, siblings) if len(siblings) < 1000 else ""))
    suffix = _suffix(file)
    reader = _READERS.get(suffix)
    if reader is None:
        raise DataError(f"'{file.name}': files ending in '{suffix}' are not known. Accepted: {', '.join(sorted(_READERS))}.")
    table = reader(file, name, encoding)
    if table.shape[1] == 0:
        raise DataError(f"'{file.name}' has no columns.")
    return _to_polars(table) if as_ == "polars" else table


def _suffix(file: Path) -> str:
    parts = [s.lower() for s in file.suffixes]
    if parts and parts[-1] in (".gz", ".bz2", ".xz", ".zip") and len(parts) > 1:
        return parts[-2]
    return parts[-1] if parts else ""


def _to_polars(table: Any) -> Any:
    needs("polars", "polars frames", "scale")
    import polars as pl

    return pl.from_pandas(table)


def needs(module: str, what: str, extra: str) -> Any:
    """Import an optional package, or say how to install it."""
    try:
        return import_module(module)
    except ImportError:
        raise DataError(f"{what} need the package {module}: pip install 'tanada[{extra}]'.") from None


def _read_text(separator: str | None) -> Callable[[Path, str | None, str | None], Any]:
    def reader(file: Path, name: str | None, encoding: str | None) -> Any:
        import pandas as pd

        options: dict[str, Any] = {"sep": separator, "encoding": encoding or "utf-8-sig"}
        if separator is None:
            options["engine"] = "python"
        try:
            table = pd.read_csv(file, **options)
            ids = _zero_padded(file, table, options)
            return pd.read_csv(file, dtype=dict.fromkeys(ids, str), **options) if ids else table
        except UnicodeDecodeError:
            tried = encoding or "UTF-8"
            raise DataError(f"'{file.name}' is not {tried} text; pass encoding=, for example encoding='cp932' for Japanese spreadsheets.") from None
        except LookupError:
            raise DataError(f"encoding = {encoding!r} is not known.") from None
        except pd.errors.EmptyDataError:
            raise DataError(f"'{file.name}' is empty.") from None
        except pd.errors.ParserError as error:
            raise DataError(f"'{file.name}' is not a regular table: {str(error).splitlines()[0]}.") from None

    return reader


def _zero_padded(file: Path, table: Any, options: dict[str, Any]) -> list[str]:
    """Columns read as whole numbers in which some text has a leading zero."""
    import pandas as pd

    names = []
    for column in table.columns:
        values = table[column]
        if values.dtype.kind in "iu" or (values.dtype.kind == "f" and (values.dropna() % 1 == 0).all()):
            names.append(column)
    if not names:
        return []
    text = pd.read_csv(file, usecols=names, dtype=str, **options)
    return [c for c in names if text[c].str.match(r"^\s*0\d", na=False).any()]


def _columnar(function: str) -> Callable[[Path, str | None, str | None], Any]:
    def reader(file: Path, name: str | None, encoding: str | None) -> Any:
        pyarrow = needs("pyarrow", f"{file.suffix} files", "io")
        import pandas as pd

        try:
            return getattr(pd, function)(file)
        except (pyarrow.ArrowInvalid, OSError) as error:
            raise DataError(f"'{file.name}' cannot be read: {str(error).splitlines()[0]}.") from None

    return reader


def _json(file: Path, name: str | None, encoding: str | None) -> Any:
    import pandas as pd

    try:
        return pd.read_json(file, encoding=encoding or "utf-8")
    except ValueError as error:
        raise DataError(f"'{file.name}' is not a table in JSON: {error}.") from None


def _r_data(file: Path, name: str | None, encoding: str | None) -> Any:
    pyreadr = needs("pyreadr", "R data files", "io")
    try:
        found = pyreadr.read_r(str(file))
    except (pyreadr.custom_errors.PyreadrError, pyreadr.custom_errors.LibrdataError) as error:
        raise DataError(f"'{file.name}' cannot be read as R data: {error}.") from None
    if not found:
        raise DataError(f"'{file.name}' holds no data frame.")
    return _choose(dict(found), name, file, "object")


def _choose(found: dict[Any, Any], name: str | None, file: Path, what: str) -> Any:
    if name is not None:
        if name not in found:
            raise DataError(f"'{file.name}' has no {what} '{name}'.{did_you_mean(name, found)}")
        return found[name]
    if len(found) > 1:
        raise DataError(f"'{file.name}' holds several {what}s: {', '.join(repr(k) for k in found)}; choose one with name=.")
    return next(iter(found.values()))


def _excel(file: Path, name: str | None, encoding: str | None) -> Any:
    needs("openpyxl", ".xlsx files", "io")
    import pandas as pd

    try:
        sheets = pd.read_excel(file, sheet_name=None, dtype=object)  # cells keep their own type: text "007" is not a number
    except (ValueError, BadZipFile) as error:
        raise DataError(f"'{file.name}' cannot be read as a spreadsheet: {error}.") from None
    filled = {k: v.infer_objects() for k, v in sheets.items() if v.shape[1]}
    return _choose(filled or sheets, name, file, "sheet")


def _labelled(function: str) -> Callable[[Path, str | None, str | None], Any]:
    def reader(file: Path, name: str | None, encoding: str | None) -> Any:
        pyreadstat = needs("pyreadstat", f"{file.suffix} files", "io")
        try:
            table, meta = getattr(pyreadstat, function)(str(file), **({"encoding": encoding} if encoding else {}))
        except pyreadstat.ReadstatError as error:
            raise DataError(f"'{file.name}' cannot be read: {error}.") from None
        return _apply_labels(table, meta.variable_value_labels)

    return reader


def _apply_labels(table: Any, labels: dict[str, dict[Any, str]]) -> Any:
    """Categories, in the order of the values, for columns whose every value has a label; others keep their numbers."""
    import pandas as pd

    for column, text in labels.items():
        if column not in table:
            continue
        values = table[column]
        present = set(values.dropna().unique())
        if not present or not present <= set(text) or len(set(text.values())) < len(text):
            continue
        try:
            order = [text[v] for v in sorted(text)]
        except TypeError:  # labels of mixed types have no order of values
            order = list(text.values())
        table[column] = pd.Categorical(values.map(text), categories=order)
    return table


_READERS: dict[str, Callable[[Path, str | None, str | None], Any]] = {
    ".csv": _read_text(","),
    ".tsv": _read_text("\t"),
    ".tab": _read_text("\t"),
    ".txt": _read_text(None),
    ".parquet": _columnar("read_parquet"),
    ".pq": _columnar("read_parquet"),
    ".feather": _columnar("read_feather"),
    ".arrow": _columnar("read_feather"),
    ".json": _json,
    ".rds": _r_data,
    ".rda": _r_data,
    ".rdata": _r_data,
    ".sav": _labelled("read_sav"),
    ".zsav": _labelled("read_sav"),
    ".por": _labelled("read_por"),
    ".dta": _labelled("read_dta"),
    ".sas7bdat": _labelled("read_sas7bdat"),
    ".xpt": _labelled("read_xport"),
    ".xlsx": _excel,
}
