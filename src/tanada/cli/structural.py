"""The command `tanada sem`: fit a structural equation model from a model file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from tanada.cli.output import Format, columns_of, emit, error, plain, progress, rows_of, table_format
from tanada.cli.report_command import write_report
from tanada.errors import DataError


def sem_command(
    model: Annotated[str, typer.Argument(help="File with the model in lavaan syntax; '-' reads standard input.")],
    data: Annotated[str, typer.Option("--data", help="Data file (csv, csv.gz, parquet, rds, sav, dta, xlsx) or the name of a bundled data set.")],
    cluster: Annotated[str | None, typer.Option("--cluster", help="Column of the clusters.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Column of the groups.")] = None,
    kind: Annotated[str, typer.Option("--kind", help="sem, cfa or growth.")] = "sem",
    estimator: Annotated[str, typer.Option("--estimator", help="ML, MLR, MLM, GLS, ULS, WLSMV, ...")] = "ML",
    missing: Annotated[str, typer.Option("--missing", help="listwise or fiml.")] = "listwise",
    std_lv: Annotated[bool, typer.Option("--std-lv", help="Fix the variances of latent variables at 1.")] = False,
    ordered: Annotated[str | None, typer.Option("--ordered", help="Ordered variables, separated by commas.")] = None,
    plot: Annotated[str | None, typer.Option("--plot", help="Write the path diagram to this file (png, pdf, svg).")] = None,
    report: Annotated[str | None, typer.Option("--report", help="Write a report to this HTML file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write the parameters as CSV.")] = False,
) -> None:
    """Fit a structural equation model and print its summary."""
    import tanada as tn

    form = table_format(json, csv)
    if kind not in ("sem", "cfa", "growth"):
        raise typer.BadParameter("--kind is sem, cfa or growth.")
    text = _read_model(model)
    frame = read_data(data)
    options: dict[str, Any] = {"cluster": cluster, "group": group, "estimator": estimator, "missing": missing, "std_lv": std_lv}
    if ordered:
        options["ordered"] = [v.strip() for v in ordered.split(",") if v.strip()]
    with progress(f"fitting {model}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = getattr(tn, kind)(text, frame, **options)
    if form is Format.json:
        emit(record(fit), form)
    elif form is Format.csv:
        emit(fit.parameters(), form)
    else:
        print(fit.summary(standardized=True, fit_measures=True))
    if plot is not None:
        fit.plot().savefig(plot)
    if report is not None:
        write_report(fit, report)
    if not fit.converged:
        error(f"not converged: {fit.verdict}")
        raise typer.Exit(3)


def read_data(name: str) -> Any:
    """A bundled data set by name, or a file."""
    import tanada as tn

    return tn.load_dataset(name) if name in set(tn.list_datasets()["name"]) else tn.read(name)


def _read_model(name: str) -> str:
    if name == "-":
        return typer.get_text_stream("stdin").read()
    path = Path(name)
    if not path.is_file():
        raise DataError(f"there is no model file '{name}'.")
    return path.read_text(encoding="utf-8")


def record(fit: Any) -> dict[str, Any]:
    """The fit as plain values for JSON."""
    return {
        "estimator": fit.estimator, "nobs": fit.nobs, "n_clusters": fit.n_clusters, "npar": fit.npar, "loglik": fit.loglik, "chisq": fit.chisq, "df": fit.df,
        "p_value": fit.p_value, "converged": fit.converged, "verdict": str(fit.verdict), "notes": list(fit.notes), "fit_measures": {k: plain(v) for k, v in fit.fit_measures().items()},
        "parameters": rows_of(columns_of(fit.parameters())),
    }  # fmt: skip
