"""A folder is a layer and imports only go down: read from every import statement, late ones inside functions included."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tanada

PACKAGE = Path(tanada.__file__).parent
RANK = {
    "_core": 0,
    "errors": 0,
    "config": 1,
    "params": 1,
    "columns": 1,
    "column_readers": 1,
    "frame": 1,
    "data": 2,
    "formula": 3,
    "syntax": 3,
    "partable": 3,
    "design": 4,
    "semmodel": 4,
    "engine": 5,
    "inference": 6,
    "post": 6,
    "results": 7,
    "api": 8,
    "plot": 9,
    "documents": 9,
    "cli": 9,
    "sklearn": 9,
    "__main__": 10,
}


def layer_of(module: str) -> str:
    """The folder (or top-level file) of a dotted module name that starts with `tanada.`."""
    return module.split(".")[1]


def sources() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p != PACKAGE / "__init__.py"]


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST, module: str, is_package: bool) -> list[tuple[int, str]]:
    """(line, dotted name) of all imports of the package itself, those for type checkers too."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, a.name) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".") if is_package else module.split(".")[:-1]
                package = package[: len(package) - node.level + 1]
                base = ".".join([*package, base] if base else package)
            found += [(node.lineno, f"{base}.{a.name}") for a in node.names] if base == "tanada" else [(node.lineno, base)]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module") and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                found.append((node.lineno, name.value))
    return [(line, name) for line, name in found if name == "tanada" or name.startswith("tanada.")]


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    rank = RANK[layer_of(module)]
    wrong = []
    for line, name in imported(ast.parse(source), module, is_package):
        if name == "tanada":  # the public surface: only for the layers above it
            if rank > RANK["api"]:
                continue
            wrong.append(f"{module}:{line} imports the package itself")
        elif RANK[layer_of(name)] > rank:
            wrong.append(f"{module}:{line} imports {name}, which lies above {layer_of(module)}")
    return wrong


def test_every_module_belongs_to_a_layer() -> None:
    unknown = sorted({layer_of(module_name(p)) for p in sources()} - set(RANK))
    assert not unknown, f"give these folders a rank: {unknown}"


def test_imports_only_go_down() -> None:
    wrong = [v for p in sources() for v in violations(p.read_text(encoding="utf-8"), module_name(p), p.stem == "__init__")]
    assert not wrong, "\n".join(wrong)


def test_layers_of_one_rank_do_not_import_each_other_in_circles() -> None:
    edges: dict[str, set[str]] = {}
    for p in sources():
        module = module_name(p)
        for _, name in imported(ast.parse(p.read_text(encoding="utf-8")), module, p.stem == "__init__"):
            if name != "tanada" and layer_of(name) != layer_of(module):
                edges.setdefault(layer_of(module), set()).add(layer_of(name))
    circles = sorted((a, b) for a in edges for b in edges[a] if a in edges.get(b, ()) and a < b)
    assert not circles, f"folders that import each other: {circles}"


@pytest.mark.parametrize(
    "source",
    [
        "from tanada.results.mixed_result import MixedResult",
        "def f():\n    from tanada import results",
        "import tanada.api.mixed",
        "from ..plot import anything",
        "import importlib\nimportlib.import_module('tanada.cli.main')",
        "import tanada",
    ],
)
def test_the_reader_sees_an_upward_import(source: str) -> None:
    assert violations(source, "tanada.engine.gaussian")


@pytest.mark.parametrize(
    "source", ["from tanada.design.matrices import ModelData", "from . import fit", "from ..errors import DataError", "import numpy"]
)
def test_the_reader_lets_a_downward_import_pass(source: str) -> None:
    assert not violations(source, "tanada.engine.gaussian")
