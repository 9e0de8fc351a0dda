"""Recognise words by which a sender agrees that footage is shown, in several languages.

The words are in ``consent.toml``.  They only propose: a person reads the mail and decides.  A "yes"
with a condition ("only", "but", "if", "blur") proposes nothing, wherever in the mail the condition
is, so that nobody takes half of a sentence for the whole.  Nor does a "yes" beside any word that is
not known to be harmless: lists of what can spoil a "yes" are never complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from pipeline.consent import Consent
from pipeline.texts import phrases, taking_back
from pipeline.texts.phrases import READ, Language, Phrase, SaidWords, folded
from pipeline.texts.receipt import languages

_SENTENCE = re.compile(r"[^.!?。！？।؟;\n]*[.!?。！？।؟;]?")
_PIECE = re.compile(r"[,،.!?:;\n–—()\"]+")
_ASKS = ("?", "？", "؟")
_BROKEN_LINE = re.compile(r"(?<=[\w,])\n(?=\w)")
_TOKEN = re.compile(r"[^\s.,;:!?()\[\]\"„“”«»…।،؟¿¡？！。<>*_/–—-]+")
_HARMLESS_SIGNS = frozenset("👍🙏😀😊🙂🌊❤☺\ufe0f+&")
_NAMES = 3  # words of a name
_INITIAL = 2  # characters of "M."
_FEWEST = 2  # words of a language by which a mail is partly in it
_LONGEST = 200  # characters of a sentence that is shown


@dataclass(frozen=True)
class ConsentHint:
    """What a mail seems to say about consent, and the sentence that says it.

    ``consent`` is None if there is a condition: then only a person can say what it means.
    ``language``: ISO 639-1.
    """

    consent: Consent | None
    language: str
    sentence: str


@dataclass(frozen=True)
class _Tongue:
    """The phrases of one language; ``words`` are common in it."""

    language: str
    words: frozenset[str]
    yes: tuple[Phrase, ...]
    name: tuple[Phrase, ...]
    no: tuple[Phrase, ...]
    conditions: tuple[Phrase, ...]
    short_yes: re.Pattern[str]
    short_no: re.Pattern[str]
    plain: frozenset[str]
    plain_beginnings: tuple[str, ...]
    before_names: re.Pattern[str]
    harmless: tuple[Phrase, ...]

    def is_plain(self, text: str) -> bool:
        """Whether a text as written has no words but harmless ones, and names where names are."""
        left = folded(_without_names(text, self.before_names))
        for phrase in self.harmless:
            left = phrase.pattern.sub(" ", left)
        return all(self._knows(token) for token in _TOKEN.findall(left))

    def _knows(self, token: str) -> bool:
        parts = {token} if token in self.plain else set(filter(None, token.split("'")))
        return all(
            part in self.plain
            or part.startswith(self.plain_beginnings)
            or _HARMLESS_SIGNS.issuperset(part)
            for part in parts
        )


@dataclass(frozen=True)
class _Said:
    """What a sender wrote: the whole as folded, its words, and the sentences that ask nothing.

    ``body``: as written, without the subject.  ``sentences``: each as written and as folded.
    ``is_short``: a bare "yes" says enough.
    """

    body: str
    own: str
    words: SaidWords
    sentences: tuple[tuple[str, str], ...]
    is_short: bool

    def has(self, wanted: Sequence[Phrase]) -> bool:
        """Whether one of the phrases is anywhere in it."""
        return any(phrase.is_in(self.own, self.words) for phrase in wanted)

    def sentence(
        self, wanted: Sequence[Phrase], short: re.Pattern[str], but_not: Sequence[Phrase] = ()
    ) -> str | None:
        """The first sentence that has one of the phrases, or begins with a short answer."""
        near = [phrase for phrase in wanted if phrase.is_in(self.own, self.words)]
        for written, plain in self.sentences if near or self.is_short else ():
            if any(phrase.pattern.search(phrase.bare(plain)) for phrase in but_not):
                continue
            if any(phrase.pattern.search(phrase.bare(plain)) for phrase in near):
                return written
            pieces = _PIECE.split(plain) if self.is_short else ()
            if any(short.match(piece.strip()) for piece in pieces):
                return written
        return None


def hint(subject: str, text: str, *, answers_question: bool) -> ConsentHint | None:
    """Find what a mail seems to say about consent; None if it says nothing.

    What is quoted from an earlier mail does not count, and a question is no answer.

    :param answers_question: the mail answers our question, so that a bare "yes" says enough.
    """
    said = _said(subject, text, answers_question=answers_question)
    # the languages of the mail first: a word may be one of several languages
    tongues = sorted(_tongues(), key=lambda tongue: -len(tongue.words & said.words.whole))
    for tongue in tongues:
        found = said.sentence((*tongue.yes, *tongue.name), tongue.short_yes, tongue.no)
        if found is not None:
            consent = Consent.YES_WITH_NAME if said.has(tongue.name) else Consent.YES
            is_clear = not (
                _has_condition(tongue, said)
                or said.sentence(tongue.no, tongue.short_no)
                or taking_back.is_meant(subject, text)
                or not tongue.is_plain(said.body)
            )
            return ConsentHint(consent if is_clear else None, tongue.language, _shown(found))
    for tongue in tongues:
        refusal = said.sentence(tongue.no, tongue.short_no)
        if refusal is not None:
            return ConsentHint(Consent.NO, tongue.language, _shown(refusal))
    return None


def question(language: str) -> str:
    """The question of a letter in a language; in English if there is none in it."""
    tables = phrases.loaded("consent")
    return tables.get(language, tables["en"])["question"]


def _has_condition(agreed: _Tongue, said: _Said) -> bool:
    """Whether there is a condition in the language of the agreement, or in another of the mail."""
    for tongue in _tongues():
        is_spoken = len((tongue.words - agreed.words) & said.words.whole) >= _FEWEST
        if (tongue is agreed or is_spoken) and said.has(tongue.conditions):
            return True
    return False


def _said(subject: str, text: str, *, answers_question: bool) -> _Said:
    sentences = [(each, folded(each)) for each in _sentences(subject, text)]
    own = "\n".join(plain for _, plain in sentences)
    answering = tuple(each for each in sentences if not each[0].endswith(_ASKS))
    body = "\n".join(_sentences("", text))
    return _Said(body, own, SaidWords.of(own), answering, answers_question)


def _sentences(subject: str, text: str) -> Iterator[str]:
    """The sentences that a sender wrote, as they are written, each with its end."""
    lines = text[:READ].split("\n")
    own = [lines[number] for number in phrases.own_lines(folded("\n".join(lines)))]
    joined = _BROKEN_LINE.sub(" ", "\n".join(own))
    for match in _SENTENCE.finditer(f"{subject[:READ]}\n\n{joined}"):
        if match[0].strip():
            yield match[0].strip()


def _shown(sentence: str) -> str:
    sentence = " ".join(sentence.split())
    return sentence if len(sentence) <= _LONGEST else f"{sentence[:_LONGEST]}…"


@cache
def _tongues() -> tuple[_Tongue, ...]:
    return tuple(_tongue(name, table) for name, table in phrases.loaded("consent").items())


def _tongue(name: str, table: Language) -> _Tongue:
    agreeing = Language(**{**table, "harmless": []})
    return _Tongue(
        name,
        languages()[name].words,
        phrases.compiled(table["yes"], agreeing),
        phrases.compiled(table["name"], agreeing),
        phrases.compiled(table["no"], table),
        phrases.compiled(table["conditions"], table),
        _short(table["short_yes"]),
        _short(table["short_no"]),
        *_plain(table),
        _introduction(table["before_names"]),
        phrases.compiled(table["harmless"], Language(**{**table, "harmless": []})),
    )


def _plain(table: Language) -> tuple[frozenset[str], tuple[str, ...]]:
    """The words that may stand beside a "yes": whole ones, and beginnings."""
    listed = [*table["plain"], *table["yes"], *table["name"], *table["short_yes"]]
    listed += table["footage"]
    forms = set(re.split(r"[\s|…:]+", "|".join(listed).replace("FOOTAGE", ""))) - {""}
    whole = frozenset(folded(each) for each in forms if not each.endswith("*"))
    parts = {part for each in whole for part in each.split("'") if part}
    beginnings = (folded(each[:-1]) for each in forms if each.endswith("*"))
    return whole | parts, tuple(sorted(beginnings))


def _introduction(words: Sequence[str]) -> re.Pattern[str]:
    """What stands before a name, how it is parted from it, and up to three words of a name."""
    longest_first = sorted(words, key=len, reverse=True)
    before = "|".join(map(re.escape, longest_first))
    word = r"[^\s\d.,;:!?()<>]+\.?"
    return re.compile(
        rf"(?<!\w)(?P<before>{before})(?P<gap>[!.]?\s*\n\s*|[ \t]*[,:]?\s+)"
        rf"(?P<name>{word}(?:[ \t]+{word}){{0,{_NAMES - 1}}})",
        re.IGNORECASE,
    )


def _without_names(text: str, introduction: re.Pattern[str]) -> str:
    at = 0
    while found := introduction.search(text, at):
        at = found.end("before")
        if _is_name(found):
            text = f"{text[:at]} {text[found.end() :]}"
    return text


def _is_name(found: re.Match[str]) -> bool:
    """Whether all words have capitals, or are apart in scripts without capitals.

    A signature is the last of a mail and ends with no stop, unlike a sentence ("Thanks. Joking.").
    """
    gap, words = found["gap"], found["name"].split()
    is_apart = bool(gap.strip(" \t"))
    if "," in gap or "\n" in gap:
        is_last = not found.string[found.end() :].strip()
        if not is_last or (words[-1].endswith(".") and len(words[-1]) > _INITIAL):
            return False
    return all(word[0].isupper() or (is_apart and word.lower() == word.upper()) for word in words)


def _short(words: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted(map(folded, words), key=len, reverse=True)
    # a vowel sign is no letter for \w, but no word ends before one
    return re.compile(rf"(?:{'|'.join(map(re.escape, longest_first))})(?![\w\u0900-\u0963])")
