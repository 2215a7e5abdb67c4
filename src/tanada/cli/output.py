"""What the commands print: text tables, JSON, CSV, errors, a spinner on terminals."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import numpy as np
import typer

from tanada.results import text


class Format(Enum):
    """How tables are written."""

    text = "text"
    json = "json"
    csv = "csv"


def table_format(as_json: bool, as_csv: bool) -> Format:
    """The format asked for; both at once is wrong usage."""
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other.")
    return Format.json if as_json else Format.csv if as_csv else Format.text


def error(message: str) -> None:
    """One line on stderr."""
    print(f"tanada: {message}", file=sys.stderr)


@contextmanager
def progress(what: str) -> Iterator[None]:
    """A spinner on stderr while something runs, on terminals only."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def columns_of(table: Any) -> dict[str, list[Any]]:
    """Columns of a data frame as lists of plain values, None for NaN."""
    return {str(c): [plain(v) for v in np.asarray(table[c]).tolist()] for c in table.columns}


def plain(v: Any) -> Any:
    """A value that JSON can hold."""
    if isinstance(v, float) and not math.isfinite(v):
        return None if math.isnan(v) else ("Infinity" if v > 0 else "-Infinity")
    return v


def emit(what: Any, form: Format) -> None:
    """Print a table (or, as JSON, a dict)."""
    if form is Format.json:
        record = what if isinstance(what, dict) else rows_of(columns_of(what))
        print(json.dumps(record, ensure_ascii=False, indent=2))
        return
    columns = columns_of(what)
    if form is Format.csv:
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(["" if v is None else v for v in row] for row in zip(*columns.values()))
        return
    print(text_table(what))


def rows_of(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """One dict a row."""
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def text_table(table: Any, title: str = "") -> str:
    """A data frame as aligned text."""
    cells, left = [], []
    for i, c in enumerate(table.columns):
        values = np.asarray(table[c])
        if values.dtype.kind == "f":
            cells.append(_cells(str(c), values))
        else:
            cells.append([str(v) for v in values.tolist()])
            left += [i] if values.dtype.kind not in "iu" else []
    return text.to_text(text.Block(title, tuple(str(c) for c in table.columns), tuple(zip(*cells)), left=tuple(left)))


def _cells(name: str, values: Any) -> list[str]:
    """Numbers of one column: p values, criteria to two decimals, counts without decimals, five digits otherwise."""
    if name in ("p_value", "p.value"):
        return [text.p_text(v) for v in values]
    if name in ("aic", "aicc", "bic", "loglik", "deviance", "chisq"):
        return text.fixed(values.tolist(), 2)
    known = values[np.isfinite(values)]
    if known.size and np.all(known == np.round(known)) and np.max(np.abs(known)) < 1e9:
        return text.fixed(values.tolist(), 0)
    return text.numbers(values.tolist(), 5)


def model_record(model: Any, ddf: str | None) -> dict[str, Any]:
    """A fit as one JSON object."""
    v = model.verdict
    return {
        "formula": model.formula,
        "family": model.family,
        "link": model.link,
        "method": model.fit.method,
        "converged": model.converged,
        "singular": model.singular,
        "verdict": {"status": v.status, "message": v.message, "advice": v.advice, "boundary": list(v.boundary)},
        "nobs": model.nobs,
        "n_groups": model.n_groups,
        "loglik": model.loglik,
        "aic": model.aic,
        "bic": model.bic,
        "deviance": model.deviance,
        "df_resid": model.df_resid,
        "npar": model.npar,
        "sigma": model.sigma,
        "fixef": rows_of(columns_of(model.fixef(ddf=ddf))),
        "varcorr": rows_of(columns_of(model.varcorr())),
        "notes": list(model.notes),
    }
