"""The house rules: what the package promises besides its numbers."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tanada

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(tanada.__file__).parent
HEAVY = ("matplotlib", "formulaic", "lark", "typer", "rich", "scipy.stats", "scipy.optimize", "sklearn", "polars", "pyarrow")
LIMIT = 400


def package_sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def public_functions() -> dict[str, object]:
    return {name: getattr(tanada, name) for name in tanada._EXPORTS}


def sections(doc: str) -> set[str]:
    return set(re.findall(r"^(\w[\w ]*)\n-{3,}$", doc, flags=re.M))


def undocumented(name: str, thing: object) -> list[str]:
    """What a public function's or method's docstring lacks."""
    doc = inspect.getdoc(thing)
    if not doc:
        return [f"{name}: no docstring"]
    have = sections(doc)
    need = set()
    signature = inspect.signature(thing)  # type: ignore[arg-type]
    if any(p.name not in ("self", "cls") for p in signature.parameters.values()):
        need.add("Parameters")
    if str(signature.return_annotation) not in ("None", "<class 'inspect._empty'>", "NoReturn"):
        need.add("Returns")
    return [f"{name}: the docstring has no section {s}" for s in sorted(need - have)]


# ---- imports


def test_import_loads_nothing_heavy() -> None:
    code = f"import sys, tanada; print([m for m in {HEAVY!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("name", sorted(tanada._EXPORTS))
def test_every_public_name_imports_from_the_module_that_defines_it(name: str) -> None:
    thing = getattr(tanada, name)
    assert name in dir(tanada)
    assert getattr(importlib.import_module(f"tanada.{tanada._EXPORTS[name]}"), name) is thing


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(tanada, "no_such_name")  # noqa: B009


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    seen = {a.asname or a.name for n in block.body if isinstance(n, ast.ImportFrom) for a in n.names}
    assert seen == set(tanada._EXPORTS)


def test_no_module_is_named_like_a_public_function() -> None:
    functions = {n for n, f in public_functions().items() if inspect.isfunction(f)}
    home = {n: f"{PACKAGE.name}.{module}".split(".")[1] for n, module in tanada._EXPORTS.items()}
    own = lambda p: p.parent == PACKAGE or p.relative_to(PACKAGE).parts[0] == home.get(p.stem)  # noqa: E731
    clashes = [str(p.relative_to(PACKAGE)) for p in PACKAGE.rglob("*") if p.stem in functions and p.suffix in ("", ".py") and own(p)]
    assert not clashes


# ---- documentation of the surface


def test_public_functions_have_complete_docstrings() -> None:
    missing: list[str] = []
    for name, thing in public_functions().items():
        if inspect.isclass(thing):
            missing += [] if inspect.getdoc(thing) else [f"{name}: no docstring"]
            continue
        missing += undocumented(name, thing)
        if ">>>" not in (inspect.getdoc(thing) or ""):
            missing.append(f"{name}: the docstring has no example")
    assert not missing, "\n".join(missing)


def public_classes() -> dict[str, type]:
    """Classes that users meet: exported ones, and the results of fits."""
    found = {n: t for n, t in public_functions().items() if inspect.isclass(t) and not issubclass(t, Exception)}
    for module, name in (("mixed_result", "MixedResult"), ("sem_result", "SemResult")):
        found[name] = getattr(importlib.import_module(f"tanada.results.{module}"), name)
    return found


def test_methods_of_public_classes_are_documented() -> None:
    missing: list[str] = []
    for name, thing in public_classes().items():
        for attribute, member in inspect.getmembers(thing):
            if attribute.startswith("_") or not str(getattr(member, "__module__", "tanada")).startswith("tanada"):
                continue
            if inspect.isfunction(member):
                missing += undocumented(f"{name}.{attribute}", member)
            elif isinstance(member, property) and not inspect.getdoc(member):
                missing.append(f"{name}.{attribute}: no docstring")
    assert not missing, "\n".join(missing)


# ---- code rules


def test_nothing_unpickles() -> None:
    found = [
        f"{p.relative_to(PACKAGE)}: {line.strip()}"
        for p in package_sources()
        for line in p.read_text(encoding="utf-8").splitlines()
        if re.search(r"^\s*(import|from)\s+(pickle|dill|cloudpickle|joblib|marshal|shelve)\b|allow_pickle\s*=\s*True|read_pickle", line)
    ]
    assert not found, "\n".join(found)


def test_no_broad_except_and_no_unfinished_work() -> None:
    found: list[str] = []
    for p in package_sources():
        text = p.read_text(encoding="utf-8")
        found += [f"{p.name}:{i}: {w}" for i, w in enumerate(text.splitlines(), 1) if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", w)]
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")):
                found.append(f"{p.name}:{node.lineno}: catches everything")
            if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.unparse(node.exc):
                found.append(f"{p.name}:{node.lineno}: NotImplementedError")
    assert not found, "\n".join(found)


def long_files() -> list[str]:
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "core").rglob("*.?pp"), *(ROOT / "bindings").rglob("*.?pp")]
    return [f"{f.relative_to(ROOT)}: {n} lines" for f in sorted(files) if (n := f.read_text(encoding="utf-8").count("\n")) > LIMIT]


def test_files_stay_short() -> None:
    assert not long_files(), "\n".join(long_files())


# ---- the repository


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == tanada.__version__
    assert re.search(rf"^## {re.escape(tanada.__version__)}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.M)


def readme_command(n: int) -> str:
    script = ROOT / "tools" / "readme_commands.py"
    return subprocess.run([sys.executable, str(script), str(n)], capture_output=True, text=True, check=True).stdout.strip()


def test_the_check_runs_the_commands_of_the_readme() -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.S | re.M)
    assert [b.strip() for b in blocks] == [readme_command(1), readme_command(2)]
    assert "tanada demo" in readme_command(1) and "pytest" in readme_command(2)
    check = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "tools/readme_commands.py" in check and "pip install ." not in check, "the check takes its commands from the README"


def test_the_readme_claims_what_was_measured() -> None:
    script = ROOT / "tools" / "readme_measured.py"
    assert subprocess.run([sys.executable, str(script), "--check"], check=False).returncode == 0, "run tools/readme_measured.py"


def test_links_between_the_repository_s_pages_lead_somewhere() -> None:
    pages = [ROOT / n for n in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:", target) and "<" not in target and not (page.parent / target).exists()
    ]
    assert not broken, "\n".join(broken)


def test_distribution_carries_data_types_and_stub() -> None:
    if PACKAGE.is_relative_to(ROOT):
        pytest.skip("tanada is imported from the checkout, not installed")
    files = {p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*")}
    assert {"py.typed", "_core.pyi"} <= files
    assert {f.removeprefix("data/") for f in files if f.startswith("data/") and not f.endswith((".py", ".pyc"))} >= {
        f.name for f in (ROOT / "src/tanada/data").iterdir() if f.is_file() and f.suffix != ".py"
    }
    assert importlib.metadata.version("tanada") == tanada.__version__
