"""Consent on the page: what is proposed, confirmed by a person, and what it keeps out of films."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.browser import Reader, browser, overflow, reader, violations
from support.ledger_scene import LedgerScene, attachment, decide, result, settings, sha
from support.report_page import card
from support.review_server import Client, enter, serving, until

from pipeline import clock
from pipeline.config import Config
from pipeline.consent import Consent, ConsentRecord
from pipeline.ledger import Ledger
from pipeline.model import Decision, Note, Review
from pipeline.review import consents, decisions, mails, report, unseen
from pipeline.review.consents import ConsentEntry
from pipeline.review.proposing import proposals
from pipeline.workspace import Workspace

__all__ = ["browser", "reader"]  # fixtures

WORDS = {
    "plain": "Here is our video.",
    "named": "You may show it with my name.",
    "german": "Sie dürfen das Video gern zeigen.",
    "blur": "You may use it if you blur my daughter.",
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return settings(tmp_path, required='true\nconsent = "required"')


@pytest.fixture
def campaign(config: Config) -> Iterator[LedgerScene]:
    workspace = Workspace(config.root)
    workspace.create()
    with Ledger(workspace.ledger) as ledger:
        scene = LedgerScene(ledger, workspace)
        for name, text in WORDS.items():
            scene.mail(attachment(name), sender=f"{name}@example.org", subject="", text=text)
            scene.clip(result(name))
            decide(ledger, sha(name), Review(Decision.APPROVED, "", "ada"))
        yield scene


def consent_of(campaign: LedgerScene, submission: str) -> tuple[str, str, str, str]:
    record = campaign.ledger.consents.current().get(submission)
    return (record.consent, record.name, record.place, record.by) if record else ("", "", "", "")


def summary(page: Page, name: str) -> str:
    return page.locator(f"{card(page, name)} .agree summary").inner_text()


def refuses_what_it_does_not_show(page: Page, campaign: LedgerScene) -> None:
    campaign.mail(sender="german@example.org", subject="", text="Only in the local news.")
    page.locator(f"{card(page, 'german')} .agree summary").click()
    box = page.locator(f"{card(page, 'german')} .agree")
    box.get_by_label("Consent").select_option("yes")
    box.get_by_role("button", name="Record").click()
    expect(page.locator("#dock-count")).to_contain_text("a newer mail of this sender is here")
    until(page, lambda: "no" in summary(page, "german").split())


def test_a_person_confirms_what_is_proposed(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    campaign.mail(sender="named@example.org", subject="", text="It was filmed in Varanasi.")
    with serving(config) as server:
        page, watch = enter(reader, server, "Ines")
        expect(page.locator(".figure.consent .value")).to_have_text("4")
        expect(page.locator(".figure.montage .sub")).to_contain_text("0 clips")
        said = page.locator(f"{card(page, 'german')} .proposal").inner_text()
        assert said.startswith("Proposed: yes (German). Sie dürfen das Video gern zeigen.")
        blur = page.locator(f"{card(page, 'blur')} .proposal")
        expect(blur).to_contain_text("read it (English)")
        expect(blur.get_by_role("button", name="Confirm")).to_have_count(0)
        expect(page.locator(f"{card(page, 'plain')} .proposal")).to_be_hidden()
        expect(page.locator(f"{card(page, 'german')} .hold")).to_contain_text("not agreed yet")
        page.locator(f"{card(page, 'german')} .proposal button").click()
        until(page, lambda: consent_of(campaign, "s00002") == ("yes", "", "", "Ines"))
        expect(page.locator(f"{card(page, 'german')} .hold")).to_be_hidden()
        expect(page.locator(".figure.consent .value")).to_have_text("3")
        expect(page.locator(".figure.montage .sub")).to_contain_text("1 clip")
        # with a name: it is typed by the person, and a place only in the sender's words
        page.locator(f"{card(page, 'named')} .proposal button").click()
        box = page.locator(f"{card(page, 'named')} .agree")
        box.get_by_role("button", name="Record").click()
        assert consent_of(campaign, "s00001")[0] == ""
        box.get_by_label("Name to show").fill("Priya <b>")
        box.get_by_label("Place to show").fill("Mumbai")
        box.get_by_role("button", name="Record").click()
        until(page, lambda: "not known" in summary(page, "named"))
        assert consent_of(campaign, "s00001")[0] == ""
        box.get_by_label("Consent").select_option("yes-with-name")
        box.get_by_label("Name to show").fill("Priya <b>")
        box.get_by_label("Place to show").fill("Varanasi")
        box.get_by_role("button", name="Record").click()
        until(
            page,
            lambda: (
                consent_of(campaign, "s00001")[:3] == ("yes-with-name", "Priya <b>", "Varanasi")
            ),
        )
        until(page, lambda: "Priya <b>, Varanasi" in summary(page, "named"))
        assert (violations(page), overflow(page)) == ([], 0)
        # somebody else records another one
        consents.record(campaign.ledger, "s00002", ConsentEntry(Consent.NO, by="ben"))
        expect(page.locator(f"{card(page, 'german')} .hold")).to_contain_text("said no")
        expect(page.locator(".figure.montage .sub")).to_contain_text("1 clip")
        box.get_by_label("Consent").select_option("no")
        box.get_by_role("button", name="Record").click()
        until(page, lambda: consent_of(campaign, "s00001")[0] == "no")
        for state in ("yes-with-name", "unknown"):
            page.get_by_role("button", name="Undo").click()
            until(page, lambda state=state: consent_of(campaign, "s00001")[0] == state)  # type: ignore[misc]
        # what was refused is passed over, and what somebody else recorded since is kept
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#dock-count")).to_contain_text("It is now: no")
        assert consent_of(campaign, "s00002") == ("no", "", "", "ben")
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#dock-count")).to_have_text("There is nothing to undo.")
        refuses_what_it_does_not_show(page, campaign)
        page.locator(".figure.consent").click()
        expect(page.locator(".card")).to_have_count(3)
        assert len(watch.errors) == 3, "the refusals of Mumbai, of the undo and of the yes"


def test_a_page_without_a_server_saves_it_to_the_decisions_file(
    reader: Reader, campaign: LedgerScene, config: Config, tmp_path: Path
) -> None:
    page, _ = reader.open(report.write(campaign.run(config)).index)
    page.locator(f"{card(page, 'german')} .proposal button").click()
    box = page.locator(f"{card(page, 'plain')} .agree")
    box.locator("summary").click()
    box.get_by_label("Consent").select_option("no")
    box.get_by_role("button", name="Record").click()
    expect(page.locator(f"{card(page, 'plain')} .hold")).to_contain_text("said no")
    expect(page.locator("#dock-count")).to_contain_text("2 decisions")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#dock-count")).to_contain_text("1 decision ")
    box.get_by_label("Consent").select_option("no")
    box.get_by_role("button", name="Record").click()
    page.get_by_label("Your name").fill("Ines")
    with page.expect_download() as caught:
        page.get_by_role("button", name="Save decisions file").click()
    expect(page.locator(f"{card(page, 'plain')} .agree .unsaved")).to_have_count(0)
    file = tmp_path / "decisions.json"
    caught.value.save_as(file)
    said = json.loads(file.read_bytes())["consents"]
    assert {it["knows"] for it in said} == {unseen.newest_mail(campaign.ledger)}
    done = decisions.take_file(campaign.ledger, file, "", campaign=config.campaign.name)
    assert (done.consents, done.not_taken) == (2, ())
    assert consent_of(campaign, "s00002") == ("yes", "", "", "Ines")
    assert consent_of(campaign, "s00000") == ("no", "", "", "Ines")
    again = decisions.take_file(campaign.ledger, file, "", campaign=config.campaign.name)
    assert (again.consents, again.same) == (0, 2)


def entry(**changes: object) -> dict[str, object]:
    said = {"submission": "s00000", "consent": "yes", "at": "2026-09-01T07:30:00Z", "by": "Ines"}
    return said | changes


def test_what_a_file_says_is_checked(campaign: LedgerScene, config: Config, tmp_path: Path) -> None:
    consents.record(campaign.ledger, "s00001", ConsentEntry(Consent.NO, by="ben"))
    listed = [
        entry(submission="s00007"), entry(consent="maybe"), entry(name="Ann"), entry(at="now"),
        entry(consent="yes-with-name"), entry(consent="yes-with-name", name="A", place="Mumbai"),
        entry(submission="s00001"), "yes", entry(by=7, at="2126-09-01T07:30:00Z"),
    ]  # fmt: skip
    file = tmp_path / "decisions.json"
    data = {"schema": 1, "campaign": "River Week", "decisions": [], "consents": listed}
    file.write_text(json.dumps(data), "utf-8")
    done = decisions.take_file(campaign.ledger, file, "ada", campaign="River Week")
    assert [each.entry for each in done.not_taken] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert "another consent since" in done.not_taken[6].problem
    assert consent_of(campaign, "s00000") == ("yes", "", "", "ada")
    at = campaign.ledger.consents.current()["s00000"].at
    assert at is not None
    assert at < "2126", "the clock of a reviewer may be fast"
    assert consent_of(campaign, "s00001")[0] == "no"


def test_the_server_refuses_what_is_malformed_or_overtaken(
    campaign: LedgerScene, config: Config
) -> None:
    unknown = {"state": "unknown", "name": "", "place": "", "by": "", "at": None}
    with serving(config) as server:
        client = Client(server)
        for wrong in (
            {"submission": "s9", "consent": "yes"},
            {"submission": ["s00000"], "consent": "yes"},
            {"submission": "s00000", "consent": 1},
            {"submission": "s00000", "consent": "yes", "name": ["x"]},
            {"submission": "s00000", "consent": "yes-with-name"},
        ):
            status, _, _ = client.ask("POST", "/api/consent", {**wrong, "seen": unknown})
            assert status == 422, wrong
        asked = {"submission": "s00000", "consent": "yes"}
        assert client.ask("POST", "/api/consent", {**asked, "seen": None})[0] == 409
        assert client.ask("POST", "/api/consent", {**asked, "seen": unknown})[0] == 200
        refused = {**asked, "consent": "no", "seen": unknown}
        assert client.ask("POST", "/api/consent", refused)[0] == 409
    assert consent_of(campaign, "s00000") == ("yes", "", "", "ada")


@pytest.mark.parametrize(
    ("sender", "text", "note"),
    [
        ("plain@example.org", "Please delete my video.", Note.TAKES_BACK),
        ("plain@example.org", "Wait until my mother has seen it.", None),
        ("plain+film@example.org", "Please delete my video.", Note.TAKES_BACK),
        ("mum@example.org", "Only in the local news.", Note.AFTER_CONSENT),
    ],
)
def test_a_yes_covers_no_mail_that_its_page_did_not_show(
    campaign: LedgerScene, config: Config, tmp_path: Path, sender: str, text: str, note: Note | None
) -> None:
    def news(words: str, notes: tuple[Note, ...] = ()) -> str:
        answers = ("<0@mail.example.org>",)
        return campaign.mail(sender=sender, subject="Re:", text=words, notes=notes, answers=answers)

    def file(**changes: object) -> tuple[int, list[str]]:
        path = tmp_path / "decisions.json"
        said = [entry(**changes)]
        data = {"schema": 1, "campaign": "River Week", "decisions": [], "consents": said}
        path.write_text(json.dumps(data), "utf-8")
        done = decisions.take_file(campaign.ledger, path, "ada", campaign="River Week")
        return done.consents, [it.problem for it in done.not_taken]

    shown = unseen.newest_mail(campaign.ledger)
    campaign.mail(sender="other@example.org", subject="", text="Please delete my video.")
    with serving(config) as server:
        client = Client(server)
        unknown = consents.as_data(ConsentRecord("s00000"))
        said = {"submission": "s00000", "seen": unknown, "knows": shown}
        mail = news(text, (note,) if note else ())
        named = f"a newer mail of this sender is here: read it first ({mail})"
        status, _, body = client.ask("POST", "/api/consent", {**said, "consent": "yes"})
        assert (status, json.loads(body)["problem"]) == (409, named)
        assert (
            client.ask("POST", "/api/consent", {**said, "consent": "yes", "knows": "x"})[0] == 422
        )
        for knows in (shown, None, 10**9):
            assert file(knows=knows) == (0, [f"consent: {named}"])
        assert consent_of(campaign, "s00000")[0] == ""
        assert client.ask("POST", "/api/consent", {**said, "consent": "no"})[0] == 200
        consents.record(campaign.ledger, "s00000", ConsentEntry(Consent.UNKNOWN))
        at = campaign.ledger.consents.current()["s00000"].at
        assert file(consent="no", at=at, knows=shown) == (1, [])
    assert file(at=at, knows=unseen.newest_mail(campaign.ledger)) == (1, []), "this page showed it"


def test_thanks_that_came_in_meanwhile_spoil_no_yes(campaign: LedgerScene) -> None:
    shown = unseen.newest_mail(campaign.ledger)
    campaign.mail(sender="plain@example.org", subject="Re:", text="Thanks, when is it shown?")
    campaign.mail(attachment("more"), sender="plain@example.org", text="Another one.")
    unseen.check_yes(campaign.ledger, "s00000", Consent.YES, shown)
    unseen.check_yes(campaign.ledger, "s00000", Consent.YES, None)


@pytest.mark.parametrize("note", [Note.NOT_AUTHENTIC, Note.NO_RECEIPT])
def test_a_forged_mail_proposes_no_yes(campaign: LedgerScene, note: Note) -> None:
    at = "2026-09-11T00:00:00Z"
    same = partial(campaign.mail, sender="plain@example.org", subject="", received_at=at)
    same(text="You may show it.", notes=(note,))
    campaign.mail(attachment("four"), sender="ben@example.org", subject="", text="I agree",
                  notes=(note,))  # fmt: skip
    found = proposals(mails.view(campaign.ledger, campaign.ledger.clips.rows()), {})
    assert found.keys() == {"s00001", "s00002", "s00003"}
    same(text="I do not consent to this.", notes=(note,))
    found = proposals(mails.view(campaign.ledger, campaign.ledger.clips.rows()), {})
    assert found["s00000"].hint.consent is Consent.NO, "a no may be anybody's"
    campaign.mail(attachment("five"), sender="", subject="", text="You may show it.")
    campaign.mail(attachment("six"), sender="zoe@example.org", text="Six.", notes=(note,))
    campaign.mail(sender="zoe@example.org", subject="", text="You may show it.")
    found = proposals(mails.view(campaign.ledger, campaign.ledger.clips.rows()), {})
    assert found.keys().isdisjoint({"s00006", "s00007"}), "of nobody; true words, a forged photo"


def test_an_answer_to_our_question_proposes(campaign: LedgerScene) -> None:
    ledger = campaign.ledger

    def asked(now: ConsentRecord) -> ConsentRecord:
        return replace(now, consent=Consent.ASKED, by="letters", at="2026-09-10T00:00:00Z")

    for number in range(4):
        ledger.consents.amend(f"s0000{number}", asked, question=f"<q{number}@example.org>")
    at = "2026-09-11T00:00:00Z"
    said = {
        "s00000": ("Yes, of course!", ()),
        "s00001": ("Yes, but without my name", ()),
        "s00002": ("Yes", (Note.AUTOMATIC,)),
    }
    for number, (text, notes) in enumerate(said.values()):
        answers = ("<unknown@example.org>", f"<q{number}@example.org>")
        sender = f"{list(WORDS)[number]}@example.org"
        campaign.mail(
            sender=sender, subject="Re:", text=text, notes=notes, answers=answers, received_at=at
        )
    campaign.mail(sender="blur@example.org", text="Yes", received_at=at)  # it answers nothing
    found = proposals(mails.view(ledger, ledger.clips.rows()), ledger.consents.courses())
    assert {each: it.hint.consent for each, it in found.items()} == {
        "s00000": Consent.YES,
        "s00001": None,
    }
    assert found["s00000"].mail == "s00004"
    question = ("<q3@example.org>", "<3@mail.example.org>")
    campaign.mail(sender="eve@example.org", text="Yes", answers=question, received_at=at)
    campaign.mail(sender="", text="Yes", answers=question, received_at=at)
    found = proposals(mails.view(ledger, ledger.clips.rows()), ledger.consents.courses())
    assert "s00003" not in found, "nobody answers for somebody else"
    later = "2026-09-12T00:00:00Z"
    campaign.mail(
        sender="Blur@Example.org", subject="", text="Yes", answers=question, received_at=later
    )
    found = proposals(mails.view(ledger, ledger.clips.rows()), ledger.consents.courses())
    assert found["s00003"].hint.consent is Consent.YES
    consents.record(ledger, "s00000", ConsentEntry(Consent.YES, by="ada"))
    found = proposals(mails.view(ledger, ledger.clips.rows()), ledger.consents.courses())
    assert "s00000" not in found, "a person has read it"


def test_a_refusal_that_was_taken_in_late_is_proposed(campaign: LedgerScene) -> None:
    ledger = campaign.ledger
    at = clock.stamp(datetime.now(UTC) - timedelta(hours=1))
    ledger.consents.amend("s00000", lambda now: replace(now, consent=Consent.YES, by="ada", at=at))
    of_plain = partial(campaign.mail, sender="plain@example.org", subject="", answers=())
    of_plain(text="I do not consent to this.", received_at="2026-09-20T00:00:00Z")
    found = proposals(mails.view(ledger, ledger.clips.rows()), ledger.consents.courses())
    assert found["s00000"].hint.consent is Consent.NO, "received before the yes was recorded"


def now_proposed(campaign: LedgerScene) -> tuple[Consent | None, str] | None:
    """What is proposed for the first mail, and by which mail."""
    views = mails.view(campaign.ledger, campaign.ledger.clips.rows())
    found = proposals(views, campaign.ledger.consents.courses()).get("s00000")
    return (found.hint.consent, found.mail) if found else None


def ask(campaign: LedgerScene, letter: str) -> None:
    consents = campaign.ledger.consents
    asked = partial(replace, consent=Consent.ASKED, by="letters", at=None)
    consents.amend("s00000", asked, question=letter)


def test_what_comes_in_the_second_of_a_question_or_an_answer_is_newer(
    campaign: LedgerScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    second, before = "2026-09-20T00:00:00Z", "2026-09-19T23:58:00Z"
    monkeypatch.setattr(clock, "now", lambda: second)
    same = partial(campaign.mail, sender="plain@example.org", subject="Re:", received_at=second)
    ask(campaign, "<q1@x>")
    yes = same(text="Yes", answers=("<q1@x>",), received_at=before)  # by a clock that is behind
    assert now_proposed(campaign) == (Consent.YES, yes)
    consents.record(campaign.ledger, "s00000", ConsentEntry(Consent.YES, by="ada"))
    assert now_proposed(campaign) is None, "she has read it, in the same second"
    refusal = same(text="I do not consent to this.")
    assert now_proposed(campaign) == (Consent.NO, refusal)
    consents.record(campaign.ledger, "s00000", ConsentEntry(Consent.NO, by="ada"))
    same(text="You may show it.", answers=("<q1@x>",), received_at=before)
    assert now_proposed(campaign) is None, "it was received before the no was recorded"
    ask(campaign, "<q2@x>")
    assert now_proposed(campaign) is None
    yes = same(text="Yes", answers=("<q2@x>",), received_at=before)
    assert now_proposed(campaign) == (Consent.YES, yes), "it answers a question after the no"


def test_an_answer_from_before_the_footage_by_its_clock_counts(campaign: LedgerScene) -> None:
    ask(campaign, "<q1@x>")
    early = "2026-08-31T00:00:00Z"
    yes = campaign.mail(
        sender="plain@example.org",
        subject="Re:",
        text="Yes",
        answers=("<q1@x>",),
        received_at=early,
    )
    assert now_proposed(campaign) == (Consent.YES, yes)


def test_a_limit_that_came_in_later_spoils_a_yes_that_has_a_later_time(
    campaign: LedgerScene,
) -> None:
    same = partial(campaign.mail, sender="plain@example.org", subject="")
    same(text="You may show it.", received_at="2026-09-20T00:00:10Z")
    limit = same(text="Only if you blur my son.", received_at="2026-09-20T00:00:05Z")
    assert now_proposed(campaign) == (None, limit)
    refusal = same(text="I do not consent.", received_at="2026-09-20T00:00:07Z")
    assert now_proposed(campaign) == (None, refusal)
    yes = same(text="I agree.", received_at="2026-09-20T00:00:20Z")
    assert now_proposed(campaign) == (Consent.YES, yes)


def test_a_condition_in_a_doubtful_mail_spoils_an_older_yes(campaign: LedgerScene) -> None:
    same = partial(campaign.mail, sender="plain@example.org", subject="")
    same(text="You may show it.", received_at="2026-09-20T00:00:00Z")
    same(text="You may show it, but only with my face blurred.", notes=(Note.NOT_AUTHENTIC,),
         received_at="2026-09-21T00:00:00Z")  # fmt: skip
    found = proposals(mails.view(campaign.ledger, campaign.ledger.clips.rows()), {})
    assert found["s00000"].hint.consent is None


@pytest.mark.parametrize("case", ["sixth", "footage", "someone", "form", "back"])
def test_a_newer_word_of_the_same_story_spoils_an_older_yes(
    campaign: LedgerScene, case: str
) -> None:
    same = partial(campaign.mail, sender="plain@example.org", subject="")
    same(text="You may show it.", received_at="2026-09-20T00:00:00Z")
    at, limit = "2026-09-22T00:00:00Z", "Only if you blur the face of my daughter."
    if case == "sixth":
        for number in range(6):
            same(text="When is the film shown?", received_at=f"2026-09-21T0{number}:00:00Z")
        same(text=limit, received_at=at)
    elif case == "footage":
        same(attachment("two"), text=f"Another one. Both: {limit}", received_at=at)
    elif case == "someone":
        same(
            sender="mum@example.org", text=limit, received_at=at, answers=("<4@mail.example.org>",)
        )
    elif case == "form":
        same(text=limit, received_at=at, notes=(Note.AUTOMATIC,))
    else:
        limit = "Please delete my video."
        same(text=limit, received_at=at, notes=(Note.TAKES_BACK,))
    views = mails.view(campaign.ledger, campaign.ledger.clips.rows())
    found = proposals(views, {})["s00000"]
    assert (found.hint.consent, found.mail) == (None, views[-1].mail.id)
    assert found.hint.sentence in f"Both: {limit}"
    same(text="You may show it.", received_at="2026-09-23T00:00:00Z")
    found = proposals(mails.view(campaign.ledger, campaign.ledger.clips.rows()), {})["s00000"]
    assert found.hint.consent is Consent.YES, "the newest word counts"
