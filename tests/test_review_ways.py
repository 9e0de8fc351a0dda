"""One review, made in three ways: by keyboard, by mouse, and offline through the decisions file.

The clips are those of the sample, processed once; each way has a workspace of its own.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from support.browser import Reader, browser, reader, until_played
from support.command_scene import CommandScene
from support.demo_sample import demo_sample
from support.review_server import enter, serving, until
from test_whole_way import walked

from pipeline import publishing
from pipeline.config import load
from pipeline.ledger import Ledger

__all__ = ["browser", "demo_sample", "reader", "walked"]  # fixtures

BY = "Ines"
# what is decided, clip by clip in the order of the page; the rest is approved
OTHERS = {1: "held", 4: "rejected", 7: "held"}
KEYS = {"approved": "a", "held": "h", "rejected": "r"}
CUT = 2  # the clip that is to start where it stands


@pytest.fixture
def place(walked: CommandScene, tmp_path: Path) -> Iterator[Callable[[str], CommandScene]]:
    """Fresh copies of the processed sample, on which nobody has decided."""

    def copy(name: str) -> CommandScene:
        folder = tmp_path / name
        shutil.copytree(walked.folder, folder)
        shutil.rmtree(folder / "work" / "montage")
        path = folder / "config.toml"
        path.write_text(path.read_text().replace("required = false", "required = true"))
        campaign = CommandScene(folder)
        assert campaign.footage("report").code == 0
        return campaign

    yield copy
    for name in ("keyboard", "mouse", "offline"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)


def decidable(campaign: CommandScene) -> list[str]:
    return [c["sha256"] for c in campaign.report["clips"] if c["outputs"] and not c["duplicate_of"]]


def plays(page: Page, video: Any) -> None:
    """The clip plays: its time moves and nothing is wrong with it."""
    handle = video.element_handle()
    until_played(page, handle, 0.2)
    assert video.evaluate("video => video.error") is None
    assert video.evaluate("video => video.videoWidth") == 320


def is_decided(page: Page, sha256: str, decision: str) -> None:
    card = page.locator(f'.card[data-sha256="{sha256}"]:not([data-status="duplicate"])')
    expect(card).to_have_attribute("data-decision", decision)


def by_keyboard(page: Page, shas: list[str]) -> None:
    keys = page.keyboard
    for number, sha256 in enumerate(shas):
        keys.press("n")
        if number == CUT:
            keys.press("i")
        if number == 0:
            keys.press(" ")
            plays(page, page.locator(f'[data-sha256="{sha256}"] video'))
            keys.press(" ")
        decision = OTHERS.get(number, "approved")
        keys.press(KEYS[decision])
        is_decided(page, sha256, decision)


def by_mouse(page: Page, shas: list[str]) -> None:
    for number, sha256 in enumerate(shas):
        card = page.locator(f'.card[data-sha256="{sha256}"]:not([data-status="duplicate"])')
        if number == CUT:
            card.locator(".edit summary").click()
            card.get_by_role("button", name="Start here").click()
        if number == 0:
            video = card.locator("video")
            card.locator(".frame").click()
            plays(page, video)
            video.click()
        decision = OTHERS.get(number, "approved")
        card.locator(f".decide .{decision}").click()
        is_decided(page, sha256, decision)
        if page.url.startswith("http"):  # the answer of the server moves the cards below it
            expect(card.locator(".history")).to_be_visible()


def decided(campaign: CommandScene) -> dict[str, dict[str, Any]]:
    """What stands in the ledger, but for the moments."""
    with Ledger(campaign.work / "ledger.db") as ledger:
        return {
            sha: asdict(review) | {"at": None}
            for sha, review in sorted(ledger.reviews.current().items())
        }


def all_decided(campaign: CommandScene) -> bool:
    return len(decided(campaign)) == len(decidable(campaign))


def rendered(campaign: CommandScene) -> tuple[str, list[str]]:
    """The montage's SHA-256, and the clips in it."""
    said = campaign.footage("render")
    assert said.code == 0, said.err
    film = campaign.work / "montage" / "montage-landscape.mp4"
    held = json.loads(film.with_suffix(".json").read_text())
    return publishing.sha256_of(film), [s["sha256"] for s in held["segments"] if s["sha256"]]


def test_three_ways_give_the_same_decisions_and_the_same_montage(
    reader: Reader, place: Callable[[str], CommandScene]
) -> None:
    outcomes = []
    for name, way in (("keyboard", by_keyboard), ("mouse", by_mouse)):
        campaign = place(name)
        shas = decidable(campaign)
        with serving(load(campaign.folder / "config.toml"), BY) as server:
            page, watch = enter(reader, server)
            way(page, shas)
            until(page, partial(all_decided, campaign))
            page.close()
        assert watch.errors == []
        outcomes.append((decided(campaign), rendered(campaign)))

    campaign = place("offline")
    page, watch = reader.open(campaign.work / "report" / "index.html")
    by_mouse(page, shas)
    page.get_by_label("Your name").fill(BY)
    with page.expect_download() as caught:
        page.get_by_role("button", name="Save decisions file").click()
    saved = campaign.folder / "saved.json"
    caught.value.save_as(saved)
    assert watch.errors == watch.abroad == []
    said = campaign.footage("decide", str(saved))
    assert said.code == 0, said.err
    outcomes.append((decided(campaign), rendered(campaign)))

    keyboard, mouse, offline = outcomes
    assert keyboard == mouse == offline
    reviews, (_, shown) = keyboard
    assert list(reviews) == sorted(shas)
    assert shown == [sha for number, sha in enumerate(shas) if number not in OTHERS]
    assert reviews[shas[CUT]]["in_s"] == 0.0
    assert {review["by"] for review in reviews.values()} == {BY}
