"""Whole user calls beside the PyPI package `glmm`, in one run, alternating; medians, and the ratio of each pair.

usage: lmm_speed.py [lmm|glmm] [-n RUNS] [--only TEXT] [--save]
Prints a table and the worst ratio; exit code 1 if a ratio is above its bar. --save writes benchmarks/results/<kind>_speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tasks import GLMM, LMM, Task

RESULTS = Path(__file__).parent / "results"


def paired(ours: Callable[[], Any], theirs: Callable[[], Any], runs: int) -> tuple[float, float, float]:
    """Median seconds of both and the median of the ratios of neighbouring runs; one warm-up each."""
    ours(), theirs()
    a, b = [], []
    for _ in range(runs):
        for call, out in ((ours, a), (theirs, b)):
            start = time.perf_counter()
            call()
            out.append(time.perf_counter() - start)
    return statistics.median(a), statistics.median(b), statistics.median(x / y for x, y in zip(a, b))


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    found: dict[str, Any] = {"date": date.today().isoformat(), "python": platform.python_version(), "processors": os.cpu_count()}
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        found["cpu"] = next((w.split(":", 1)[1].strip() for w in cpu.read_text().splitlines() if w.startswith("model name")), "")
    for package in ("tanada", "glmm", "numpy", "scipy", "pandas"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "from the checkout"
    return found


def compare(task: Task, runs: int) -> dict[str, Any]:
    import glmm

    import tanada as tn

    data = task.data()
    row: dict[str, Any] = {"task": task.name, "rows": len(data), "formula": task.formula, "bar": task.bar}
    ours = lambda: tn.mixed(task.formula, data, quiet=True, **task.options)  # noqa: E731
    theirs = lambda: glmm.fit(data, task.formula, **task.options)  # noqa: E731
    row["loglik"] = float(ours().loglik)
    peer = theirs()
    row["loglik_glmm"] = float(next(getattr(peer, n) for n in ("loglik", "log_likelihood", "logLik", "llf") if hasattr(peer, n)))
    row["seconds"], row["seconds_glmm"], row["ratio"] = paired(ours, theirs, runs)
    return row


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("kind", nargs="?", choices=["lmm", "glmm"], default="lmm")
    arguments.add_argument("-n", type=int, default=5, dest="runs")
    arguments.add_argument("--only", default="")
    arguments.add_argument("--save", action="store_true")
    given = arguments.parse_args()
    warnings.filterwarnings("ignore")
    rows = []
    for task in LMM if given.kind == "lmm" else GLMM:
        if given.only.lower() in task.name.lower():
            row = compare(task, given.runs)
            rows.append(row)
            print(
                f"{row['task']:40s} tanada {1e3 * row['seconds']:9.1f} ms   glmm {1e3 * row['seconds_glmm']:9.1f} ms   "
                f"ratio {row['ratio']:5.2f} (bar {row['bar']:g})   log-likelihood {row['loglik']:.4f} / {row['loglik_glmm']:.4f}",
                flush=True,
            )
    over = sum(r["ratio"] > r["bar"] for r in rows)
    print(f"worst ratio {max((r['ratio'] for r in rows), default=0):.2f}; {over} of {len(rows)} above the bar")
    if given.save:
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps({"machine": machine(), "runs": given.runs, "rows": rows}, indent=1)
        (RESULTS / f"{given.kind}_speed.json").write_text(text + "\n", encoding="utf-8")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
