"""Data sets that come with the package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from typing import Any

from tanada.errors import DataError, did_you_mean
from tanada.frame import to_caller


@dataclass(frozen=True)
class _Bundled:
    file: str
    title: str
    text: tuple[str, ...]  # columns kept as text


_SETS = {
    "school_survey": _Bundled(
        "school_survey.csv.gz",
        "Simulated survey of 5,766 pupils in 183 schools: reading score, university wish, belonging and teaching items, socio-economic status",
        ("school_id", "student_id"),
    ),
    "seed_survival": _Bundled(
        "seed_survival.csv.gz",
        "Simulated survival of 8 seeds of each of 100 plants by number of leaves; logit intercept -4, slope 1, plant SD 3",
        (),
    ),
}


def list_datasets(*, as_: str = "pandas") -> Any:
    """The bundled data sets.

    Parameters
    ----------
    as_ : {"pandas", "polars"}
        Library of the table returned.

    Returns
    -------
    data frame
        Columns name, rows, columns, description.

    Examples
    --------
    >>> import tanada as tn
    >>> tn.list_datasets()["name"].tolist()
    ['school_survey', 'seed_survival']
    """
    frames = [load_dataset(name) for name in _SETS]
    table = {
        "name": list(_SETS),
        "rows": [len(f) for f in frames],
        "columns": [f.shape[1] for f in frames],
        "description": [s.title for s in _SETS.values()],
    }
    return to_caller(table, like=check_library(as_))


def load_dataset(name: str, *, as_: str = "pandas") -> Any:
    """Load a bundled data set.

    Parameters
    ----------
    name : str
        "school_survey" or "seed_survival"; see `list_datasets`.
    as_ : {"pandas", "polars"}
        Library of the frame returned.

    Returns
    -------
    data frame

    Raises
    ------
    DataError
        When there is no data set of that name.

    Notes
    -----
    ``school_survey`` is simulated: two levels (pupils in schools), `read_score` with an intraclass correlation near 0.37, the index of
    socio-economic status `escs` with its school mean `sch_escs_mean`, the pupil-teacher ratio `s_t_ratio`, the wish to go to university
    `wants_univ` (0/1), and four-point items `belong1`-`belong6`, `teach1`-`teach4`. ``seed_survival`` is simulated too: `y` of `N` seeds
    alive, `x` leaves, plant `id`.

    Examples
    --------
    >>> import tanada as tn
    >>> survey = tn.load_dataset("school_survey")
    >>> survey.shape
    (5766, 17)
    >>> survey["school_id"].iloc[0]
    '001'
    """
    found = _SETS.get(name)
    if found is None:
        raise DataError(f"there is no bundled data set '{name}'.{did_you_mean(str(name), _SETS)}")
    raw = files("tanada.data").joinpath(found.file).read_bytes()
    if check_library(as_) == "polars":
        import gzip

        import polars as pl

        return pl.read_csv(gzip.decompress(raw), schema_overrides=dict.fromkeys(found.text, pl.String))
    import pandas as pd

    return pd.read_csv(BytesIO(raw), compression="gzip", dtype=dict.fromkeys(found.text, str))


def check_library(as_: str) -> str:
    """The name of a library that tables can be made in."""
    if as_ not in ("pandas", "polars"):
        raise DataError(f"as_ = {as_!r}; tables come as 'pandas' or 'polars'.")
    return as_
