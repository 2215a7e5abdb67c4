"""The documentation holds what it should; that its examples run is shown by `tools/docs_exec.py` in the check."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import tanada

DOCS = Path(__file__).resolve().parent.parent / "docs"
FENCE = re.compile(r"^```python[^\n]*\n(.*?)^```", flags=re.S | re.M)
TUTORIAL = sorted(p.name for p in (DOCS / "tutorial" / "en").glob("*.md"))


class WithoutText(ast.NodeTransformer):
    """Drops what a translation may change: text that is shown, and the labels of figures."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Constant:
        return ast.Constant("")


def skeleton(code: str) -> str:
    """The code without its texts, except those handed to the package (formulas, models, names)."""
    tree = ast.parse(code)
    handed = [re.sub(r"language='\w+'", "language=''", ast.unparse(c)) for c in ast.walk(tree) if isinstance(c, ast.Call) and ast.unparse(c.func).startswith("tn.")]
    return "\n".join([ast.unparse(WithoutText().visit(tree)), *handed])


@pytest.mark.parametrize("page", TUTORIAL)
def test_the_tutorial_says_the_same_in_both_languages(page: str) -> None:
    english, japanese = ((DOCS / "tutorial" / lang / page).read_text(encoding="utf-8") for lang in ("en", "ja"))
    blocks = [[skeleton(c) for c in FENCE.findall(text)] for text in (english, japanese)]
    assert len(blocks[0]) == len(blocks[1])
    for number, (a, b) in enumerate(zip(*blocks), 1):
        assert a == b, f"{page}, block {number}"
    headings = [re.findall(r"^#+ ", re.sub(FENCE, "", text), flags=re.M) for text in (english, japanese)]
    assert headings[0] == headings[1]


def test_every_public_name_has_a_place_in_the_reference() -> None:
    text = "".join(p.read_text(encoding="utf-8") for p in (DOCS / "reference").glob("*.md"))
    missing = sorted(n for n in tanada.__all__ if f"::: tanada.{n}\n" not in text + "\n")
    assert not missing


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:")[1]))
    listed = {page for page in listed if not page.startswith("studies/")}  # those are listed by the site's hooks
    assert listed == {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md") if p.parent.name != "studies"}


def test_pages_do_not_name_the_machine_they_were_written_on() -> None:
    for page in DOCS.rglob("*.md"):
        assert not re.search(r"(?<![\w.])/(work|opt|home|root)/", page.read_text(encoding="utf-8")), page


def mentioned(prefix: str) -> set[str]:
    """Names after `prefix.` in the prose and code of all pages and the README."""
    text = "\n".join(p.read_text(encoding="utf-8") for p in [*DOCS.rglob("*.md"), DOCS.parent / "README.md"])
    text = re.sub(r"^```(?:r|bash|$)\n.*?^```", "", text, flags=re.S | re.M)
    return set(re.findall(rf"(?<![\w.]){prefix}\.([a-z][a-z_0-9]*)", text))


def test_names_in_the_pages_exist() -> None:
    from tanada.results.mixed_result import MixedResult
    from tanada.results.sem_result import SemResult

    assert not mentioned("tn") - set(tanada.__all__) - {"sklearn"}
    assert not {n for n in mentioned("m") if not hasattr(MixedResult, n)}
    assert not {n for n in mentioned("f") if not hasattr(SemResult, n)}


def test_the_readme_s_example_runs() -> None:
    blocks = FENCE.findall((DOCS.parent / "README.md").read_text(encoding="utf-8"))
    assert blocks
    namespace: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), namespace)  # noqa: S102
    assert {"m", "g", "f"} <= set(namespace)
