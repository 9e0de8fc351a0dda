"""Imports point one way: leaves, libraries, tools, the run, stages, commands, command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import pipeline

pytestmark = pytest.mark.no_cover  # these tests read code, and run none of it
ROOT = Path(pipeline.__file__).parent
STAGES = {"ingest", "process", "review", "render"}
# Each layer may import from those before it, and from itself.
LAYERS = {
    "leaf": {
        *(
            "__init__",
            "categories",
            "caution",
            "clip_order",
            "addressees",
            "correspondence",
            "time_limit",
            "clock",
            "consent",
            "letter_ids",
            "config",
            "console",
            "credentials",
            "errors",
            "ledger",
        ),
        *(
            "history",
            "findings",
            "model",
            "places",
            "comments",
            "protection",
            "publishing",
            "removal",
            "store",
            "texts",
            "versions",
            "wording",
            "workspace",
        ),
    },
    "library": {"carriers", "judge"},
    "tool": {
        "codecs",
        "engine",
        "faces",
        "ffmpeg",
        "formats",
        "media",
        "notices",
        "post",
        "stamps",
    },
    "run": {"run"},
    "jobs": {"jobs"},
    "stage": STAGES,
    "command": {"commands"},
    "demo": {"demo"},
    "cli": {
        "calling",
        "cli",
        "cli_cluster",
        "cli_custody",
        "cli_help",
        "cli_people",
        "cli_service",
        "options",
        "__main__",
    },
}
ORDER = list(LAYERS)


def layer_of(module: str) -> tuple[str, str]:
    """The layer and the name of the package or module that a module belongs to."""
    parts = module.split(".")
    name = parts[1] if len(parts) > 1 else "__init__"
    layers = [layer for layer, names in LAYERS.items() if name in names]
    if not layers:
        return "leaf", "__init__"  # a name that is imported from the package itself
    return layers[0], name


def test_every_module_has_a_layer() -> None:
    known = set().union(*LAYERS.values())
    assert {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()} - {
        "__pycache__"
    } == known


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Everything in a module; several tests look at all modules."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))


@pytest.fixture(scope="module", autouse=True)
def _forget() -> Iterator[None]:
    yield
    nodes.cache_clear()  # a hundred megabytes


@cache
def imported(path: Path) -> set[str]:
    names = set()
    for node in nodes(path):
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
        layer, name = layer_of(own)
        for other in imported(path):
            target, target_name = layer_of(other)
            if ORDER.index(target) > ORDER.index(layer):
                wrong.append(f"{own} imports {other}: {layer} must not know {target}")
            if layer == target == "stage" and name != target_name:
                wrong.append(f"{own} imports {other}: stages must not know each other")
    assert wrong == []


# What each library may take from the house.  Both judge texts by the one table of places.
SURROUNDINGS = {
    "carriers": {f"pipeline.findings.{name}" for name in ("Carrier", "Finding", "What")},
    "judge": {"pipeline.errors.NotClean"},
}


@pytest.mark.parametrize("library", SURROUNDINGS)
def test_a_library_could_be_published_alone(library: str) -> None:
    taken = {
        name
        for path in (ROOT / library).rglob("*.py")
        for name in imported(path)
        if not name.startswith(f"pipeline.{library}")
    }
    allowed = SURROUNDINGS[library] | {"pipeline.places.found"}
    assert taken <= allowed | {name.rpartition(".")[0] for name in allowed}
    assert (ROOT / library / "README.md").is_file()


@pytest.mark.parametrize("library", SURROUNDINGS)
def test_a_library_is_used_by_its_face(library: str) -> None:
    """The containers are a second face of carriers; the readers are for the table of formats."""
    face = set(import_module(f"pipeline.{library}").__all__)
    assert face
    wrong = []
    for path in ROOT.rglob("*.py"):
        own = path.relative_to(ROOT)
        open_to_all = ["carriers.containers"] + ["carriers.readers"] * (own.name == "formats.py")
        for name in imported(path):
            below = name.removeprefix(f"pipeline.{library}.")
            if own.parts[0] == library or below == name or below in face:
                continue
            if not name.removeprefix("pipeline.").startswith(tuple(open_to_all)):
                wrong.append(f"{own} imports {name}")
    assert wrong == []


def test_only_one_module_starts_programs() -> None:
    """ffmpeg/runner, through ffmpeg/sandbox; programs that the configuration names; workers."""
    allowed = {"ffmpeg/runner.py", "ffmpeg/sandbox.py", "credentials.py", "notices/program.py"}
    allowed |= {"commands/service.py", "engine/local.py", "engine/keeper.py"}
    users = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "import subprocess" in path.read_text("utf-8")
    }
    assert users <= allowed


def test_one_module_knows_the_package_that_builds_graphs() -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if re.search(r"^\s*(import|from) ffmpeg\b", path.read_text("utf-8"), re.MULTILINE)
    }
    assert users == {"ffmpeg/graph.py"}


def test_pillow_opens_only_the_logo_and_only_as_png_or_jpeg() -> None:
    """It runs outside of the sandbox, and its readers of rare formats have had faults."""
    calls = [
        (str(path.relative_to(ROOT)), {word.arg: ast.unparse(word.value) for word in node.keywords})
        for path in sorted(ROOT.rglob("*.py"))
        for node in nodes(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Image.open")
    ]
    assert calls == [("render/lettering.py", {"formats": "_LOGO_FORMATS"})] * 2


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


def test_ingest_uses_no_private_name_of_another_package() -> None:
    """IMAP goes through what imaplib documents: the rest changes with any Python."""
    found = [
        f"{path.name}: {ast.unparse(node)}"
        for path in (ROOT / "ingest").glob("*.py")
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and re.match("_[^_]", node.attr)
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    ]
    assert found == []


def test_a_public_class_name_means_one_thing() -> None:
    homes: dict[str, list[str]] = {}
    for path in ROOT.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}
