"""Time of a two-level CFA against the number of rows, cluster sizes fixed: only the sufficient statistics read the rows.

    python benchmarks/sem_rows.py [largest power of ten] > docs/studies/sem_rows.md

Four indicators, clusters of 10 to 30 rows. Columns: `statistics`: one pass over the rows; `fit`: optimum from a rough start; `hessian`: observed
information. Medians of three runs (statistics: one run above a million rows).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tanada import _core

LAMBDA, THETA, PSI, NU = 0, 1, 2, 4


def block(cells: list[tuple[int, int, int, int, float]]) -> Any:
    kinds = (np.int8, np.int32, np.int32, np.int32, np.float64)
    return _core.SemBlock(4, 1, *(np.array(c, dtype=k) for c, k in zip(zip(*cells), kinds)))


def cfa() -> Any:
    """One factor at each level, unit variances: loadings, residual variances, then the same between, then intercepts; 20 parameters."""
    levels = [
        [
            (PSI, 0, 0, -1, 1.0),
            *((LAMBDA, i, 0, k + i, 0.0) for i in range(4)),
            *((THETA, i, i, k + 4 + i, 0.0) for i in range(4)),
        ]
        for k in (0, 8)
    ]
    levels[1] += [(NU, i, 0, 16 + i, 0.0) for i in range(4)]
    return _core.SemModel(20, [block(c) for c in levels])


def simulate(rows: int) -> dict[str, Any]:
    rng = np.random.default_rng(rows)
    size = rng.integers(10, 31, rows // 20)
    code = np.repeat(np.arange(len(size)), size).astype(np.int64)
    y = rng.standard_normal((len(code), 4))
    y *= 0.7
    y += 0.7 * rng.standard_normal((len(code), 1))
    y += (0.4 * rng.standard_normal((len(size), 1)) + 0.3 * rng.standard_normal((len(size), 4)))[code]
    return {"y": y, "code": code, "z": None, "within_index": range(4), "between_index": range(4)}


def clock(fun: Callable[[], Any], repeat: int = 3) -> tuple[float, Any]:
    seconds, out = [], None
    for _ in range(repeat):
        begin = time.perf_counter()
        out = fun()
        seconds.append(time.perf_counter() - begin)
    return sorted(seconds)[repeat // 2], out


def main() -> None:
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print("# Two-level CFA: time against the number of rows\n\nMade by `benchmarks/sem_rows.py`; milliseconds.\n")
    print("| rows | clusters | statistics | fit | hessian | iterations |\n|---|---|---|---|---|---|")
    start = np.concatenate([np.full(4, 0.6), np.full(4, 0.6), np.full(4, 0.3), np.full(4, 0.2), np.zeros(4)])
    free = np.full(20, np.inf)
    for power in range(4, largest + 1):
        group = simulate(10**power)
        model = cfa()
        stats, f = clock(lambda m=model, g=group: _core.TwoLevelObjective(m, [g]), 3 if power < 7 else 1)
        fit, out = clock(lambda f=f: f.fit(start, -free, free))
        hessian, _ = clock(lambda f=f, x=out.x: f.hessian(x))
        assert out.converged
        n, j = len(group["code"]), int(group["code"][-1]) + 1
        print(f"| {n:,} | {j:,} | {1e3 * stats:.2f} | {1e3 * fit:.2f} | {1e3 * hessian:.2f} | {out.iterations} |")


if __name__ == "__main__":
    main()
