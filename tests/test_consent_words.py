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
NAMES = {"yes": "yes", "yes-with-name": "name", "no": "no", None: "read"}


def proposed(text: str, *, asked: bool) -> tuple[str, str]:
    found = hint("Re: River Week", text, answers_question=asked)
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
    found = hint("", text, answers_question=False)
    assert found is not None
    assert found.sentence == "You may use the video, dear Zoé!"
    assert found.consent == "yes", "what is quoted does not count"
    assert hint("You may show it", "", answers_question=False) is not None


def test_long_texts_take_little() -> None:
    for piece in ("you may ", "yes, ", "FOOTAGE ", "可以", "use it if ", "\n", "a " * 50):
        for asked in (False, True):
            hint(piece * 2000, piece * 50_000, answers_question=asked)
