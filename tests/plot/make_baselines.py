"""Write the stored images of the figures anew."""

from __future__ import annotations

from pathlib import Path

from tests.plot.baseline_figures import FIGURES, picture

if __name__ == "__main__":
    folder = Path(__file__).parent / "baseline"
    folder.mkdir(exist_ok=True)
    for name in FIGURES:
        picture(name, folder / f"{name}.png")
