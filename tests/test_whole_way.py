"""The main job on the sample inbox: from mail to montage, by the commands that people use."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from email import message_from_bytes
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.command_scene import SMALL, CommandScene, Watched, footage, watch
from support.demo_sample import PLANTED, demo_sample, expected
from support.dovecot import PASSWORD, Dovecot
from support.ledger_scene import REPORT_SCHEMA

__all__ = ["demo_sample"]

_walked: list[CommandScene] = []


def small(
    folder: Path, sample_folder: Path, inbox: str = "eml:inbox", more: str = ""
) -> CommandScene:
    """The sample's campaign with a small picture, so that its encodes are quick."""
    shutil.copytree(sample_folder / "inbox", folder / "inbox")
    text = (sample_folder / "config.toml").read_text()
    head, output, name = text.partition('[[output]]\nname = "landscape"\n')
    assert output
    assert not name.strip()
    head = head.replace("eml:inbox", inbox).replace("[inbox]", f"[inbox]\n{more}")
    (folder / "config.toml").write_text(head + SMALL)
    return CommandScene(folder)


@pytest.fixture(scope="session")
def walked(demo_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    """The sample after ``footage run`` and ``footage render``; read it, don't change it."""
    if not _walked:
        campaign = small(tmp_path_factory.mktemp("walked"), demo_sample)
        said = campaign.footage("run")
        assert said.code == 0, said.err
        said = campaign.footage("render")
        assert said.code == 0, said.err
        _walked.append(campaign)
    return _walked[0]


@pytest.fixture(scope="session")
def film(walked: CommandScene) -> Watched:
    return watch(walked.work / "montage" / "montage-landscape.mp4")


def test_every_attachment_becomes_what_it_must(walked: CommandScene) -> None:
    clips = walked.report["clips"]
    parents = {clip["sha256"]: clip["filename"] for clip in clips if clip["sha256"]}
    got = [(c["filename"], c["kind"], c["status"], parents.get(c["parent"])) for c in clips]
    wanted = [(e.filename, e.kind.value, e.status.value, e.parent) for e in expected()]
    assert got == wanted
    reasons = {c["filename"]: (c["reason"] or {}).get("code") for c in clips}
    for row in expected():
        assert reasons[row.filename] == (row.reason.value if row.reason else None)


def test_the_report_is_valid(walked: CommandScene) -> None:
    jsonschema.Draft202012Validator(
        REPORT_SCHEMA, format_checker=jsonschema.FormatChecker()
    ).validate(walked.report)
    totals = Counter(clip["status"] for clip in walked.report["clips"])
    assert walked.report["totals"] == {key: totals[key] for key in walked.report["totals"]}


def test_each_clip_is_encoded_once_and_each_card_once(walked: CommandScene) -> None:
    accepted = [c for c in walked.report["clips"] if c["status"] == "accepted" and c["outputs"]]
    encodes = [p for p in walked.programs() if "libx264" in p["argv"]]
    by_purpose = Counter(program["purpose"] for program in encodes if program["code"] == 0)
    # one black picture for the output: the decoder configuration that all its clips must have
    assert by_purpose == {"encode": len(accepted), "card": 2, "reference": 1}
    joins = [p for p in walked.programs() if p["purpose"] == "join"]
    assert len(joins) == 1
    argv = joins[0]["argv"]
    assert argv[argv.index("-c:v") + 1] == "copy"


def test_the_montage_is_the_sum_of_what_went_in(walked: CommandScene, film: Watched) -> None:
    held = json.loads((walked.work / "montage" / "montage-landscape.json").read_text())
    frames = sum(segment["frames"] for segment in held["segments"])
    clips = {c["sha256"]: c["outputs"][0] for c in walked.report["clips"] if c["outputs"]}
    for segment in held["segments"]:
        if segment["sha256"]:
            assert segment["frames"] == clips[segment["sha256"]]["frames"]
    assert held["frames"] == frames == film.frames
    assert film.even
    assert abs(film.picture_s - film.samples / film.rate) <= 1 / 30
    assert [s["kind"] for s in held["segments"]].count("card") == 2


def test_everything_stands_beside_the_montage(walked: CommandScene) -> None:
    names = {path.name for path in (walked.work / "montage").iterdir()}
    assert names == {
        f"montage-landscape{suffix}"
        for suffix in (
            *(".mp4", ".vtt", ".jpg", ".sheet.jpg", ".json"),
            *(".chapters.txt", ".credits.txt", ".sha256"),
        )
    }
    chapters = (walked.work / "montage" / "montage-landscape.chapters.txt").read_text()
    assert chapters.startswith("00:00 Opening\n00:03 Clip 1\n")
    subtitles = (walked.work / "montage" / "montage-landscape.vtt").read_text()
    assert subtitles.startswith("WEBVTT\n\n00:00:03.000 --> ")
    assert "#RiverWeek #HoldASign" in subtitles


def test_what_was_planted_is_nowhere_but_in_the_originals(walked: CommandScene) -> None:
    with closing(sqlite3.connect(walked.work / "ledger.db")) as database:
        texts = {"ledger dump": "\n".join(database.iterdump()).encode()}
    for path in walked.work.rglob("*"):
        if path.is_file() and "originals" not in path.parts:
            texts[str(path)] = path.read_bytes()
    assert len(texts) > 40
    for planted in PLANTED:
        holders = [name for name, data in texts.items() if planted.encode() in data]
        assert holders == [], f"{planted} stands in {holders}"
    found = {c["filename"]: c["metadata"] for c in walked.report["clips"]}
    assert {"carrier": "EXIF position", "what": "location"} in found["IMG_2231.JPG"]["found"]
    assert all(c["metadata"]["clean"] for c in walked.report["clips"] if c["outputs"])


def test_the_workspace_is_closed_to_others(walked: CommandScene) -> None:
    assert walked.work.stat().st_mode & 0o777 == 0o700
    for path in (walked.work / "originals").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
    assert list(walked.work.rglob("*.part")) == []


def test_a_second_run_starts_no_program(walked: CommandScene) -> None:
    before = len(walked.programs())
    clips = walked.report["clips"]
    said = walked.footage("run", "--json")
    assert said.code == 0
    assert said.data["ingest"]["mails"] == 0
    assert said.data["process"] == {
        "accepted": 0,
        "rejected": 0,
        "failed": 0,
        "outdated": [],
        "put_away": [],
        "waits": [],
    }
    said = walked.footage("render", "--json")
    assert said.data["render"][0]["cached"] is True
    assert len(walked.programs()) == before
    assert walked.report["clips"] == clips


def test_a_mailbox_over_tls_gives_the_same_clips(
    walked: CommandScene,
    demo_sample: Path,
    dovecot: Dovecot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = dovecot.account()
    for path in sorted((demo_sample / "inbox").iterdir()):
        account.append([path.read_bytes()])
    campaign = small(tmp_path, demo_sample, account.url(), more=f'ca_file = "{dovecot.ca_file}"\n')
    shutil.rmtree(tmp_path / "inbox")
    monkeypatch.setenv("FOOTAGE_IMAP_PASSWORD", PASSWORD)
    assert campaign.footage("run").code == 0
    assert comparable(campaign.report) == comparable(walked.report)
    programs = len(campaign.programs())
    assert campaign.footage("run").code == 0
    assert len(campaign.programs()) == programs


def comparable(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows without what the way of arrival decides: the submission's id."""
    mails = {s["id"]: s["message_id"] for s in report["submissions"]}
    rows = [clip | {"submission": mails[clip["submission"]]} for clip in report["clips"]]
    return sorted(rows, key=lambda row: (row["submission"], row["filename"], str(row["sha256"])))


def test_the_sample_has_the_message_ids_that_the_comparison_needs(demo_sample: Path) -> None:
    ids = [
        message_from_bytes(path.read_bytes())["Message-ID"]
        for path in (demo_sample / "inbox").iterdir()
    ]
    assert len(set(ids)) == len(ids)


def test_the_review_decides_what_is_rendered(walked: CommandScene, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(walked.folder, folder)
    campaign = CommandScene(folder)
    path = folder / "config.toml"
    path.write_text(path.read_text().replace("required = false", "required = true"))
    old = (campaign.work / "montage" / "montage-landscape.mp4").read_bytes()

    said = campaign.footage("render")
    assert said.code == 1
    assert "13 wait for a decision" in said.err
    assert (campaign.work / "montage" / "montage-landscape.mp4").read_bytes() == old

    shas = [c["sha256"] for c in walked.report["clips"] if c["outputs"] and not c["duplicate_of"]]
    assert campaign.footage("approve", shas[0][:8], shas[1][:8], shas[2]).code == 0
    assert campaign.footage("hold", shas[1], "--note", "ask first").code == 0
    assert campaign.footage("approve", "ffff0000").code == 2
    assert campaign.footage("render").code == 0
    held = json.loads((campaign.work / "montage" / "montage-landscape.json").read_text())
    assert [s["sha256"] for s in held["segments"] if s["sha256"]] == [shas[0], shas[2]]
    why = {out["sha256"]: out["why"] for out in held["left_out"]}
    assert why[shas[1]] == "review: held"

    (folder / "order.txt").write_text(f"{shas[2][:10]}  # first\n{shas[0]}\n")
    path.write_text(path.read_text() + '[montage]\norder = "order.txt"\nclosing_card = false\n')
    assert campaign.footage("render").code == 0
    held = json.loads((campaign.work / "montage" / "montage-landscape.json").read_text())
    assert [s["sha256"] for s in held["segments"]] == [None, shas[2], shas[0]]
    assert watch(campaign.work / "montage" / "montage-landscape.mp4").frames == held["frames"]


def test_status_says_what_there_is(walked: CommandScene) -> None:
    said = walked.footage("status")
    assert said.code == 0
    assert "14 accepted, 5 rejected, 2 duplicate" in said.out
    assert "13 clips are admitted to the montage" in said.out
    data = walked.footage("status", "--json").data
    assert data["totals"]["accepted"] == 14


def test_doctor_finds_nothing_to_do(walked: CommandScene) -> None:
    said = walked.footage("doctor", "--json")
    assert said.code == 0, said.out
    names = [check["name"] for check in said.data["checks"]]
    assert names == ["config", "sandbox", "ffmpeg", "fonts", "montage", "disk space", "inbox"]


def test_there_is_no_workspace_before_the_first_run(tmp_path: Path, walked: CommandScene) -> None:
    shutil.copy(walked.folder / "config.toml", tmp_path)
    said = footage("status", "--config", str(tmp_path / "config.toml"))
    assert said.code == 2
    assert "begin with: footage run" in said.err
    assert not (tmp_path / "work").exists()
