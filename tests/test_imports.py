"""Imports point one way: leaves, media, stages, runner, command line."""

from __future__ import annotations

import ast
from pathlib import Path

import pipeline

ROOT = Path(pipeline.__file__).parent
STAGES = {"ingest", "process", "review", "render"}
# Each may import from those before it, and from itself.
ORDER = ["leaf", "media", "stage", "runner", "demo", "cli"]
RUNNERS = {"runner", "doctor", "standing"}


def room(module: str) -> tuple[str, str]:
    """The layer and the name of the room that a module stands in."""
    parts = module.split(".")
    name = parts[1] if len(parts) > 1 else "__init__"
    if name in STAGES:
        return "stage", name
    if name in ("media", "demo"):
        return name, name
    if name in RUNNERS:
        return "runner", name
    if name in ("cli", "__main__"):
        return "cli", name
    return "leaf", name


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return {name for name in names if name.startswith("pipeline.")}


def test_imports_point_one_way() -> None:
    wrong = []
    modules = sorted(ROOT.rglob("*.py"))
    assert len(modules) > 40
    for path in modules:
        own = ".".join(("pipeline", *path.relative_to(ROOT).with_suffix("").parts))
        layer, name = room(own)
        for other in imported(path):
            target, target_name = room(other)
            if ORDER.index(target) > ORDER.index(layer):
                wrong.append(f"{own} imports {other}: {layer} must not know {target}")
            if layer == target == "stage" and name != target_name:
                wrong.append(f"{own} imports {other}: stages must not know each other")
    assert wrong == []


def test_only_one_module_starts_programs() -> None:
    """The door (media/ffmpeg, through media/sandbox); sign-in runs the password command."""
    allowed = {"media/ffmpeg.py", "media/sandbox.py", "ingest/signin.py"}
    users = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "import subprocess" in path.read_text("utf-8")
    }
    assert users <= allowed


def test_only_the_ledger_speaks_sql() -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "sqlite3.connect" in path.read_text("utf-8")
    }
    assert users == {"ledger/connection.py"}


def test_every_module_is_of_a_size_that_one_reads() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in ROOT.rglob("*.py")
        if (lines := len(path.read_text("utf-8").splitlines())) > 400
    }
    assert long == {}
