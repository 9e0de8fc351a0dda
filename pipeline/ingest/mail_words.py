"""The words of a mail, and the links in them, collected from its parts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from pipeline import places
from pipeline.ingest import contents, leaves, mime
from pipeline.ingest.contents import Role
from pipeline.ingest.links import Links, elsewhere
from pipeline.ingest.mime import Part
from pipeline.ingest.spool import Readable
from pipeline.texts import our_letters, taking_back
from pipeline.texts.phrases import folded

OTHER = "[another text of this mail]"
"""Stands before words that the shown text of a mail does not have."""

_WORDS_NAMED = (".txt", ".text", ".md", ".htm", ".html")
_HTML_NAMED = (".htm", ".html")
_COMPARED = 2000  # sentences of a text
_NO_WORDS = re.compile(r"<?\bhttps?://[^\s>]+>?|\[(?:cid|image):[^\]\n]{0,200}\]")
_SENTENCE = re.compile(r"(?m).+?(?:[.!?](?=\s)|[。！？।؟;]|$)")
_WORD = re.compile(r"[^\W_]+")
_LONG = 12  # letters of a sentence that may be found without its blanks


@dataclass
class MailWords:
    """The texts of a mail, collected on the way through its parts.

    ``plain`` and ``html`` are its own; ``inner``, those of mails in it; ``files``, those of
    attached text files; ``quoted``, the lines that HTML quotes.  ``takes_back``: a text was too
    long to be read whole, so it may take footage back.
    """

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    inner: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)
    links: Links = field(default_factory=Links)
    takes_back: bool = False

    def add(self, role: Role, text: str, *, forwarded: bool, cut: bool) -> None:
        """Add a text.

        :param forwarded: it is of a mail in the mail.
        :param cut: it goes on behind what was read.
        """
        shown, ends_in_file = leaves.words(text, role)
        self.links.read([text if role is Role.HTML else shown], html=role is Role.HTML)
        if cut and not ends_in_file:
            self.takes_back |= not forwarded  # perhaps: nobody has read the rest
            shown = places.without_end(contents.tidy([shown])[: contents.TEXT_KEPT])
        if role is Role.HTML and not forwarded:
            lines = map(str.strip, shown.split("\n"))
            self.quoted += (line.lstrip("> ") for line in lines if line.startswith(">"))
        own = self.plain if role is Role.TEXT else self.html
        (self.inner if forwarded else own).append(shown)

    def add_file(self, role: Role, text: str, *, cut: bool) -> None:
        """Add the text of an attached file; *cut*: it goes on behind what was read."""
        shown, _ = leaves.words(text, role)
        if cut:
            shown = places.without_end(contents.tidy([shown])[: contents.TEXT_KEPT])
        self.files.append(f"{shown}…" if cut else shown)

    def shown(self, *, is_returned: bool) -> tuple[str, str]:
        """The text of the mail, and the sentences that only its other texts have.

        The text is plain text if there is one, else from HTML, else forwarded, else of a file.
        In the sentences places are masked: half of a place may be in a sentence of its own.

        :param is_returned: the mail came back, so the text of a mail in it is left out.
        """
        texts = self._texts(is_returned=is_returned)
        first = next(texts, "")
        others = [places.masked(each, contents.TEXT_KEPT) for each in texts]
        known = places.masked(first, contents.TEXT_KEPT) if others else ""
        more: list[str] = []
        for other in others:
            more += _not_in("\n".join((known, *more)), other)
        return first, "\n".join(more)

    def take_back(self, subject: str, *, may_answer: bool, is_returned: bool) -> bool:
        """Whether a text of the mail, or its subject, takes footage back.

        :param may_answer: as for :func:`pipeline.texts.taking_back.is_meant`.
        :param is_returned: the mail came back, so a mail in it does not count.
        """
        own = filter(None, map(contents.tidy, (self.plain, self.html)))
        texts = list(own if is_returned else self._texts(is_returned=False)) or [""]
        # a sender may have answered inside of the lines that a mail program shows as quoted
        quoted = our_letters.without(folded("\n".join(self.quoted)[: contents.TEXT_READ]))
        return (
            self.takes_back
            or any(taking_back.is_meant(subject, each, may_answer=may_answer) for each in texts)
            or taking_back.is_meant("", quoted)
        )

    def _texts(self, *, is_returned: bool) -> Iterator[str]:
        own = [text for text in map(contents.tidy, (self.plain, self.html)) if text]
        yield from own
        if not (own and is_returned):
            yield from filter(None, map(contents.tidy, (self.inner, self.files)))


def read_words(mail: mime.Mail, words: MailWords, *, nested: bool) -> set[str]:
    """Collect the texts of a mail.

    :param nested: it is a mail in the mail.
    :returns: the Content-IDs that its HTML shows.
    """
    shown: set[str] = set()
    for part, above in mail.root.walk():
        role = leaves.role(part, mail.file)
        if role in (Role.TEXT, Role.HTML):
            text, cut = leaves.text(part, mail.file)
            words.add(role, text, forwarded=nested or contents.forwarded(above), cut=cut)
            if cut:
                words.links.read(leaves.all_text(part, mail.file), html=role is Role.HTML)
            if role is Role.HTML:
                shown |= contents.shown_ids(text)
        elif part.content_type == "message/external-body":
            address = elsewhere(part.headers)
            words.add(Role.TEXT, address, forwarded=False, cut=False)
            words.links.add_known(address)
        elif role is Role.ATTACHMENT and _is_of_words(part, mail.file):
            text, cut = leaves.text(part, mail.file)
            is_html = part.headers.filename.lower().endswith(_HTML_NAMED)
            words.add_file(Role.HTML if is_html else Role.TEXT, text, cut=cut)
    return shown


def _is_of_words(part: Part, file: Readable) -> bool:
    """Whether an attached file may be an answer that somebody wrote."""
    name = part.headers.filename.lower()
    is_named = name.endswith(_WORDS_NAMED) or (not name and part.content_type == "text/plain")
    return is_named and not contents.is_file(leaves.head(part, file), "utf-16")


def _not_in(first: str, other: str) -> Iterator[str]:
    """The lines of a text, each with the sentences that another text does not have.

    Where a mail program breaks lines, and its signs, do not count.
    """
    had = _words(first)
    spaced, joined = f" {' '.join(had)} ", "".join(had)
    compared = 0
    for line in _NO_WORDS.sub(" ", other[: contents.TEXT_KEPT]).split("\n"):
        kept = []
        for match in islice(_SENTENCE.finditer(line), _COMPARED - compared):
            compared += 1
            words = _words(match[0])
            squeezed = "".join(words)
            is_known = f" {' '.join(words)} " in spaced
            if words and not (is_known or (len(squeezed) >= _LONG and squeezed in joined)):
                kept.append(match[0].strip())
        if kept:
            yield " ".join(kept)


def _words(text: str) -> list[str]:
    return _WORD.findall(folded(_NO_WORDS.sub(" ", text[: contents.TEXT_KEPT])))
