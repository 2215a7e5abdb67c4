"""Text of tables: numbers to a common number of decimals, columns padded by display width, and the same table as HTML, LaTeX or Markdown."""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Block:
    """A titled table of strings; `left` says which columns are flush left. `foot` are lines below it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: tuple[int, ...] = (0,)
    foot: tuple[str, ...] = ()


def width(text: str) -> int:
    """Columns a string takes on a terminal (East Asian wide characters take two)."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def pad(text: str, size: int, left: bool) -> str:
    gap = " " * max(size - width(text), 0)
    return text + gap if left else gap + text


def numbers(values: Sequence[float], digits: int = 4, most: int = 6) -> list[str]:
    """Values with one number of decimals, enough for `digits` significant digits in most of them; empty for NaN."""
    x = np.asarray(values, float)
    finite = np.abs(x[np.isfinite(x) & (x != 0)])
    if finite.size == 0:
        return ["" if math.isnan(v) else _plain(v) for v in x]
    smallest, largest = float(finite.min()), float(finite.max())
    if largest >= 1e9 or largest < 1e-4 or (smallest < 1e-5 and largest / smallest > 1e7):
        return ["" if math.isnan(v) else f"{v:.{digits - 1}e}" if np.isfinite(v) else _plain(v) for v in x]
    need = digits - 1 - math.floor(math.log10(smallest))
    room = max(digits + 1 - math.floor(math.log10(largest)), 0)
    decimals = min(max(need, 0), room, most)
    return ["" if math.isnan(v) else f"{v:.{decimals}f}" if np.isfinite(v) else _plain(v) for v in x]


def _plain(v: float) -> str:
    return "Inf" if v == math.inf else "-Inf" if v == -math.inf else f"{v:g}"


def fixed(values: Sequence[float], decimals: int) -> list[str]:
    """Values with a given number of decimals; empty for NaN."""
    return ["" if math.isnan(v) else f"{v:.{decimals}f}" if math.isfinite(v) else _plain(v) for v in values]


def p_text(p: float) -> str:
    """A p value: three significant digits, "<2e-16" below that."""
    if math.isnan(p):
        return ""
    if p < 2e-16:
        return "<2e-16"
    return f"{p:.2e}" if p < 1e-4 else f"{p:.4f}"


def stars(p: float) -> str:
    """Significance codes, as R prints them."""
    if math.isnan(p):
        return ""
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else "." if p < 0.1 else ""


STAR_LEGEND = "Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1"


def to_text(block: Block) -> str:
    """The block for a terminal."""
    lines = [block.title] if block.title else []
    table = [block.header, *block.rows] if any(block.header) else list(block.rows)
    if table:
        sizes = [max(width(row[j]) for row in table) for j in range(len(table[0]))]
        lines += [" ".join(pad(c, s, j in block.left) for j, (c, s) in enumerate(zip(row, sizes))).rstrip() for row in table]
    return "\n".join([*lines, *block.foot])


def to_html(block: Block) -> str:
    left = ["left" if j in block.left else "right" for j in range(len(block.header))]
    cells = [[f'<td style="text-align:{side}">{html.escape(c)}</td>' for side, c in zip(left, row)] for row in block.rows]
    body = "".join("<tr>" + "".join(row) + "</tr>" for row in cells)
    head = "".join(f'<th style="text-align:{side}">{html.escape(h)}</th>' for side, h in zip(left, block.header))
    title = f"<p><b>{html.escape(block.title)}</b></p>" if block.title else ""
    top = f"<thead><tr>{head}</tr></thead>" if any(block.header) else ""
    table = f"<table>{top}<tbody>{body}</tbody></table>" if block.rows else ""
    foot = "".join(f"<p>{html.escape(line)}</p>" for line in block.foot)
    return title + table + foot


def to_markdown(block: Block) -> str:
    lines = [f"**{block.title}**", ""] if block.title else []
    if block.rows:
        clean = [[c.replace("|", "\\|").replace("*", "\\*") for c in row] for row in (block.header, *block.rows)]
        lines.append("| " + " | ".join(clean[0]) + " |")
        lines.append("|" + "|".join(" :--- " if j in block.left else " ---: " for j in range(len(block.header))) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in clean[1:]]
    return "\n".join([*lines, *([""] if block.foot and block.rows else []), *block.foot])


_LATEX = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "<": r"$<$", ">": r"$>$", "|": r"\textbar{}", "\N{MINUS SIGN}": "$-$", "\N{MULTIPLICATION SIGN}": r"$\times$", "\N{SUPERSCRIPT TWO}": "$^2$"}


def latex_escape(text: str) -> str:
    return "".join(_LATEX.get(c, c) for c in text)


def to_latex(block: Block) -> str:
    lines = [rf"\paragraph{{{latex_escape(block.title)}}}"] if block.title else []
    if block.rows:
        spec = "".join("l" if j in block.left else "r" for j in range(len(block.header)))
        lines += [rf"\begin{{tabular}}{{{spec}}}", r"\hline", " & ".join(map(latex_escape, block.header)) + r" \\", r"\hline"]
        lines += [" & ".join(map(latex_escape, row)) + r" \\" for row in block.rows]
        lines += [r"\hline", r"\end{tabular}"]
    return "\n".join([*lines, *(latex_escape(f) + r"\\" for f in block.foot)])
