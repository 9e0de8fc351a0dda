"""Recognise words by which a sender may take footage back, in several languages.

The words are in ``taking_back.toml``.  They only decide that a person has to read the mail, so a
phrase that fits too often costs a minute, and one that is missing may hurt somebody.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache

from pipeline.texts import company_footers, few_words, our_letters, phrases, refusing
from pipeline.texts.phrases import READ, SENTENCE, Phrase, SaidWords, folded, one_of

_VERSION = 6  # of what this module does with its words: raised when it finds more than before
# Stands in place of harmless words.  So the words beside them do not count as a whole sentence.
_OTHER = " harmless "
_SUBJECT_PART = re.compile(r"[:：()\[\]|]+|\s[-–—]+\s")
# "No. 5 is the best": a number, and no refusal.  "No. 5 children are in it" is one.
_NUMBERED = re.compile(
    r"(?<!\w)n[or]\b\.?(?= ?\d{1,3} "
    r"(?:is|was|shows|has|looks|ist|war|zeigt|est|montre|es|muestra|e)\b)"
)
_FEW = 12  # own words of a mail whose subject may be the answer
_LONGEST = 1 << 20  # characters that are read, in ten seconds if somebody tries to make it slow


def is_meant(subject: str, text: str, *, may_answer: bool = False) -> bool:
    """Whether a subject or a text has words of taking footage back.

    What is quoted from an earlier mail does not count if each line has a mark, or is of a letter
    of ours.  A text that is too long to be read whole counts, so a person looks at it.

    :param may_answer: the mail may answer our question, so that a short refusal counts too.
    """
    if len(text) > _LONGEST:
        return True
    plain = _NUMBERED.sub("number", folded(text))
    lines = plain.split("\n")
    own = "\n".join(lines[number] for number in phrases.own_lines(plain))
    quoted = phrases.unmarked_quote(plain)
    if not own.strip():  # the sender wrote within the quote, or a program marked all of it
        quoted += (line.lstrip(" >|") for line in lines)
    below = our_letters.without("\n".join(quoted))
    return _takes_back(subject, own, may_answer=may_answer) or (
        bool(below) and _takes_back("", below, may_answer=may_answer)
    )


def _takes_back(subject: str, own: str, *, may_answer: bool) -> bool:
    """Whether a subject or what the sender wrote, as a folded text, takes footage back."""
    own = company_footers.without(own)
    said = _without_footers(f"{folded(subject[:READ])}\n{phrases.joined(own)}")
    words = SaidWords.of(said)
    return (
        any(phrase.is_in(said, words) for phrase in _phrases())
        or few_words.refuses(said)
        or (may_answer and _answers_no(subject, own[:READ]))
        or (refusing.objects(said, words) and (may_answer or refusing.says_yes(said, words)))
    )


def _answers_no(subject: str, own: str) -> bool:
    """Whether what may be an answer refuses in a few words, or in its subject alone ("Re: No")."""
    if (
        refusing.is_refusal(subject, own)
        or refusing.objects_briefly(own)
        or few_words.refuses_a_part(refusing.without_harmless(own, _OTHER))
    ):
        return True
    parts = "\n".join(_SUBJECT_PART.split(folded(subject[:READ])))
    # a campaign may be called "Say No"
    is_alone = len(own.split()) <= _FEW and not refusing.says_yes(own, SaidWords.of(own))
    return is_alone and few_words.refuses(parts)


@cache
def rules() -> str:
    """A digest of the rules, which is another one if they change."""
    digest = hashlib.sha256(f"{_VERSION}".encode())
    for name in ("taking_back", "consent", "agreeing"):
        digest.update(json.dumps(phrases.loaded(name), sort_keys=True).encode())
    return digest.hexdigest()[:16]


def names_footage(text: str) -> bool:
    """Whether a text has a word for footage, in any of the languages."""
    return _footage().search(folded(text[:READ])) is not None


@cache
def _footage() -> re.Pattern[str]:
    words = (
        each
        for language in phrases.loaded("taking_back").values()
        for each in language.get("footage", ())
    )
    return one_of("|".join(words).split("|"))


def _without_footers(text: str) -> str:
    """A text without the sentences about a mailing list in which its writer says nothing."""
    lists, spoken = _footers()
    if lists.search(text) is None:
        return text
    return SENTENCE.sub(
        lambda said: said[0] if spoken.search(said[0]) or not lists.search(said[0]) else " ", text
    )


@cache
def _footers() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The words for mailing lists; and those for the writer and for footage, in all languages."""
    loaded = phrases.loaded("taking_back")
    footage = [each for language in loaded.values() for each in language.get("footage", ())]
    named = "|".join((*loaded["lists"]["writer"], *footage)).split("|")
    return one_of(loaded["lists"]["words"]), one_of(named)


@cache
def _phrases() -> tuple[Phrase, ...]:
    return tuple(
        phrase
        for language in phrases.loaded("taking_back").values()
        for phrase in phrases.compiled(language.get("phrases", ()), language)
    )
