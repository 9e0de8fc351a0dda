"""Words of taking back are recognised in several languages, and ordinary mails are left alone."""

from __future__ import annotations

import textwrap
import unicodedata
from pathlib import Path

import pytest

from pipeline.texts import consenting, letters, taking_back
from pipeline.texts.consenting import hint
from pipeline.texts.receipt import languages as receipt_languages

DATA = (Path(__file__).parent / "data" / "taking_back.txt").read_text("utf-8").splitlines()
LINES = [line.split(" ", 2) for line in DATA if line[0] in "+-"]
OBJECTING = [line.split(" ", 2)[2] for line in DATA if line[0] == "!"]
BRIEF = [line.split(" ", 2)[1:] for line in DATA if line[0] == "~"]
INNOCENT = [line.split(" ", 2)[1:] for line in DATA if line[0] == "&"]
FOOTERS = [line.split(" ", 2)[2] for line in DATA if line[0] == "@"]
CONTENT = [line.split(" ", 2)[2] for line in DATA if line[0] == "="]


@pytest.mark.parametrize(("sign", "language", "words"), LINES)
def test_each_mail_is_understood(sign: str, language: str, words: str) -> None:
    assert language
    assert taking_back.is_meant("River Week", words) is (sign == "+")
    assert taking_back.is_meant(words, "") is (sign == "+")


def test_what_is_quoted_does_not_count() -> None:
    for quoted in (
        "Thanks!\n\n> please delete my video\n",
        "Thanks!\n\nOn Tue, 1 Sep 2026 at 10:00, Ana wrote:\n> please delete my video\n",
        "Gern.\n-----Original Message-----\n> From: Ana\n> please delete my video",
    ):
        assert not taking_back.is_meant("Re: River Week", quoted)


HEADS = (
    "All right, here it is.\n\nOn Tue, 1 Sep 2026 at 10:00, No Coal <a@no.example> wrote:\n",
    "Gern.\n-----Original Message-----\nFrom: No Coal\n",
    "Ja.\n\n____________\nVon: No Coal\nGesendet: Dienstag\nAn: Team\nBetreff: No Coal\n\n",
    "Sí.\n\nDe: Ana\nEnviado: martes\nPara: No Coal\n\n",
    "Oui.\nLe 1 septembre 2026, Ana a écrit :\n",
)
"""Ways in which a quote begins whose lines have no mark."""


@pytest.mark.parametrize("head", HEADS)
def test_what_may_be_an_own_line_in_a_quote_without_marks_counts(head: str) -> None:
    """Nobody can tell whose line it is, so a person has to look."""
    for own in ("Please delete my video.", "On second thought: no.", "> We made it.\n\nNo!"):
        assert taking_back.is_meant("Re: No Coal", f"{head}We like it.\n{own}", may_answer=True)
    assert not taking_back.is_meant("Re: No Coal", f"{head}We like it.", may_answer=True)


@pytest.mark.parametrize("head", HEADS)
def test_our_own_letter_in_a_quote_without_marks_does_not_count(head: str) -> None:
    receipts = [
        f"{each.thanks}\n\n{each.code}\n\n{each.automatic}" for each in receipt_languages().values()
    ]
    questions = [consenting.question(name) for name in receipt_languages()]
    ours = "\n\n".join((*letters(), *receipts, *questions))
    ours = ours.format(campaign="No Coal", count=2, code="ABC")
    for letter in (ours, textwrap.fill(ours, 60, replace_whitespace=False)):
        assert not taking_back.is_meant("Re: No Coal", f"{head}{letter}", may_answer=True)
        text = f"{head}{letter}\nNo, please delete it."
        assert taking_back.is_meant("Re: No Coal", text, may_answer=True)


@pytest.mark.parametrize("language", sorted({language for language, _ in INNOCENT}))
def test_innocent_sentences_hold_nothing(language: str) -> None:
    """Words of film and of everyday life that look like those of a refusal."""
    said = [words for spoken, words in INNOCENT if spoken == language]
    held = [words for words in said if taking_back.is_meant("River", f"You may use it. {words}")]
    assert held == [], "beside footage and a yes"
    answers = [words for words in said if taking_back.is_meant("Re: River", words, may_answer=True)]
    assert answers == []


@pytest.mark.parametrize("words", OBJECTING)
def test_somebody_else_who_does_not_want_it_counts_in_an_answer_and_after_a_yes(words: str) -> None:
    assert taking_back.is_meant("Re: No Coal", words, may_answer=True)
    assert taking_back.is_meant("", f"Yes, gladly. {words}")
    assert not taking_back.is_meant("", f"> {words}\n\nYes, gladly!", may_answer=True)


@pytest.mark.parametrize("words", CONTENT)
def test_somebody_else_who_likes_it_is_no_refusal(words: str) -> None:
    assert not taking_back.is_meant("Re: No Coal", words, may_answer=True)


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
        # words of one language that look like those of deletion in another one
        *("Yes, I'm quite happy with that.", "Yes. I am a retired teacher.", "Yes. I borrowed it."),
        *("Ja gern. Lassen Sie mich wissen, wann.", "Yes, I shot it exclusively for you."),
    ],
)
def test_an_ordinary_answer_takes_nothing_back(text: str) -> None:
    assert not taking_back.is_meant("Re: No Coal", text, may_answer=True)


@pytest.mark.parametrize("language", sorted({language for language, _ in BRIEF}))
def test_a_refusal_in_few_words_counts_in_an_answer(language: str) -> None:
    """A bare "no", a wait of any length, and half of a refusal ("photo yes, video no")."""
    said = [words for spoken, words in BRIEF if spoken == language]
    missed = [it for it in said if not taking_back.is_meant("Re: Coal", it, may_answer=True)]
    assert missed == []
    for words in said:
        assert not taking_back.is_meant("Re: Coal", f"> {words}\n\nYes, gladly!", may_answer=True)


@pytest.mark.parametrize("no", ["不行。", "いいえ。", "Nej.", "Nee!", "HAYIR", "Nie,"])
def test_a_short_no_between_a_greeting_and_a_name_counts(no: str) -> None:
    assert taking_back.is_meant("Re: Coal", f"Hello Team,\n\n{no}\n\nAna", may_answer=True)


@pytest.mark.parametrize("apostrophe", "'’‘‛ʼ′`´΄＇ˈ")
def test_each_sign_that_is_typed_as_an_apostrophe_is_one(apostrophe: str) -> None:
    for words in ("Don't publish my video.", "I don't want my video to be used", "I don't consent"):
        assert taking_back.is_meant("", words.replace("'", apostrophe))
    for words in ("My mother doesn't want it.", "N'utilisez pas ma vidéo"):
        assert taking_back.is_meant("Re: x", words.replace("'", apostrophe), may_answer=True)


@pytest.mark.parametrize("words", ["hayır", "fikrimi değiştirdim", "videomu yayınlamayın"])
def test_turkish_letters_are_the_same_in_capitals_and_without_marks(words: str) -> None:
    capitals = words.replace("i", "İ").upper()
    plain = words.translate(str.maketrans("ığş", "igs"))
    for written in (words, capitals, plain, plain.upper(), unicodedata.normalize("NFD", words)):
        assert taking_back.is_meant("Re: x", written, may_answer=True)


@pytest.mark.parametrize("footer", FOOTERS)
def test_a_footer_of_a_company_is_no_refusal_and_hides_none(footer: str) -> None:
    for below in (footer, textwrap.fill(footer, 72)):
        assert not taking_back.is_meant("", f"Here is my film.\n\nAna\n\n{below}")
        for agreed in ("Yes, of course!\n\nAna\n\n-- ", "Yes, of course!\nAna"):
            assert not taking_back.is_meant("Re: x", f"{agreed}\n{below}", may_answer=True)
        for no in ("No", "Nein danke", "不行", "Please delete it", "Fikrimi değiştirdim"):
            for mail in (f"{no}\n\nAna\n\n-- \n{below}", f"{no}\n{below}", f"{below}\n{no}"):
                assert taking_back.is_meant("Re: x", mail, may_answer=True), mail
    assert taking_back.is_meant("", f"{footer} Please do not publish my video.")


def test_polite_words_with_a_word_of_objection_take_nothing_back() -> None:
    for polite in ("No objections.", "Nichts dagegen!", "Rien contre", "Nada contra", "Не проти"):
        assert not taking_back.is_meant("Re: No Coal", polite, may_answer=True)


def test_a_subject_alone_refuses_in_an_answer() -> None:
    for subject in ("Re: NO", "AW: Nein", "Re: River Week - NO!", "Re: Re: no thank you", "No: Re"):
        for text in ("", "Best, Anna", "> May we show it?"):
            assert taking_back.is_meant(subject, text, may_answer=True)
        assert not taking_back.is_meant(subject, "Yes, gladly!", may_answer=True)
    assert not taking_back.is_meant("Re: No Coal", "", may_answer=True)


def test_an_answer_counts_that_a_program_marked_as_quoted() -> None:
    for mark in ("> ", "| "):
        assert taking_back.is_meant("Re: River", f"{mark}May we show it?\n{mark}NO")
        assert not taking_back.is_meant("Re: River", f"{mark}Here it is.\n{mark}NO\n\nThanks!")


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
