"""docs/dependencies.md lists every locked package, and what it says of faults is true."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
PACKAGE = Path(pipeline.__file__).parent
LOCKS = (
    *("requirements.lock", "requirements-extras.lock"),
    *("requirements-dev.lock", "requirements-audit.lock"),
)


def locked(name: str) -> dict[str, set[str]]:
    """The versions of each package in a lock."""
    found: dict[str, set[str]] = {}
    lines = (ROOT / name).read_text("utf-8")
    for package, version in re.findall(r"(?m)^([a-z0-9][a-z0-9._-]*)==([^ \\]+)", lines):
        found.setdefault(package, set()).add(version)
    return found


def test_every_package_of_the_program_has_a_row() -> None:
    table = PAGE.split("## What each package reads")[1]
    rows = re.findall(r"(?m)^\| `([^`]+)` \| [^|]+ \| [^|]+ \|$", table)
    assert len(set(rows)) == len(rows)
    assert set(rows) == locked("requirements-extras.lock").keys()
    main, _ = table.split("### Of the optional parts")
    assert all(f"`{package}`" in main for package in locked("requirements.lock"))


def test_the_optional_parts_change_no_version_of_the_program() -> None:
    program, all_parts = locked("requirements.lock"), locked("requirements-extras.lock")
    assert {name: all_parts[name] for name in program} == program


@pytest.mark.parametrize("name", LOCKS)
def test_each_locked_package_has_its_hashes(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    blocks = re.split(r"(?m)^(?=[a-z0-9][a-z0-9._-]*==)", text)[1:]
    assert len(blocks) > 20
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_the_faults_are_those_of_the_locked_versions() -> None:
    versions = locked("requirements.lock")
    assert {version.rpartition(".")[0] for version in versions["pillow"]} == {"11.3"}
    assert {version.rpartition(".")[0] for version in versions["future"]} == {"1.0"}
    (fonttools,) = versions["fonttools"]
    assert tuple(map(int, fonttools.split("."))) >= (4, 60, 2)


def test_a_file_named_test_is_not_imported(tmp_path: Path) -> None:
    """CVE-2025-50817: only future.standard_library would import it from the current folder."""
    (tmp_path / "test.py").write_text("raise SystemExit('imported')")
    code = "import ffmpeg, sys; print('future.standard_library' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


def test_pillow_filters_and_shows_nothing() -> None:
    """Its filters (ImageFilter) and its viewers have had faults."""
    names = {
        alias.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "PIL"
        for alias in node.names
    }
    assert names <= {"Image", "ImageDraw", "ImageFont", "UnidentifiedImageError", "features"}
    calls = {
        node.func.attr
        for path in PACKAGE.rglob("*.py")
        if "PIL" in path.read_text("utf-8")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert calls & {"show", "getexif", "verify"} == set()
