"""Each example of docs/extending.md is applied to a copy of the program, which then uses it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"(?ms)^## (.+?)\n(.*?)(?=^## |\Z)", PAGE))
BLOCK = r"\n\n```\w+\n(?P<code>.*?)```"
NEW = re.compile(rf"New file `(?P<path>.+?)`:{BLOCK}", re.DOTALL)
EDIT = re.compile(
    rf"In `(?P<path>.+?)`, (?P<how>after|instead of) `(?P<line>.+?)`:{BLOCK}", re.DOTALL
)
COPY = re.compile(r"Copy `(.+?)` to `(.+?)`, and translate `(.+?)` as `(.+?)`\.")


def touched(section: str) -> set[str]:
    """The files that an example makes or changes."""
    text = SECTIONS[section]
    named = {found["path"] for pattern in (NEW, EDIT) for found in pattern.finditer(text)}
    return named | {found[2] for found in COPY.finditer(text)}


def apply(section: str, folder: Path) -> None:
    """Do to the copy in *folder* what the section says, step by step."""
    text = SECTIONS[section]
    for found in NEW.finditer(text):
        path = folder / found["path"]
        assert not path.exists()
        path.write_text(found["code"], "utf-8")
    for found in EDIT.finditer(text):
        path = folder / found["path"]
        before = path.read_text("utf-8")
        line = found["line"] + "\n"
        assert before.count("\n" + line) == 1, f"{found['path']} has no single line {line!r}"
        kept = line if found["how"] == "after" else ""
        path.write_text(before.replace("\n" + line, "\n" + kept + found["code"]), "utf-8")
    for found in COPY.finditer(text):
        english = (folder / found[1]).read_text("utf-8")
        assert english.count(found[3]) == 1
        (folder / found[2]).write_text(english.replace(found[3], found[4]), "utf-8")


def use(folder: Path, code: str) -> str:
    """What a program prints that imports the copy."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import pipeline\nassert {str(folder)!r} in pipeline.__file__\n{code}",
        ],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with a copy of the package, and with its compiled modules."""
    left_out = shutil.ignore_patterns("files")
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline", ignore=left_out)
    return tmp_path


CONFIG = """
[campaign]
name = "River Week"
hashtags = ["#RiverWeek"]
[inbox]
url = "{url}"
[process]
still_seconds = 0.5
still_motion = "none"
[review]
required = false
[montage]
closing_card = false
opening_card = ""
{more}
"""
RUN = """
import sys
from pipeline.cli import main
sys.argv = ["footage", *{arguments}]
main()
"""


def prepared(folder: Path, url: str, more: str = "") -> None:
    """Write a configuration beside the copy."""
    (folder / "config.toml").write_text(CONFIG.format(url=url, more=more), "utf-8")


def footage(folder: Path, *arguments: str) -> str:
    """Run a command of the copy."""
    return use(folder, RUN.format(arguments=list(arguments)))


def pixmap(comment: str) -> bytes:
    """A photo in the new format: 64x64 pixels of one colour."""
    return f"P6\n# {comment}\n64 64\n255\n".encode() + bytes((20, 90, 160)) * 64 * 64


def test_every_section_has_an_example() -> None:
    assert len(SECTIONS) == 9
    assert all(touched(section) for section in SECTIONS)


def test_the_table_counts_the_files_of_each_example() -> None:
    rows = re.findall(r"\| \[(.+?)\]\(#.+?\) \| (\d)", PAGE)
    counted = {name.casefold(): int(number) for name, number in rows}
    expected = {section.casefold(): len(touched(section)) for section in SECTIONS}
    # the example of a codec also adds the key; that of a transition draws its own; that of a
    # language also changes the line that chooses it
    expected["a codec"] -= 1
    expected["a transition"] -= 1
    expected["a language"] -= 1
    assert counted == expected


def test_an_inbox_kind(copy: Path) -> None:
    apply("An inbox kind", copy)
    (copy / "one.png").write_bytes((ROOT / "pipeline/demo/files/logo.png").read_bytes())
    (copy / "list.txt").write_text("one.png\n", "utf-8")
    prepared(copy, "listed:list.txt")
    done = json.loads(footage(copy, "ingest", "--json"))
    assert done["ingest"]["attachments"] == 1
    assert json.loads(footage(copy, "ingest", "--json"))["ingest"]["attachments"] == 0


def test_a_reader_and_a_format(copy: Path) -> None:
    apply("A reader and a format", copy)
    (copy / "in").mkdir()
    (copy / "in" / "place.ppm").write_bytes(pixmap("taken at 12.34567, 98.76543"))
    prepared(copy, "folder:in", '[[output]]\nsize = "64x64"')
    footage(copy, "run")
    (clip,) = json.loads((copy / "work/report/report.json").read_text("utf-8"))["clips"]
    assert clip["status"] == "accepted"
    assert {"carrier": "comment text", "what": "location"} in clip["metadata"]["found"]
    assert "12.34567" not in (copy / "work/report/report.json").read_text("utf-8")


def test_a_file_with_files_in_it(copy: Path) -> None:
    apply("A file with files in it", copy)
    (copy / "in").mkdir()
    photo = (ROOT / "pipeline/demo/files/logo.png").read_bytes()
    header = f"{'logo.png/':16}{'0':32}{len(photo):<10}`\n".encode()
    (copy / "in" / "all.a").write_bytes(b"!<arch>\n" + header + photo)
    prepared(copy, "folder:in")
    footage(copy, "ingest")
    footage(copy, "report")
    clips = json.loads((copy / "work/report/report.json").read_text("utf-8"))["clips"]
    assert [clip["filename"] for clip in clips] == ["all.a", "logo.png"]
    assert [clip["reason"] for clip in clips] == [None, None]


def test_a_codec(copy: Path) -> None:
    apply("A codec", copy)
    (copy / "in").mkdir()
    (copy / "in" / "photo.png").write_bytes((ROOT / "pipeline/demo/files/logo.png").read_bytes())
    prepared(copy, "folder:in", '[[output]]\nsize = "128x72"\ncodec = "h264-intra"')
    footage(copy, "run")
    footage(copy, "render")
    keyframes = use(
        copy,
        "from pathlib import Path\nfrom pipeline import judge\n"
        "path = Path('work/montage/montage-landscape.mp4')\n"
        "facts = judge.judge_mp4(path, judge.Mp4Kind.MONTAGE, judge.H264).video\n"
        "print(facts.frames, len(facts.keyframes))",
    )
    frames, keys = map(int, keyframes.split())
    assert frames == keys == 15


def test_a_transition(copy: Path) -> None:
    apply("A transition", copy)
    (copy / "in").mkdir()
    for name in ("logo.png", "meander.png"):
        (copy / "in" / name).write_bytes((ROOT / "pipeline/demo/files" / name).read_bytes())
    more = 'transition_seconds = 0.2\ntransition = "switch"\n[[output]]\nsize = "128x72"'
    prepared(copy, "folder:in", more)
    footage(copy, "run")
    (film,) = json.loads(footage(copy, "render", "--json"))["render"]
    assert film["frames"] == 15 + 15 - 6


def test_a_report_column(copy: Path) -> None:
    apply("A report column", copy)
    (copy / "in").mkdir()
    (copy / "in" / "note.txt").write_bytes(b"seventeen letters")
    prepared(copy, "folder:in")
    footage(copy, "run")
    report = json.loads((copy / "work/report/report.json").read_text("utf-8"))
    assert report["clips"][0]["size"] == 17
    assert '"17"' in (copy / "work/report/report.csv").read_text("utf-8-sig")
    schema = json.loads((copy / "pipeline/review/report.schema.json").read_text("utf-8"))
    assert "size" in json.dumps(schema)


def test_a_place_for_files(copy: Path) -> None:
    apply("A place for files", copy)
    found = use(
        copy,
        "from pipeline.ingest.links import Links\nlinks = Links()\n"
        "links.read(['river-files.example/get/a or river-files.example/about'])\n"
        "print(links.addresses)",
    )
    assert found == "('https://river-files.example/get/a',)\n"


def test_a_kind_of_store(copy: Path) -> None:
    apply("A kind of store", copy)
    (copy / "disk").mkdir(mode=0o700)
    (copy / "disk" / "this-is-the-disk").touch()
    found = use(
        copy,
        "from pathlib import Path\nfrom pipeline.errors import StoreError\n"
        "from pipeline.store import opening, promises\n"
        f"print(promises.broken(opening.open_bucket('disk://{copy}/disk')))\n"
        "try:\n    opening.open_bucket('disk:///nowhere')\n"
        "except StoreError as error:\n    print(error)",
    )
    assert found == "()\nthe disk of disk:///nowhere is not there; plug it in. Nothing is lost\n"


def test_a_language(copy: Path) -> None:
    apply("A language", copy)
    (copy / "in").mkdir()
    (copy / "in" / "empty.jpg").write_bytes(b"")
    prepared(copy, "folder:in")
    footage(copy, "run")
    (clip,) = json.loads((copy / "work/report/report.json").read_text("utf-8"))["clips"]
    assert clip["reason"] == {"code": "not-media", "detail": "die Datei ist leer"}
    assert '<html lang="de"' in (copy / "work/report/index.html").read_text("utf-8")
