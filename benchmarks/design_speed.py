"""Time of formula and design alone, task by task and by data-frame library: design_speed.py [-n RUNS]

Prints the least processor time of the runs in milliseconds, so that other work on the machine disturbs little.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
from tasks import LMM

from tanada.design.build import build_design


def least(call: Callable[[], Any], runs: int) -> float:
    """Least processor time of a call in milliseconds."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def libraries(data: pd.DataFrame) -> dict[str, Any]:
    import polars as pl
    import pyarrow as pa

    return {"pandas": data, "polars": pl.from_pandas(data), "pyarrow": pa.Table.from_pandas(data, preserve_index=False)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=7, help="runs of each")
    runs = parser.parse_args().n
    for task in LMM:
        for library, frame in libraries(task.data()).items():
            milliseconds = least(lambda f=task.formula, d=frame: build_design(f, d), runs)  # type: ignore[misc]
            print(f"{task.name:30s} {library:10s} {milliseconds:9.2f} ms")


if __name__ == "__main__":
    main()
