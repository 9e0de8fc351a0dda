"""What somebody writes after a question or a "yes" is shown to a person, unless it is harmless."""

from __future__ import annotations

import io
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from support.ingest_scene import IngestScene, jpeg, mail

from pipeline.consent import Consent, ConsentCourse, ConsentRecord
from pipeline.correspondence import Matter
from pipeline.ledger import Ledger
from pipeline.model import Attachment, Kind, Note, Row, Status, Submission
from pipeline.review import consents, mails, proposing
from pipeline.review.consents import ConsentEntry
from pipeline.texts import consenting
from pipeline.texts.remembering import Remembered

PDF = b"%PDF-1.7\n1 0 obj\n"
RTF = rb"{\rtf1 only without my face}"
LIMITS = (
    *("Only without Mia's face", "please blur my son", "not on Facebook", "not before Friday"),
    *("only with my name", "only in the local news", "Thanks! Faces out please.", "Wait for Mum"),
    *(
        "Can we see it before it is shown?",
        "Great! But call me Tom.",
        "Just the part with the boat",
    ),
    *("Nur ohne Mias Gesicht", "Bitte erst ab Freitag", "Danke! Mein Kind bitte unkenntlich"),
    *("Seulement sans le visage de Mia", "Merci, mais pas sur Facebook", "Solo con mi nombre"),
    *("Gracias. En las noticias locales", "Só sem o rosto da Mia", "Obrigada, sem o meu nome"),
    *("Тільки без обличчя Мії", "Дякую, розмийте сина", "فقط بدون وجه ابني", "شكرا، بدون اسمي"),
    *("सिर्फ मेरे नाम के साथ", "धन्यवाद, चेहरा धुंधला करें"),
)
HARMLESS = (
    *("Thanks!", "OK, thank you.", "Yes, of course!", "When will the film be shown?", ""),
    *(
        "Hello, did my video arrive? Best, Tom",
        "Thank you for your patience. Can't wait to see it!",
    ),
    "Great!\n\n-----Original Message-----\nFrom: Team\nSent: Monday\nTo: Tom\n\n"
    "A program wrote this mail. People read what you answer.",
    *("Danke für die Antwort! Ich freue mich auf den Film. LG Tom", "Wann wird der Film gezeigt?"),
    *("Merci beaucoup ! Hâte de voir le film.", "Où peut-on voir le film ?", "De nada"),
    *("¿Cuándo se puede ver la película? Gracias", "Obrigado! Quando sai o filme?"),
    *("Дякую за увагу!", "Коли вийде фільм?", "شكرا جزيلا", "متى سيعرض الفيلم؟"),
    *("धन्यवाद", "फिल्म कब आएगी?"),
)


def packed(*names: str) -> bytes:
    """A file of an office program: a ZIP archive of these members."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, "only without my face")
    return data.getvalue()


DOCX = packed("[Content_Types].xml", "_rels/.rels", "word/document.xml", "word/media/image1.png")
ODT = packed("mimetype", "content.xml", "META-INF/manifest.xml")


@pytest.mark.parametrize("text", LIMITS)
def test_any_word_that_is_not_known_may_limit_a_yes(text: str) -> None:
    assert not consenting.is_harmless("Re:", text, known="River Week Tom Mia")


@pytest.mark.parametrize("text", HARMLESS)
def test_thanks_and_usual_questions_limit_nothing(text: str) -> None:
    assert consenting.is_harmless("Re: River Week", text, known="River Week Tom")
    assert not consenting.is_harmless("Not on Facebook", text, known="River Week Tom")


@pytest.mark.parametrize(
    ("text", "is_limit"),
    [
        ("Another one. Sorry, the sound is not very good but the light is nice.", False),
        ("Noch ein Video, leider etwas unscharf und nur kurz.", False),
        ("Otra foto, no se ve muy bien.", False),
        ("Another one. Please blur my son in both.", True),
        ("Noch eins. Bei beiden bitte ohne Namen.", True),
        ("Encore une. Pas sur Facebook, svp.", True),
    ],
)
def test_with_footage_only_words_that_protect_somebody_count(text: str, is_limit: bool) -> None:
    assert consenting.may_limit("", text) is is_limit


def test_what_came_after_a_yes_holds_clips_until_a_person_has_read_it(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    scene = IngestScene.at(tmp_path, "eml:inbox")

    def night(*sent: tuple[str, bytes, str, str]) -> dict[str, list[str]]:
        """Take in mails, each of a sender, with a file or none; gives the notes by the text."""
        for name, data, sender, text in sent:
            files = ((name, data),) if data else ()
            message = mail(*files, sender=f"{sender}@x.org", text=text, subject="Re: My clip")
            message.replace_header("Message-ID", f"<{name}{sender}{len(text)}@x.org>")
            (tmp_path / f"inbox/{len([*tmp_path.glob('inbox/*')]):02}.eml").write_bytes(
                bytes(message)
            )
        scene.ingest()
        notes = (Note.TAKES_BACK, Note.AFTER_CONSENT)
        return {it.text: [n for n in it.notes if n in notes] for it in scene.submissions()}

    people = ("anna", "ben", "cleo", "dora", "emil", "fay")
    night(*((f"{it}.jpg", jpeg(it), it, f"A photo of {it}.") for it in people))
    with Ledger(scene.workspace.ledger) as ledger:
        for each in ledger.intake.submissions():
            if not each.sender.startswith("fay"):
                consents.record(ledger, each.id, ConsentEntry(Consent.YES, by="ada"))
    notes = night(
        ("", b"", "anna", "only in the local news"),
        ("", b"", "ben", "Thanks, when will it be shown?"),
        ("answer.pdf", PDF, "cleo", "Thanks!"),
        ("more.jpg", jpeg("more"), "dora", "Here is one more, it is not so sharp."),
        ("both.jpg", jpeg("both"), "emil", "One more. Please blur my son in both."),
        ("", b"", "fay", "only in the local news, as I told you"),
    )
    with Ledger(scene.workspace.ledger) as ledger:
        held = {it.submission for it in ledger.clips.rows() if it.held_by}
        names = {it.id: it.sender.partition("@")[0] for it in ledger.intake.submissions()}
        assert {names[it] for it in held} == {"anna", "cleo", "emil"}
        found = proposing.proposals(
            mails.view(ledger, ledger.clips.rows()), ledger.consents.courses()
        )
        shown = {names[it]: (each.hint, each.files) for it, each in found.items()}
        assert {it: hint.sentence for it, (hint, _) in shown.items()} == {
            "anna": "only in the local news",
            "cleo": "Thanks!",
            "emil": "Please blur my son in both.",
        }
        assert all(hint.consent is None for hint, _ in shown.values())
        assert shown["cleo"][1] == ("answer.pdf",)
        assert "files" in found[next(it for it in found if names[it] == "cleo")].as_data()
        ledger.reviews.set_handled([it.mail for it in found.values()], "ada")
        views = mails.view(ledger, ledger.clips.rows())
        assert proposing.proposals(views, ledger.consents.courses()) == {}
        assert not any(it.held_by for it in ledger.clips.rows())
    assert notes["Thanks, when will it be shown?"] == []
    assert notes["Here is one more, it is not so sharp."] == []


@pytest.mark.parametrize(
    ("name", "data"), [("a.pdf", PDF), ("a.docx", DOCX), ("a.odt", ODT), ("a.rtf", RTF)]
)
def test_a_document_beside_a_yes_has_to_be_read(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / "inbox").mkdir()
    scene = IngestScene.at(tmp_path, "eml:inbox")
    film, page = ("a.jpg", jpeg()), (name, data)
    for number, sent in enumerate(
        (
            mail(film, sender="anna@x.org", text="You may use it.", subject=""),
            mail(film, page, sender="ben@x.org", text="You may use it.", subject=""),
            mail(page, sender="cleo@x.org", text="No, sorry.", subject=""),
        )
    ):
        (tmp_path / f"inbox/{number}.eml").write_bytes(bytes(sent))
    scene.ingest()
    with Ledger(scene.workspace.ledger) as ledger:
        rows = ledger.clips.rows()
        found = proposing.proposals(mails.view(ledger, rows), {})
        first, second, third = ledger.intake.submissions()
    assert (found[first.id].hint.consent, found[first.id].files) == (Consent.YES, ())
    assert (found[second.id].hint.consent, found[second.id].files) == (None, (name,))
    assert Note.TAKES_BACK in third.notes, "a refusal in few words, as without the document"
    kept = [row for row in rows if row.attachment.filename == name]
    assert all(row.sha256 and row.refusal for row in kept), "it is kept, and the report names it"


def form_mails(count: int, texts: tuple[str, ...]) -> list[mails.MailView]:
    """Mails of one web form: all have its address; each has a photo."""
    views = []
    for number in range(count):
        name, at = f"s{number:05}", f"2026-09-01T10:{number // 60:02}:{number % 60:02}Z"
        text = texts[number % len(texts)]
        sent = Submission(name, f"<{name}@x.org>", "form@x.org", "Your form", text, at)
        photo = Attachment(0, "a.jpg", Kind.IMAGE, f"{number:064x}", 10)
        rows = [Row(name, photo, None, Status.ACCEPTED, None, None, None)]
        is_last = number == count - 1
        matters = (Matter.AFTER_CONSENT,) if is_last else (Matter.WROTE_AGAIN,)
        views.append(
            mails.MailView(sent, rows, matters, None, None, (), taken_at=at, taken=number + 1)
        )
    return views


@pytest.mark.parametrize(
    ("texts", "recorded"),
    [
        (("A photo of mine.",), None),
        (("You may show it.",), None),
        (("You may show it.", "Please blur my son."), None),
        (("A photo of mine.",), Consent.YES),
        (("You may show it.",), Consent.ASKED),
    ],
)
def test_work_on_the_mails_of_one_sender_grows_with_their_number(
    texts: tuple[str, ...], recorded: Consent | None
) -> None:
    def calls(count: int) -> int:
        """How many functions are called for so many mails, all recorded at the first of them."""
        views, at = form_mails(count, texts), "2026-09-01T10:00:00Z"
        courses = {
            it.mail.id: ConsentCourse(ConsentRecord(it.mail.id, recorded, at=at), 1, at, at)
            for it in views
            if recorded is not None
        }
        counts: Counter[str] = Counter()
        sys.setprofile(lambda _frame, event, _arg: counts.update((event,)))
        try:
            proposing.proposals(views, courses)
        finally:
            sys.setprofile(None)
        return counts["call"]

    proposing.proposals(form_mails(len(texts), texts), {})  # what is loaded once, and the texts
    calls(2 * len(texts))
    few, many = calls(100), calls(200)
    assert many < 2.2 * few
    assert many < 200 * 200, "each text was read before"


def test_a_text_is_read_once_in_a_process() -> None:
    found: list[int] = []

    def look() -> int:
        found.append(0)
        return len(found)

    known = Remembered[int](2)
    given = [known.of((text, "x"), look) for text in ("a", "b", "a", "c", "a")]
    assert given == [1, 2, 1, 3, 4], "two are kept at most"
