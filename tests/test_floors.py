"""The architecture as design.md draws it, held by machine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[1]
PACKAGES = ("configs", "features", "training", "serving", "flows")
MODULES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts
)
LONGEST_FUNCTION, LONGEST_MODULE = 60, 500


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def importers(package: str) -> set[str]:
    return {shown(path) for path in MODULES if package in imported(path)}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_import_contracts_are_kept(monkeypatch):
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == EXIT_STATUS_SUCCESS


def test_one_module_opens_engines_tracking_tracks_and_flows_alone_orchestrates():
    assert importers("duckdb") == {"flows/catalog.py"}
    tracking = {f"training/tracking{part}.py" for part in ("", "_files", "_run")}
    assert importers("mlflow") <= tracking
    assert all(name.startswith("flows/") for name in importers("prefect"))


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_module_and_its_functions_are_short(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, kinds) and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_nothing_is_left_to_do():
    marked = [
        shown(p)
        for p in MODULES
        if re.search(r"\bTODO\b|\bFIXME\b", p.read_text("utf-8"))
    ]
    assert marked == []
