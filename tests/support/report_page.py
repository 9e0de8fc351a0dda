"""A report with a row of each kind, and functions that find things on its page.

Import the fixtures into a test module to use them there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from pipeline.config import Config
from pipeline.model import Decision, Kind, Note, Reason, Refusal, Review
from pipeline.review import report
from pipeline.texts import Detail
from support.ledger_scene import (
    SMALL,
    LedgerScene,
    attachment,
    decide,
    opened,
    refused,
    result,
    settings,
    sha,
)

PLAYABLE = ("one", "two", "three", "four")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return settings(tmp_path)


@pytest.fixture
def campaign(config: Config) -> Iterator[LedgerScene]:
    with opened(config.root) as scene:
        yield scene


def fill(campaign: LedgerScene) -> None:
    for hue, name in enumerate(PLAYABLE):
        campaign.mail(attachment(name), sender=f"{name}@example.org", subject=f"About {name}")
        campaign.clip(
            result(
                name,
                category="march" if name == "two" else None,
                warnings=("too-quiet",) if name == "three" else (),
                source=SMALL,
            ),
            plays=True,
            hue=hue * 60,
        )
    decide(campaign.ledger, sha("four"), Review(Decision.APPROVED, "fine", "ada"))
    campaign.mail(attachment("one", filename="again.mov"))
    campaign.mail(
        attachment("broken"),
        attachment("stuck", 1),
        attachment("late", 2),
        attachment("all", 3, kind=Kind.ARCHIVE, filename="all.zip"),
        attachment("logo", 4, refusal=Refusal(Reason.DECORATION, Detail.LAYOUT_PICTURE)),
        notes=(Note.HAS_A_LINK,),
    )
    campaign.clip(refused("broken", Reason.CORRUPT, "no frame can be decoded"))
    campaign.clip(refused("stuck", Reason.TIMEOUT, "took too long"))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One report for all tests: a page from file:// changes nothing."""
    config = settings(tmp_path_factory.mktemp("shared"))
    with opened(config.root) as scene:
        fill(scene)
        return report.write(scene.run(config)).index


def names(page: Page) -> list[str]:
    return page.locator(".card .name").all_inner_texts()


def card(page: Page, name: str) -> str:
    return f'.card[data-sha256="{sha(name)}"]:not([data-status="duplicate"])'
