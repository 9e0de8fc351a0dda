"""Comments, tags and stars: on the page's server, in the decisions file, in report and table."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from support.ledger_scene import LedgerScene, sha
from support.review_server import Client, campaign, client, config, entry, server

from pipeline.review import decisions, live, presenting
from pipeline.review.web import ReviewServer

__all__ = ["campaign", "client", "config", "server"]

FIRST, SECOND = "0" * 11 + "1", "0" * 11 + "2"


def said(number: str, text: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "text": text, **more}


def comment(client: Client, item: object, name: str = "one", **more: Any) -> tuple[int, Any]:
    body = {"sha256": sha(name), "comment": item, "by": "bob", **more}
    status, _, answer = client.ask("POST", "/api/comment", body)
    return status, json.loads(answer)


def stored(campaign: LedgerScene, name: str = "one") -> Any:
    return campaign.ledger.reviews.current()[sha(name)]


def test_a_comment_is_kept_with_its_author_and_place(client: Client, campaign: LedgerScene) -> None:
    status, answer = comment(client, said(FIRST, "a street sign", from_s=1.0, to_s=1.5, by="eve"))
    assert status == 200
    (shown,) = answer["changes"][0]["review"]["comments"]
    assert shown | {"at": ""} == {
        "id": FIRST, "text": "a street sign", "from_s": 1.0, "to_s": 1.5, "by": "bob", "at": "",
        "resolved_by": "",
    }  # fmt: skip
    assert stored(campaign).decision == "undecided"
    assert comment(client, said(FIRST, "other words", resolved_by="eve"))[0] == 200
    (kept,) = stored(campaign).comments
    assert (kept.text, kept.resolved_by) == ("a street sign", "bob")
    assert comment(client, said(FIRST, "a street sign"))[0] == 200
    assert stored(campaign).comments[0].resolved_by == ""
    assert campaign.ledger.chain.breaks() == []


def test_comments_of_two_do_not_overtake_a_decision(client: Client, campaign: LedgerScene) -> None:
    comment(client, said(FIRST, "first"))
    comment(client, said(SECOND, "second"), by="ann")
    seen = presenting.review_data(stored(campaign)) | {"comments": []}
    decision = entry("one")
    decision["entries"][0]["seen"] = seen
    assert client.ask("POST", "/api/decide", decision)[0] == 200
    review = stored(campaign)
    assert (review.decision, [each.by for each in review.comments]) == ("approved", ["bob", "ann"])
    # an undo of the decision leaves what was said since, and one of a comment leaves the decision
    comment(client, said("0" * 12, "third"), by="ann")
    live.undo(campaign.ledger, "bob")
    assert (stored(campaign).decision, len(stored(campaign).comments)) == ("undecided", 3)
    live.undo(campaign.ledger, "ann")
    assert [each.text for each in stored(campaign).comments] == ["first", "second"]


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        (None, "not a JSON object"),
        ({"text": "x"}, "12 hex digits"),
        (said("../../etc/pas", "x"), "12 hex digits"),
        (said(FIRST, " \n"), "no words"),
        (said(FIRST, 7), "not text"),  # type: ignore[arg-type]
        (said(FIRST, "x", from_s=-1), "not a time"),
        (said(FIRST, "x", from_s=True), "not a time"),
        (said(FIRST, "x", to_s=1), "not after"),
        (said(FIRST, "x", from_s=2, to_s=1), "not after"),
    ],
)
def test_what_is_no_comment_is_refused(
    client: Client, campaign: LedgerScene, item: object, problem: str
) -> None:
    status, answer = comment(client, item)
    assert (status, problem in answer["problem"]) == (422, True)
    assert campaign.ledger.reviews.current() == {}


def test_a_place_in_a_comment_is_masked(client: Client, campaign: LedgerScene) -> None:
    comment(client, said(FIRST, "it is at 48.8584, 2.2945"))
    assert stored(campaign).comments[0].text == "it is at [location removed]"


def test_tags_and_stars_go_with_a_decision(client: Client, campaign: LedgerScene) -> None:
    wanted = entry("one", tags=[" River ", "river", "", "Boats"], stars=4)
    assert client.ask("POST", "/api/decide", wanted)[0] == 200
    assert (stored(campaign).tags, stored(campaign).stars) == (("River", "Boats"), 4)
    for wrong in ({"stars": 6}, {"stars": True}, {"tags": "x"}, {"tags": [7]}):
        assert client.ask("POST", "/api/decide", entry("two", **wrong))[0] == 422


def test_the_table_has_them_in_cells_that_are_no_formulas(
    client: Client, server: ReviewServer
) -> None:
    comment(client, said(FIRST, "=1+1", from_s=70.25))
    client.ask(
        "POST",
        "/api/decide",
        entry("two", tags=["=cmd"], stars=5, comments=[said(SECOND, "all of it", resolved_by="x")]),
    )
    text = client.ask("GET", "/report/report.csv")[2].decode("utf-8-sig")
    rows = {row["sha256"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows[sha("one")]["comments"] == "1:10.2 bob: =1+1"
    two = rows[sha("two")]
    assert (two["comments"], two["stars"]) == ("bob: all of it (resolved by bob)", "5")
    assert two["tags"] == "'=cmd"


def test_a_decisions_file_adds_its_comments(campaign: LedgerScene, tmp_path: Path) -> None:
    live.comment(campaign.ledger, sha("one"), said(FIRST, "of Bob"), "bob")
    path = tmp_path / "decisions.json"
    given = [said(FIRST, "of Bob", resolved_by="Zoë"), said(SECOND, "of Zoë", by="Zoë")]
    item = {"sha256": sha("one"), "decision": "held", "by": "Zoë", "stars": 2, "comments": given}
    path.write_text(
        json.dumps({"schema": 1, "campaign": "River Week", "decisions": [item]}), "utf-8"
    )
    done = decisions.take_file(campaign.ledger, path, "shell", campaign="River Week")
    assert (len(done.decided), done.not_taken) == (1, ())
    found = [(each.text, each.by, each.resolved_by) for each in stored(campaign).comments]
    assert found == [("of Bob", "bob", "Zoë"), ("of Zoë", "Zoë", "")]
    again = decisions.take_file(campaign.ledger, path, "shell", campaign="River Week")
    assert again.same == 1


def test_a_withdrawal_takes_them_with_it(client: Client, campaign: LedgerScene) -> None:
    comment(client, said(FIRST, "who is this?"))
    campaign.ledger.custody.withdraw([sha("one")])
    assert campaign.ledger.reviews.current() == {}
    status, answer = comment(client, said(SECOND, "again"))
    assert (status, "withdrawn" in answer["problem"]) == (422, True)
