"""Reviewers, editors and the media team: what each of them may do in a review, and sees of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from support.browser import Reader, browser, reader
from support.ledger_scene import LedgerScene, sha
from support.review_server import Client, campaign, config, entry, serving

from pipeline.commands.review import name_reviewers
from pipeline.config import Config
from pipeline.errors import UsageError
from pipeline.review import acts, live, shares, web
from pipeline.review.access import ReviewRole
from pipeline.review.web import ReviewServer

__all__ = ["browser", "campaign", "config", "reader"]
PEOPLE = ("Ana", "Ben", "Mia")


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
    agreed = {"submission": mail, "consent": "yes", "name": "", "place": "", "seen": {}}
    assert editor.ask("POST", "/api/consent", agreed)[0] == 403
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


@pytest.mark.parametrize(
    "given", ["Eve:Editor", "Eve:editr", "Eve:", "Eve:media:editor", "Ana: night", "Eve\uff1aeditr"]
)
def test_a_role_that_is_mistyped_makes_no_reviewer(given: str) -> None:
    with pytest.raises(UsageError, match="one of reviewer, editor, media"):
        name_reviewers([given])


def test_a_name_and_a_role_make_a_link_of_that_role() -> None:
    given = name_reviewers(["Ana", "Ben:editor", "Mia\uff1amedia", "Cem:reviewer"]).roles
    assert given == {
        "Ana": ReviewRole.REVIEWER, "Ben": ReviewRole.EDITOR,
        "Mia": ReviewRole.MEDIA, "Cem": ReviewRole.REVIEWER,
    }  # fmt: skip
    with pytest.raises(UsageError, match="twice"):
        name_reviewers(["Ana", "ana :editor"])


MAY = {  # all that a session can ask for, and who may
    **dict.fromkeys(("/report/", "/report/index.html", "/report/report.json"), "all"),
    **dict.fromkeys(("/report/report.csv", "/report/mails.csv", "/api/changes"), "all"),
    **dict.fromkeys(("/api/comment", "/api/undo", "/api/order"), "all"),
    **dict.fromkeys(("/api/decide", "/api/handled", "/api/consent"), "deciders"),
}


def test_every_route_knows_who_may_ask(server: ReviewServer) -> None:
    """A route that is new must be entered here, and no act of a role is allowed by mistake."""
    assert {*web.READING, *acts.ACTS} == MAY.keys()
    for name in ("Ana", "Eve", "Mia"):
        client = Client(server, name)
        routes = [("GET", path) for path in web.READING] + [("POST", path) for path in acts.ACTS]
        for method, path in routes:
            status = client.ask(method, path, {} if method == "POST" else None)[0]
            is_refused = name == "Eve" and MAY[path] == "deciders"
            assert (status == 403) is is_refused, (name, method, path, status)
            assert status != 404, path
        assert client.ask("POST", "/api/other", {})[0] == 404


def test_an_editor_undoes_no_decision_of_an_earlier_review(
    server: ReviewServer, campaign: LedgerScene
) -> None:
    live.decide(campaign.ledger, entry("one")["entries"], "Eve")
    assert Client(server, "Eve").ask("POST", "/api/undo", {})[0] == 200
    assert campaign.ledger.reviews.current()[sha("one")].decision == "approved"


def test_the_page_does_not_say_that_an_editor_has_decided(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    page, watch = reader.open(server.access.links["Eve"])
    page.wait_for_selector(".card")
    page.keyboard.press("n")
    for key in ("a", "x", "r", "m"):
        page.keyboard.press(key)
        if key in "ar":
            expect(page.locator("#why")).to_contain_text("decides nothing")
            expect(page.locator("#said")).to_contain_text("decides nothing")
    page.keyboard.press("f")
    for key in ("a", "i", "Delete"):
        page.keyboard.press(key)
        expect(page.locator("#player-said")).to_contain_text("decides nothing")
    assert campaign.ledger.reviews.trail_end() == 0
    page.keyboard.press("f")
    page.set_viewport_size({"width": 390, "height": 844})  # what is zero is folded on a phone
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator(".figure.failed")).to_be_hidden()
    expect(page.locator("#no-figures")).to_contain_text("Failed")
    expect(page.locator(".card").first).to_be_in_viewport()
    assert watch.errors == []


def test_reviewers_share_the_clips_and_the_shares_stay() -> None:
    shas = [sha(str(number)) for number in range(600)]
    three = {name: {s for s in shas if shares.owners(s, PEOPLE) == [name]} for name in PEOPLE}
    assert set.union(*three.values()) == set(shas)
    assert all(160 < len(share) < 240 for share in three.values())
    without = {s: shares.owners(s, PEOPLE[:2]) for s in shas}
    assert all(without[s] == [name] for name in PEOPLE[:2] for s in three[name])
    pairs = [shares.owners(s, PEOPLE, 2) for s in shas]
    assert all(len(set(pair)) == 2 for pair in pairs)
    assert pairs == [shares.owners(s, PEOPLE[::-1], 2) for s in shas]


def test_each_page_says_what_is_mine(
    reader: Reader, config: Config, campaign: LedgerScene, server: ReviewServer
) -> None:
    """Ana and Mia decide; Eve does not.  A reviewer who is alone sees no share."""
    counts = []
    for name in ("Ana", "Mia"):
        page, watch = reader.open(server.access.links[name])
        figure = page.locator(".figure.mine .value")
        expect(figure).to_have_text(re.compile(r"^\d of 3$"))
        counts.append(int(figure.inner_text().split()[0]))
        page.locator(".figure.mine").click()
        expect(page.locator(".card")).to_have_count(counts[-1])
        expect(page).to_have_url(re.compile("status=mine"))
        if counts[-1]:
            page.keyboard.press("n")
            page.keyboard.press("h")
            expect(figure).to_have_text(f"{counts[-1] - 1} of 2")
            page.keyboard.press("u")
            expect(figure).to_have_text(f"{counts[-1]} of 3")
        assert watch.errors == []
    assert sum(counts) == 3
    editor, _ = reader.open(server.access.links["Eve"])
    expect(editor.locator(".figure.waiting")).to_be_visible()
    expect(editor.locator(".figure.mine")).to_have_count(0)
    editor.keyboard.press("n")
    editor.keyboard.press("a")
    expect(editor.locator("#why")).to_contain_text("decides nothing")
    expect(editor.locator("#said")).to_contain_text("decides nothing")  # and not: "Approved"
    with serving(config, "Ana") as alone:
        assert b'"mine": null' in Client(alone, "Ana").ask("GET", "/report/index.html")[2]
