"""The report as data and as files: true to its schema, to the ledger and to privacy."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.ledger_scene import (
    REPORT_SCHEMA,
    LedgerScene,
    attachment,
    decide,
    refused,
    result,
    settings,
    sha,
)
from support.report_page import campaign, config

from pipeline.config import Config, load
from pipeline.findings import Carrier, Finding, What
from pipeline.model import Decision, Kind, Note, OriginalState, Reason, Refusal, Review, Status
from pipeline.review import live, report, table
from pipeline.texts import Detail

NOW = "2026-09-16T05:00:00Z"


__all__ = ["campaign", "config"]  # fixtures


def fill(campaign: LedgerScene) -> None:
    """One row of each kind."""
    campaign.mail(attachment("good"), sender="maria@example.org")
    campaign.clip(result("good"))
    campaign.mail(attachment("good", filename="again.mov"), sender="ben@example.net")
    campaign.mail(
        attachment("archive", kind=Kind.ARCHIVE, filename="all.zip"),
        attachment("late", 1),
        attachment("inside", 2, parent=0, findings=(Finding(Carrier.FILE_NAME, What.LOCATION),)),
        notes=(Note.HAS_A_LINK,),
    )
    campaign.clip(result("inside", warnings=("dark",)))
    campaign.mail(
        attachment(
            "logo", kind=Kind.IMAGE, refusal=Refusal(Reason.DECORATION, Detail.LAYOUT_PICTURE)
        ),
        attachment(
            "cut", 1, sha256=None, refusal=Refusal(Reason.TRUNCATED_TRANSFER, Detail.TRANSFER_CUT)
        ),
        attachment("broken", 2),
        attachment("stuck", 3),
        attachment("gone", 4),
    )
    campaign.clip(refused("broken", Reason.CORRUPT, "no frame can be decoded"))
    campaign.clip(refused("stuck", Reason.TIMEOUT, "took too long"))
    campaign.clip(result("gone"))
    campaign.ledger.custody.set_state(sha("gone"), OriginalState.WITHDRAWN)
    campaign.mail(notes=(Note.NO_ATTACHMENT,))


def clips_by_name(built: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {clip["filename"].rpartition(".")[0]: clip for clip in built["clips"]}


# -- the data ---------------------------------------------------------------------------------


def test_report_is_valid_against_its_schema(campaign: LedgerScene, config: Config) -> None:
    fill(campaign)
    decide(
        campaign.ledger,
        sha("good"),
        Review(Decision.APPROVED, "yes", "ada", NOW, "Other", None, 0.1234, 2),
    )
    report.write(campaign.run(config))
    written = json.loads((campaign.workspace.report / "report.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(REPORT_SCHEMA)
    jsonschema.Draft202012Validator(REPORT_SCHEMA).validate(written)
    assert len(written["clips"]) == 10
    assert written["totals"] == {
        "accepted": 3, "rejected": 3, "duplicate": 1, "failed": 1, "pending": 1, "withdrawn": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "today", ['size = "1920x1080"\nfit = "crop"', 'size = "64x96"', 'name = "wide"']
)
def test_place_of_the_source_is_that_of_the_finished_film(
    campaign: LedgerScene, tmp_path: Path, today: str
) -> None:
    """A mask is placed by it, also if the settings have changed since the film was made."""
    made = result("good")
    output = replace(made.outputs[0], fit="fill", still_motion="drift")
    campaign.mail(attachment("good"))
    campaign.clip(replace(made, outputs=(output,)))
    other = settings(tmp_path)
    path = tmp_path / "other.toml"
    path.write_text((tmp_path / "config.toml").read_text() + f"[[output]]\n{today}\n")
    places = [
        report.build(each, campaign.ledger, NOW)["clips"][0]["outputs"][0]["source_at"]
        for each in (other, load(path))
    ]
    assert places == [{"x": 656, "y": 0, "width": 608, "height": 1080, "moves": 0.0}] * 2


def test_empty_ledger_makes_a_valid_report(campaign: LedgerScene, config: Config) -> None:
    built = report.build(config, campaign.ledger, NOW)
    jsonschema.Draft202012Validator(REPORT_SCHEMA).validate(built)
    assert json.loads(report.encode(built)) == built


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (Status, ("clip", "properties", "status")),
        (Kind, ("clip", "properties", "kind")),
        (Reason, ("reason", "properties", "code")),
        (Carrier, ("finding", "properties", "carrier")),
        (What, ("finding", "properties", "what")),
        (Decision, ("review", "properties", "decision")),
        (Note, ("submission", "properties", "notes", "items")),
    ],
)
def test_schema_and_model_use_the_same_words(words: type[StrEnum], where: tuple[str, ...]) -> None:
    place = REPORT_SCHEMA["$defs"]
    for step in where:
        place = place[step]
    assert place["enum"] == [word.value for word in words]


def test_rows_come_in_order_of_receipt_with_children_after_their_archive(
    campaign: LedgerScene, config: Config
) -> None:
    fill(campaign)
    campaign.mail(attachment("earliest"), received_at="2026-08-01T00:00:00Z")
    built = report.build(config, campaign.ledger, NOW)
    names = [clip["filename"] for clip in built["clips"]]
    assert names[:6] == [
        "earliest.mov", "good.mov", "again.mov", "all.zip", "inside.mov", "late.mov",
    ]  # fmt: skip
    assert built["clips"][4]["parent"] == sha("archive")
    assert [item["clips"] for item in built["submissions"]] == [1, 1, 1, 3, 5, 0]


def test_duplicate_carries_the_outcome_of_the_first(campaign: LedgerScene, config: Config) -> None:
    fill(campaign)
    clips = clips_by_name(report.build(config, campaign.ledger, NOW))
    first, again = clips["good"], clips["again"]
    assert (again["status"], again["duplicate_of"]) == ("duplicate", sha("good"))
    for key in ("reason", "caption", "outputs", "metadata", "source", "warnings", "review"):
        assert again[key] == first[key]


def test_withdrawn_and_refused_rows_show_no_clip(campaign: LedgerScene, config: Config) -> None:
    fill(campaign)
    clips = clips_by_name(report.build(config, campaign.ledger, NOW))
    for name in ("gone", "logo", "cut", "broken", "stuck", "all", "late"):
        assert clips[name]["outputs"] == []
    assert clips["cut"]["sha256"] is None
    assert clips["broken"]["reason"] == {"code": "corrupt", "detail": "no frame can be decoded"}
    assert (clips["stuck"]["status"], clips["late"]["status"]) == ("failed", "pending")


def test_findings_of_ingest_and_process_stand_together(
    campaign: LedgerScene, config: Config
) -> None:
    fill(campaign)
    inside = clips_by_name(report.build(config, campaign.ledger, NOW))["inside"]
    assert inside["metadata"] == {
        "found": [
            {"carrier": "QuickTime position", "what": "location"},
            {"carrier": "file name", "what": "location"},
        ],
        "clean": True,
    }


def test_numbers_have_three_decimals_and_no_inner_fields(
    campaign: LedgerScene, config: Config
) -> None:
    fill(campaign)
    (output,) = clips_by_name(report.build(config, campaign.ledger, NOW))["good"]["outputs"]
    assert output["duration_s"] == 3.0
    assert "extradata" not in output


@pytest.mark.parametrize(
    ("how", "shown"),
    [("masked", "sender 1 (m…@e….org)"), ("full", "maria@example.org"), ("none", "")],
)
def test_sender_is_shown_the_same_everywhere(
    campaign: LedgerScene, tmp_path: Path, how: str, shown: str
) -> None:
    config = settings(tmp_path, sender=how)
    fill(campaign)
    report.write(campaign.run(config))
    folder = campaign.workspace.report
    written = json.loads((folder / "report.json").read_text("utf-8"))
    assert written["submissions"][0]["sender"] == shown
    for name in ("index.html", "report.json", "report.csv"):
        text = (folder / name).read_text("utf-8")
        assert ("maria@example.org" in text) is (how == "full")
        assert ("m…@e….org" in text) is (how == "masked")


def test_text_is_cut_at_two_thousand_characters(campaign: LedgerScene, config: Config) -> None:
    campaign.mail(attachment("good"), text="x" * 5000)
    assert len(report.build(config, campaign.ledger, NOW)["submissions"][0]["text"]) == 2000


# -- the files --------------------------------------------------------------------------------


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_nothing_new_writes_nothing(campaign: LedgerScene, config: Config) -> None:
    fill(campaign)
    first = report.write(campaign.run(config))
    assert first.changed == ("report.json", "report.csv", "mails.csv", "index.html")
    before = snapshot(campaign.workspace.report)
    again = report.write(campaign.run(config))
    assert again.changed == ()
    assert snapshot(campaign.workspace.report) == before
    decide(campaign.ledger, sha("good"), Review(Decision.APPROVED, "", "ada"))
    after = report.write(campaign.run(config))
    assert after.changed == ("report.json", "report.csv", "index.html")


def test_summary_counts_what_waits_and_how_long_the_montage_is(
    campaign: LedgerScene, config: Config
) -> None:
    fill(campaign)
    summary = report.write(campaign.run(config))
    assert (summary.waiting, summary.admitted, summary.montage_s) == (2, 0, 0.0)
    decide(campaign.ledger, sha("good"), Review(Decision.APPROVED, "", "ada", None, in_s=1.0))
    summary = report.write(campaign.run(config))
    assert (summary.waiting, summary.admitted, summary.montage_s) == (1, 1, 2.0)
    assert summary.index == campaign.workspace.report / "index.html"


def test_stills_are_those_of_the_accepted_clips_and_stale_ones_go(
    campaign: LedgerScene, config: Config
) -> None:
    fill(campaign)
    thumbs = campaign.workspace.report / "thumbs"
    report.write(campaign.run(config))
    assert {path.name for path in thumbs.iterdir()} == {
        f"{sha(name)}.jpg" for name in ("good", "inside")
    }
    still = campaign.workspace.clip(sha("good"), "landscape", ".jpg")
    assert (thumbs / f"{sha('good')}.jpg").samefile(still)
    still.unlink()
    still.write_bytes(b"a new still")
    campaign.ledger.custody.set_state(sha("inside"), OriginalState.WITHDRAWN)
    report.write(campaign.run(config))
    assert [path.read_bytes() for path in thumbs.iterdir()] == [b"a new still"]


def test_clip_without_a_still_does_not_stop_the_report(
    campaign: LedgerScene, config: Config
) -> None:
    fill(campaign)
    campaign.workspace.clip(sha("good"), "landscape", ".jpg").unlink()
    report.write(campaign.run(config))
    assert len(list((campaign.workspace.report / "thumbs").iterdir())) == 1


def test_files_are_for_their_owner_alone_and_none_is_half_done(
    campaign: LedgerScene, config: Config
) -> None:
    fill(campaign)
    report.write(campaign.run(config))
    for name in ("index.html", "report.json", "report.csv"):
        assert (campaign.workspace.report / name).stat().st_mode & 0o077 == 0
    assert not list(campaign.workspace.root.rglob("*.part"))


def test_new_originals_are_those_of_the_last_run_that_brought_any(campaign: LedgerScene) -> None:
    campaign.ledger.runs.start("1", "ingest")
    fill(campaign)
    assert sha("good") in campaign.ledger.custody.newest()


# -- the table --------------------------------------------------------------------------------

FORMULAS = (
    "=HYPERLINK(\"http://evil.example/\")", "+1+1", "-2+3", "@SUM(A1)", "\tTAB", "\rCR",
    "＝1+1", "＋1", "－1", "＠x", "  =1+1", "\u200b=1+1", "|calc", "%0A",
)  # fmt: skip


def test_what_an_older_version_left_in_the_inboxes_is_shown(
    campaign: LedgerScene, config: Config
) -> None:
    runs = campaign.ledger.runs
    runs.start("1", "run")
    left = [{"uid": "7", "received_at": "", "size": 3}]
    failed = [{"inbox": "crew", "error": "it is busy"}]
    runs.end("1", 1, {"ingest": {}, "left": left, "inboxes_failed": failed})
    runs.start("2", "add")
    runs.end("2", 0, {"add": {}})
    mail = {
        "inbox": "", "name": "7", "received_at": None, "size": 3, "why": "unknown", "sender": "",
        "sender_number": None,
    }  # fmt: skip
    report.write(campaign.run(config))
    written = json.loads((campaign.workspace.report / "report.json").read_text("utf-8"))
    assert written["inbox"] == {"mails": [mail], "not_read": ["crew"], "remarks": []}
    jsonschema.Draft202012Validator(REPORT_SCHEMA).validate(written)
    runs.start("3", "run")
    runs.end("3", 0, {"ingest": {}})
    assert report.build(config, campaign.ledger, NOW)["inbox"]["mails"] == []


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_runs_as_a_formula(campaign: LedgerScene, config: Config, formula: str) -> None:
    campaign.mail(
        attachment("good", filename=formula), sender=formula, subject=formula, text=formula
    )
    campaign.clip(result("good", caption=formula, warnings=(formula,), category=formula))
    decide(
        campaign.ledger,
        sha("good"),
        Review(Decision.HELD, formula, formula, None, formula, formula),
    )
    data = table.render(report.build(config, campaign.ledger, NOW))
    for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")):
        for cell in row:
            assert not cell.lstrip(" \u200b").startswith(
                ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", "|", "%")
            )


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_no_cell_is_a_formula_where_another_sign_ends_cells(
    campaign: LedgerScene, config: Config, separator: str
) -> None:
    joints = (";", "; ", '";"', '"; \u200b', "\n", "\t", ";\n", "；")
    for number, joint in enumerate(joints):
        text = "".join(f"word{joint}{formula}" for formula in FORMULAS)
        campaign.mail(attachment(f"{number}", filename=text), sender=text, subject=text, text=text)
    data = table.render(report.build(config, campaign.ledger, NOW)).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(data, newline=""), delimiter=separator):
        for cell in row:
            for line in cell.replace("；", "\n").splitlines():
                shown = line.lstrip('" \t\u200b')
                assert not shown.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%"))


def test_table_is_rfc_4180_with_a_byte_order_mark(campaign: LedgerScene, config: Config) -> None:
    campaign.mail(attachment("good"), subject='He said "yes", twice', text="two\nlines; and more")
    campaign.clip(result("good"))
    data = table.render(report.build(config, campaign.ledger, NOW))
    assert data.startswith(b"\xef\xbb\xbf")
    header, row = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert tuple(header) == table.COLUMNS
    cells = dict(zip(header, row, strict=True))
    assert cells["subject"] == 'He said "yes", twice'
    assert cells["text"] == "two\nlines; and more"
    assert cells["loudness_lufs"] == "'-16.04"
    assert (cells["clean"], cells["source_duration_s"], cells["hdr"]) == ("yes", "4.004", "yes")


def test_table_names_who_decided_and_who_changed_it_last(
    campaign: LedgerScene, config: Config
) -> None:
    ledger, clock = campaign.ledger, iter(range(1, 60))
    campaign.mail(attachment("good"))
    campaign.clip(result("good"))

    def say(by: str, **changes: Any) -> None:
        def change(before: Review) -> Review:
            at = f"2026-09-02T08:00:{next(clock):02}Z"
            return replace(before, by=by, at=at, **changes)

        ledger.reviews.amend(sha("good"), change)

    def cells() -> list[str]:
        data = report.build(config, ledger, NOW)
        jsonschema.validate(data, REPORT_SCHEMA)
        (row,) = csv.DictReader(io.StringIO(table.render(data).decode("utf-8-sig")))
        return [row[name] for name in ("by", "decided_at", "changed_by", "changed_at")]

    say("Ben", stars=3)
    assert cells() == ["", "", "Ben", "2026-09-02T08:00:01Z"]
    say("Ana", decision=Decision.HELD)
    say("Ben", tags=("boats",))
    assert cells() == ["Ana", "2026-09-02T08:00:02Z", "Ben", "2026-09-02T08:00:03Z"]
    live.comment(ledger, sha("good"), {"id": "0" * 12, "text": "hm"}, "Eve")
    say("Ben", decision=Decision.APPROVED, agreed_by=("Ben",))
    assert live.undo(ledger, "Ben").written
    assert live.undo(ledger, "Eve").written
    assert cells()[:3] == ["Ana", "2026-09-02T08:00:02Z", "Ben"]
    # of an approved clip it is who approved it as it is now
    say("Ben", decision=Decision.APPROVED, agreed_by=("Ben",))
    say("Cleo", agreed_by=("Ben", "Cleo"))
    say("Dan", stars=1)
    assert cells()[:3] == ["Ben; Cleo", "2026-09-02T08:00:06Z", "Dan"]
    ledger.reviews._db.change("DELETE FROM decision_trail")  # as in an older ledger
    say("Dan", agreed_by=(), stars=2)
    assert cells()[:2] == ["Dan", "2026-09-02T08:00:08Z"]


def test_each_sender_has_a_number_that_stays(campaign: LedgerScene, tmp_path: Path) -> None:
    for name, sender in (
        ("a", "ann@example.org"),
        ("b", "ada@example.org"),
        ("c", "ANN@example.org"),
    ):
        campaign.mail(attachment(name), sender=sender)
    mails = report.build(settings(tmp_path), campaign.ledger, "2026-09-01T00:00:00Z")["submissions"]
    shown = {(mail["sender"], mail["sender_number"], mail["sender_name"]) for mail in mails}
    assert {(number, name) for _, number, name in shown} == {(1, ""), (2, "")}
    assert "sender 2 (a…@e….org)" in {sender for sender, _, _ in shown}
