"""``footage review``: two reviewers at once, and nobody else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.ledger_scene import LedgerScene, decide, quiet, sha
from support.review_server import NAMES, Client, campaign, client, config, entry, server, serving

from pipeline.commands.review import name_reviewers
from pipeline.config import Config
from pipeline.errors import LedgerError, StageError
from pipeline.model import Decision, OriginalState, Review
from pipeline.review import answering, live, presenting
from pipeline.review.listening import Listening
from pipeline.review.serving import ReviewOptions, serve
from pipeline.review.web import ReviewServer

__all__ = ["campaign", "client", "config", "server"]  # fixtures


# -- the door ---------------------------------------------------------------------------------

BROWSER = {"Accept": "text/html,*/*", "Sec_Fetch_Site": "none"}


def path_of(link: str) -> str:
    return link.partition("://")[2].partition("/")[2]


def test_link_opens_once_and_another_one_is_told(config: Config, campaign: LedgerScene) -> None:
    told: list[str] = []
    with serving(config, announce=told.append) as server:
        first = server.access.link
        client = Client(server)
        assert client.enter(first)[0] == 403
        assert told == [f"for another reviewer: {server.access.link}"]
        assert server.access.link != first
        Client(server)


def test_looking_at_a_link_does_not_use_it_up(server: ReviewServer) -> None:
    client = Client(server, enters=False)
    for method in ("HEAD", "GET"):
        assert client.ask(method, f"/{path_of(server.access.link)}")[0] == 200
    Client(server)


def test_the_page_of_an_older_ledger_says_so_and_works(
    client: Client, campaign: LedgerScene
) -> None:
    path = "/report/index.html"
    assert b'"is_ledger_older": false' in client.ask("GET", path)[2]
    (campaign.workspace.heads / "29990101.txt").write_text(f"999999:{'0' * 64}\n")
    status, _, body = client.ask("GET", path)
    assert (status, b'"is_ledger_older": true' in body) == (200, True)


def test_no_cookie_is_set_or_taken(client: Client) -> None:
    """Browsers send cookies to every port of a host."""
    secret = client.secrets["Footage-Session"]
    for path in ("/", "/report/index.html", f"/{path_of(client.server.access.link)}"):
        assert client.ask("GET", path)[1]["Set-Cookie"] is None
    cookie = f"Footage-Session={secret}; footage-{client.port}={secret}"
    stranger = Client(client.server, enters=False)
    assert stranger.ask("GET", "/report/report.json", Cookie=cookie)[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/", "/report/index.html", "/report/", "/?token=x", "/report/report.json",
        "/report/report.csv", "/report/mails.csv", "/api/changes?since=0", "/api/order", "/clips/",
        "/clips/{sha}/landscape.mp4", "/clips/{sha}/landscape.mp4?key=",
        "/clips/{sha}/landscape.jpg?key=x", "/report/thumbs/{sha}.jpg",
    ],
)  # fmt: skip
def test_without_the_token_there_is_nothing(server: ReviewServer, path: str) -> None:
    stranger = Client(server, enters=False)
    status, headers, body = stranger.ask("GET", path.format(sha=sha("one")))
    is_entrance = path in ("/", "/report/index.html", "/report/")
    assert status == (200 if is_entrance else 403)
    assert headers["Set-Cookie"] is None
    assert b"River" not in body
    assert sha("one").encode() not in body


@pytest.mark.parametrize("path", ["/?token=", "/?token=x", "/?token=%FF%00"])
def test_wrong_link_is_a_page_that_says_what_to_do(server: ReviewServer, path: str) -> None:
    stranger = Client(server, enters=False)
    status, headers, body = stranger.ask("GET", path, **BROWSER)
    assert status == (200 if path == "/?token=" else 403)
    assert headers["Content-Type"].startswith("text/html")
    assert b"it shows a new link" in body
    assert b"<pre>footage review</pre>" in body


@pytest.mark.parametrize("path", ["/clips/x", "/report/report.json", "/nothing"])
def test_what_a_person_opens_is_refused_with_a_page(server: ReviewServer, path: str) -> None:
    stranger = Client(server, enters=False)
    for changed in ({}, {"Host": "evil.example"}, {"Sec_Fetch_Site": "same-site"}):
        status, headers, body = stranger.ask("GET", path, **BROWSER | changed)
        assert status in (403, 421)
        assert headers["Content-Type"].startswith("text/html")
        assert b"it shows a new link" in body
        assert b"<script></script>" in body, "it tries nothing"
    assert json.loads(stranger.ask("GET", path)[2]).keys() == {"problem"}, "scripts get JSON"


def test_an_old_secret_opens_no_page(server: ReviewServer) -> None:
    """The page that asks would be given itself otherwise, and ask for ever."""
    stranger = Client(server, enters=False)
    assert stranger.ask("GET", "/report/index.html", Footage_Session="old")[0] == 403


def test_a_change_needs_the_second_secret(client: Client, campaign: LedgerScene) -> None:
    read, write = client.secrets["Footage-Session"], client.secrets["Footage-Write"]
    other = Client(client.server).secrets["Footage-Write"]
    for wrong in (None, "", read, "\u00e9", other):
        assert client.ask("POST", "/api/decide", entry("one"), Footage_Write=wrong)[0] == 403
    assert client.ask("GET", "/report/report.json", Footage_Session=write)[0] == 403
    assert campaign.ledger.reviews.current() == {}
    assert client.ask("POST", "/api/decide", entry("one"))[0] == 200


def test_the_key_in_an_address_opens_one_clip_and_changes_nothing(
    server: ReviewServer, campaign: LedgerScene
) -> None:
    key = server.access.media_key(sha("one"))
    browser = Client(server, enters=False)
    for path in ("/clips/{}/landscape.mp4", "/clips/{}/landscape.jpg", "/report/thumbs/{}.jpg"):
        assert browser.ask("GET", f"{path.format(sha('one'))}?key={key}")[0] == 200
        assert browser.ask("GET", f"{path.format(sha('two'))}?key={key}")[0] == 403
        foreign = browser.ask(
            "GET", f"{path.format(sha('one'))}?key={key}", Sec_Fetch_Site="same-site"
        )
        assert foreign[0] == 403
    for path in ("/report/report.json", "/report/report.csv", "/api/changes?since=0"):
        assert browser.ask("GET", f"{path}?key={key}")[0] == 403
    for given in ({"Footage_Session": key}, {"Footage_Session": key, "Footage_Write": key}):
        assert browser.ask("POST", f"/api/decide?key={key}", entry("one"), **given)[0] == 403


def test_each_name_has_a_link_and_decides_under_it_alone(
    config: Config, campaign: LedgerScene
) -> None:
    told: list[str] = []
    with serving(config, "Ana", "Ben", announce=told.append) as server:
        links = server.access.links
        assert list(links) == ["Ana", "Ben"]
        ana, ben = Client(server, "Ana"), Client(server, "Ben")
        assert told == [f"for {name} again: {server.access.links[name]}" for name in links]
        assert server.access.links["Ana"] not in (links["Ana"], server.access.links["Ben"])
        status, _, body = ana.ask("POST", "/api/decide", entry("one") | {"by": "Ben"})
        assert (status, json.loads(body)["problem"]) == (403, "this link was made for Ana")
        for act in ("undo", "decide", "handled", "order"):
            assert ben.ask("POST", f"/api/{act}", entry("one") | {"by": "Ana"})[0] == 403
        assert campaign.ledger.reviews.current() == {}
        for client, name in ((ana, "one"), (ben, "two")):
            for by in ({}, {"by": ""}):
                wanted = {"entries": entry(name)["entries"], **by}
                wanted["entries"][0]["entry"]["by"] = "Eve"
                client.ask("POST", "/api/decide", wanted)
        assert {it.by for it in campaign.ledger.reviews.current().values()} == {"Ana", "Ben"}
        _, _, page = ben.ask("GET", "/report/index.html")
        assert b'"by": "Ben", "is_named": true' in page


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1",
     "localhost.evil.example:{port}", "[::1]:{port}", "", None],
)  # fmt: skip
def test_foreign_host_is_refused_also_with_the_secrets(client: Client, host: str | None) -> None:
    sent = host.format(port=client.port) if host is not None else None
    status, _, body = client.ask("GET", "/report/index.html", Host=sent)
    assert status == 421
    assert b"River" not in body


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": None},
        {"Origin": "http://localhost:{port}"},  # ours, but not the one that was asked
        {"Origin": "https://127.0.0.1:{port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"origin": "http://evil.example"},
    ],
)
def test_decision_from_a_foreign_page_is_refused(
    client: Client, campaign: LedgerScene, headers: dict[str, str | None]
) -> None:
    sent = {k: v.format(port=client.port) if v else v for k, v in headers.items()}
    status, _, _ = client.ask("POST", "/api/decide", entry("one"), **sent)
    assert status == 403
    assert campaign.ledger.reviews.current() == {}


def test_foreign_page_can_not_embed_or_read(client: Client) -> None:
    assert client.ask("GET", "/report/index.html", Sec_Fetch_Site="cross-site")[0] == 403
    _, headers, _ = client.ask("GET", "/report/index.html")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Access-Control-Allow-Origin"] is None


# -- what can be had --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/originals/{o2}/{o}", "/ledger.db", "/../ledger.db", "/clips/../ledger.db",
        "/clips/../originals/{o2}/{o}", "/clips/%2e%2e/ledger.db", "/clips/..%2fledger.db",
        "/clips/{sha}/../../ledger.db", "/clips/{sha}/landscape.mp4/../../../ledger.db",
        "/clips/{sha}/..", "/clips/{sha}/landscape.json", "/clips/{sha}/link.mp4",
        "/clips/{sha}/landscape.mp4%00.jpg", "//ledger.db", "/report/../ledger.db",
        "/report/thumbs/../../ledger.db", "/report/thumbs/{o}.jpg", "/logs/", "/montage/",
        "/clips/", "/clips/{sha}/", "\\..\\ledger.db", "/clips/{sha}/landscape.mp4\\..\\x",
        "/report/report.schema.json", "/api/decide", "/favicon.ico",
    ],
)  # fmt: skip
def test_nothing_but_clips_and_report_is_had(
    client: Client, campaign: LedgerScene, path: str
) -> None:
    original = campaign.workspace.original(sha("secret"))
    original.parent.mkdir(parents=True)
    original.write_bytes(b"SECRET LOCATION")
    folder = campaign.workspace.clips / sha("one")
    (folder / "link.mp4").symlink_to(original)
    (folder / "landscape.json").write_text("SECRET")
    target = path.format(sha=sha("one"), o=sha("secret"), o2=sha("secret")[:2])
    status, _, body = client.ask("GET", target)
    assert status == 404
    assert b"SECRET" not in body
    assert b"SQLite" not in body


def test_clip_comes_whole_and_in_parts(client: Client, campaign: LedgerScene) -> None:
    path = f"/clips/{sha('one')}/landscape.mp4"
    data = (campaign.workspace.root / path[1:]).read_bytes()
    status, headers, body = client.ask("GET", path)
    assert (status, headers["Content-Type"], body) == (200, "video/mp4", data)
    status, headers, body = client.ask("GET", path, Range="bytes=100-199")
    assert (status, body) == (206, data[100:200])
    assert headers["Content-Range"] == f"bytes 100-199/{len(data)}"
    status, headers, body = client.ask("GET", path, Range=f"bytes={len(data)}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{len(data)}")
    status, headers, body = client.ask("HEAD", path)
    assert (status, headers["Content-Length"], body) == (200, str(len(data)), b"")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, (0, 10)),
        ("bytes=0-", (0, 10)),
        ("bytes=0-0", (0, 1)),
        ("bytes=3-99", (3, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=10-", None),
        ("bytes=-0", None),
        ("bytes=5-2", (0, 10)),
        ("bytes=0-1,3-4", (0, 10)),
        ("lines=1-2", (0, 10)),
        ("bytes=-", (0, 10)),
        ("bytes=a-b", (0, 10)),
    ],
)
def test_ranges(header: str | None, expected: tuple[int, int] | None) -> None:
    assert answering.parse_range(header, 10) == expected


def test_data_and_table_are_those_of_now(client: Client, campaign: LedgerScene) -> None:
    decide(campaign.ledger, sha("one"), Review(Decision.HELD, "hm", "ada"))
    _, _, body = client.ask("GET", "/report/report.json")
    assert json.loads(body)["clips"][0]["review"]["note"] == "hm"
    _, _, table = client.ask("GET", "/report/report.csv")
    assert b'"held"' in table


# -- deciding ---------------------------------------------------------------------------------


def test_decision_is_written_at_once_with_its_trail(client: Client, campaign: LedgerScene) -> None:
    status, _, body = client.ask("POST", "/api/decide", entry("one", note="fine", in_s=0.5))
    assert status == 200
    stored = campaign.ledger.reviews.current()[sha("one")]
    assert (stored.decision, stored.note, stored.by, stored.in_s) == (
        Decision.APPROVED, "fine", "bob", 0.5,
    )  # fmt: skip
    assert json.loads(body) == {
        "changes": [{"sha256": sha("one"), "review": presenting.review_data(stored)}],
        "overtaken": [],
    }
    (event,) = campaign.ledger.reviews.trail()
    assert (event.by, event.before, event.after, event.undoes) == ("bob", Review(), stored, None)


def test_who_was_overtaken_is_shown_what_stands_there(
    client: Client, campaign: LedgerScene
) -> None:
    decide(campaign.ledger, sha("one"), Review(Decision.REJECTED, "a face", "carol"))
    status, _, body = client.ask("POST", "/api/decide", entry("one"))
    assert status == 409
    (standing,) = json.loads(body)["overtaken"]
    assert standing["review"]["by"] == "carol"
    assert campaign.ledger.reviews.current()[sha("one")].decision is Decision.REJECTED


@pytest.mark.parametrize(
    ("first", "second", "status", "expected"),
    [
        ({"stars": 4}, {"decision": "approved", "agreed": True}, 200, ("approved", 4, "", ["bob"])),
        ({"decision": "held"}, {"stars": 4, "note": "fine"}, 200, ("held", 4, "fine", [])),
        (
            {"decision": "approved", "agreed": True},
            {"decision": "approved", "agreed": True},
            *(200, ("approved", 0, "", ["ada", "bob"])),
        ),
        # what does not go together, or was not seen
        ({"decision": "held"}, {"decision": "approved"}, 409, ("held", 0, "", [])),
        ({"decision": "held"}, {"decision": "held"}, 409, ("held", 0, "", [])),
        ({"decision": "held"}, {"caption": "Swans"}, 409, ("held", 0, "", [])),
        ({"caption": "Swans"}, {"decision": "approved"}, 409, ("undecided", 0, "", [])),
        (
            {"decision": "approved", "agreed": True, "caption": "Swans"},
            {"decision": "approved", "agreed": True},
            *(409, ("approved", 0, "", ["ada"])),
        ),
        ({"note": "crop"}, {"note": "fine"}, 409, ("undecided", 0, "crop", [])),
    ],
)
def test_what_two_do_at_once_counts_if_it_goes_together(
    client: Client,
    campaign: LedgerScene,
    first: dict[str, Any],
    second: dict[str, Any],
    status: int,
    expected: tuple[str, int, str, list[str]],
) -> None:
    for by, changes, wanted in (("ada", first, 200), ("bob", second, status)):
        act = entry("one", "undecided") | {"by": by}
        act["entries"][0]["entry"] |= changes
        assert client.ask("POST", "/api/decide", act)[0] == wanted
    now = campaign.ledger.reviews.current()[sha("one")]
    assert (now.decision, now.stars, now.note, sorted(now.agreed_by)) == expected


@pytest.mark.parametrize("more", [{}, {"note": "fine"}])
def test_a_second_approval_of_a_clip_that_was_held_meanwhile_is_refused(
    client: Client, campaign: LedgerScene, more: dict[str, str]
) -> None:
    ledger = campaign.ledger
    decide(ledger, sha("one"), Review(Decision.APPROVED, by="ada", agreed_by=("ada",)))
    act = entry("one", agreed=True, **more)
    act["entries"][0]["seen"] = presenting.review_data(ledger.reviews.current()[sha("one")])
    decide(ledger, sha("one"), Review(Decision.HELD, by="cy"))
    assert client.ask("POST", "/api/decide", act)[0] == 409
    now = ledger.reviews.current()[sha("one")]
    assert (now.decision, now.by, now.note) == (Decision.HELD, "cy", "")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b"[" * 60_000, 400),
        (b'{"by": 7}', 400),
        (b"{}", 422),
        ({"entries": []}, 422),
        ({"entries": [7]}, 422),
        ({"entries": [{"entry": {"sha256": sha("one"), "decision": "maybe"}}]}, 422),
        ({"entries": [{"entry": {"sha256": sha("nobody"), "decision": "held"}}]}, 422),
        ({"entries": [{"entry": {"sha256": "../x", "decision": "held"}}]}, 422),
    ],
)
def test_malformed_decision_is_refused(
    client: Client, campaign: LedgerScene, body: Any, status: int
) -> None:
    assert client.ask("POST", "/api/decide", body)[0] == status
    assert campaign.ledger.reviews.current() == {}


def test_more_than_any_review_has_is_refused_unread(client: Client) -> None:
    port = client.port
    headers = {"Origin": f"http://127.0.0.1:{port}", "Content-Type": "application/json"}
    assert client.ask("POST", "/api/decide", Content_Length="9000000", **headers)[0] == 413


def test_decisions_at_once_are_one_act_that_is_undone_as_one(
    client: Client, campaign: LedgerScene
) -> None:
    decide(campaign.ledger, sha("two"), Review(Decision.REJECTED, "a face", "carol"))
    wanted = [entry(name)["entries"][0] for name in NAMES]
    status, _, body = client.ask("POST", "/api/decide", {"entries": wanted, "by": "bob"})
    answer = json.loads(body)
    assert status == 200
    assert [item["sha256"] for item in answer["changes"]] == [sha("one"), sha("three")]
    assert [item["sha256"] for item in answer["overtaken"]] == [sha("two")]
    status, _, body = client.ask("POST", "/api/undo", {"by": "bob"})
    assert [item["sha256"] for item in json.loads(body)["changes"]] == [sha("one"), sha("three")]
    reviews = campaign.ledger.reviews.current()
    assert [reviews[sha(name)].decision for name in NAMES] == [
        Decision.UNDECIDED, Decision.REJECTED, Decision.UNDECIDED,
    ]  # fmt: skip
    assert json.loads(client.ask("POST", "/api/undo", {"by": "bob"})[2])["changes"] == []
    assert client.ask("POST", "/api/undo", {"by": "bob", "passed": ["x"]})[0] == 422


def test_one_malformed_decision_stops_all_of_its_act(client: Client, campaign: LedgerScene) -> None:
    wanted = [entry("one")["entries"][0], entry("two", "maybe")["entries"][0]]
    assert client.ask("POST", "/api/decide", {"entries": wanted})[0] == 422
    assert campaign.ledger.reviews.current() == {}


def test_form_of_a_plain_web_page_is_refused(client: Client) -> None:
    status, _, _ = client.ask("POST", "/api/decide", entry("one"), **{"Content-Type": "text/plain"})
    assert status == 415
    assert client.ask("POST", "/api/nothing", entry("one"))[0] == 404
    assert client.ask("DELETE", "/api/decide")[0] == 501


def test_withdrawn_clip_can_not_be_decided_on(client: Client, campaign: LedgerScene) -> None:
    campaign.ledger.custody.set_state(sha("one"), OriginalState.WITHDRAWN)
    status, _, body = client.ask("POST", "/api/decide", entry("one"))
    assert (status, json.loads(body)["problem"]) == (422, "the clip is withdrawn")


def test_undo_goes_back_step_by_step_and_each_reviewer_undoes_their_own(
    campaign: LedgerScene,
) -> None:
    ledger = campaign.ledger

    def decide(name: str, decision: str, by: str) -> None:
        seen = presenting.review_data(ledger.reviews.current().get(sha(name), Review()))
        wanted = {"entry": {"sha256": sha(name), "decision": decision}, "seen": seen}
        live.decide(ledger, [wanted], by)

    def standing(name: str) -> Decision:
        return ledger.reviews.current()[sha(name)].decision

    decide("one", "approved", "ada")
    decide("one", "held", "ada")
    decide("two", "rejected", "bob")
    assert live.undo(ledger, "ada").written
    assert standing("one") is Decision.APPROVED
    assert live.undo(ledger, "ada").written
    assert standing("one") is Decision.UNDECIDED
    assert live.undo(ledger, "ada") == live.ActOutcome()
    assert standing("two") is Decision.REJECTED
    decide("three", "held", "ada")
    decide("three", "approved", "bob")
    outcome = live.undo(ledger, "ada")
    assert (outcome.written, list(outcome.overtaken)) == ({}, [sha("three")])
    assert [event.undoes for event in ledger.reviews.trail()] == [
        None,
        None,
        None,
        2,
        1,
        None,
        None,
    ]
    assert [event.by for event in ledger.reviews.trail()] == ["ada"] * 2 + ["bob"] + ["ada"] * 3 + [
        "bob"
    ]


def test_changes_are_told_from_a_point_on(client: Client, campaign: LedgerScene) -> None:
    assert json.loads(client.ask("GET", "/api/changes?since=0")[2]) == {
        "counter": 0, "changes": [], "events": [], "counts": {"attachments": 3, "clips": 3},
    }  # fmt: skip
    decide(campaign.ledger, sha("one"), Review(Decision.HELD, "", "ada"))
    decide(campaign.ledger, sha("one"), Review(Decision.APPROVED, "", "ada"))
    answer = json.loads(client.ask("GET", "/api/changes?since=0")[2])
    assert (answer["counter"], len(answer["changes"])) == (2, 1)
    assert answer["changes"][0]["review"]["decision"] == "approved"
    assert [(event["by"], event["before"], event["after"]) for event in answer["events"]] == [
        ("ada", {"decision": "undecided"}, {"decision": "held"}),
        ("ada", {"decision": "held"}, {"decision": "approved"}),
    ]
    assert client.ask("GET", "/api/changes?since=2")[0] == 200
    assert client.ask("GET", "/api/changes?since=x")[0] == 400


def test_serve_says_its_link_also_to_who_asked_for_quiet(
    config: Config, campaign: LedgerScene, capsys: pytest.CaptureFixture[str]
) -> None:
    links: list[str] = []

    def started(server: ReviewServer) -> None:
        links.append(server.access.link)
        Client(server)
        server.shutdown()

    serve(config, quiet(), ReviewOptions(started=started))
    assert links[0].startswith("http://127.0.0.1:")
    assert f"open {links[0]}" in capsys.readouterr().err


def test_the_line_with_a_link_names_who_it_is_for(
    config: Config, campaign: LedgerScene, capsys: pytest.CaptureFixture[str]
) -> None:
    named = name_reviewers(["Eve:editor"])
    serve(config, quiet(), ReviewOptions(named, started=lambda server: server.shutdown()))
    assert capsys.readouterr().err.rstrip().endswith(" as Eve (editor)")


def test_points_that_come_one_after_the_other_are_compared(
    campaign: LedgerScene, client: Client
) -> None:
    status, _, body = client.ask("POST", "/api/decide", entry("one", in_s=1.5))
    assert status == 200
    (first,) = json.loads(body)["changes"]
    for out_s, expected in ((1.2, 422), (1.5, 422), (1.6, 200)):
        wanted = entry("one", out_s=out_s)
        wanted["entries"][0]["seen"] = first["review"]
        assert client.ask("POST", "/api/decide", wanted)[0] == expected
    now = campaign.ledger.reviews.current()[sha("one")]
    assert (now.in_s, now.out_s) == (1.5, 1.6)


def test_ledger_that_can_not_be_read_is_told(
    config: Config, campaign: LedgerScene, client: Client
) -> None:
    kept = [each.rename(f"{each}.kept") for each in config.root.glob("ledger.db*")]
    (config.root / "ledger.db").write_bytes(b"no ledger" * 1000)
    asked = [client.ask("POST", "/api/undo", {"by": "ada"})]
    asked += [client.ask("GET", path) for path in ("/api/changes?since=0", "/report/index.html")]
    for status, _, body in asked:
        assert status == 500
        assert json.loads(body)["problem"].startswith("the ledger can't be read or written: ")
    with pytest.raises(LedgerError):
        serve(config, quiet(), ReviewOptions())
    for each in kept:
        each.rename(each.with_suffix(""))
    assert client.ask("GET", "/api/changes?since=0")[0] == 200


def test_port_that_is_taken_is_told(config: Config, server: ReviewServer) -> None:
    with pytest.raises(StageError, match="name another"):
        serve(config, quiet(), ReviewOptions(listening=Listening(port=server.access.site.port)))
