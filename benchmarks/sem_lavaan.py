"""Processor time of `tn.sem` beside lavaan, same data, same models; needs R with lavaan and jsonlite.

    python benchmarks/sem_lavaan.py > docs/studies/sem_speed.md

Medians of whole calls (model text to standard errors, test and fit measures); lavaan's wide random-slope model runs once, without its unrestricted
and baseline models, which it cannot fit in reasonable time.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import tanada as tn

CFA2 = "level: 1\n f1 =~ teach1 + teach2 + teach3 + teach4\nlevel: 2\n f2 =~ teach1 + teach2 + teach3 + teach4\n"
COR2 = "level: 1\n read_score ~~ escs\nlevel: 2\n read_score ~~ escs\n"
SEM2 = """
level: 1
 fT1 ~ escs
 fB1 ~ escs
 fT1 =~ teach1 + teach2 + teach3 + teach4
 fB1 =~ belong1 + belong2 + belong3 + belong4 + belong5 + belong6
 read_score ~ fT1 + fB1 + escs
level: 2
 fT2 ~ escs + s_t_ratio
 fT2 =~ teach1 + teach2 + teach3 + teach4
 read_score ~ fT2 + escs
"""
HS = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\n"


def wide(school: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """One row a school; read_score in columns x1..xK where escs is low, x(K+1)..x(2K) where it is high; and the random-slope model."""
    code = np.unique(school["school_id"], return_inverse=True)[1]
    position = school.groupby("school_id").cumcount().to_numpy()
    high = (school["escs"] > school["escs"].mean()).to_numpy(int)
    K = int(position.max()) + 1
    table = np.full((code.max() + 1, 2 * K), np.nan)
    table[code, position + K * high] = school["read_score"]
    names = [f"x{i}" for i in range(1, 2 * K + 1)]
    lines = ["b0 =~ " + " + ".join(f"1*{n}" for n in names), "b1 =~ " + " + ".join(f"1*{n}" for n in names[K:])]
    lines += [f"{n} ~~ u*{n}" for n in names] + [f"{n} ~ 0*1" for n in names]
    lines += ["b0 ~~ b0", "b1 ~~ b1", "b0 ~~ b1", "b0 ~ 1", "b1 ~ 1"]
    return pd.DataFrame(table, columns=names), "\n".join(lines)


def jobs(school: pd.DataFrame, wide_model: str) -> list[dict[str, Any]]:
    two = {"cluster": "school_id"}
    fast = {"missing": "fiml", "h1": False, "baseline": False, "test": "none"}
    spec = [
        ("two-level CFA", CFA2, "school.csv", {**two, "std_lv": True}, {**two, "std.lv": True}, 3),
        ("two-level correlation", COR2, "school.csv", two, two, 3),
        ("two-level full SEM", SEM2, "school.csv", {**two, "std_lv": True}, {**two, "std.lv": True}, 3),
        ("HolzingerSwineford CFA", HS, "hs.csv", {}, {}, 9),
        ("HolzingerSwineford CFA, FIML", HS, "hs_missing.csv", {"missing": "fiml"}, {"missing": "fiml"}, 5),
        ("wide random slope, 70 variables", wide_model, "wide.csv", {"missing": "fiml"}, fast, 1),
    ]
    keys = ("name", "model", "data", "tanada", "lavaan", "lavaan_runs")
    return [dict(zip(keys, row)) for row in spec]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, script = Path(folder), str(Path(__file__).with_suffix(".R"))
        subprocess.run(["Rscript", script, folder, "data"], check=True)
        school = tn.load_dataset("school_survey")
        table, model = wide(school)
        school.to_csv(root / "school.csv", index=False)
        table.to_csv(root / "wide.csv", index=False)
        todo = jobs(school, model)
        (root / "models.json").write_text(json.dumps(todo))
        subprocess.run(["Rscript", script, folder], check=True)
        lavaan = json.loads((root / "lavaan.json").read_text())
        print(
            f"# SEM speed beside lavaan {lavaan['version']}\n\nMade by `benchmarks/sem_lavaan.py`; processor time (all threads), medians of whole calls.\n"
        )
        print(
            "| model | tanada, ms | lavaan, ms | ratio | log-likelihood, tanada | lavaan |\n|---|---|---|---|---|---|"
        )
        for job in todo:
            data = pd.read_csv(root / job["data"])
            seconds = []
            for _ in range(7):
                begin = time.process_time()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    fit = tn.sem(job["model"], data=data, **job["tanada"])
                    fit.parameters()
                    if job["lavaan"].get("h1", True):
                        fit.fit_measures()
                seconds.append(time.process_time() - begin)
            ours, ref = 1e3 * sorted(seconds)[3], lavaan["results"][job["name"]]
            theirs = 1e3 * ref["seconds"]
            print(
                f"| {job['name']} | {ours:.1f} | {theirs:.0f} | {ours / theirs:.4f} | {fit.loglik:.4f} | {ref['logLik']:.4f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
