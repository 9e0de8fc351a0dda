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
from pipeline.texts import our_letters, phrases, taking_back
from pipeline.texts.agreement import whole_sentences
from pipeline.texts.phrases import HARMLESS_SIGNS, READ, WORD, Language, Phrase, SaidWords, folded
from pipeline.texts.receipt import languages

_SENTENCE = re.compile(r"[^.!?。！？।؟;\n]*[.!?。！？।؟;]?")
_PIECE = re.compile(r"[,،.!?:;\n–—()\"]+")
_ASKS = ("?", "？", "؟")
_BROKEN_LINE = re.compile(r"(?<=[\w,])\n(?=\w)")
_FORM = re.compile(r"[\[\](){}<>_|/\\☐☑☒✓✔✗✘“”„«»\"*#]")  # a form to fill in, or what others said
_WHOLE = 2000  # characters of a mail; the ledger keeps as many
_CUT = "…"  # at the end of a text that the ledger has not as a whole
_ANSWERS = re.compile(
    r"(?:\s*(?:re|aw|antw|sv|fwd?|wg|tr|rv|res|enc|відп)(?:\[\d+\])?\s*[:：])+", re.IGNORECASE
)
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
    limits: tuple[Phrase, ...]
    stopping: re.Pattern[str]
    short_yes: re.Pattern[str]
    short_no: re.Pattern[str]
    greetings: frozenset[str]
    courtesy: frozenset[str]
    agreeing: frozenset[str]

    def agrees_wholly(self, said: _Said, subject: str, known: frozenset[str]) -> bool:
        """Whether the mail agrees, and each of its sentences agrees or is polite.

        :param known: the words of names, which may be behind a greeting and at the end.
        """
        whole = whole_sentences(self.code)
        has_agreed = whole.is_agreement(folded(subject), is_answer=False)
        is_first = True
        for sentence in map(folded, _SENTENCE.findall(said.body)):
            is_whole = whole.is_agreement(sentence, is_answer=said.is_short)
            for piece in [sentence] if is_whole else _PIECE.split(sentence):
                if whole.is_agreement(piece, is_answer=said.is_short):
                    has_agreed = True
                elif not whole.is_polite(piece) and not (
                    (is_first and whole.is_polite(self._without_greeting(piece)))
                    or ((is_first or has_agreed) and whole.is_polite(_without_end(piece, known)))
                ):
                    return False
                is_first = is_first and not piece.strip()
        return has_agreed and not _FORM.search(said.body)

    def is_kind(self, said: _Said, known: frozenset[str]) -> bool:
        """Whether each sentence of the mail agrees or is a kind word: thanks, a usual question.

        :param known: the words of names, as for :meth:`agrees_wholly`.
        """
        whole = whole_sentences(self.code)
        is_first = True
        for sentence in map(folded, _SENTENCE.findall(said.body)):
            for piece in [sentence] if whole.is_kind(sentence) else _PIECE.split(sentence):
                is_polite = (
                    whole.is_kind(piece)
                    or whole.is_polite(_without_end(piece, known))
                    or whole.is_agreement(piece, is_answer=True)
                )
                if not is_polite and not (
                    is_first and whole.is_polite(self._without_greeting(piece))
                ):
                    return False
                is_first = is_first and not piece.strip()
        return not _FORM.search(said.body)

    def _without_greeting(self, piece: str) -> str:
        """A piece without one name behind a greeting."""
        words = piece.split()
        if len(words) > 1 and words[-2] in self.greetings and not _no_name().fullmatch(words[-1]):
            return " ".join(words[:-1])
        return piece


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
                or not language.agrees_wholly(said, subject, names)
                or not _words(folded(subject)) <= _subject_words() | names
                or _has_foreign_quote(text)
                or _is_cut(text)
            )
            return ConsentHint(consent if is_clear else None, language.code, _shown(found))
    for language in spoken:
        refusal = said.sentence(language.no, language.short_no)
        if refusal is not None:
            return ConsentHint(Consent.NO, language.code, _shown(refusal))
    return None


def condition(subject: str, text: str) -> ConsentHint | None:
    """Find a condition, or words of stopping or taking back, in a mail; None if there is none.

    It makes an older "yes" of the sender uncertain, whatever else the mail says.
    """
    said = _said(subject, text, answers_question=False)
    counts = {it: len(it.words & said.words.whole) for it in _consent_languages()}
    most = min(_FEWEST, max(counts.values()))
    for language in sorted(counts, key=lambda it: -counts[it]):
        limits = language.conditions if counts[language] >= most else ()
        for written, plain in said.sentences:
            if language.stopping.search(plain) or any(
                phrase.pattern.search(phrase.bare(plain)) for phrase in limits
            ):
                return ConsentHint(None, language.code, _shown(written))
    if said.sentences and taking_back.is_meant(subject, text, may_answer=True):
        spoken = max(counts, key=lambda it: counts[it])
        return ConsentHint(None, spoken.code, _shown(said.sentences[0][0]))
    return None


def is_harmless(subject: str, text: str, *, known: str = "") -> bool:
    """Whether a mail of somebody who was asked limits nothing, whatever was agreed before.

    It agrees, or each of its sentences is a kind word.  Any other word may be a condition, because
    no list of conditions is ever complete.

    :param subject: "" if it is that of an earlier mail.
    :param known: as for :func:`hint`.
    """
    said = hint(subject, text, answers_question=True, known=known)
    if said is not None and said.consent is not None:
        return said.consent.is_given
    if _is_cut(text) or _has_foreign_quote(text):
        return False
    names = _words(folded(known))
    if not _words(folded(subject)) <= _subject_words() | names:
        return False
    whole = _said(subject, text, answers_question=True)
    return any(language.is_kind(whole, names) for language in _consent_languages())


def may_limit(subject: str, text: str) -> bool:
    """Whether a mail with other footage has words that protect somebody ("blur", "only if").

    Most words of :func:`condition` ("but", "not") are usual in such a mail.
    """
    said = _said(subject, text, answers_question=False)
    return any(said.has(language.limits) for language in _consent_languages())


def first_words(text: str) -> ConsentHint:
    """The first sentence of a mail that a person has to read; "" if there is none."""
    said = _said("", text, answers_question=False)
    spoken = max(_consent_languages(), key=lambda it: len(it.words & said.words.whole))
    sentences = list(_sentences("", text))
    return ConsentHint(None, spoken.code, _shown(sentences[0]) if sentences else "")


def bare_subject(subject: str) -> str:
    """A subject in small letters and without "Re:"; answers have that of what they answer."""
    return " ".join(_ANSWERS.sub("", folded(subject)).split())


def question(language: str) -> str:
    """The question of a letter in a language; in English if there is none in it."""
    tables = phrases.loaded("consent")
    return tables.get(language, tables["en"])["question"]


def _is_cut(text: str) -> bool:
    """Whether the ledger has only a part of a text."""
    return len(text) > _WHOLE or _CUT in text


def _has_foreign_quote(text: str) -> bool:
    """Whether lines that are left out as quoted have no mark, and are not of a letter of ours."""
    return bool(our_letters.without("\n".join(phrases.unmarked_quote(folded(text[:READ])))))


def _words(text: str) -> frozenset[str]:
    """The words of a folded text, parted at apostrophes."""
    return frozenset(
        part
        for token in WORD.findall(text)
        for part in token.split("'")
        if part and not HARMLESS_SIGNS.issuperset(part)
    )


def _without_end(piece: str, names: frozenset[str]) -> str:
    """A piece without the names at its end."""
    words = piece.split()
    while words and _words(words[-1]) <= names:
        words.pop()
    return " ".join(words)


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
        phrases.compiled(table["limits"], table),
        phrases.one_of(table["stopping"]),
        phrases.short(table["short_yes"]),
        phrases.short(table["short_no"]),
        _words(folded(" ".join(table["greetings"]))),
        _words(folded(" ".join(table["courtesy"]))),
        _words(folded(" ".join(table["agreeing"]))),
    )
