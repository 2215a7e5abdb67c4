"""Numbers in text as the American Psychological Association prints them."""

from __future__ import annotations

import math


def p_words(p: float) -> str:
    """ "p = .032", "p < .001"."""
    if math.isnan(p):
        return "p not available"
    return "p < .001" if p < 0.0005 else f"p = {share(p, 3)}"


def share(x: float, decimals: int = 2) -> str:
    """A number that seldom exceeds one, without its leading zero: ".36"."""
    if not math.isfinite(x):
        return plain(x)
    text = f"{x:.{decimals}f}".replace("-", "\N{MINUS SIGN}")
    text = text.replace("\N{MINUS SIGN}", "") if not float(f"{x:.{decimals}f}") else text
    return text.replace("0.", ".", 1) if text.lstrip("\N{MINUS SIGN}").startswith("0.") else text


def plain(x: float, decimals: int = 2) -> str:
    """Two decimals; more for small numbers, so that something is left; scientific when very small or large."""
    if not math.isfinite(x):
        return "not available" if math.isnan(x) else ("infinite" if x > 0 else "minus infinite")
    size = abs(x)
    if size and (size < 1e-4 or size >= 1e7):
        return f"{x:.2e}".replace("-", "\N{MINUS SIGN}")
    extra = 0 if size == 0 or size >= 0.1 else min(int(-math.floor(math.log10(size))) - 1, 3)
    text = f"{x:.{decimals + extra}f}"
    return text.replace("-", "\N{MINUS SIGN}") if float(text) else text.replace("-", "")


def interval(low: float, high: float, decimals: int = 2) -> str:
    """ "[4.13, 11.20]"."""
    return f"[{plain(low, decimals)}, {plain(high, decimals)}]"


def degrees(df: float) -> str:
    """Degrees of freedom: whole, or one decimal."""
    return f"{df:.0f}" if df == round(df) else f"{df:.1f}"


def count(n: int) -> str:
    """5766 as "5,766"."""
    return f"{n:,}"
