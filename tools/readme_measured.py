"""Writes the README's section of measured numbers from benchmarks/results, so that it claims only what was measured.

usage: readme_measured.py [--check]   (--check: exit code 1 if the README does not hold what the results say)
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
BLOCK = re.compile(r"(<!-- measured: begin [^\n]*-->\n)(.*?)(<!-- measured: end -->)", flags=re.S)


def saved(name: str) -> dict[str, Any] | None:
    path = RESULTS / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def where(found: dict[str, Any]) -> str:
    m = found["machine"]
    return f"{m.get('cpu') or 'one machine'}, {m['processors']} processors, Python {m['python']}, {m['date']}"


def milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:,.1f}" if seconds < 0.1 else f"{1e3 * seconds:,.0f}"


def speed_table() -> list[str]:
    """Rows beside `glmm`, or nothing if they have not been measured."""
    lines: list[str] = []
    for name in ("lmm_speed.json", "glmm_speed.json"):
        found = saved(name)
        if found is None:
            continue
        if not lines:
            same = all(abs(r["loglik"] - r["loglik_glmm"]) < 0.01 for r in found["rows"])
            lines = [
                f"Whole calls (formula, design, fit, standard errors), medians of {found['runs']} alternating runs beside [glmm](https://pypi.org/project/glmm/) "
                f"(Rust){', which reaches the same log-likelihoods' if same else ''}; {where(found)}:",
                "",
                "| model | rows | Tanada (ms) | glmm (ms) | ratio |",
                "| --- | ---: | ---: | ---: | ---: |",
            ]
        lines += [
            f"| {r['task']} | {r['rows']:,} | {milliseconds(r['seconds'])} | {milliseconds(r['seconds_glmm'])} | {r['ratio']:.2f} |" for r in found["rows"]
        ]
    return [*lines, ""] if lines else []


def scaling_line() -> list[str]:
    found = saved("scaling.json")
    if found is None:
        return []
    rows = [r for r in found["rows"] if r["package"] == "tanada" and "error" not in r and r["kind"] == "gaussian"]
    parts = [f"{r['rows']:,} rows in {r['seconds']:.2f} s with {r['extra_mib']:.0f} MiB beside the data" for r in rows if r["rows"] >= 1_000_000]
    return [f"Random intercept and slope, 20 rows a group: {'; '.join(parts)}.", ""] if parts else []


def block() -> str:
    lines = [*speed_table(), *scaling_line()]
    if not lines:
        return "Nothing yet: run the scripts in [benchmarks](benchmarks/README.md) with `--save`, then `python tools/readme_measured.py`.\n"
    return "\n".join([*lines, "All numbers, how they were taken, and simulation studies: [benchmarks](benchmarks/README.md), [studies](docs/studies).", ""])


def main(arguments: list[str]) -> int:
    path = ROOT / "README.md"
    old = path.read_text(encoding="utf-8")
    new = BLOCK.sub(lambda m: m[1] + block() + m[3], old)
    if "--check" in arguments:
        return 0 if new == old else 1
    path.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
