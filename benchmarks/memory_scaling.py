"""Peak memory of a fit, and time against the number of rows (20 rows a group, random intercept and slope), each in a process of its own.

usage: memory_scaling.py [--largest 1e7] [--peer] [--save]
Peak memory is the process's highest resident set during the fit, less what it held with the data loaded. --peer adds `glmm`.
--save writes benchmarks/results/scaling.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
CHILD = """
import json, resource, sys, time, warnings
sys.path.insert(0, {folder!r})
warnings.filterwarnings("ignore")
from tasks import simulated_binary, simulated_slopes
kind, package, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
data = (simulated_slopes if kind == "gaussian" else simulated_binary)(n, max(n // 20, 10))
formula = "y ~ x * w + (x | g)" if kind == "gaussian" else "y ~ x + (1 | g)"
options = {{"reml": False}} if kind == "gaussian" else {{"family": "binomial"}}
small = data.iloc[:2000]
if package == "tanada":
    import tanada as tn
    fit = lambda d: tn.mixed(formula, d, quiet=True, **options)
else:
    import glmm
    fit = lambda d: glmm.fit(d, formula, **options)
fit(small)

def held():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize() / 2**20

before = held()
with open("/proc/self/clear_refs", "w") as f:
    f.write("5")
start = time.perf_counter()
result = fit(data)
seconds = time.perf_counter() - start
with open("/proc/self/status") as f:
    peak = next(int(w.split()[1]) / 1024 for w in f if w.startswith("VmHWM"))
print(json.dumps(dict(kind=kind, package=package, rows=n, groups=max(n // 20, 10), seconds=seconds, data_mib=before, extra_mib=peak - before)))
"""


def measure(kind: str, package: str, rows: int) -> dict[str, Any]:
    code = CHILD.format(folder=str(Path(__file__).parent))
    out = subprocess.run([sys.executable, "-c", code, kind, package, str(rows)], capture_output=True, text=True)
    if out.returncode:
        return {"kind": kind, "package": package, "rows": rows, "error": out.stderr.strip().splitlines()[-1][:200]}
    return json.loads(out.stdout.strip().splitlines()[-1])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--largest", type=float, default=1e7)
    arguments.add_argument("--peer", action="store_true")
    arguments.add_argument("--save", action="store_true")
    given = arguments.parse_args()
    sizes = [n for n in (10_000, 100_000, 1_000_000, 10_000_000) if n <= given.largest]
    rows = []
    for kind in ("gaussian", "binomial"):
        for n in sizes:
            for package in ("tanada", "glmm") if given.peer and n <= 1_000_000 else ("tanada",):
                row = measure(kind, package, n)
                rows.append(row)
                if "error" in row:
                    print(f"{kind:9s} {package:7s} {n:>10,} rows: {row['error']}", flush=True)
                else:
                    print(
                        f"{kind:9s} {package:7s} {n:>10,} rows {row['groups']:>8,} groups {row['seconds']:8.3f} s "
                        f"{1e6 * row['seconds'] / n:6.2f} µs a row   extra memory {row['extra_mib']:8.1f} MiB",
                        flush=True,
                    )
    if given.save:
        sys.path.insert(0, str(Path(__file__).parent))
        from lmm_speed import machine

        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "scaling.json").write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
