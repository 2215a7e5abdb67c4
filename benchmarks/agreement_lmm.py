"""Counts how many of the Gaussian reference models are reproduced, over all of them (InstEval and Chem97 included).

Usage: python benchmarks/agreement_lmm.py PATH_TO_REFERENCE [NAME]   (the folder with b_school_lmm.json; data are looked for in ../data)
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "reference" / "lmm"))

from agreement import fit, shortfalls  # noqa: E402
from extract import records  # noqa: E402


def main(folder: Path, only: str = "") -> int:
    frames: dict[str, pd.DataFrame] = {}
    good = total = 0
    for r in records(folder):
        if only and only not in r["id"]:
            continue
        if r["data"] not in frames:
            path = next((folder.parent / "data").glob(r["data"] + ".csv*"))
            frames[r["data"]] = pd.read_csv(path, dtype=dict.fromkeys(("school_id", "student_id", *r["factors"]), str))
        t = time.perf_counter()
        m = fit(r, frames[r["data"]])
        seconds = time.perf_counter() - t
        why = shortfalls(r, m)
        good += not why
        total += 1
        print(f"{r['id']:36s} {seconds * 1e3:8.0f} ms  dlogLik {m.loglik - r['loglik']:+.1e}  {'; '.join(why) or 'ok'}", flush=True)
    print(f"{good} of {total} models agree with the reference")
    return 0 if good == total else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:3]))
