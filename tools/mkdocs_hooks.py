"""Hooks of the documentation site: examples are executed (tools/docs_exec.py), formulas become MathML (no script, no network)."""

from __future__ import annotations

import html
import importlib.util
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File

_spec = importlib.util.spec_from_file_location("docs_exec", Path(__file__).with_name("docs_exec.py"))
assert _spec is not None and _spec.loader is not None
docs_exec = importlib.util.module_from_spec(_spec)
import sys  # noqa: E402

sys.modules["docs_exec"] = docs_exec
_spec.loader.exec_module(docs_exec)

FORMULA = re.compile(r'<(span|div) class="arithmatex">(.*?)</\1>', flags=re.S)
pages: dict[str, Any] = {}


def on_config(config: Any) -> Any:
    """Puts the studies, pages that scripts of `benchmarks/` write, into the navigation."""
    studies = next(entry["Studies"] for entry in config["nav"] if "Studies" in entry)
    listed = {path for entry in studies for path in entry.values()}
    found = [p for p in sorted((docs_exec.DOCS / "studies").glob("*.md")) if f"studies/{p.name}" not in listed]
    studies += [{p.read_text(encoding="utf-8").split("\n", 1)[0].lstrip("# "): f"studies/{p.name}"} for p in found]
    return config


def on_files(files: Any, config: Any) -> Any:
    docs_exec.prepare()
    stamp = docs_exec.package_stamp()
    pages.clear()
    for file in list(files.documentation_pages()):
        result = docs_exec.rendered_page(Path(file.abs_src_path), stamp)
        pages[file.src_uri] = result
        for name, path in result.figures.items():
            files.append(File.generated(config, f"figures/{name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    result = pages.get(page.file.src_uri)
    if result is not None and result.executed:
        # the first argument has lost the page's front matter; drop it from the executed text as well
        markdown = re.sub(r"\A---\n.*?\n---\n", "", result.markdown, flags=re.S)
    # a bar inside code of a table: GitHub wants it escaped, Python-Markdown does not
    return re.sub(r"^\|.*$", lambda m: re.sub(r"`[^`]*`", lambda c: c[0].replace("\\|", "|"), m[0]), markdown, flags=re.M)


def on_page_content(content: str, **_: Any) -> str:
    return FORMULA.sub(_mathml, content)


def _mathml(match: re.Match[str]) -> str:
    text = html.unescape(match[2]).strip()
    display = "block" if text.startswith(r"\[") else "inline"
    return convert(text[2:-2].strip(), display=display).replace('<mo accent="true">&#x02015;</mo>', '<mo stretchy="true">&#x000AF;</mo>')
