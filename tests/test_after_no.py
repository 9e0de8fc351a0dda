"""New footage of somebody who said no before waits for a person."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from support.ingest_scene import IngestScene, jpeg, mail
from support.ledger_scene import attachment, opened, result, settings
from support.warm_taking import quick_taking

from pipeline.commands.letters import ASKS, write_drafts
from pipeline.commands.receipts import due_receipts
from pipeline.consent import Consent
from pipeline.ledger import Ledger
from pipeline.model import Note
from pipeline.review import consents, mails
from pipeline.review.consents import ConsentEntry

__all__ = ["quick_taking"]  # a fixture


def test_footage_that_comes_after_a_no_is_held_until_a_person_has_read_the_mail(
    tmp_path: Path,
) -> None:
    (tmp_path / "inbox").mkdir()
    scene = IngestScene.at(tmp_path, "eml:inbox")

    def night(*sent: tuple[str, str, str, int]) -> None:
        """Take in mails: a sender, a text, the name of a photo or "", a day of September."""
        for who, text, photo, day in sent:
            files = [(f"{photo}.jpg", jpeg(photo))] if photo else []
            at = f"by mx.example.org; {day} Sep 2026 08:00:00 +0000"
            made = mail(*files, sender=f"{who}@x.org", text=text, Received=at)
            number = len([*tmp_path.glob("inbox/*")])
            made.replace_header("Message-ID", f"<{number}@x.org>")
            (tmp_path / f"inbox/{number:02}.eml").write_bytes(bytes(made))
        scene.ingest()

    people = ("ana", "ben", "cleo", "dora")
    night(*((who, "A photo.", who, 1) for who in people))
    night(("ana", "Please delete all my videos.", "", 2))
    with Ledger(scene.workspace.ledger) as ledger:
        ids = {it.sender.partition("@")[0]: it.id for it in reversed(ledger.intake.submissions())}
        no = [it.id for it in ledger.intake.submissions() if Note.TAKES_BACK in it.notes]
        ledger.reviews.set_handled(no, "Zoe")
        consents.record(ledger, ids["ben"], ConsentEntry(Consent.NO, by="Zoe"))
        ledger.custody.withdraw(ledger.custody.received(submission=ids["cleo"], sender=None))
    night(
        *(("ana", "Late.", "late", 7), ("ana", "New.", "new", 8)),
        *(("ben+film", "Again.", "again", 20), ("cleo", "Other.", "other", 20)),
        *(("dora", "Second.", "second", 3), ("ben", "Words alone.", "", 20)),
    )
    with Ledger(scene.workspace.ledger) as ledger:
        texts = {it.id: it.text for it in ledger.intake.submissions()}
        held = {row.submission: row.held_by for row in ledger.clips.rows() if row.held_by}
        assert {texts[it] for it in held} == {"Late.", "Again.", "Other."}
        assert all(by == (it,) for it, by in held.items())
        views = mails.view(ledger, ledger.clips.rows())
        assert mails.open_counts(views)["after-no"] == 3
        ledger.reviews.set_handled(held, "Zoe")
        assert not any(row.held_by for row in ledger.clips.rows())


def test_nobody_is_thanked_or_asked_after_a_no(tmp_path: Path) -> None:
    config = settings(tmp_path)
    review = config.review.model_copy(update={"consent": "required"})
    config = config.model_copy(update={"review": review})
    with opened(tmp_path) as campaign:
        for name, sender, notes in (
            ("one", "ana@example.org", ()),
            ("two", "ana@example.org", (Note.AFTER_NO,)),
            ("three", "ben@example.org", ()),
        ):
            campaign.mail(attachment(name), sender=sender, notes=notes)
            campaign.clip(result(name))
        ana, again, ben = campaign.ledger.intake.submissions()
        consents.record(campaign.ledger, ana.id, ConsentEntry(Consent.NO, by="Zoe"))
        today = date.fromisoformat(ana.received_at[:10])
        due = due_receipts(config, campaign.ledger, today)
        assert [it.id for each in due for it in each.mails] == [ben.id]
        run = campaign.run(config)

        def asked() -> set[str]:
            write_drafts(run)
            drafts = run.workspace.letters.glob("*.eml")
            return {it.stem for it in drafts if ASKS in it.read_text("utf-8")}

        assert asked() == {ben.id}
        letter = (run.workspace.letters / f"{again.id}.eml").read_text("utf-8")
        assert "until you tell us" in " ".join(letter.split())
        campaign.ledger.reviews.set_handled([again.id], "Zoe")
        assert asked() == {again.id, ben.id}, "a person has decided to ask"
