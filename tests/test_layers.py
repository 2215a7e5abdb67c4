"""The direction of imports: a layer imports only what lies below it, and no module is named as a public function."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tanada

ROOT = Path(__file__).resolve().parent.parent / "src" / "tanada"

# from the top down; a layer may import itself and any layer in a later row
ROWS: list[set[str]] = [
    {"cli", "plot", "report"},
    {"api"},
    {"results"},
    {"post", "inference"},
    {"engine"},
    {"design", "semmodel"},
    {"formula", "syntax", "partable"},
    {"data", "frame", "columns", "column_readers", "params", "errors", "config", "_core"},
]
LEVEL = {layer: i for i, row in enumerate(ROWS) for layer in row}


def modules() -> list[Path]:
    return sorted(p for p in ROOT.rglob("*.py") if p != ROOT / "__init__.py")


def layer_of(path: Path) -> str:
    part = path.relative_to(ROOT).parts[0]
    return part.removesuffix(".py")


def imported_layers(path: Path) -> set[str]:
    """Layers that a module imports anywhere in its text, type-checking blocks and late imports included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "tanada":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise AssertionError(f"{path}: relative import; write the full name")
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("tanada.")}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_only_go_down(path: Path) -> None:
    own = layer_of(path)
    assert own in LEVEL, f"'{own}' is not a layer of the design; add it to ROWS where it belongs"
    for other in imported_layers(path):
        if other in LEVEL:
            assert LEVEL[other] >= LEVEL[own], f"{path.relative_to(ROOT)} ({own}) imports {other}, a layer above it"


def test_the_layer_test_can_fail(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("def f():\n    from tanada.api import x\n")
    assert imported_layers(bad) == {"api"}
    assert LEVEL["api"] < LEVEL["design"]


def test_no_module_is_named_as_a_public_function() -> None:
    public = set(tanada.__all__)
    for path in modules():
        name = path.parent.name if path.name == "__init__.py" else path.stem
        assert name not in public, f"{path.relative_to(ROOT)} has the name of tanada.{name}"


def test_every_export_can_be_loaded() -> None:
    for name in tanada.__all__:
        assert getattr(tanada, name) is not None
