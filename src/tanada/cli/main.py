"""The command `tanada`: fit, sem, report, icc, compare, demo.

Exit codes: 0 fitted and converged, 1 bad input (one sentence on stderr), 2 wrong usage, 3 fitted but not converged.
"""

from __future__ import annotations

import sys
import warnings
from typing import Annotated, Any

import typer

from tanada.cli.output import Format, emit, error, model_record, progress, table_format
from tanada.cli.report_command import report_command, write_report
from tanada.cli.structural import sem_command
from tanada.errors import TanadaError

app = typer.Typer(
    name="tanada", help="Multilevel models from the command line.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

Data = Annotated[str, typer.Option("--data", help="Data file (csv, csv.gz, parquet, rds, sav, dta, xlsx) or the name of a bundled data set.")]
Family = Annotated[str, typer.Option("--family", help="Response family, such as gaussian, binomial, poisson, nbinom2.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Csv = Annotated[bool, typer.Option("--csv", help="Write tables as CSV.")]


def read_data(name: str) -> Any:
    """A bundled data set by name, or a file."""
    from tanada.data.bundled import list_datasets, load_dataset
    from tanada.data.reading import read

    return load_dataset(name) if name in set(list_datasets()["name"]) else read(name)


def fit_model(formula: str, data: Any, options: dict[str, Any]) -> Any:
    """A fit with its warnings kept for the summary, and a spinner on a terminal."""
    from tanada.api.mixed_models import mixed

    with progress(f"fitting {formula}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mixed(formula, data, quiet=True, **options)


@app.command()
def fit(
    formula: Annotated[str, typer.Argument(help="Model formula, such as 'y ~ x + (1 | g)'.")],
    data: Data,
    family: Family = "gaussian",
    link: Annotated[str | None, typer.Option("--link", help="Link function; default: the family's.")] = None,
    reml: Annotated[bool, typer.Option("--reml", help="Restricted maximum likelihood.")] = False,
    zi: Annotated[str | None, typer.Option("--zi", help="Zero-inflation formula, such as '~ 1'.")] = None,
    disp: Annotated[str | None, typer.Option("--disp", help="Dispersion formula.")] = None,
    weights: Annotated[str | None, typer.Option("--weights", help="Column of prior weights.")] = None,
    offset: Annotated[str | None, typer.Option("--offset", help="Column or expression of the offset.")] = None,
    nagq: Annotated[int, typer.Option("--nagq", help="Quadrature points; 1 is the Laplace approximation.")] = 1,
    ddf: Annotated[str | None, typer.Option("--ddf", help="satterthwaite, kenward-roger, residual or z.")] = None,
    na: Annotated[str, typer.Option("--na", help="drop or error.")] = "drop",
    save: Annotated[str | None, typer.Option("--save", help="Write the fitted model to this file.")] = None,
    report: Annotated[str | None, typer.Option("--report", help="Write a report to this HTML file.")] = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Fit a mixed model and print its summary."""
    form = table_format(json, csv)
    options = {"family": family, "link": link, "reml": reml, "zi": zi, "disp": disp, "weights": weights, "offset": offset, "nagq": nagq, "na": na}
    model = fit_model(formula, read_data(data), options)
    if save is not None:
        model.save(save)
    if report is not None:
        write_report(model, report, "en", ddf)
    if form is Format.json:
        emit(model_record(model, ddf), form)
    elif form is Format.csv:
        emit(model.fixef(ddf=ddf), form)
    else:
        print(model.summary(ddf=ddf))
    if not model.converged:
        error(f"not converged: {model.verdict}")
        raise typer.Exit(3)


app.command("sem")(sem_command)
app.command("report")(report_command)


@app.command()
def icc(
    formula: Annotated[str, typer.Argument(help="Model formula, such as 'y ~ (1 | g)'.")],
    data: Data,
    family: Family = "gaussian",
    by_term: Annotated[bool, typer.Option("--by-term", help="One row a random term.")] = False,
    ci: Annotated[float | None, typer.Option("--ci", help="Level of a bootstrap interval, such as 0.95.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of the bootstrap.")] = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Intraclass correlation of a mixed model."""
    from tanada.api.performance_measures import icc as intraclass

    form = table_format(json, csv)
    model = fit_model(formula, read_data(data), {"family": family})
    with progress("computing the intraclass correlation"):
        table = intraclass(model, by_term=by_term, ci=ci, seed=seed)
    emit(table, form)
    if not model.converged:
        error(f"not converged: {model.verdict}")
        raise typer.Exit(3)


@app.command()
def compare(
    formulas: Annotated[list[str], typer.Argument(help="Two or more formulas of nested models.")],
    data: Data,
    family: Family = "gaussian",
    reml: Annotated[bool, typer.Option("--reml", help="Restricted maximum likelihood.")] = False,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Likelihood-ratio tests between models."""
    from tanada.api.comparison import anova

    form = table_format(json, csv)
    if len(formulas) < 2:
        raise typer.BadParameter("compare needs two or more formulas.")
    frame = read_data(data)
    models = [fit_model(f, frame, {"family": family, "reml": reml}) for f in formulas]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = anova(*models)
    emit(table, form)
    for w in caught:
        error(str(w.message))
    failed = [m for m in models if not m.converged]
    for m in failed:
        error(f"not converged: {m.formula}: {m.verdict}")
    if failed:
        raise typer.Exit(3)


@app.command()
def demo() -> None:
    """Fit the tutorial's models on the bundled school survey and print what they say."""
    from tanada.cli.demo import run_demo

    if not run_demo(print):
        raise typer.Exit(3)


def run(arguments: list[str] | None = None) -> None:
    """Entry point: errors of the package end with code 1 and one sentence, without a traceback."""
    try:
        app(arguments)
    except TanadaError as e:
        error(str(e))
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    run()
