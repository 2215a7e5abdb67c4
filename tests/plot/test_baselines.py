"""Small images of figures against stored ones: text removed, low resolution, a tolerance for versions of matplotlib.

After a wanted change, `python tests/plot/make_baselines.py` writes them anew; look at them before you commit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.plot.baseline_figures import FIGURES, picture

BASELINE = Path(__file__).parent / "baseline"
TOLERANCE = 12.0  # root mean square of grey levels, 0 to 255


def smoothed(image: Any) -> Any:
    """Means of 4 x 4 pixels, so that a line may move by a pixel."""
    h, w = (n // 4 * 4 for n in image.shape)
    return image[:h, :w].reshape(h // 4, 4, w // 4, 4).mean((1, 3))


def read(path: Path) -> Any:
    from matplotlib.image import imread

    return np.asarray(imread(path))[..., :3].mean(2) * 255


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_figure_is_as_stored(name: str, tmp_path: Path) -> None:
    picture(name, tmp_path / "new.png")
    old, new = read(BASELINE / f"{name}.png"), read(tmp_path / "new.png")
    assert old.shape == new.shape
    rms = float(np.sqrt(np.mean((smoothed(old) - smoothed(new)) ** 2)))
    assert rms < TOLERANCE, f"{name}: root mean square difference {rms:.1f}"


def test_the_comparison_sees_another_figure(tmp_path: Path) -> None:
    names = sorted(FIGURES)
    images = {n: smoothed(read(BASELINE / f"{n}.png")) for n in names}
    same = [(a, b) for i, a in enumerate(names) for b in names[:i] if images[a].shape == images[b].shape and np.sqrt(np.mean((images[a] - images[b]) ** 2)) < TOLERANCE]
    assert not same


def test_every_baseline_has_its_figure() -> None:
    assert {p.stem for p in BASELINE.glob("*.png")} == set(FIGURES)
