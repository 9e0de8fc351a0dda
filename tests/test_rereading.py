"""Mails that came in before the rules changed are read again, once, for words of taking back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ledger_scene import LedgerScene, attachment, opened, result, settings, sha

from pipeline.commands.rereading import read_again
from pipeline.consent import Consent
from pipeline.history import WordsRead
from pipeline.ingest import stage as ingest
from pipeline.model import Note
from pipeline.review import consents
from pipeline.review.consents import ConsentEntry
from pipeline.texts import taking_back

TEXTS = {
    "answer": "My mother does not want it.",
    "quoting": "Yes.\n\nOn Tue, 1 Sep 2026 at 10:00, Ana wrote:\nHello.\nPlease delete my video.",
    "read": "Please delete my video.",
    "long": "We had a nice day. …",
    "fine": "Here is my video.",
    "no-path": "Please delete my video!",
    "server": "No, there is nobody with this name.",
}
BOUNCES = {"no-path": "River", "server": "Undelivered Mail Returned to Sender"}


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[LedgerScene]:
    """Mails in the ledger of an older version, which found nothing in them."""
    with opened(tmp_path / "work") as scene:
        for name, text in TEXTS.items():
            scene.mail(
                attachment(name),
                sender=f"{name}@example.org",
                subject=BOUNCES.get(name, "River"),
                text=text,
                notes=(Note.BOUNCE,) * (name in BOUNCES),
                answers=("<earlier@example.org>",) * (name in ("answer", "server")),
            )
            scene.clip(result(name))
        yield scene


def test_a_mail_with_footage_of_somebody_who_was_asked_is_read_as_an_answer(
    campaign: LedgerScene, tmp_path: Path
) -> None:
    mail = "Received: by b; Tue, 01 Sep 2026 10:00:00 +0000\nFrom: fine@example.org\n\n"
    (tmp_path / "inbox").mkdir()
    run = campaign.run(settings(tmp_path))

    def takes_back(name: str) -> bool:
        (tmp_path / "inbox" / f"{name}.eml").write_text(
            "Content-Type: multipart/mixed; boundary=b\n"
            f"{mail}--b\n\nMy mother does not want it.\n"
            f"--b\nContent-Type: image/png; name={name}.png\n\n\x89PNG{name}\n--b--\n",
            "latin-1",
        )
        ingest.run(run)
        return Note.TAKES_BACK in campaign.ledger.intake.submissions()[-1].notes

    run.ledger.runs.start("20990101T000000.000000Z", "run")
    assert not takes_back("before")
    (fine,) = [it.id for it in campaign.ledger.intake.submissions() if it.text == TEXTS["fine"]]
    consents.record(campaign.ledger, fine, ConsentEntry(Consent.YES, by="Ana"))
    assert takes_back("after")


def held(scene: LedgerScene) -> set[str]:
    taken_back = {row.sha256 for row in scene.ledger.clips.rows() if row.held_by}
    return {name for name in TEXTS if sha(name) in taken_back}


def night(scene: LedgerScene, name: str) -> None:
    scene.ledger.runs.start(name, "run")
    read_again(scene.run(settings(scene.workspace.root.parent)))
    scene.ledger.runs.end(name, 0, {"ingest": {}})


def test_a_newer_version_reads_all_mails_again_once(
    campaign: LedgerScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = dict(zip(TEXTS, (mail.id for mail in campaign.ledger.intake.submissions()), strict=True))
    campaign.ledger.reviews.set_handled([ids["read"]], "Ana")
    night(campaign, "20990101T000000.000000Z")
    assert held(campaign) == {"answer", "quoting", "no-path"}
    read = campaign.ledger.runs.words_read()
    assert (read.held, read.cut) == ((ids["answer"], ids["quoting"], ids["no-path"]), 1)
    (mail,) = [it for it in campaign.ledger.intake.submissions() if it.id == ids["quoting"]]
    assert mail.notes.count(Note.TAKES_BACK) == 1
    assert campaign.ledger.checks.unreadable_rows() == []

    campaign.ledger.reviews.set_handled(read.held, "Ana")
    night(campaign, "20990102T000000.000000Z")
    assert held(campaign) == set()
    assert campaign.ledger.runs.words_read() == read, "it is not read again by the same rules"
    monkeypatch.setattr(taking_back, "_VERSION", 99)
    taking_back.rules.cache_clear()
    night(campaign, "20990103T000000.000000Z")
    taking_back.rules.cache_clear()
    assert campaign.ledger.runs.words_read().held == ()
    assert held(campaign) == set(), "a person has read it"


def test_what_came_after_a_yes_is_read_again_and_what_came_before_is_not(
    campaign: LedgerScene,
) -> None:
    fine = next(it.id for it in campaign.ledger.intake.submissions() if it.text == TEXTS["fine"])
    campaign.mail(sender="fine@example.org", text="Only with my name.")
    consents.record(campaign.ledger, fine, ConsentEntry(Consent.YES, by="Ana"))
    night(campaign, "20990101T000000.000000Z")
    assert "fine" not in held(campaign), "Ana had read it"
    campaign.mail(sender="fine@example.org", text="Only in the local news.")
    campaign.ledger.runs.note_words_read(WordsRead("older"))
    night(campaign, "20990102T000000.000000Z")
    assert "fine" in held(campaign)
