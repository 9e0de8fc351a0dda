"""Words of taking back are recognised in several languages, and ordinary mails are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.texts import taking_back
from pipeline.texts.consenting import hint

LINES = [
    line.split(" ", 2)
    for line in (Path(__file__).parent / "data" / "taking_back.txt").read_text("utf-8").splitlines()
    if line[0] in "+-"
]


@pytest.mark.parametrize(("sign", "language", "words"), LINES)
def test_each_mail_is_understood(sign: str, language: str, words: str) -> None:
    assert language
    assert taking_back.is_meant("River Week", words) is (sign == "+")
    assert taking_back.is_meant(words, "") is (sign == "+")


def test_what_is_quoted_does_not_count() -> None:
    for quoted in (
        "Thanks!\n\n> please delete my video\n",
        "All right, here it is.\n\nOn Tue, 1 Sep 2026 at 10:00, Ana wrote:\nplease delete my video",
        "Gern.\n-----Original Message-----\nFrom: Ana\nplease delete my video",
        "Ja.\n\n____________\nVon: Ana\nGesendet: Dienstag\nAn: Team\n\nplease delete my video",
        "Sí.\n\nDe: Ana\nEnviado: martes\nPara: equipo\n\nplease delete my video",
        "Oui.\nLe 1 septembre 2026, Ana a écrit :\nplease delete my video",
    ):
        assert not taking_back.is_meant("Re: River Week", quoted)


@pytest.mark.parametrize(
    "line", ["-----", "_____", "-----\nTel: 1\nWeb: 2", "Da: no", "On second thought I wrote"]
)
def test_what_only_looks_like_the_beginning_of_a_quote_hides_nothing(line: str) -> None:
    assert taking_back.is_meant("", f"Hello,\n\n{line}\nplease delete my video")
    found = hint("", f"You may use it.\n\n{line}\nonly without faces", answers_question=True)
    assert found is not None
    assert found.consent is None


def test_an_answer_between_the_lines_of_an_unmarked_quote_spoils_a_yes() -> None:
    quoted = "\n\nFrom: Team\nSent: Monday\nTo: Ana\n\nMay we show it?\nonly without faces"
    for marked in (False, True):
        text = "Yes" + (quoted.replace("\n", "\n> ") if marked else quoted)
        found = hint("", text, answers_question=True)
        assert found is not None
        assert (found.consent is None) is not marked


@pytest.mark.parametrize(
    "text",
    [
        *("No\nBoris", "No, Anna", "Nein\nLG Anna", "No thank you very much.", "No 👎", "👎"),
        *("No, my son is in it.", "Non merci, Anna", "Stop.", "Please wait.", "Bitte warten."),
        *("I do not consent.", "Ich erlaube das nicht.", "Je n'autorise pas.", "لا أسمح"),
        *("Не дозволяю", "No doy permiso de eso", "मंजूर नहीं", "Permission no. Consent: no."),
    ],
)
def test_a_short_refusal_counts_in_what_may_be_an_answer(text: str) -> None:
    assert taking_back.is_meant("Re: Stop Coal", text, may_answer=True)
    assert not taking_back.is_meant("Re: No Coal", f"> {text}\n\nYes, gladly!", may_answer=True)


@pytest.mark.parametrize(
    "text",
    [
        *("Thank you!", "No problem at all!", "Yes, of course", "Ja gerne", "No hay problema"),
        *("Danke, kein Problem", "Ja klar\nNora", "When is the film shown?", "Merci beaucoup"),
    ],
)
def test_an_ordinary_answer_takes_nothing_back(text: str) -> None:
    assert not taking_back.is_meant("Re: No Coal", text, may_answer=True)


def test_an_answer_below_what_is_quoted_counts() -> None:
    quoted = (
        "On Tue, 1 Sep 2026 at 10:00, the team wrote:\n\n> Thank you for your video.\n> The team\n"
    )
    assert taking_back.is_meant("Re: River Week", f"{quoted}\nPlease delete my video.")
    assert not taking_back.is_meant("Re: River Week", f"{quoted}\nYou are welcome.")


def test_a_phrase_goes_on_over_a_broken_line() -> None:
    assert taking_back.is_meant("", "Hello, please do not use the\nvideo I sent")
    assert not taking_back.is_meant("", "The boats did not.\n\nUse the video")


def test_words_far_down_in_a_mail_count() -> None:
    for length in (3000, 8000):
        text = "We had a nice day. " * length
        assert taking_back.is_meant("", f"{text}\n\nPlease delete my video.")
        assert not taking_back.is_meant("", text)
    text = "We had a nice day. " * 3000
    assert taking_back.is_meant("", f"{text}\n\nPlease delete my video.\n\n{text}")
    assert taking_back.is_meant("", "a" * 2_000_000), "nobody has read it, so a person must"


def test_long_texts_take_little() -> None:
    for piece in ("do not ", "delete ", "FOOTAGE ", "不要", "please dont use ", "\n", "a " * 50):
        assert taking_back.is_meant("", piece * 10_000) in {True, False}
