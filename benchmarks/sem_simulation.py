"""Coverage of Wald intervals and calibration of the chi-square test for a two-level CFA, complete and with 20 % of the values missing.

    python benchmarks/sem_simulation.py [replications] > docs/studies/sem_simulation.md

Model: four indicators, one factor at each level, 200 clusters of 5 to 25 rows, intraclass correlations of 0.14 to 0.33; the indicators' values
are missing completely at random in the second half. Every replication is fitted with `tn.cfa`; intervals are estimate +- 1.96 SE from the
observed information.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pandas as pd
from scipy import stats

import tanada as tn

NAMES = ["y1", "y2", "y3", "y4"]
MODEL = """
level: 1
  fw =~ y1 + y2 + y3 + y4
level: 2
  fb =~ y1 + y2 + y3 + y4
"""
LOADING_W, RESIDUAL_W = np.array([0.8, 0.7, 0.6, 0.9]), np.array([0.5, 0.6, 0.7, 0.4])
LOADING_B, RESIDUAL_B = np.array([0.5, 0.4, 0.3, 0.5]), np.array([0.10, 0.08, 0.12, 0.09])
MEAN = np.array([0.0, 1.0, 2.0, -1.0])
CLUSTERS = 200


def truth() -> np.ndarray:
    """In the order of the free parameters: loadings, residual variances within; loadings, residual variances, intercepts between."""
    return np.concatenate([LOADING_W, RESIDUAL_W, LOADING_B, RESIDUAL_B, MEAN])


def simulate(rng: np.random.Generator, missing: float) -> pd.DataFrame:
    size = rng.integers(5, 26, CLUSTERS)
    code = np.repeat(np.arange(CLUSTERS), size)
    u = rng.normal(size=(CLUSTERS, 1)) * LOADING_B + rng.normal(size=(CLUSTERS, 4)) * np.sqrt(RESIDUAL_B)
    e = rng.normal(size=(len(code), 1)) * LOADING_W + rng.normal(size=(len(code), 4)) * np.sqrt(RESIDUAL_W)
    y = MEAN + u[code] + e
    y[rng.random(y.shape) < missing] = np.nan
    return pd.DataFrame(y, columns=NAMES).assign(cluster=code)


def run(replications: int, missing: float) -> tuple[np.ndarray, np.ndarray, list[str], float]:
    """Intervals that cover (replications x parameters), p values of the test, names, seconds."""
    covered, p_values, names = [], [], []
    begin = time.perf_counter()
    for k in range(replications):
        data = simulate(np.random.default_rng([k, int(100 * missing)]), missing)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = tn.cfa(MODEL, data=data, cluster="cluster", std_lv=True, missing="fiml" if missing else "listwise")
        table = fit.parameters()
        free = table[table["free"] > 0]
        names = [
            f"{a} {b} {c}".strip() + f" (level {d})"
            for a, b, c, d in zip(free["lhs"], free["op"], free["rhs"], free["level"])
        ]
        covered.append(np.abs(free["estimate"].to_numpy() - truth()) < 1.959964 * free["std_error"].to_numpy())
        p_values.append(fit.p_value)
    return np.array(covered), np.array(p_values), names, time.perf_counter() - begin


def main() -> None:
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("# Two-level CFA: coverage and chi-square calibration\n")
    print(
        f"Made by `benchmarks/sem_simulation.py`: {replications} replications, {CLUSTERS} clusters of 5 to 25 rows, four indicators.\n"
    )
    error = 1.96 * np.sqrt(0.95 * 0.05 / replications)
    print(
        f"With exact intervals a coverage lies in 0.95 +- {error:.3f} in 95 of 100 cases, a rejection rate in 0.05 +- {error:.3f}.\n"
    )
    tables = []
    print(
        "| data | mean coverage | lowest | highest | p < .05 | mean of chi-square (df 4) | Kolmogorov-Smirnov p | seconds |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for label, missing in (("complete", 0.0), ("20 % missing", 0.2)):
        covered, p, names, seconds = run(replications, missing)
        share = covered.mean(axis=0)
        ks = stats.kstest(p, "uniform").pvalue
        chi = stats.chi2.isf(p, 4).mean()
        print(
            f"| {label} | {share.mean():.3f} | {share.min():.3f} | {share.max():.3f} | {(p < 0.05).mean():.3f} | {chi:.2f} | {ks:.2f} | {seconds:.0f} |"
        )
        tables.append(share)
    print("\n| parameter | complete | 20 % missing |\n|---|---|---|")
    for name, a, b in zip(names, *tables):
        print(f"| {name} | {a:.3f} | {b:.3f} |")


if __name__ == "__main__":
    main()
