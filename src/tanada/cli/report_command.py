"""The command `tanada report`: fit a model, or load a saved one, and write one HTML page about it."""

from __future__ import annotations

import sys
import warnings
import zipfile
from pathlib import Path
from typing import Annotated, Any

import typer

from tanada.cli.output import error, progress
from tanada.errors import DataError


def write_report(model: Any, path: str, language: str = "en", ddf: str | None = None) -> None:
    """Write the report; figures are drawn without a display."""
    import matplotlib

    matplotlib.use("Agg")
    import tanada as tn

    with progress("writing the report"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = tn.report(model, path, language=language, ddf=ddf)
    print(f"report written to {written}", file=sys.stderr)


def report_command(
    model: Annotated[str, typer.Argument(help="A formula, a file with a model in lavaan syntax, or a saved model.")],
    out: Annotated[str, typer.Argument(help="HTML file to write.")],
    data: Annotated[str | None, typer.Option("--data", help="Data file or the name of a bundled data set; not needed for a saved model.")] = None,
    family: Annotated[str, typer.Option("--family", help="Response family of a formula.")] = "gaussian",
    reml: Annotated[bool, typer.Option("--reml", help="Restricted maximum likelihood.")] = False,
    cluster: Annotated[str | None, typer.Option("--cluster", help="Column of the clusters of a model file.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Column of the groups of a model file.")] = None,
    estimator: Annotated[str, typer.Option("--estimator", help="Estimator of a model file.")] = "ML",
    language: Annotated[str, typer.Option("--language", help="en or ja.")] = "en",
    ddf: Annotated[str | None, typer.Option("--ddf", help="satterthwaite, kenward-roger, residual or z.")] = None,
) -> None:
    """Write a report of a model: one HTML file with its figures inside."""
    if language not in ("en", "ja"):
        raise typer.BadParameter("--language is en or ja.")
    fit = _fitted(model, data, {"family": family, "reml": reml}, {"cluster": cluster, "group": group, "estimator": estimator})
    write_report(fit, out, language, ddf)
    if not fit.converged:
        error(f"not converged: {fit.verdict}")
        raise typer.Exit(3)


def _fitted(model: str, data: str | None, mixed: dict[str, Any], sem: dict[str, Any]) -> Any:
    import tanada as tn

    file = Path(model) if "~" not in model or Path(model).is_file() else None
    if file is not None and not file.is_file():
        raise DataError(f"'{model}' is neither a formula (it has no '~') nor a file.")
    if file is not None and zipfile.is_zipfile(file):
        return tn.load(model)
    if data is None:
        raise DataError("a formula or a model file needs --data with a data file or the name of a bundled data set.")
    frame = tn.load_dataset(data) if data in set(tn.list_datasets()["name"]) else tn.read(data)
    with progress(f"fitting {model}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if file is not None:
            return tn.sem(file.read_text(encoding="utf-8"), frame, **{k: v for k, v in sem.items() if v is not None})
        return tn.mixed(model, frame, quiet=True, **mixed)
