"""A font that can show the labels of a figure."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterable
from functools import lru_cache

from tanada.errors import TanadaWarning

CJK_FONTS = (
    "Noto Sans CJK JP", "Noto Sans JP", "IPAexGothic", "IPAGothic", "TakaoGothic", "VL Gothic", "Hiragino Sans", "Yu Gothic", "Meiryo", "MS Gothic",
    "Source Han Sans JP", "Noto Sans CJK SC", "WenQuanYi Zen Hei", "Noto Serif CJK JP", "Malgun Gothic", "PingFang SC", "Microsoft YaHei",
)  # fmt: skip


def font_for(labels: Iterable[str]) -> str | None:
    """Name of a font for East Asian labels; None when the default font will do, or none is installed (a warning says what to do)."""
    text = "".join(labels)
    if not any(unicodedata.east_asian_width(c) in "WF" for c in text):
        return None
    found = _installed()
    if found is None:
        warnings.warn(
            "the labels of this figure need an East Asian font and matplotlib finds none: install one (such as fonts-noto-cjk, or "
            "`pip install matplotlib-fontja`), or pass labels={...} in Latin letters.",
            TanadaWarning,
            stacklevel=4,
        )
    return found


@lru_cache(maxsize=1)
def _installed() -> str | None:
    from matplotlib import font_manager

    names = {f.name for f in font_manager.fontManager.ttflist}
    return next((f for f in CJK_FONTS if f in names), None)
