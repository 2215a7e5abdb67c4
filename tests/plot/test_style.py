"""Fonts for East Asian labels, colours, legends."""

from __future__ import annotations

import warnings
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

import tanada as tn
from tanada.plot import style


def japanese() -> Any:
    rng = np.random.default_rng(2)
    g = rng.integers(0, 8, 120)
    return tn.mixed("得点 ~ 地位 + (1 | 学校)", {"得点": rng.normal(size=120) + g * 0.3, "地位": rng.normal(size=120), "学校": np.array([f"第{i}校" for i in range(8)])[g]})


@pytest.mark.skipif(style.installed_font() is None, reason="no East Asian font is installed")
def test_japanese_labels_render() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("lines", "violin", "caterpillar", "shrinkage"):
            ax = japanese().plot(kind)
            ax.figure.canvas.draw()  # warns of every glyph that no font has
            labels = [t for t in (ax.xaxis.label, ax.yaxis.label) if any(ord(c) > 0x3000 for c in t.get_text())]
            assert labels, kind
            assert all(style.installed_font() in t.get_fontfamily() for t in labels), kind


def test_a_hint_when_no_font_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "installed_font", lambda: None)
    monkeypatch.setattr(style, "_default_has", lambda characters: False)
    with pytest.warns(UserWarning, match="fonts-noto-cjk") as caught:
        japanese().plot("lines")
    assert len([w for w in caught if "fonts-noto-cjk" in str(w.message)]) == 1


def test_latin_labels_ask_for_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert style.fonts_for(["mean of y", "−0.5", "σ²"]) is None


def luminance(colour: str) -> float:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def deuteranope(colour: str) -> np.ndarray[Any, Any]:
    """The colour as a person without green cones sees it (Vienot, Brettel & Mollon 1999), in linear RGB."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]) @ linear


def test_signs_differ_for_colour_blind_readers() -> None:
    assert np.abs(deuteranope(style.POSITIVE) - deuteranope(style.NEGATIVE)).max() > 0.2
    shown = [deuteranope(c) for c in style.PALETTE[:4]]
    assert min(np.abs(a - b).max() for i, a in enumerate(shown) for b in shown[:i]) > 0.05


def test_a_legend_at_the_right_is_outside_the_data() -> None:
    ax = style.new_axes(None)
    ax.plot([0, 1], [0, 1], label="line")
    style.legend(ax)
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1 - 1
    plt.close("all")
