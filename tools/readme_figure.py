"""Draws the README's picture from real output: the schools' regression lines, and the summary of the model beside them.

usage: readme_figure.py [OUTPUT]   (default: docs/img/school_lines.png)
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

import tanada as tn  # noqa: E402

FORMULA = "read_score ~ escs_cwc * sch_escs_mean + (escs_cwc | school_id)"


def main(output: Path) -> None:
    data = tn.center(tn.load_dataset("school_survey"), "escs", by="school_id")
    model = tn.mixed(FORMULA, data)
    coef = model.coef().set_index("level")
    fixed = model.fixef().set_index("term")["estimate"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), width_ratios=[1, 1.12], layout="constrained")
    left.plot(data["escs"], data["read_score"], ",", color="0.65")
    for school, pupils in data.groupby("school_id"):
        ends = np.array([pupils["escs_cwc"].min(), pupils["escs_cwc"].max()])
        mean = pupils["sch_escs_mean"].iloc[0]
        slope = coef.loc[school, "escs_cwc"] + fixed["escs_cwc:sch_escs_mean"] * mean
        level = coef.loc[school, "(Intercept)"] + fixed["sch_escs_mean"] * mean
        left.plot(mean + ends, level + slope * ends, lw=0.7, color="#0072B2" if slope > 0 else "#D55E00", alpha=0.75)
    between = np.array([data["sch_escs_mean"].min(), data["sch_escs_mean"].max()])
    left.plot(between, fixed["(Intercept)"] + fixed["sch_escs_mean"] * between, color="k", lw=2)
    left.set(xlabel="status of the pupil's home (escs)", ylabel="reading score", ylim=(200, 820))
    left.set_title("183 schools: within (coloured) and between (black)", fontsize=10)
    right.axis("off")
    right.text(0, 1, str(model.summary()), family="DejaVu Sans Mono", fontsize=6.9, va="top", transform=right.transAxes)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "docs" / "img" / "school_lines.png")
