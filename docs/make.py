"""Writes the pages of the documentation that follow from the code.

    .venv/bin/python docs/make.py [--check]

``configuration.md`` comes from the models of the configuration, ``commands.md`` from the
commands and enums, ``formats.md`` from the table of file formats; what none of them says is in
``words.toml``.  With ``--check`` nothing is
written, and the exit code is 1 if a page is out of date.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import click

import pipeline
from pipeline import errors
from pipeline.cli import cli
from pipeline.commands.session import EXIT_CLIP_FAILED
from pipeline.config import INBOX_KINDS, Config, InboxSection, Section
from pipeline.findings import Carrier, What
from pipeline.formats import FORMATS
from pipeline.model import Kind, Note, Reason, Status
from pipeline.review.page import texts

FOLDER = Path(__file__).parent
WORDS: dict[str, dict[str, str]] = tomllib.loads((FOLDER / "words.toml").read_text("utf-8"))
COMMON = ("--config", "--json", "--verbose", "--quiet", "--help")
NOTICE = "<!-- Written by docs/make.py. Change the code or docs/words.toml, then: make docs -->"


def main() -> int:
    pages = {
        "configuration.md": configuration(),
        "commands.md": commands(),
        "formats.md": formats(),
    }
    stale = [name for name, text in pages.items() if _standing(FOLDER / name) != text]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/{name} is out of date; run: make docs", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (FOLDER / name).write_text(pages[name], "utf-8")
        print(f"docs/{name}")
    return 0


def _standing(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


# -- configuration.md ----------------------------------------------------------------------


def configuration() -> str:
    """The page of all keys, table by table."""
    blocks = [
        "# Configuration",
        NOTICE,
        "One file in [TOML](https://toml.io), `config.toml` in the current folder unless "
        "`--config` names another. The [sample](../config.toml) holds every key with its default.",
        "Relative paths, also those inside `maildir:` and its like, are relative to the file. "
        "Unknown keys, wrong types and impossible values are errors: all of them are reported at "
        "once, with exit code 2. A number that may have decimals is marked *number*.",
    ]
    tables = list(_tables(Config, ""))
    _none_gone("configuration", (name for name, _, _ in tables))
    for name, model, many in tables:
        heading = f"[[{name}]]" if many else f"[{name}]"
        blocks += [f"## `{heading}`", (model.__doc__ or "").strip(), _keys(model)]
        if model is InboxSection:
            kinds = [(f"`{kind.form}`", kind.description) for kind in INBOX_KINDS.values()]
            blocks += ["`url` names the inbox:", _table(("form", "what it is"), kinds)]
        blocks.append(WORDS["configuration"].get(name, "").strip())
    return _page(blocks)


def _tables(model: type[Section], prefix: str) -> Iterator[tuple[str, type[Section], bool]]:
    """Each table of the file with its model, and whether there may be more than one of it."""
    for key, field in model.model_fields.items():
        inner, many = _section(field.annotation)
        if inner is not None:
            yield f"{prefix}{key}", inner, many
            yield from _tables(inner, f"{prefix}{key}.")


def _section(annotation: Any) -> tuple[type[Section] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation, False
    many = get_origin(annotation) is tuple
    if many or get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            if isinstance(part, type) and issubclass(part, Section):
                return part, many
    return None, False


def _keys(model: type[Section]) -> str:
    schema = model.model_json_schema()
    rows = []
    for key, field in model.model_fields.items():
        if _section(field.annotation)[0] is not None:
            continue
        if field.is_required():
            default = "required"
        elif field.default is None:
            default = "left out"
        else:
            default = f"`{json.dumps(field.default, ensure_ascii=False)}`"
        name = field.alias or key  # "from" is a word of Python
        allowed = _allowed(schema["properties"][name])
        rows.append((f"`{name}`", allowed, default, field.description or ""))
    return _table(("key", "allowed", "default", "meaning"), rows)


def _allowed(schema: dict[str, Any]) -> str:
    """The allowed values of a JSON Schema, in words."""
    if "anyOf" in schema:
        known = [part for part in schema["anyOf"] if part.get("type") != "null"]
        return " or ".join(map(_allowed, known))
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if schema.get("type") == "array":
        few = f", at least {schema['minItems']}" if schema.get("minItems") else ""
        return f"array of: {_allowed(schema['items'])}{few}"
    if schema.get("format") == "date":
        return "a day"
    if schema.get("type") == "boolean":
        return "`true`, `false`"
    names = {"string": "text", "integer": "whole number", "number": "number"}
    said = [names[schema["type"]]]
    for rule, words in (
        ("minimum", "from {}"),
        ("exclusiveMinimum", "above {}"),
        ("maximum", "to {}"),
        ("maxLength", "at most {} characters"),
        ("pattern", "like `{}`"),
    ):
        if rule in schema:
            value = schema[rule]
            said.append(words.format(f"{value:g}" if isinstance(value, float) else value))
    if schema.get("minLength"):
        said.append("not empty")
    return ", ".join(said).replace(", to ", " to ")


# -- commands.md ---------------------------------------------------------------------------


def commands() -> str:
    """The page of all commands, exit codes and codes of the report."""
    known = dict(_leaves(cli, ""))
    _none_gone("command", known)
    _none_gone("who", known)
    blocks = ["# Commands", NOTICE, "`footage` is the command, `python -m pipeline` the same."]
    blocks.append("These options may be given before or after the arguments of any command:")
    common = [option for option in _options(cli, "footage") if _is_common(option[0])]
    blocks.append(_table(("option", "does"), common))
    blocks.append("`--config` is `config.toml` in the current folder unless given.")
    blocks.append(
        "With `--json` every command ends with exactly one object on standard output, also after "
        "wrong usage, Ctrl-C, SIGTERM or a fault of the program. It holds `exit_code`, the facts "
        "of the command, and `error` with the sentence if the command could not finish. `--help` "
        "and `--version` print text."
    )
    for name, command in known.items():
        blocks += _command(name, command)
    return _page([*blocks, *_codes()])


def _leaves(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
    """Each command that does something, by its whole name: ``run``, ``service install``."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _leaves(command, f"{before}{name} ")
        elif not command.hidden:
            yield f"{before}{name}", command


def _command(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    yield f"## `footage {name}`"
    pieces = [piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]"]
    if name in WORDS["who"]:
        yield f"For: {WORDS['who'][name]}."
    yield f"```\n{' '.join(['footage', name, *pieces])}\n```"
    yield " ".join((command.help or "").split())
    own = [option for option in _options(command, name) if not _is_common(option[0])]
    if own:
        yield _table(("option", "does"), own)
    yield WORDS["command"].get(name, "").strip()


def _options(command: click.Command, name: str) -> list[tuple[str, str]]:
    context = click.Context(command, info_name=name, help_option_names=["-h", "--help"])
    records = (param.get_help_record(context) for param in command.get_params(context))
    # an argument without help of its own is explained in the command's
    return [(f"`{record[0]}`", record[1]) for record in records if record and record[1]]


def _is_common(option: str) -> bool:
    return any(name in option for name in COMMON)


def _codes() -> Iterator[str]:
    yield "## Exit codes"
    raised = {each.exit_code for each in _subclasses(errors.FootageError)}
    _same("exit", map(str, sorted(raised | {0, EXIT_CLIP_FAILED})))
    yield _table(("code", "means", "what to do"), _split("exit"))
    yield "## The log of a run"
    _same("event", _events())
    yield (
        "Each run writes a file of JSON lines into `logs/` of the workspace. A line has the time "
        "(`at`), the name of the event, and its facts. No text that a sender wrote is in it. The "
        "events are:"
    )
    yield _table(("event", "means"), _plain("event"))
    yield "## Statuses"
    _same("status", Status)
    yield _table(("status", "means"), _plain("status"))
    yield "## Reasons"
    _same("reason", Reason)
    yield (
        "An attachment without a clip has one of these codes, in the report and in `--json`. "
        "Rejected means that no clip can be made of the material. Failed means that the "
        "program is at fault."
    )
    rows = [(code, Reason(code[1:-1]).status, *rest) for code, *rest in _split("reason")]
    yield _table(("code", "status", "means", "what to do"), rows)
    yield "## Notes"
    _same("note", Note)
    yield "What a reviewer should know about a whole submission."
    yield _table(("code", "means"), _plain("note"))
    yield "## Warnings"
    _same("warning", (key[8:] for key in texts() if key.startswith("warning.")))
    yield "A clip with a warning is accepted; somebody should look at it."
    yield _table(("code", "means"), _plain("warning"))
    yield "## What was found"
    _same("what", What)
    _same("carrier", Carrier)
    yield (
        "The report names where a received file held something and what it gave away, never "
        "the value. It may give away:"
    )
    yield _table(("what", "means"), _plain("what"))
    yield "It may be held in:"
    yield _table(("carrier", "means"), _plain("carrier"))


def _events() -> set[str]:
    """The names of all events that the code writes into a run's log."""
    texts = (path.read_text("utf-8") for path in Path(pipeline.__file__).parent.rglob("*.py"))
    return {name for text in texts for name in re.findall(r"\.event\(\s*\"([a-z-]+)\"", text)}


def _subclasses(kind: type[errors.FootageError]) -> Iterator[type[errors.FootageError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _subclasses(each)


# -- formats.md ----------------------------------------------------------------------------


def formats() -> str:
    """The page of all file formats that become clips."""
    rows = [
        (
            f"`{each.name}`",
            "photo" if each.kind is Kind.IMAGE else "video",
            f"`{each.demuxer}`",
            f"`{each.reader.__module__.removeprefix('pipeline.')}`",
            "yes" if each.colour_profile else "",
            "yes" if each.may_move else "",
        )
        for each in FORMATS
    ]
    head = ("format", "is a", "FFmpeg's demuxer", "reader", "colour profile", "animations")
    return _page(
        [
            "# File formats",
            NOTICE,
            "A file's format is determined from its bytes, never from its name; the first row that "
            "matches wins. All other files are refused with a reason of "
            "[commands.md](commands.md#reasons); archives (zip, tar, gzip, bzip2, xz), "
            "winmail.dat, mails as files (`.eml`, `.emlx`, `.msg`), signed S/MIME "
            "and texts with files in them (uuencode, yEnc, BinHex) are opened, and each file "
            "in them counts by itself.",
            _table(head, rows),
            "*Reader*: the module that finds what a file gives away. Whatever a reader does not "
            "know is reported as an unknown part. *Colour profile*: the profile of a photo is "
            "applied. *Animations*: a file with several pictures is a video, not a photo.",
            "A format is one row of `pipeline/formats.py` and one reader in "
            "`pipeline/carriers/readers`.",
        ]
    )


# -- all -----------------------------------------------------------------------------------


def _same(section: str, wanted: Iterable[str | StrEnum]) -> None:
    """Stop unless ``words.toml`` has a text for each wanted name, and no other text."""
    odd = {str(name) for name in wanted} ^ set(WORDS[section])
    if odd:
        raise SystemExit(f"docs/words.toml, [{section}], and the code differ: {sorted(odd)}")


def _none_gone(section: str, known: Iterable[str]) -> None:
    """Stop if ``words.toml`` has a text for an unknown name; a known name may have none."""
    gone = set(WORDS[section]) - set(known)
    if gone:
        raise SystemExit(f"docs/words.toml, [{section}], explains unknown names: {sorted(gone)}")


def _plain(section: str) -> list[tuple[str, ...]]:
    return [(f"`{code}`", words) for code, words in WORDS[section].items()]


def _split(section: str) -> list[tuple[str, ...]]:
    return [(f"`{code}`", *words.split(" | ")) for code, words in WORDS[section].items()]


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _page(blocks: Iterable[str]) -> str:
    return "\n\n".join(filter(None, blocks)) + "\n"


if __name__ == "__main__":
    sys.exit(main())
