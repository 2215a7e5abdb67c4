"""Pieces of a self-contained HTML page: figures inside, no scripts, nothing from the network."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tanada.results.text import Block, to_html

STYLE = """
:root { color-scheme: light; --ink: #1f2430; --soft: #5b6472; --line: #d9dee5; --accent: #0072b2; --ok: #00734f; --note: #4a5a70; --warning: #a35200; --problem: #b3261e; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #f4f6f8; font: 16px/1.55 system-ui, "Segoe UI", "Helvetica Neue", "Noto Sans", "Hiragino Sans", "Yu Gothic UI", "Noto Sans CJK JP", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 2.2rem 3rem; background: #fff; }
h1 { font-size: 1.55rem; margin: 0 0 .2rem; line-height: 1.25; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p { margin: .5rem 0; }
.lead { color: var(--soft); margin: 0 0 1rem; }
code, pre { font: .86rem/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
code { background: #eef1f4; padding: .08em .3em; border-radius: 3px; overflow-wrap: anywhere; }
pre { background: #eef1f4; padding: .8rem 1rem; border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0 1rem; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .22rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: top; }
td.wide { white-space: normal; }
thead th { border-bottom: 2px solid var(--ink); font-weight: 600; }
figure { margin: .8rem 0 1.4rem; }
figure img { max-width: 100%; height: auto; display: block; }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .3rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 0 1.4rem; }
.badge { display: inline-block; min-width: 5.2em; text-align: center; padding: .05rem .5rem; border-radius: 1rem; font-size: .8rem; font-weight: 600; color: #fff; background: var(--note); }
.ok { background: var(--ok); } .warning { background: var(--warning); } .problem { background: var(--problem); } .note { background: var(--note); }
.box { border-left: 4px solid var(--note); background: #f4f6f8; padding: .5rem 1rem; margin: .8rem 0; }
.box.ok { border-color: var(--ok); background: #eef8f3; } .box.warning { border-color: var(--warning); background: #fdf4ea; } .box.problem { border-color: var(--problem); background: #fdeeed; }
footer { margin-top: 2.5rem; padding-top: .8rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .85rem; }
@media print { body { background: #fff; } main { max-width: none; padding: 0; } figure, table { break-inside: avoid; } }
"""


def text(value: str) -> str:
    """Text with its special characters escaped."""
    return html.escape(value)


def paragraphs(value: str) -> str:
    """Paragraphs of a text, separated by empty lines."""
    return "".join(f"<p>{html.escape(p)}</p>" for p in value.split("\n\n"))


def table(block: Block) -> str:
    """A block as a table that scrolls when it is wider than the page."""
    return f'<div class="scroll">{to_html(block)}</div>'


def rows_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of text; cells that start with "<" are taken as HTML."""
    head = "<thead><tr>" + "".join(f'<th style="text-align:left">{html.escape(h)}</th>' for h in header) + "</tr></thead>" if any(header) else ""
    body = "".join("<tr>" + "".join(f'<td class="wide">{c if c.startswith("<") else html.escape(c)}</td>' for c in r) + "</tr>" for r in rows)
    return f'<div class="scroll"><table>{head}<tbody>{body}</tbody></table></div>'


@dataclass(frozen=True)
class Picture:
    """A figure as text of the page, with its caption."""

    caption: str
    draw: Callable[..., Any]
    size: tuple[float, float] | None = None


def figure(picture: Picture) -> str:
    """The figure inline, as SVG; what it shows in words beside it."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "tanada", "svg.fonttype": "path", "savefig.dpi": 150}):
        if picture.size is None:
            drawn = picture.draw()
            sheet = drawn if isinstance(drawn, Figure) else drawn.figure
        else:
            sheet = Figure(figsize=picture.size, layout="constrained")
            picture.draw(ax=sheet.subplots())
        out = io.BytesIO()
        sheet.savefig(out, format="svg", metadata={"Date": None})
    _forget(sheet)
    data = base64.b64encode(out.getvalue()).decode("ascii")
    label = html.escape(picture.caption, quote=True)
    return f'<figure><img alt="{label}" src="data:image/svg+xml;base64,{data}"><figcaption>{label}</figcaption></figure>'


def _forget(sheet: Any) -> None:
    import sys

    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(sheet)


def page(title: str, lead: str, sections: Sequence[tuple[str, str]], foot: str, language: str = "en") -> str:
    """The whole page."""
    body = "".join(f"<section><h2>{html.escape(name)}</h2>{content}</section>" for name, content in sections if content)
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{html.escape(title)}</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>'
        f'<body><main><h1>{html.escape(title)}</h1><p class="lead">{lead}</p>{body}<footer>{foot}</footer></main></body></html>\n'
    )
