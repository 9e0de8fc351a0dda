"""What senders agreed to: who recorded it, what it keeps out of films, and what proves it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.ledger_scene import (
    LedgerScene,
    attachment,
    decide,
    opened,
    quiet,
    result,
    settings,
    sha,
)

from pipeline import addressees
from pipeline.commands import comparison, custody
from pipeline.commands.consent import ConsentCall, record
from pipeline.config import Config
from pipeline.consent import Consent, combined
from pipeline.errors import UsageError
from pipeline.history import EventKind
from pipeline.model import Decision, Note, Review
from pipeline.review import mails, proposing, rules
from pipeline.review.admission import Admission
from pipeline.store import WorkspaceFolder


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return settings(tmp_path)


@pytest.fixture
def campaign(config: Config) -> Iterator[LedgerScene]:
    with opened(config.root) as scene:
        for name, sender in (("one", "maria@example.org"), ("two", "Maria@Example.org")):
            scene.mail(attachment(name), sender=sender, text="Filmed in Varanasi.")
            scene.clip(result(name))
        scene.mail(attachment("three"), sender="ben@example.org")
        scene.clip(result("three"))
        for name in ("one", "two", "three"):
            decide(scene.ledger, sha(name), Review(Decision.APPROVED, "", "ada"))
        yield scene


def said(
    config: Config, *what: str, consent: str = "", name: str = "", place: str = ""
) -> dict[str, object]:
    return record(config, quiet(), ConsentCall(what, consent, name, place, "ada")).facts


def in_film(campaign: LedgerScene, *, needs_consent: bool) -> list[str]:
    rows = campaign.ledger.clips.rows()
    admitted = rules.admitted(rows, Admission(required=True, needs_consent=needs_consent))
    return [row.attachment.filename for row in admitted]


def test_a_mail_a_clip_or_an_address_is_named(config: Config, campaign: LedgerScene) -> None:
    said(config, "maria@example.org", consent="yes")
    said(config, sha("three")[:8].upper(), consent="no")
    current = campaign.ledger.consents.current()
    assert {each: it.consent for each, it in current.items()} == {
        "s00000": Consent.YES,
        "s00001": Consent.YES,
        "s00002": Consent.NO,
    }
    assert {it.by for it in current.values()} == {"ada"}
    assert all(it.at for it in current.values())
    assert said(config, "s00002", consent="asked")["changed"] == ["s00002"]
    assert said(config, "s00002", consent="asked")["changed"] == []


def test_what_is_recorded_is_listed(config: Config, campaign: LedgerScene) -> None:
    said(config, "s00000", consent="yes-with-name", name="Maria M.", place="varanasi")
    ending = record(config, quiet(), ConsentCall(()))
    assert ending.lines[0].startswith(
        "s00000 sender 1 (m…@e….org): yes-with-name (Maria M., varanasi)"
    )
    assert ending.lines[-1] == "3 mails, 2 of them without an answer on consent"
    assert len(record(config, quiet(), ConsentCall(("s00001",))).lines) == 2
    assert campaign.ledger.clips.rows()[0].credit == "Maria M., varanasi"
    campaign.mail(attachment("three"), sender="zoe@example.org")
    assert record(config, quiet(), ConsentCall(())).lines[-1].startswith("4 mails, 3 of"), "again"


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (ConsentCall(("s0",), "yes"), "more than one"),
        (ConsentCall(("",), "yes"), "no mail and no clip"),
        (ConsentCall(("s00007",), "yes"), "no mail and no clip"),
        (ConsentCall(("nobody@example.org",), "yes"), "no footage came"),
        (ConsentCall((), "yes"), "name the mails"),
        (ConsentCall(("s00000",), "", "Maria"), "--set yes-with-name"),
        (ConsentCall(("s00000",), "yes", "Maria"), "for yes-with-name only"),
        (ConsentCall(("s00000",), "yes-with-name"), "needs the name"),
        (ConsentCall(("s00000",), "yes-with-name", "\u200b "), "needs the name"),
        (
            ConsentCall(("s00002",), "yes-with-name", "Ben", "Varanasi"),
            "gave this place in no mail",
        ),
        (ConsentCall(("s00000", "s00002"), "yes-with-name", "Ben", "Varanasi"), "in no mail"),
        (ConsentCall(("s00000",), "yes-with-name", "Maria", "Vara"), "in no mail"),
        (ConsentCall(("s00000",), "yes-with-name", "Maria", "med in"), "in no mail"),
        (ConsentCall(("s00000",), "yes-with-name", "Maria", "…"), "in no mail"),
        *(
            (ConsentCall(("s00000",), "yes-with-name", name, place), "coordinates or a link")
            for name, place in (
                ("https://maps.example.org/?q=46.0,7.7", ""),
                ("Ana maps.app.goo.gl/AbCd", ""),
                ("Ana", "46.1111, 7.2222"),
                ("Ana", "46°00′N 7°42′E"),
                ("46.1111", "7.2222"),
                ("Ana 46.1111 N", ""),
                ("Ana", "JN36sc"),
                ("index.home.raft", ""),
                ("Ana 10115 Berlin", ""),
                ("Ana", "Hauptstraße ٥"),
            )
        ),
    ],
)
def test_what_is_not_possible_changes_nothing(
    config: Config, campaign: LedgerScene, call: ConsentCall, why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        record(config, quiet(), call)
    assert campaign.ledger.consents.current() == {}
    assert not list(campaign.ledger.chain.events(EventKind.CONSENT))


def test_a_no_keeps_footage_out_and_a_yes_may_be_required(
    config: Config, campaign: LedgerScene
) -> None:
    assert in_film(campaign, needs_consent=False) == ["one.mov", "two.mov", "three.mov"]
    assert in_film(campaign, needs_consent=True) == []
    said(config, "s00000", consent="yes")
    said(config, "s00001", consent="asked")
    said(config, "s00002", consent="no")
    assert in_film(campaign, needs_consent=False) == ["one.mov", "two.mov"]
    assert in_film(campaign, needs_consent=True) == ["one.mov"]
    rows = campaign.ledger.clips.rows()
    assert len(rules.without_consent(rows, needs_consent=False)) == 1
    assert len(rules.without_consent(rows, needs_consent=True)) == 2
    film = [sha("one"), sha("three")]
    assert rules.no_longer_admitted(film, rows, Admission(required=True)) == [sha("three")]


def test_the_same_bytes_in_two_mails_have_the_stricter_consent(
    config: Config, campaign: LedgerScene
) -> None:
    said(config, "s00000", consent="yes-with-name", name="Maria")
    campaign.mail(attachment("one"), sender="zoe@example.org")
    for now in (Consent.UNKNOWN, Consent.ASKED):
        if now is not Consent.UNKNOWN:
            said(config, "s00003", consent=now)
        rows = campaign.ledger.clips.rows()
        assert (rows[0].consent, rows[0].credit) == (now, "")
        assert "one.mov" not in in_film(campaign, needs_consent=True)
        assert "one.mov" in in_film(campaign, needs_consent=False)
        waiting = rules.waits_for_consent(rows, needs_consent=True)
        assert waiting["s00003"] is now
        assert "s00000" not in waiting, "this sender has answered"
    said(config, "s00003", consent="yes-with-name", name="Zoe")
    assert (campaign.ledger.clips.rows()[0].consent, campaign.ledger.clips.rows()[0].credit) == (
        Consent.YES_WITH_NAME,
        "Maria",
    )
    said(config, "s00003", consent="yes")
    assert (campaign.ledger.clips.rows()[0].consent, campaign.ledger.clips.rows()[0].credit) == (
        Consent.YES,
        "",
    )
    said(config, "s00003", consent="no")
    assert {row.consent for row in campaign.ledger.clips.rows() if row.sha256 == sha("one")} == {
        Consent.NO
    }
    assert combined([]) is Consent.UNKNOWN


def test_nobody_agrees_for_the_other_senders_of_a_clip(
    config: Config, campaign: LedgerScene
) -> None:
    campaign.mail(attachment("one"), sender="MARIA@example.org")
    said(config, sha("one")[:8], consent="yes")
    current = campaign.ledger.consents.current()
    assert set(current) == {"s00000", "s00003"}, "both mails are from one person"
    campaign.mail(attachment("one"), sender="ben@example.org")
    for number, consent in enumerate(("yes", "yes-with-name", "asked", "unknown")):
        name = "Ben" if consent == "yes-with-name" else ""
        with pytest.raises(UsageError, match=r"s00000 sender 1 .*; s00004 sender 2 .*the mail"):
            said(config, "s00002", sha("one"), consent=consent, name=name)
        assert campaign.ledger.consents.current() == current, number
    said(config, sha("one"), consent="no")
    said(config, "s00004", consent="yes")
    changed = campaign.ledger.consents.current()
    assert [changed[each].consent for each in ("s00000", "s00003", "s00004")] == ["no", "no", "yes"]
    for _ in range(2):
        campaign.mail(attachment("two"), sender="")
    with pytest.raises(UsageError, match="name the mail"):
        said(config, sha("two"), consent="yes")


@pytest.mark.parametrize("note", [Note.NOT_AUTHENTIC, Note.NO_RECEIPT, Note.BOUNCE])
def test_a_mail_that_somebody_else_may_have_sent_is_named_by_its_id_only(
    config: Config, campaign: LedgerScene, note: Note, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = campaign.mail(attachment("one"), text="Filmed in Gurgaon.", notes=(note,))
    campaign.clip(result("one"))
    assert said(config, "maria@example.org", consent="yes")["left"] == [forged]
    assert f"{forged} stays as it is: " in capsys.readouterr().err
    assert set(campaign.ledger.consents.current()) == {"s00000", "s00001"}
    assert said(config, sha("one"), consent="yes")["left"] == [forged]
    alone = campaign.mail(attachment("four"), sender="zoe@example.org", notes=(note,))
    with pytest.raises(UsageError, match="name it by this id; nothing was recorded"):
        said(config, "zoe@example.org", consent="asked")
    with pytest.raises(UsageError, match="gave this place in no mail"):
        said(config, "s00000", consent="yes-with-name", name="Maria", place="Gurgaon")
    assert any("(it" in line for line in record(config, quiet(), ConsentCall((forged,))).lines)
    said(config, forged, "zoe@example.org", alone, consent="yes")
    said(config, "zoe@example.org", consent="no")
    current = campaign.ledger.consents.current()
    assert (current[forged].consent, current[alone].consent) == (Consent.YES, Consent.NO)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Anna.Strauß@x.org", "anna.strauss@x.org", False),
        ("a@straße.de", "a@strasse.de", False),
        ("a@straße.de", "A@xn--STRAE-oqa.de.", True),
        ("ﬁ@x.org", "fi@x.org", False),
        ("ſam@x.org", "sam@x.org", False),
        ("a@ｘ。org", "a@x.org", True),
        ("zoe\u0301@x.org", "ZOÉ@x.org", True),
        ("a@xn--\u00e9.org", "a@xn--e.org", False),
    ],
)
def test_addresses_that_case_folding_makes_alike_are_two_people(
    campaign: LedgerScene, one: str, other: str, is_same: bool
) -> None:
    assert (addressees.person(one) == addressees.person(other)) is is_same
    for name, sender in (("four", one), ("five", other)):
        campaign.mail(attachment(name), sender=sender)
    taken = campaign.ledger.custody.received(submission=None, sender=one)
    assert (sha("five") in taken) is is_same
    assert len(campaign.ledger.intake.sender_numbers()) == 4 - is_same
    assert campaign.ledger.custody.received(submission=None, sender=" ") == []


@pytest.mark.parametrize(
    ("one", "other", "may_be_same"),
    [
        ("a+film@example.org", "A@example.org", True),
        ("a+film@example.org", "a+photo@example.org", True),
        ("ana.maier@gmail.com", "AnaMaier+x@googlemail.com", True),
        ("ana.maier@example.org", "anamaier@example.org", False),
        ("strauß@x.org", "strauss@x.org", True),
        ("a@straße.de", "a@strasse.de", False),
        ("+film@x.org", "+photo@x.org", False),
        ("a@x.org", "a@y.org", False),
    ],
)
def test_a_no_counts_for_all_addresses_that_may_have_one_owner_and_a_yes_does_not(
    config: Config, campaign: LedgerScene, one: str, other: str, may_be_same: bool
) -> None:
    first = campaign.mail(attachment("four"), sender=one, text="Four.")
    second = campaign.mail(attachment("five"), sender=other, text="Five.", subject="Five")
    assert said(config, one, consent="yes")["submissions"] == [first]
    expected = [first, second] if may_be_same else [first]
    assert said(config, one, consent="no")["submissions"] == expected

    def proposed(text: str) -> set[str]:
        campaign.mail(sender=one, text=text, subject="")
        views = mails.view(campaign.ledger, campaign.ledger.clips.rows())
        found = proposing.proposals(views, {})
        return {mail for mail in (first, second) if mail in found}

    assert proposed("You may show it.") == {first}
    assert proposed("I do not consent.") == set(expected)
    campaign.mail(sender=one, text="Delete my video.", notes=(Note.TAKES_BACK,))
    held = {row.submission for row in campaign.ledger.clips.rows() if row.held_by}
    assert held == set(expected)


def test_the_chain_proves_it_without_a_name(config: Config, campaign: LedgerScene) -> None:
    said(config, "s00000", consent="yes-with-name", name="Maria", place="Varanasi")
    said(config, "s00000", consent="no")
    events = list(campaign.ledger.chain.events(EventKind.CONSENT))
    assert [event.facts["consent"] for event in events] == ["yes-with-name", "no"]
    assert {event.subject for event in events} == {"s00000"}
    assert "Maria" not in str(events)
    told = custody.tell(campaign.ledger, WorkspaceFolder(campaign.workspace), sha("one"))
    texts = [line.text for line in told.lines if line.event.kind == EventKind.CONSENT]
    assert texts == [
        f"ada recorded what the sender agreed to: {each}." for each in ("yes-with-name", "no")
    ]
    assert "Maria" not in str(told.table())


def test_a_changed_or_deleted_entry_is_found(config: Config, campaign: LedgerScene) -> None:
    said(config, "s00000", consent="no")
    said(config, "s00001", consent="no")
    run = campaign.run(config)

    def rows() -> list[str]:
        found = comparison.differences(run.workspace, comparison.look(run))
        return [each.path for each in found if each.kind == "row-changed"]

    assert rows() == []
    with closing(sqlite3.connect(campaign.workspace.ledger)) as db, db:
        db.execute("UPDATE consent SET consent = 'yes' WHERE submission = 's00000'")
        db.execute("DELETE FROM consent WHERE submission = 's00001'")
    assert rows() == ["entry 1 of the consents", "entry 2 of the consents"]
    with closing(sqlite3.connect(campaign.workspace.ledger)) as db, db:
        db.execute("DROP TRIGGER event_is_not_changed")
        db.execute("UPDATE event SET facts = '{\"number\": 9}' WHERE subject = 's00001'")
    for name in ("one", "two"):
        told = custody.tell(campaign.ledger, WorkspaceFolder(campaign.workspace), sha(name))
        said_of = [line.text[:8] for line in told.lines if line.event.kind == "consent"]
        assert said_of == ["Somebody"]


def test_a_withdrawal_deletes_it_and_the_chain_holds(config: Config, campaign: LedgerScene) -> None:
    campaign.mail(attachment("four"), attachment("five", 1))
    for each in ("s00000", "s00003"):
        said(config, each, consent="yes-with-name", name="Maria Secretname")
    campaign.ledger.custody.withdraw([sha("one"), sha("four")])
    assert set(campaign.ledger.consents.current()) == {"s00003"}, "five is still there"
    campaign.ledger.custody.withdraw([sha("five")])
    assert campaign.ledger.consents.current() == {}
    assert b"Secretname" not in campaign.workspace.ledger.read_bytes()
    run = campaign.run(config)
    kinds = {each.kind for each in comparison.differences(run.workspace, comparison.look(run))}
    assert "row-changed" not in kinds
    assert campaign.ledger.chain.breaks() == []
    told = custody.tell(campaign.ledger, WorkspaceFolder(campaign.workspace), sha("one"))
    texts = [line.text for line in told.lines if line.event.kind == EventKind.CONSENT]
    assert texts[0].startswith("Somebody recorded")
    assert texts[1] == "The entries on what the sender agreed to were deleted."
