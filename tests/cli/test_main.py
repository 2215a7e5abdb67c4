"""The command line: texts, JSON, CSV, exit codes, errors without a traceback."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tanada.cli.main import run
from tests.brute.designs import crossed


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("cli") / "d.csv"
    crossed().to_csv(path, index=False)
    return str(path)


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = 0
    try:
        run(list(arguments))
    except SystemExit as e:
        code = int(e.code or 0)
    out = capsys.readouterr()
    return code, out.out, out.err


def test_fit_text_json_csv(capsys: pytest.CaptureFixture[str], data: str, tmp_path: Path) -> None:
    code, out, err = call(capsys, "fit", "y ~ x + (1 | a)", "--data", data, "--reml", "--save", str(tmp_path / "m"))
    assert code == 0 and "Fixed effects:" in out and "restricted" in out and err == ""
    assert (tmp_path / "m").exists()
    code, out, _ = call(capsys, "fit", "y ~ x + (1 | a)", "--data", data, "--json")
    record = json.loads(out)
    assert code == 0 and record["converged"] is True and [r["term"] for r in record["fixef"]] == ["(Intercept)", "x"]
    code, out, _ = call(capsys, "fit", "y ~ x + (1 | a)", "--data", data, "--csv", "--ddf", "kenward-roger")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0 and rows[1]["term"] == "x" and float(rows[1]["std_error"]) > 0


def test_icc_and_compare(capsys: pytest.CaptureFixture[str], data: str) -> None:
    code, out, _ = call(capsys, "icc", "y ~ (1 | a)", "--data", data, "--json")
    assert code == 0 and 0 < json.loads(out)[0]["icc_adjusted"] < 1
    code, out, err = call(capsys, "compare", "y ~ (1 | a)", "y ~ x + (1 | a)", "--data", data, "--reml")
    assert code == 0 and "chisq" in out and "refitted by ML" in err


def test_bundled_data(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "icc", "read_score ~ (1 | school_id)", "--data", "school_survey", "--csv")
    assert code == 0 and out.splitlines()[1].startswith("0.3639")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["fit", "y ~ zz + (1 | a)"], 1, "zz"),
        (["fit", "y ~ x + (1 | a"], 1, ""),
        (["fit", "y ~ x", "--family", "poison"], 1, "poisson"),
        (["fit", "y ~ x", "--ddf", "none"], 1, "ddf"),
        (["compare", "y ~ x"], 2, "two or more"),
        (["fit"], 2, "Missing"),
        (["fit", "y ~ x", "--json", "--csv"], 2, "exclude"),
        (["plough"], 2, "plough"),
    ],
)
def test_exit_codes(capsys: pytest.CaptureFixture[str], data: str, arguments: list[str], code: int, words: str) -> None:
    got, _, err = call(capsys, *arguments, *([] if arguments in (["fit"], ["plough"]) else ["--data", data]))
    assert got == code and words in err and "Traceback" not in err


def test_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "fit", "y ~ x", "--data", "no_such_file.csv")
    assert code == 1 and err.count("\n") == 1 and "no_such_file.csv" in err


def test_not_converged_is_code_three(capsys: pytest.CaptureFixture[str], data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from tanada.cli import main
    from tanada.engine.verdict import Verdict

    original = main.fit_model

    def failed(*arguments: object) -> object:
        m = original(*arguments)  # type: ignore[arg-type]
        return replace(m, fit=replace(m.fit, verdict=Verdict("not converged", "Stopped early.", "Raise max_iterations.")))

    monkeypatch.setattr(main, "fit_model", failed)
    code, out, err = call(capsys, "fit", "y ~ x + (1 | a)", "--data", data)
    assert code == 3 and "Fixed effects:" in out and "Stopped early" in err


def test_module_entry_point() -> None:
    done = subprocess.run([sys.executable, "-m", "tanada", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "demo" in done.stdout
