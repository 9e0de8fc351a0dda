"""Words of consent are recognised in several languages, and only propose what is beyond doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.texts import phrases
from pipeline.texts.consenting import hint, question
from pipeline.texts.receipt import languages

LINES = [
    line.split(" ", 2)
    for line in (Path(__file__).parent / "data" / "consent.txt").read_text("utf-8").splitlines()
    if line[0] != "#"
]
KNOWN = "River Week Tom Miller Anna Maier Zoé Martin Priya"
NAMES = {"yes": "yes", "yes-with-name": "name", "no": "no", None: "read"}


def proposed(text: str, *, asked: bool) -> tuple[str, str]:
    found = hint("Re: River Week", text, answers_question=asked, known=KNOWN)
    return (NAMES[found.consent], found.language) if found else ("-", "")


@pytest.mark.parametrize(("state", "language", "text"), LINES)
def test_each_mail_is_understood(state: str, language: str, text: str) -> None:
    expected = (state, language.strip("?") if state != "-" else "")
    assert proposed(text, asked=language[0] == "?") == expected


def test_our_question_is_no_answer_also_where_it_is_quoted_without_a_mark() -> None:
    assert phrases.loaded("consent").keys() == languages().keys()
    for language in languages():
        asked = question(language)
        assert proposed(asked, asked=True)[0] in {"-", "read"}
        for answer in ("Yes", "Ja", "Oui", "No"):
            assert proposed(f"{answer}\n\n{asked}", asked=True)[0] in {"-", "read", "no"}
        assert proposed(f"Yes\n\n> {asked}", asked=True) == ("yes", "en")
    assert question("xx") == question("en")


def test_the_sentence_is_shown_as_it_was_written() -> None:
    text = "Hello!\nYou may use the\nvideo, dear Zoé!\nBest\n\n> You may use my name"
    found = hint("", text, answers_question=False, known="Zoé")
    assert found is not None
    assert found.sentence == "You may use the video, dear Zoé!"
    assert found.consent == "yes", "what is quoted does not count"
    assert hint("You may show it", "", answers_question=False) is not None


@pytest.mark.parametrize(
    "text",
    [
        "You may use the video.\nBest\nWait For Mum",
        "You may use the video.\n\nThanks,\nFaces Out Please",
        "Sie dürfen das Video zeigen.\n\nDanke\n\nGesichter Weg Bitte",
        "يمكنكم استخدام الفيديو.\n\nشكرا\n\nممنوع وضع اسمي",
        "You may use the video.…",
        "You may use the video. " * 100,
    ],
)
def test_what_only_looks_like_a_signature_or_is_not_read_to_its_end_is_no_yes(text: str) -> None:
    assert proposed(text, asked=False)[0] == "read"


def test_the_name_of_the_sender_may_stand_below_a_yes() -> None:
    text = "You may use the video.\n\nBest regards\nAnna Maier"
    assert proposed(text, asked=False) == ("yes", "en")
    assert proposed(text.replace("Maier", "Blur"), asked=False) == ("read", "en")


@pytest.mark.parametrize("subject", ["Embargo Friday", "Copyright, all rights reserved", "Faces"])
def test_a_subject_may_limit_a_yes(subject: str) -> None:
    found = hint(subject, "Please use the video.", answers_question=False, known=KNOWN)
    assert found is not None
    assert found.consent is None


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ("Family Smith", "You may share it with the family."),
        ("Friday Strike", "You may show it on Friday."),
        ("office", "You may show my video in the office."),
        ("only Anna", "You may use my photo, Only Anna."),
    ],
)
def test_a_name_within_a_sentence_is_no_word_of_a_yes(known: str, text: str) -> None:
    found = hint("", text, answers_question=False, known=known)
    assert found is not None
    assert found.consent is None
    signed = hint("", f"You may use it.\n\n{known}", answers_question=False, known=known)
    assert signed is not None
    assert (signed.consent is None) is known.startswith("only")


def test_long_texts_take_little() -> None:
    for piece in ("you may ", "yes, ", "FOOTAGE ", "可以", "use it if ", "\n", "a " * 50):
        for asked in (False, True):
            hint(piece * 2000, piece * 50_000, answers_question=asked)
