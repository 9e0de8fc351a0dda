"""Two people approve the same version of a clip, where its category asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from support.browser import Reader, browser, reader
from support.command_scene import CommandScene
from support.ledger_scene import SMALL, LedgerScene, attachment, result, settings, sha
from support.review_server import serving, until

from pipeline.comments import Comment
from pipeline.config import Config, load
from pipeline.errors import ConfigError
from pipeline.ledger import Ledger
from pipeline.model import Decision, Review
from pipeline.review import decisions, live, report, rules, table
from pipeline.review.admission import Admission
from pipeline.workspace import Workspace

__all__ = ["browser", "reader"]  # fixtures

NAMES = ("witness", "plain")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Mails on a photo action need two people."""
    path = tmp_path / "config.toml"
    settings(tmp_path)
    text = path.read_text().replace("[review]\n", '[review]\nfour_eyes = ["photo-action"]\n')
    path.write_text(text)
    return load(path)


@pytest.fixture
def campaign(config: Config) -> Iterator[LedgerScene]:
    workspace = Workspace(config.root)
    workspace.create()
    with Ledger(workspace.ledger) as ledger:
        campaign = LedgerScene(ledger, workspace)
        for name, subject in zip(NAMES, ("Our photo", "Our film"), strict=True):
            campaign.mail(attachment(name), subject=subject)
            campaign.clip(result(name, source=SMALL), plays=True)
        yield campaign


def in_film(config: Config, ledger: Ledger) -> set[str]:
    rows = ledger.clips.rows()
    picked = rules.admitted(rows, Admission.of(config, ledger, rows))
    return {name for name in NAMES if sha(name) in {row.sha256 for row in picked}}


def approve(campaign: LedgerScene, by: str, *names: str) -> None:
    shas = [sha(name) for name in names or NAMES]
    decisions.decide(campaign.ledger, shas, Review(Decision.APPROVED, "", by))


def take(campaign: LedgerScene, folder: Path, **entry: Any) -> decisions.TakeSummary:
    path = folder / "decisions.json"
    entry = {"sha256": sha("witness"), "decision": "approved", **entry}
    path.write_text(json.dumps({"schema": 1, "campaign": "River Week", "decisions": [entry]}))
    return decisions.take_file(campaign.ledger, path, "somebody", campaign="River Week")


def agreed(campaign: LedgerScene, name: str = "witness") -> tuple[str, ...]:
    return campaign.ledger.reviews.current()[sha(name)].agreed_by


def test_a_clip_of_the_category_needs_two_people(config: Config, campaign: LedgerScene) -> None:
    approve(campaign, "Ana")
    assert in_film(config, campaign.ledger) == {"plain"}
    approve(campaign, " ANA", "witness")
    assert in_film(config, campaign.ledger) == {"plain"}, "it is the same person"
    approve(campaign, "", "witness")
    assert in_film(config, campaign.ledger) == {"plain"}, "no name is nobody"
    approve(campaign, "Ben", "witness")
    assert in_film(config, campaign.ledger) == {"plain", "witness"}
    decisions.decide(campaign.ledger, [sha("witness")], Review(Decision.REJECTED, "", "Ben"))
    approve(campaign, "Ana", "witness")
    assert in_film(config, campaign.ledger) == {"plain"}, "a reject takes all approvals back"


@pytest.mark.parametrize(
    "change",
    [
        {"in_s": 0.5},
        {"category": "another"},
        {"caption": "Words"},
        {"masks": [{"points": [{"at_s": 0, "x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2}]}]},
        {"sounds": [{"kind": "mute"}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_takes_back_what_was_approved(
    config: Config, campaign: LedgerScene, tmp_path: Path, change: dict[str, Any]
) -> None:
    approve(campaign, "Ana")
    approve(campaign, "Ben", "witness")
    take(campaign, tmp_path, by="Cleo", agreed=False, **change)
    assert agreed(campaign) == ()
    take(campaign, tmp_path, by="Cleo")
    assert agreed(campaign) == ("Cleo",)
    assert in_film(config, campaign.ledger) == {"plain"}


def test_who_comments_or_notes_has_not_approved(config: Config, campaign: LedgerScene) -> None:
    approve(campaign, "Ana", "witness")
    said = {"id": "0" * 12, "text": "do not use this", "from_s": None}
    live.comment(campaign.ledger, sha("witness"), said, "Eve")
    seen = report.build(config, campaign.ledger, "")["clips"][0]["review"]
    entry = {"sha256": sha("witness"), "decision": "approved", "note": "a sign", "agreed": False}
    outcome = live.decide(campaign.ledger, [{"entry": entry, "seen": seen}], "Ben")
    assert outcome.written[sha("witness")].note == "a sign"
    assert agreed(campaign) == ("Ana",)
    assert isinstance(outcome.written[sha("witness")].comments[0], Comment)


def test_two_files_bring_an_approval_each(campaign: LedgerScene, tmp_path: Path) -> None:
    late, early = "2026-09-02T12:00:00Z", "2026-09-02T10:00:00Z"
    take(campaign, tmp_path, by="Ana", at=late, agreed=True, note="fine")
    done = take(campaign, tmp_path, by="Ben", at=early, agreed=True, note="")
    assert (agreed(campaign), done.not_taken) == (("Ana", "Ben"), ())
    assert campaign.ledger.reviews.current()[sha("witness")].note == "fine"
    take(campaign, tmp_path, by="Cleo", at=late, agreed=False, sounds=[{"kind": "mute"}])
    take(campaign, tmp_path, by="Ben", agreed=True)
    assert agreed(campaign) == (), "Ben's page did not have the mute"
    overtaken = take(campaign, tmp_path, by="Ana", at=early, decision="held")
    assert "somebody decided on it since" in overtaken.not_taken[0].problem


def test_status_table_and_report_say_who_is_missing(
    config: Config, campaign: LedgerScene, tmp_path: Path
) -> None:
    footage = CommandScene(tmp_path).footage
    said = footage("approve", sha("witness"), sha("plain"), "--by", "Ana").err
    assert said.count("1 of 2 by Ana") == 1
    assert "1 clip approved, but a second person must" in footage("status").out
    data = report.build(config, campaign.ledger, "")
    assert [clip.get("two_people") for clip in data["clips"]] == ["mail", None]
    assert table.render(data).decode().count("1 of 2 by Ana") == 1
    assert footage("approve", sha("witness"), "--by", "Ben").err.count("2 of 2") == 1
    assert "second person" not in footage("status").out


def test_a_category_that_does_not_exist_is_an_error(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(path.read_text().replace('["photo-action"]', '["photo-acton"]'))
    with pytest.raises(ConfigError, match="four_eyes names no category: photo-acton"):
        load(path)


def test_second_person_approves_by_key_by_mouse_and_by_file(
    reader: Reader, config: Config, campaign: LedgerScene, tmp_path: Path
) -> None:
    """Ana approves by key, Ben by mouse; then the same from files."""
    clip = f'.card[data-sha256="{sha("witness")}"]'
    with serving(config, "Ana", "Ben") as server:
        pages = {}
        for name in ("Ana", "Ben"):
            pages[name], _ = reader.open(server.access.links[name])
            expect(pages[name].locator(clip)).to_be_visible()
        ana, ben = pages["Ana"], pages["Ben"]
        ana.keyboard.press("n")
        ana.keyboard.press("a")
        expect(ben.locator(f"{clip} .state")).to_contain_text("1 of 2, by Ana")
        button = ben.locator(f"{clip} .decide .approved")
        expect(button).to_have_attribute("aria-pressed", "false")
        ana.keyboard.press("n")
        expect(ana.locator(".card.current")).to_have_attribute("data-sha256", sha("plain"))
        button.click()
        until(ben, lambda: agreed(campaign) == ("Ana", "Ben"))
        expect(ana.locator(f"{clip} .state")).to_contain_text("2 of 2, by Ana, Ben")
    online = campaign.ledger.reviews.current()[sha("witness")]
    campaign.ledger.reviews.amend(sha("witness"), lambda _: Review())
    take(campaign, tmp_path, by="Ana", agreed=True)
    take(campaign, tmp_path, by="Ben", agreed=True)
    filed = campaign.ledger.reviews.current()[sha("witness")]
    assert (filed.decision, filed.agreed_by) == (online.decision, online.agreed_by)
    assert in_film(config, campaign.ledger) == {"witness"}
