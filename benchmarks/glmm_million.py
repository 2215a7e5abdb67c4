"""Time and peak memory of a logistic model with 1,000,000 rows and 50,000 groups.  usage: glmm_million.py [ROWS GROUPS]"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import pandas as pd


def main(rows: int = 1_000_000, groups: int = 50_000) -> None:
    import tanada as tn

    rng = np.random.default_rng(11)
    g = rng.integers(0, groups, rows)
    x = rng.normal(size=rows)
    eta = -0.3 + 0.5 * x + 0.8 * rng.normal(size=groups)[g]
    d = pd.DataFrame({"y": (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(float), "x": x, "g": g.astype(str)})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    m = tn.mixed("y ~ x + (1 | g)", d, family="binomial", quiet=True)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows} rows, {groups} groups: {seconds:.2f} s, peak memory {peak:.0f} MB ({before:.0f} MB before the fit)")
    print(f"logLik {m.loglik:.3f}, converged {m.converged}")


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
