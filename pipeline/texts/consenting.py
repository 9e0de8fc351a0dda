"""Recognise words by which a sender agrees that footage is shown, in several languages.

The words are in ``consent.toml``.  They only propose: a person reads the mail and decides.  A "yes"
with a condition ("only", "but", "if", "blur") proposes nothing, wherever in the mail the condition
is, so that half of a sentence is not taken for the whole.  A "yes" beside a word that is not known
to be harmless proposes nothing either: lists of what can spoil a "yes" are never complete.
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
_FORM = re.compile(r"[\[\](){}<>_|/\\☐☑☒✓✔✗✘“”„«»\"*#]")  # a form to fill in, or what others said
_LIMITING = ("for", "fur", "pour", "para", "на", "this", "these")
_WHOLE = 2000  # characters of a mail; the ledger keeps as many
_CUT = "…"  # at the end of a text that the ledger has not as a whole
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
class _ConsentLanguage:
    """The phrases of one language; ``code``: ISO 639-1; ``words`` are common in it."""

    code: str
    words: frozenset[str]
    yes: tuple[Phrase, ...]
    name: tuple[Phrase, ...]
    no: tuple[Phrase, ...]
    conditions: tuple[Phrase, ...]
    stopping: re.Pattern[str]
    short_yes: re.Pattern[str]
    short_no: re.Pattern[str]
    plain: frozenset[str]
    plain_beginnings: tuple[str, ...]
    before_names: re.Pattern[str]
    harmless: tuple[Phrase, ...]
    greetings: frozenset[str]
    courtesy: frozenset[str]
    agreeing: frozenset[str]
    short_words: frozenset[str]

    def agrees_wholly(self, said: _Said, known: frozenset[str]) -> bool:
        """Whether each sentence agrees or is polite, and has no word that is not known for that.

        :param known: the words of names that may be there.
        """
        sentences = [each for each in map(str.strip, _SENTENCE.findall(said.body)) if each]
        return not _FORM.search(said.body) and all(
            self._is_polite(folded(sentence), known, is_first=not at)
            or self._agrees(folded(sentence), known, is_short=said.is_short, is_first=not at)
            for at, sentence in enumerate(sentences)
        )

    def _is_polite(self, sentence: str, known: frozenset[str], *, is_first: bool) -> bool:
        words = _words(self._without_greeting(sentence) if is_first else sentence)
        return words <= self.courtesy | known

    def _agrees(
        self, sentence: str, known: frozenset[str], *, is_short: bool, is_first: bool
    ) -> bool:
        phrases_ = (*self.yes, *self.name)
        is_phrase = any(phrase.pattern.search(sentence) for phrase in phrases_)
        if not is_phrase and not (is_short and self.short_yes.match(self._first_yes(sentence))):
            return False
        allowed = self.agreeing if is_phrase else self.short_words
        for phrase in self.harmless:
            sentence = phrase.pattern.sub(" ", sentence)
        pieces = _PIECE.split(self._without_greeting(sentence) if is_first else sentence)
        return all(
            _words(each) <= allowed | known or _words(each) <= self.courtesy | known
            for each in pieces
        )

    def _first_yes(self, sentence: str) -> str:
        """The first piece of a sentence that begins with a short yes, or nothing."""
        pieces = map(str.strip, _PIECE.split(sentence))
        return next((each for each in pieces if self.short_yes.match(each)), "")

    def _without_greeting(self, sentence: str) -> str:
        """A first sentence without one name behind a greeting."""
        head, *rest = _PIECE.split(sentence, maxsplit=1)
        words = head.split()
        if len(words) > 1 and words[-2] in self.greetings and not _no_name().fullmatch(words[-1]):
            head = " ".join(words[:-1])
        return ", ".join((head, *rest))

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


def hint(subject: str, text: str, *, answers_question: bool, known: str = "") -> ConsentHint | None:
    """Find what a mail seems to say about consent; None if it says nothing.

    What is quoted from an earlier mail does not count, and a question is not an answer.  A "yes" is
    proposed only if all of the mail was read and each sentence of it agrees or is polite.

    :param known: names that may be in it: that of the sender, and of the campaign.
    :param answers_question: the mail answers our question, so that a bare "yes" says enough.
    """
    said = _said(subject, text, answers_question=answers_question)
    names = _words(folded(known))
    # the languages of the mail first: a word may be one of several languages
    spoken = sorted(
        _consent_languages(), key=lambda language: -len(language.words & said.words.whole)
    )
    for language in spoken:
        found = said.sentence((*language.yes, *language.name), language.short_yes, language.no)
        if found is not None:
            consent = Consent.YES_WITH_NAME if said.has(language.name) else Consent.YES
            is_clear = not (
                _has_condition(language, said)
                or _stops(language, said)
                or said.sentence(language.no, language.short_no)
                or taking_back.is_meant(subject, text)
                or not language.is_plain(_without(said.body, names))
                or not language.agrees_wholly(said, names)
                or not _words(folded(subject)) <= _subject_words() | names
                or len(text) > _WHOLE
                or _CUT in text
            )
            return ConsentHint(consent if is_clear else None, language.code, _shown(found))
    for language in spoken:
        refusal = said.sentence(language.no, language.short_no)
        if refusal is not None:
            return ConsentHint(Consent.NO, language.code, _shown(refusal))
    return None


def question(language: str) -> str:
    """The question of a letter in a language; in English if there is none in it."""
    tables = phrases.loaded("consent")
    return tables.get(language, tables["en"])["question"]


def _words(text: str) -> frozenset[str]:
    """The words of a folded text, parted at apostrophes."""
    return frozenset(
        part
        for token in _TOKEN.findall(text)
        for part in token.split("'")
        if part and not _HARMLESS_SIGNS.issuperset(part)
    )


def _without(text: str, names: frozenset[str]) -> str:
    """A text as written without the words of names."""
    return _TOKEN.sub(lambda word: " " if folded(word[0]) in names else word[0], text)


@cache
def _subject_words() -> frozenset[str]:
    """What may be in the subject of a mail with a "yes": how answers begin, and footage."""
    answers = {"re", "aw", "antw", "sv", "fw", "fwd", "wg", "tr", "rv", "res", "enc", "відп"}
    return frozenset(answers).union(*(language.agreeing for language in _consent_languages()))


def _has_condition(agreed: _ConsentLanguage, said: _Said) -> bool:
    """Whether there is a condition in the language of the agreement, or in another of the mail."""
    for language in _consent_languages():
        is_spoken = len((language.words - agreed.words) & said.words.whole) >= _FEWEST
        if (language is agreed or is_spoken) and said.has(language.conditions):
            return True
    return False


def _stops(agreed: _ConsentLanguage, said: _Said) -> bool:
    """Whether a word of stopping or waiting is anywhere in it, in any language.

    A word by which one agrees in the language of the agreement does not count.
    """
    known = agreed.agreeing | agreed.courtesy
    return any(
        not _words(found[0]) <= known
        for language in _consent_languages()
        for found in language.stopping.finditer(said.own)
    )


@cache
def _no_name() -> re.Pattern[str]:
    """A word that can spoil a "yes" in one of the languages, so it is never taken for a name."""
    found = {
        phrase
        for table in phrases.loaded("consent").values()
        for phrase in (*table["conditions"], *table["no"], *table["short_no"], *table["stopping"])
    }
    words = sorted({each for phrase in found if " " not in phrase for each in phrase.split("|")})
    forms = (re.escape(folded(word.rstrip("*"))) + r".*" * word.endswith("*") for word in words)
    return re.compile(f"(?:{'|'.join(forms)})", re.DOTALL)


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
def _consent_languages() -> tuple[_ConsentLanguage, ...]:
    return tuple(
        _consent_language(name, table) for name, table in phrases.loaded("consent").items()
    )


def _consent_language(name: str, table: Language) -> _ConsentLanguage:
    agreeing = Language(**{**table, "harmless": []})
    return _ConsentLanguage(
        name,
        languages()[name].words,
        phrases.compiled(table["yes"], agreeing),
        phrases.compiled(table["name"], agreeing),
        phrases.compiled(table["no"], table),
        phrases.compiled(table["conditions"], table),
        phrases.one_of(table["stopping"]),
        _short(table["short_yes"]),
        _short(table["short_no"]),
        *_plain(table),
        _introduction(table["before_names"]),
        phrases.compiled(table["harmless"], agreeing),
        _words(folded(" ".join(table["greetings"]))),
        _words(folded(" ".join(table["courtesy"]))),
        _words(folded(" ".join(table["agreeing"]))),
        _short_words(table),
    )


def _short_words(table: Language) -> frozenset[str]:
    """The words beside a bare "yes": without those for footage, which may limit it to a part."""
    footage = "|".join(table["footage"]).split("|")
    limits = (*(folded(each.rstrip("*")) for each in footage if len(each) > _INITIAL), *_LIMITING)
    words = _words(folded(" ".join((*table["agreeing"], *table["short_yes"]))))
    return frozenset(word for word in words if not word.startswith(limits))


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
    """Return a pattern: words before a name, what separates them, and up to three words of it."""
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
    if any(_no_name().fullmatch(folded(word.strip(".'"))) for word in words):
        return False
    is_apart = bool(gap.strip(" \t"))
    if "," in gap or "\n" in gap:
        is_last = not found.string[found.end() :].strip()
        if not is_last or (words[-1].endswith(".") and len(words[-1]) > _INITIAL):
            return False
    return all(word[0].isupper() or (is_apart and word.lower() == word.upper()) for word in words)


def _short(words: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted(map(folded, words), key=len, reverse=True)
    # \w does not match a vowel sign, but no word ends before one
    return re.compile(rf"(?:{'|'.join(map(re.escape, longest_first))})(?![\w\u0900-\u0963])")
