"""The documentation says all that the program has, and nothing that is gone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import click
import pytest

from pipeline import errors
from pipeline.cli import cli
from pipeline.commands.session import EXIT_CLIP_FAILED
from pipeline.config import Config, Montage, Output, Process, Report, ReviewSection, load
from pipeline.config import WorkspaceSection as Workspace
from pipeline.findings import Carrier, What
from pipeline.model import Note, Reason, Status
from pipeline.review.page import texts

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])


def leaves(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """The commands that do something, by their whole names."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, f"{before}{name} ")
        elif not command.hidden:
            yield f"{before}{name}", command


COMMANDS = dict(leaves(cli))
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"^(?:\S*/)?footage ([a-z]+)", re.MULTILINE)
# Written so that this file does not hold what it looks for.
_INDEX = re.compile(
    rb"pypi[.]org|files[.]python(?=hosted)|registry[.]npm(?=js)|(?:index-url|find-links)[ =]\S+://"
)
_HOMES = re.compile(rb"/home/(?!footage/)\w+/|/Users/\w+/|/root/\w+")


def codes(page: str) -> set[str]:
    """What stands in the first cell of a row as code."""
    text = (DOCS / page).read_text("utf-8")
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def words(command: click.Command) -> Iterator[str]:
    for param in command.params:
        if isinstance(param, click.Option):
            yield from param.opts


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help_and_is_documented(name: str) -> None:
    command = COMMANDS[name]
    assert command.help, f"footage {name} has no help"
    text = (DOCS / "commands.md").read_text("utf-8")
    assert f"## `footage {name}`" in text
    section = text.split(f"## `footage {name}`")[1].split("\n## ")[0]
    common = text.split("\n## ")[0]
    for param in command.params:
        if isinstance(param, click.Option):
            assert param.help, f"footage {name} {param.opts[0]} has no help"
    for option in words(command):
        assert option in section or option in common, f"footage {name} {option}"


def test_every_configuration_key_is_documented_and_in_the_sample() -> None:
    text = (DOCS / "configuration.md").read_text("utf-8")
    sample = (ROOT / "config.toml").read_text("utf-8")

    def look(schema: dict[str, object], definitions: dict[str, dict[str, object]]) -> None:
        properties = schema["properties"]
        assert isinstance(properties, dict)
        for key, value in properties.items():
            inner = re.findall(r"#/\$defs/(\w+)", str(value))
            if inner:
                assert re.search(rf"\[(?:\w+\.)?{key}\]", text), f"table {key}"
                assert re.search(rf"\[(?:\w+\.)?{key}\]", sample), f"table {key} in the sample"
                look(definitions[inner[0]], definitions)
            else:
                assert f"| `{key}` |" in text, key
                assert re.search(rf"^(?:# )?{key} = ", sample, re.MULTILINE), f"{key} in the sample"

    whole = Config.model_json_schema()
    look(whole, whole["$defs"])


def test_every_code_is_documented() -> None:
    known = codes("commands.md")
    for kind in (Reason, Note, Carrier, Status, What):
        assert {str(member) for member in kind} <= known, kind.__name__
    assert {key[8:] for key in texts() if key.startswith("warning.")} <= known


def test_every_exit_code_is_documented() -> None:
    def all_of(kind: type[errors.FootageError]) -> Iterator[type[errors.FootageError]]:
        yield kind
        for each in kind.__subclasses__():
            yield from all_of(each)

    raised = {str(each.exit_code) for each in all_of(errors.FootageError)}
    for code in raised | {"0", str(EXIT_CLIP_FAILED)}:
        assert code in codes("commands.md")
        assert re.search(rf"^\| {code} \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "make.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in _LINK.findall(text):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, f"{page.name}: {target}"


def _anchor(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


def test_readme_names_only_commands_that_there_are() -> None:
    for page in PAGES:
        for named in _COMMAND.findall(page.read_text("utf-8")):
            assert named in cli.commands, f"{page.name}: footage {named}"


def test_sample_configuration_is_valid_and_holds_the_defaults() -> None:
    config = load(ROOT / "config.toml")
    assert config.process == Process()
    assert config.workspace == Workspace()
    assert config.review == ReviewSection()
    assert config.report == Report()
    assert config.montage == Montage()
    assert config.output == (Output(),)
    changed = config.inbox[0].model_dump(exclude_defaults=True)
    assert set(changed) == {"url"}
    assert config.inbox[0].scheme == "eml", "the sample must reach for nothing"


def test_the_glossary_explains_words_in_use_in_one_sentence_each() -> None:
    text = (DOCS / "glossary.md").read_text("utf-8")
    rows = re.findall(r"^\| (\w+) \| (.+) \|$", text, re.MULTILINE)
    words = [word for word, _ in rows if word != "word"]
    assert 10 <= len(words) <= 30
    assert words == sorted(set(words))
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "pipeline").rglob("*.py"))
    for word, sentence in rows[1:]:
        assert re.search(rf"\b{word}s?\b", code, re.IGNORECASE), f"the code does not use {word}"
        assert re.fullmatch(r"[A-Z][^.!?]+\.", sentence), f"{word}: one sentence, please"


def test_pictures_are_small_enough_for_a_page() -> None:
    pictures = list((DOCS / "pictures").iterdir())
    assert pictures
    assert all(picture.stat().st_size < 400_000 for picture in pictures)


def project_files() -> list[Path]:
    """What git tracks, or where there is no git, all that it would not ignore."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if not listed.returncode:
        return [ROOT / name for name in os.fsdecode(listed.stdout).split("\0") if name]
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()

    def is_ours(folder: str, name: str) -> bool:
        inside = "/" + Path(folder, name).relative_to(ROOT).as_posix()
        return not any(fnmatch(inside if p[0] == "/" else name, p.rstrip("/")) for p in ignored)

    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if is_ours(folder, name)]
        found += [Path(folder, name) for name in names if is_ours(folder, name)]
    return found


def test_no_index_address_and_no_path_of_a_machine_is_in_the_project() -> None:
    paths = project_files()
    assert ROOT / "pyproject.toml" in paths
    here = re.compile(re.escape(os.fsencode(ROOT)) + rb"(?![\w-])")
    found = []
    for path in filter(Path.is_file, paths):
        data = path.read_bytes()
        matches = (pattern.search(data) for pattern in (_INDEX, _HOMES, here))
        found += [f"{path.relative_to(ROOT)}: {match[0]!r}" for match in matches if match]
    assert found == []
