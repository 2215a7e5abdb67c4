"""Simulate `school_survey`: a two-level school survey shaped like the PISA 2018
Japan extract of the multilevel lecture (5766 students in 183 schools, at most
35 per school).  Every number below is a parameter printed in that lecture, so
a fit to the simulated table lands near the printed one without being it.

Level 1 and level 2 parts are drawn separately and added:
    escs    = escs_w + escs_b
    teach*  = 4-point items of f_T (level 1) + f_T2 (level 2)
    belong* = 4-point items of f_B (level 1)
    read    = paths from f_T, f_B, escs (level 1) + f_T2, escs_b (level 2)
    wants_univ ~ logistic with a random intercept and a random escs slope
"""

import gzip
import sys
from pathlib import Path

import numpy as np
import pandas as pd

BUNDLED = Path(__file__).resolve().parent.parent / "src" / "tanada" / "data" / "school_survey.csv.gz"


def ordinal(latent, cuts):
    return 1 + (latent[:, None] > np.asarray(cuts)).sum(axis=1)


def simulate(seed=20180849, schools=183, students=5766, largest=35):
    rng = np.random.default_rng(seed)
    # school sizes: most near the cap, some small; exactly `students` in total
    n = np.minimum(largest, rng.negative_binomial(60, 60 / (60 + 33.0), schools)).clip(6)
    while n.sum() != students:
        j = rng.integers(schools)
        step = 1 if n.sum() < students else -1
        if 6 <= n[j] + step <= largest:
            n[j] += step
    g = np.repeat(np.arange(schools), n)
    N = students

    # ---- level 2
    z = rng.standard_normal((schools, 2))
    escs_b = -0.113 + np.sqrt(0.121) * z[:, 0]
    st_ratio = np.round(
        (11.95 + np.sqrt(22.26) * (0.235 * z[:, 0] + np.sqrt(1 - 0.235**2) * z[:, 1])).clip(3.0, 26.0), 1
    )
    f_t2 = -0.181 * (escs_b + 0.113) + 0.006 * (st_ratio - 11.95) + rng.standard_normal(schools)
    read_b = 518.474 + 13.668 * f_t2 + 143.844 * escs_b + np.sqrt(1077.903) * rng.standard_normal(schools)
    load2 = np.array([0.154, 0.148, 0.162, 0.163])
    res2 = np.sqrt([0.012, 0.006, 0.018, 0.0005])
    teach_b = f_t2[:, None] * load2 + rng.standard_normal((schools, 4)) * res2
    # random intercept and slope of the logistic model
    cov = np.array([[0.5496, 0.5 * 0.7414 * 0.2315], [0.5 * 0.7414 * 0.2315, 0.05358]])
    u = rng.multivariate_normal([0, 0], cov, schools)
    slope_read = np.sqrt(106.9) * (
        -0.09 * (read_b - read_b.mean()) / read_b.std() + np.sqrt(1 - 0.09**2) * rng.standard_normal(schools)
    )

    # ---- level 1
    escs_w = np.sqrt(0.408) * rng.standard_normal(N)
    f_t = 0.032 * escs_w + rng.standard_normal(N)
    f_b = 0.029 * escs_w + rng.standard_normal(N)
    load_t = np.array([0.613, 0.619, 0.636, 0.626])
    res_t = np.sqrt([0.382, 0.306, 0.437, 0.284])
    mean_t = np.array([3.016, 3.181, 2.808, 3.171])
    teach = mean_t + teach_b[g] + f_t[:, None] * load_t + rng.standard_normal((N, 4)) * res_t
    load_b = np.array([0.473, 0.526, 0.507, 0.490, 0.425, 0.491])
    res_b = np.sqrt([0.350, 0.427, 0.287, 0.400, 0.270, 0.338])
    mean_b = np.array([3.262, 2.845, 2.958, 3.072, 2.807, 3.304])
    extra = rng.standard_normal((N, 2)) * 0.35  # belong4-6, belong2-3 share wording
    belong = mean_b + f_b[:, None] * load_b + rng.standard_normal((N, 6)) * res_b
    belong[:, [3, 5]] += extra[:, [0]]
    belong[:, [1, 2]] += extra[:, [1]]
    read = (
        read_b[g]
        + 4.210 * f_t
        - 3.636 * f_b
        + (7.406 + slope_read[g]) * escs_w
        + np.sqrt(5500.0) * rng.standard_normal(N)
    )

    escs = np.round(escs_b[g] + escs_w, 4)
    mean_escs = pd.Series(escs).groupby(g).transform("mean").to_numpy()
    cwc = escs - mean_escs
    eta = 1.886 + 0.267 * cwc + 3.577 * mean_escs - 0.502 * cwc * mean_escs + u[g, 0] + u[g, 1] * cwc
    wants = (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(int)

    cuts = [1.5, 2.5, 3.5]
    d = pd.DataFrame(
        {
            "school_id": np.char.zfill((g + 1).astype(str), 3),
            "student_id": np.char.zfill((rng.permutation(N) + 1).astype(str), 4),
            "read_score": np.round(read, 3),
            "wants_univ": wants,
        }
    )
    for k in range(6):
        d[f"belong{k + 1}"] = ordinal(belong[:, k], cuts)
    for k in range(4):
        d[f"teach{k + 1}"] = ordinal(teach[:, k], cuts)
    d["escs"] = escs
    d["sch_escs_mean"] = mean_escs
    d["s_t_ratio"] = st_ratio[g]
    return d.sort_values(["school_id", "student_id"], ignore_index=True)


def write(table, path):
    """CSV, compressed without a time stamp so that the same seed gives the same bytes."""
    Path(path).write_bytes(gzip.compress(table.to_csv(index=False).encode(), compresslevel=9, mtime=0))


if __name__ == "__main__":
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20180849
    write(simulate(seed), sys.argv[1] if len(sys.argv) > 1 else BUNDLED)
