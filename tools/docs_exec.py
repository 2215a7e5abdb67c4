"""Executes the `python` blocks of the documentation pages and puts output and figures beneath them.

The blocks of a page run in order in one namespace. After the word `python` a block may say

    no-run     shown, not executed
    hide       executed, not shown (its output is)
    quiet      executed and shown, without output
    raises     has to raise a TanadaError, whose message is shown
    markdown   its output is markdown (tables made from data)

and `caption="..."`, the text beneath its figures. In the text between blocks, `{{ expression }}` becomes the value of the expression at
that place, so that numbers in sentences are those of the fit. Results are kept in build/docs by content, so a page whose text and package have not
changed is not executed again.   usage: docs_exec.py [PAGE ...]   (default: all pages; exit code 1 if one fails)
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import html
import io
import json
import os
import re
import sys
import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
CACHE = ROOT / "build" / "docs"
FENCE = re.compile(r"^(?P<indent>[ ]*)```python(?P<options>[^\n]*)\n(?P<code>.*?)^(?P=indent)```[ ]*$", flags=re.S | re.M)


@dataclass
class Rendered:
    """A page with its outputs: markdown text, and figure files by name (PNG bytes on disk)."""

    markdown: str
    figures: dict[str, Path] = field(default_factory=dict)
    executed: bool = True


class ExampleError(RuntimeError):
    """An example raised, or did not raise what it should."""


def package_stamp() -> str:
    """Changes whenever a source file or the compiled core of the imported package changes, or a result of the benchmarks."""
    import tanada

    folder = Path(tanada.__file__).parent
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".py", ".so", ".pyd", ".csv", ".gz"))
    files += sorted((ROOT / "benchmarks" / "results").glob("*.json"))
    return ";".join(f"{p.name}:{p.stat().st_size}:{int(p.stat().st_mtime)}" for p in files)


def show(value: Any) -> str:
    """The text of a value as a notebook would show it."""
    if type(value).__module__.split(".")[0] == "matplotlib" or value is None:
        return ""
    if isinstance(value, (list, tuple)) and value and type(value[0]).__module__.split(".")[0] == "matplotlib":
        return ""
    return value if isinstance(value, str) and "\n" in value else str(value) if hasattr(value, "_repr_html_") else repr(value)


def number(value: float) -> str:
    """A number of a table: four digits that matter, no needless exponent."""
    if value != value:
        return ""
    size = abs(value)
    if size and (size < 1e-3 or size >= 1e7):
        return f"{value:.2e}"
    return f"{value:.1f}" if size >= 1000 else f"{value:.4g}"


def table_html(value: Any) -> str:
    """A pandas data frame (or series) as a plain table; long ones are cut in the middle."""
    frame = value.to_frame() if value.ndim == 1 else value
    plain = type(frame.index).__name__ == "RangeIndex" and frame.index.name is None or frame.index.dtype.kind in "iu" and frame.index.name is None
    names = frame.columns.name is None and frame.columns.dtype.kind == "i"
    text = frame.to_html(index=not plain, header=not names, border=0, float_format=number, max_rows=14, na_rep="", classes="frame", justify="left")
    return '<div class="frame">' + re.sub(r"\n\s*", "", text) + "</div>"


def own_figure(value: Any) -> list[Any]:
    """The figure of a value that pyplot does not know of: a Figure, or Axes of one."""
    from matplotlib import pyplot as plt
    from matplotlib.figure import Figure

    figure = value if isinstance(value, Figure) else getattr(value, "figure", None)
    known = [plt.figure(k) for k in plt.get_fignums()]
    return [figure] if isinstance(figure, Figure) and all(figure is not k for k in known) else []


def run_block(code: str, namespace: dict[str, Any], name: str) -> tuple[str, str, list[Any]]:
    """Executes a block.

    Returns what it printed, with the value of its last expression; a table if that is a data frame; its figures.
    """
    from matplotlib import pyplot as plt

    tree = ast.parse(code, filename=name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    out = io.StringIO()
    table = ""
    figures: list[Any] = []
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = lambda message, *_args, **_kw: print(f"{message}", file=out)
        exec(compile(tree, name, "exec"), namespace)  # noqa: S102
        if last is not None and not code.rstrip().endswith(";"):
            value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)  # noqa: S307
            figures = own_figure(value)
            if type(value).__name__ == "TableResult" or type(value).__mro__[1].__name__ == "TableResult":
                heading = [f"<p>{html.escape(value.title)}</p>"] if value.title else []
                table = "".join([*heading, table_html(value.table), *(f"<p>{html.escape(n)}</p>" for n in value.notes)])
                table = f'<div class="result">{table}</div>'
            elif type(value).__module__.startswith("pandas") and hasattr(value, "to_frame" if value.ndim == 1 else "to_html"):
                table = table_html(value)
            elif text := show(value):
                print(text, file=out)
        elif last is not None:
            exec(compile(ast.Module([last], []), name, "exec"), namespace)  # noqa: S102
    return out.getvalue().rstrip("\n"), table, [*(plt.figure(k) for k in plt.get_fignums()), *figures]


def prepare() -> None:
    """Plain settings for all pages: no window, readable tables, a font with Japanese glyphs if the docs extra brought one."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    os.environ["COLUMNS"] = "100"
    os.environ["NO_COLOR"] = "1"
    import matplotlib as mpl
    import pandas as pd

    with contextlib.suppress(ImportError):
        import matplotlib_fontja  # noqa: F401  (registers IPAexGothic)

        mpl.rcParams["font.family"] = ["DejaVu Sans", "IPAexGothic"]  # the second for the characters that the first lacks
    mpl.rcParams.update({"figure.figsize": (6.4, 4.0), "savefig.dpi": 130, "savefig.bbox": "tight", "axes.unicode_minus": False})
    for key, value in {"display.width": 110, "display.max_columns": 30, "display.max_rows": 14, "display.precision": 4}.items():
        pd.set_option(key, value)


def fill_in(text: str, namespace: dict[str, Any], page: str) -> str:
    """`{{ expression }}` replaced by its value."""

    def value(match: re.Match[str]) -> str:
        try:
            return str(eval(match[1].strip(), namespace))  # noqa: S307
        except Exception as error:  # noqa: BLE001  (reported with its place, then fails the build)
            raise ExampleError(f"{page}: {{{{{match[1]}}}}}: {error_text(error)}") from error

    return re.sub(r"\{\{(.+?)\}\}", value, text)


def error_text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def render(text: str, page: str, folder: Path) -> Rendered:
    """Executes the blocks of one page. `folder` receives the figures."""
    import matplotlib.pyplot as plt

    from tanada import TanadaError

    namespace: dict[str, Any] = {"__name__": "__main__", "REPOSITORY": ROOT}
    result = Rendered("")
    stem = re.sub(r"[^a-z0-9]+", "-", page.lower().removesuffix(".md")).strip("-")
    position = 0
    parts: list[str] = []
    for number, match in enumerate(FENCE.finditer(text), 1):
        parts.append(fill_in(text[position : match.start()], namespace, page))
        position = match.end()
        options, indent = match["options"], match["indent"]
        caption = re.search(r'caption="([^"]*)"', options)
        words = set(re.sub(r'caption="[^"]*"', "", options).split())
        if unknown := words - {"no-run", "hide", "quiet", "raises", "markdown"}:
            raise ExampleError(f"{page}, block {number}: unknown option {sorted(unknown)}")
        code = re.sub(rf"^{indent}", "", match["code"], flags=re.M)
        where = f"{page}, block {number} (line {text.count(chr(10), 0, match.start()) + 1})"
        block = [] if "hide" in words else ["```python", code.rstrip("\n"), "```"]
        if "no-run" not in words:
            lines, figures = run_and_format(code, namespace, where, words, TanadaError)
            block += lines
            for shown in figures:
                name = f"{stem}-{len(result.figures) + 1}.png"
                shown.savefig(folder / name)
                result.figures[name] = folder / name
                label = caption[1] if caption else ""
                up = "../" * page.count("/")
                width = round(95 * shown.get_size_inches()[0])
                block += ["", f"![{label}]({up}figures/{name}){{ loading=lazy width={width} }}"]
                if label:
                    block += ["", f'<p class="caption" markdown>{label}</p>']
            plt.close("all")
        parts.append("\n".join(indent + line if line else "" for line in "\n".join(block).split("\n")))
    parts.append(fill_in(text[position:], namespace, page))
    result.markdown = "".join(parts)
    return result


def run_and_format(
    code: str, namespace: dict[str, Any], where: str, words: set[str], expected: type[BaseException]
) -> tuple[list[str], list[Any]]:
    """Executes a block; returns the markdown lines of its output, and its figures."""
    try:
        output, table, figures = run_block(code, namespace, where)
    except expected as error:
        if "raises" not in words:
            raise ExampleError(f"{where}:\n{code}\n{traceback.format_exc()}") from error
        return ["", "``` { .text .output }", error_text(error), "```"], []
    except Exception as error:  # noqa: BLE001  (reported with its place, then fails the build)
        raise ExampleError(f"{where}:\n{code}\n{traceback.format_exc()}") from error
    if "raises" in words:
        raise ExampleError(f"{where}: should raise a TanadaError and does not:\n{code}")
    if "quiet" in words:
        return [], figures
    if "markdown" in words:
        return ["", output], figures
    return (["", "``` { .text .output }", output, "```"] if output else []) + (["", table] if table else []), figures


def rendered_page(path: Path, stamp: str) -> Rendered:
    """A page from the cache, or executed now."""
    text = path.read_text(encoding="utf-8")
    page = path.relative_to(DOCS).as_posix()
    if not FENCE.search(text):
        return Rendered(text, executed=False)
    key = hashlib.sha256("\0".join([text, page, stamp, Path(__file__).read_text(encoding="utf-8")]).encode()).hexdigest()[:20]
    folder = CACHE / key
    store = folder / "page.json"
    if store.exists():
        kept = json.loads(store.read_text(encoding="utf-8"))
        return Rendered(kept["markdown"], {n: folder / n for n in kept["figures"]})
    folder.mkdir(parents=True, exist_ok=True)
    before = os.getcwd()
    os.chdir(folder)
    try:
        result = render(text, page, folder)
    finally:
        os.chdir(before)
    store.write_text(json.dumps({"markdown": result.markdown, "figures": sorted(result.figures)}), encoding="utf-8")
    return result


def main(arguments: list[str]) -> int:
    prepare()
    stamp = package_stamp()
    pages = [Path(a).resolve() for a in arguments] or sorted(DOCS.rglob("*.md"))
    failures = 0
    for path in pages:
        start = time.perf_counter()
        try:
            result = rendered_page(path, stamp)
        except ExampleError as error:
            failures += 1
            print(f"FAILED {error}", flush=True)
            continue
        blocks = len(FENCE.findall(path.read_text(encoding="utf-8")))
        if blocks:
            print(f"{path.relative_to(DOCS)}: {blocks} blocks, {len(result.figures)} figures, {time.perf_counter() - start:.1f} s", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
