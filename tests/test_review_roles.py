"""Reviewers, editors and the media team: what each of them may do in a review, and sees of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from support.ledger_scene import LedgerScene, sha
from support.review_server import Client, campaign, config, entry, serving

from pipeline.commands.review import name_reviewers
from pipeline.config import Config
from pipeline.review.access import ReviewRole
from pipeline.review.web import ReviewServer

__all__ = ["campaign", "config"]


@pytest.fixture
def server(config: Config, campaign: LedgerScene) -> Iterator[ReviewServer]:
    with serving(config, "Ana", "Eve:editor", "Mia:media") as server:
        yield server


def decides(client: Client, name: str) -> int:
    return client.ask("POST", "/api/decide", {**entry(name), "by": ""})[0]


def test_an_editor_orders_and_comments_and_decides_nothing(
    server: ReviewServer, campaign: LedgerScene
) -> None:
    mail = campaign.ledger.intake.submissions()[0].id
    editor = Client(server, "Eve")
    status, _, body = editor.ask("POST", "/api/decide", {**entry("one"), "by": ""})
    assert (status, "decides nothing" in json.loads(body)["problem"]) == (403, True)
    assert editor.ask("POST", "/api/handled", {"submission": mail, "handled": True})[0] == 403
    said = {"id": "0" * 12, "text": "shorter, please", "from_s": 1.0}
    assert editor.ask("POST", "/api/comment", {"sha256": sha("one"), "comment": said})[0] == 200
    assert (
        editor.ask("POST", "/api/comment", {"sha256": sha("one"), "comment": said, "by": "Ana"})[0]
        == 403
    ), "nobody writes under another name"
    assert editor.ask("GET", "/api/order")[0] == 200
    (review,) = campaign.ledger.reviews.current().values()
    assert (review.decision, [each.by for each in review.comments]) == ("undecided", ["Eve"])
    assert editor.ask("POST", "/api/undo", {})[0] == 200
    assert campaign.ledger.reviews.current()[sha("one")].comments == ()


def test_the_media_team_sees_addresses_and_reviewers_do_not(
    server: ReviewServer, campaign: LedgerScene
) -> None:
    address = campaign.ledger.intake.submissions()[0].sender
    media, reviewer = Client(server, "Mia"), Client(server, "Ana")
    for path in (
        *("/report/report.json", "/report/report.csv", "/report/mails.csv"),
        "/report/index.html",
    ):
        assert address.encode() in media.ask("GET", path)[2], path
        assert address.encode() not in reviewer.ask("GET", path)[2], path
    assert decides(reviewer, "one") == decides(media, "two") == 200
    by = {sha256: review.by for sha256, review in campaign.ledger.reviews.current().items()}
    assert by == {sha("one"): "Ana", sha("two"): "Mia"}


def test_a_colon_that_names_no_role_is_a_part_of_the_name() -> None:
    given = name_reviewers(["Ana: night", "Ben:editor", "Eve:media:editor"])
    assert given.roles == {
        "Ana: night": ReviewRole.REVIEWER, "Ben": ReviewRole.EDITOR, "Eve:media": ReviewRole.EDITOR,
    }  # fmt: skip
