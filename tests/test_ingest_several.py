"""Several inboxes: each is read, whatever becomes of the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command_scene import CommandScene
from support.ingest_scene import jpeg, mail, mp4, write_all
from support.scripted_imap import Script, scripted

from pipeline.config import load
from pipeline.errors import ConfigError
from pipeline.ledger import Ledger
from pipeline.process import recipe

HEAD = """
[campaign]
name = "River Week"
hashtags = ["#RiverWeek"]
[[campaign.category]]
name = "crew"
match = "subject"
pattern = "never"
hashtags = ["#Crew"]
"""


def scene_with(folder: Path, *inboxes: str) -> CommandScene:
    """A campaign with these tables of inboxes."""
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(HEAD + "".join(f"[[inbox]]\n{each}\n" for each in inboxes))
    return CommandScene(folder)


def faults(folder: Path, *inboxes: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(scene_with(folder, *inboxes).folder / "config.toml")
    return [line.partition("config.toml: ")[2] for line in caught.value.problems]


def test_an_inbox_that_fails_does_not_keep_the_others_from_being_read(tmp_path: Path) -> None:
    write_all(tmp_path / "in", [mail(("a.mp4", mp4(1)))])
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "b.jpg").write_bytes(jpeg(2))
    (tmp_path / "drop" / "link.mp4").symlink_to("b.jpg")
    scene = scene_with(
        tmp_path,
        'name = "gone"\nurl = "eml:nowhere"',
        'name = "mail"\nurl = "eml:in"',
        'name = "crew"\nurl = "folder:drop"\ncategory = "crew"',
    )
    said = scene.footage("ingest", "--json")
    assert said.code == 1
    assert "inbox gone: the inbox" in said.data["error"]
    assert said.data["ingest"]["mails"] == 2
    assert [each["inbox"] for each in said.data["inboxes_failed"]] == ["gone"]
    status = scene.footage("status", "--json").data
    assert [each["inbox"] for each in status["inboxes_failed"]] == ["gone"]
    assert "Inbox gone: the inbox" in scene.footage("status").out
    checks = {each["name"]: each["ok"] for each in scene.footage("doctor", "--json").data["checks"]}
    assert [checks[f"inbox {name}"] for name in ("gone", "mail", "crew")] == [False, True, True]
    assert scene.footage("report").code == 0
    assert {each["inbox"] for each in scene.report["submissions"]} == {"mail", "crew"}
    assert scene.report["inbox"]["not_read"] == ["gone"]
    assert scene.report["inbox"]["remarks"] == [
        {"inbox": "crew", "text": "link.mp4 is a symbolic link; it is left alone"}
    ]


def test_one_inbox_alone_can_be_read(tmp_path: Path) -> None:
    write_all(tmp_path / "in", [mail(("a.mp4", mp4(1)))])
    write_all(tmp_path / "other", [mail(("b.mp4", mp4(2)))])
    scene = scene_with(tmp_path, 'name = "a"\nurl = "eml:in"', 'name = "b"\nurl = "eml:other"')
    said = scene.footage("ingest", "--json", "--inbox", "b")
    assert said.data["ingest"]["mails"] == 1
    wrong = scene.footage("run", "--inbox", "c")
    assert wrong.code == 2
    assert "the names are: a, b" in wrong.err


def test_the_category_of_an_inbox_is_that_of_its_clips(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "b.jpg").write_bytes(jpeg(2))
    scene = scene_with(tmp_path, 'name = "crew"\nurl = "folder:drop"\ncategory = "crew"')
    assert scene.footage("ingest").code == 0
    with Ledger(scene.work / "ledger.db") as ledger:
        (row,), (submission,) = ledger.clips.rows(), ledger.intake.submissions()
    config = load(scene.folder / "config.toml")
    wanted = recipe.choose(config, row.attachment, submission, row.review)
    assert (wanted.category, wanted.caption) == ("crew", "#RiverWeek #Crew")


def test_equal_mailboxes_of_two_servers_are_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if their users, UIDs and UIDVALIDITY are equal; each has its own password."""
    monkeypatch.setenv("ONE", "secret")
    monkeypatch.setenv("TWO", "secret")
    mails = [mail((f"{n}.mp4", mp4(n)), subject=f"clip {n}").as_bytes() for n in range(2)]
    with scripted(Script({1: mails[0]})) as one, scripted(Script({1: mails[1]})) as two:
        scene = scene_with(
            tmp_path,
            f'name = "one"\nurl = "imap://ana@127.0.0.1:{one}/INBOX"\npassword_env = "ONE"',
            f'name = "two"\nurl = "imap://ana@127.0.0.1:{two}/INBOX"\npassword_env = "TWO"',
        )
        assert scene.footage("ingest", "--json").data["ingest"]["mails"] == 2
        assert scene.footage("ingest", "--json").data["ingest"]["mails"] == 0


def test_contradictions_are_named(tmp_path: Path) -> None:
    assert faults(tmp_path, 'url = "eml:a"', 'url = "eml:./a"\nname = "b"\ncategory = "film"') == [
        "inbox[0].name: is required, because there are several [[inbox]]",
        "inbox[1].category: must be one of: 'crew' (it is 'film')",
        "inbox[1].url: another [[inbox]] reads the same mails already",
    ]
    assert faults(tmp_path, 'url = "eml:a"\nname = "b"', 'url = "eml:c"\nname = "b"') == [
        "inbox[1].name: must differ from the other names (it is 'b')"
    ]
