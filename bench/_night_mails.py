"""The mails of a big night, and a list of all that is in them.

Mails have many shapes and scripts.  One attachment in ten is hostile: broken, a bomb, of a wrong
type, cut off, with a place in one of the carriers, or with a name that tries something.  The same
seed makes the same mails.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from random import Random
from typing import Any

from support.planted import corpus
from support.planted.hostile import HOSTILE, Target
from support.planted.place import Place

from bench._night import film, photo

HOSTILE_SHARE = 0.12  # of the attachments that are drawn one by one
# How an attachment may end: "accepted" or reason codes.
GOOD = frozenset({"accepted"})
DAMAGED = frozenset({"accepted", "corrupt", "no-video", "unsafe", "unsupported", "not-media"})
CUT = frozenset({"accepted", "truncated-transfer", "corrupt", "no-video", "broken-mail"})
WORDS = (
    "Here is what we filmed today.", "Вот наше видео с митинга.", "هذا هو الفيديو الخاص بنا",
    "यह हमारा वीडियो है", "これが私たちの動画です", "这是我们的视频", "הנה הסרטון שלנו",
    "이것이 우리의 영상입니다", "นี่คือวิดีโอของเรา", "Voici notre vidéo d’hier",
    "Tässä meidän videomme 🎬",
    "Αυτό είναι το βίντεό μας", "এটি আমাদের ভিডিও", "Dưới đây là đoạn phim của chúng tôi",
)  # fmt: skip
TAKES_BACK = (
    "Please don't use my video and photos", "Ich ziehe meine Einwilligung zurück.",
    "Je retire mon consentement", "Por favor no usen mi video", "Я отзываю своё согласие",
)  # fmt: skip
NAMES = (
    "../../etc/passwd.jpg", "photo\u202egpj.mp4", "x" * 300 + ".jpg", "con.jpg", "<b>bold</b>.jpg",
    "=1+1.jpg", "a.part",
    "-rf.jpg", "file:concat:a|b.mp4", "фото с реки.jpg", "写真.jpg", "صورة.jpg",
    "🎬🎬.mp4", "a\tb.jpg", "..", "photo.jpg.exe", "%2e%2e%2fa.jpg", "$(reboot).jpg", "a'b\"c.jpg",
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """An attachment as it was sent, and how it may end: "accepted" or reason codes.

    ``opens``: it holds other files that are not in the list.  ``whole``: all of it was sent; a
    file without a byte was not.
    """

    name: str
    data: bytes
    ends: frozenset[str] = GOOD
    kind: str = "good"
    opens: bool = False
    whole: bool = True

    @property
    def sha256(self) -> str:
        """Of its bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Letter:
    """A mail, what is in it, the notes it must get, and how often the server has it."""

    message_id: str
    raw: bytes
    sent: tuple[Sent, ...]
    shape: str
    notes: frozenset[str] = frozenset()
    copies: int = 1

    @property
    def whole(self) -> bool:
        """Whether all of it was sent; if not, it stays in the inbox."""
        return all(each.whole for each in self.sent)


@dataclass
class Post:
    """All mails of a night, and the needles of the places that were planted in them."""

    letters: list[Letter] = field(default_factory=list)
    needles: list[dict[str, Any]] = field(default_factory=list)

    @property
    def sent(self) -> list[Sent]:
        """Every attachment of every mail."""
        return [each for letter in self.letters for each in letter.sent]


class Writer:
    """Writes the mails."""

    def __init__(self, seed: int, folder: Path) -> None:
        self._chance = Random(seed)
        self._seed = seed
        self._number = 0
        self._target = Target(folder / "secret.txt", "http://127.0.0.1:9")
        self._corpus = corpus()
        self._good: list[Sent] = []
        self.post = Post()

    def write(self, mails: int, attachments: int) -> Post:
        """Write so many mails, which have so many attachments together."""
        left = attachments
        for number in range(mails):
            most = left - (mails - number - 1)
            least = max(1, left - 5 * (mails - number - 1))
            average = left / (mails - number)
            wanted = round(self._chance.gauss(average, 1.0))
            count = min(most, 6, max(least, wanted))
            if number == mails - 1:
                count = left
            letter = self._letter(number, count)
            self.post.letters.append(letter)
            left -= len(letter.sent)
        return self.post

    # -- attachments ----------------------------------------------------------------------

    def _next(self) -> int:
        self._number += 1
        return self._seed * 1_000_000 + self._number

    def attachment(self) -> Sent:
        """An attachment: nine of ten are good."""
        chance = self._chance
        if chance.random() >= HOSTILE_SHARE:
            return self.good()
        makers: tuple[Callable[[], Sent], ...] = (
            self._hostile, self._hostile, self._planted, self._planted, self._truncated,
            self._mutated, self._wrong_type, self._odd_name, self._known,
        )  # fmt: skip
        return chance.choice(makers)()

    def good(self) -> Sent:
        """A photo or a film that nobody has sent before."""
        number = self._next()
        if self._chance.random() < 0.6:
            size = self._chance.choice(((64, 48), (96, 128), (160, 120), (240, 320), (320, 240)))
            made = Sent(f"IMG_{number % 10_000:04}.jpg", photo(number, *size))
        else:
            made = Sent(f"VID_{number % 10_000:04}.mp4", film(number))
        self._good.append(made)
        return made

    def _hostile(self) -> Sent:
        made = self._chance.choice(HOSTILE)
        data = made.make(self._target)
        opens = data.startswith(b"PK")
        return Sent(made.name, data, frozenset(made.ends), "hostile", opens=opens)

    def _planted(self) -> Sent:
        place = Place.number(10_000 + self._next())
        planted = self._chance.choice(self._corpus)
        digits = [planted.hexadecimal(place)] if planted.hexadecimal else []
        self._needle(place.needles, digits, planted.identity)
        return Sent(planted.name, planted.plant(place), GOOD, "place in a carrier")

    def _needle(self, needles: list[str], digits: list[str], identity: tuple[str, ...]) -> None:
        self.post.needles.append(
            {"needles": needles, "needles_hex": digits, "identity": [*identity]}
        )

    def _truncated(self) -> Sent:
        whole = self.good()
        self._good.remove(whole)
        data = whole.data[: self._chance.randrange(1, len(whole.data))]
        return Sent(whole.name, data, DAMAGED, "truncated")

    def _mutated(self) -> Sent:
        whole = self.good()
        self._good.remove(whole)
        data = bytearray(whole.data)
        for _ in range(self._chance.randrange(1, 40)):
            data[self._chance.randrange(len(data))] = self._chance.randrange(256)
        return Sent(whole.name, bytes(data), DAMAGED, "mutated")

    def _wrong_type(self) -> Sent:
        number = self._next()
        name, data, ends = self._chance.choice((
            ("letter.mp4", b"%%PDF-1.7\n%% %d\n" % number, "not-media"),
            ("photo.jpg", b"MZ\x90\0" + b"%d" % number * 40, "unsafe"),
            ("clip.mov", b"<!DOCTYPE html><html><script>%d</script></html>" % number, "unsafe"),
            ("empty.jpg", b"", "corrupt"),
            ("noise.mp4", self._chance.randbytes(3000), "not-media"),
            ("words.jpg", b"these are words and no picture %d\n" % number * 9, "not-media"),
        ))  # fmt: skip
        if not data:
            return Sent(name, data, frozenset({"truncated-transfer"}), "empty", whole=False)
        return Sent(name, data, frozenset({ends, "not-media", "unsafe", "corrupt"}), "wrong type")

    def _odd_name(self) -> Sent:
        whole = self.good()
        if self._chance.random() < 0.4:
            place = Place.number(20_000 + self._next())
            self._needle(place.needles[:3], [], ())
            return Sent(f"VID {place.lat:.5f}, {place.lon:.5f}.jpg", whole.data, GOOD, "odd name")
        return Sent(self._chance.choice(NAMES), whole.data, GOOD, "odd name")

    def _known(self) -> Sent:
        if not self._good:
            return self.good()
        again = self._chance.choice(self._good)
        return Sent(f"again {again.name}", again.data, GOOD, "sent before")

    # -- mails ----------------------------------------------------------------------------

    def _letter(self, number: int, count: int) -> Letter:
        message = EmailMessage(policy=SMTP)
        identity = f"<{self._seed}-{number}@mail.example>"
        words, subject, notes = self._words()
        sender = self._chance.randrange(250)
        message["From"] = f"{self._chance.choice(WORDS)[:12]} <sender{sender}@example.org>"
        message["To"] = "submissions@example.org"
        message["Subject"] = subject
        message["Message-ID"] = identity
        shapes: tuple[Callable[[EmailMessage, str, int], list[Sent]], ...] = (
            self._mixed, self._mixed, self._mixed, self._inline, self._zipped, self._forwarded,
            self._nested,
        )  # fmt: skip
        shape = self._chance.choice(shapes)
        if count < 2 and shape == self._zipped:
            shape = self._mixed
        sent = shape(message, words, count)
        raw = message.as_bytes()
        name = shape.__name__.strip("_")
        if self._chance.random() < 0.01 and name == "mixed":
            return self._cut(Letter(identity, raw, tuple(sent), "cut", notes))
        copies = 2 if self._chance.random() < 0.01 else 1
        return Letter(identity, raw, tuple(sent), name, notes, copies)

    def _words(self) -> tuple[str, str, frozenset[str]]:
        """The text, the subject, and the notes that they must bring."""
        chance = self._chance
        words, subject = chance.choice(WORDS), chance.choice(WORDS)
        kind = chance.random()
        if kind < 0.02:
            return chance.choice(TAKES_BACK), subject, frozenset({"takes-back"})
        if kind < 0.06:
            place = Place.number(30_000 + self._next())
            self._needle(place.needles[:3], [], ())
            return (
                f"{words} {place.lat:.5f}, {place.lon:.5f}",
                subject,
                frozenset({"location-in-text"}),
            )
        if kind < 0.08:
            return (
                f"{words} https://we.tl/t-{chance.randrange(10**9)}",
                subject,
                frozenset({"has-a-link"}),
            )
        return words, subject, frozenset()

    def _mixed(self, message: EmailMessage, words: str, count: int) -> list[Sent]:
        """Text and attachments."""
        message.set_content(words)
        return [attach(message, self.attachment()) for _ in range(count)]

    def _inline(self, message: EmailMessage, words: str, count: int) -> list[Sent]:
        """HTML that shows a photo, with the others behind it."""
        number = self._next()
        shown = Sent(f"image{number}.jpg", photo(number, 320, 240, grain=True), GOOD, "inline")
        message.set_content(words)
        html = f'<html><body><p>{words}</p><img src="cid:a{number}@x"></body></html>'
        message.add_alternative(html, subtype="html")
        (_, body) = message.iter_parts()
        body.add_related(
            shown.data, "image", "jpeg", cid=f"<a{number}@x>", filename=shown.name,
            disposition="inline",
        )  # fmt: skip
        return [shown, *(attach(message, self.attachment()) for _ in range(count - 1))]

    def _zipped(self, message: EmailMessage, words: str, count: int) -> list[Sent]:
        """An archive with photos and films; it has a row of its own."""
        message.set_content(words)
        packed = io.BytesIO()
        members = [self.good() for _ in range(count - 1)]
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for member in members:
                archive.writestr(f"holiday/{member.name}", member.data)
        archived = Sent(f"all-{self._next()}.zip", packed.getvalue(), GOOD, "archive")
        return [attach(message, archived), *members]

    def _forwarded(self, message: EmailMessage, words: str, count: int) -> list[Sent]:
        """A mail that is forwarded as a part of another."""
        message.set_content(words)
        inner = EmailMessage(policy=SMTP)
        inner["From"], inner["Subject"] = "friend@example.net", "Look at this"
        inner.set_content("Here it is.")
        sent = [attach(inner, self.attachment()) for _ in range(count)]
        message.add_attachment(inner)
        return sent

    def _nested(self, message: EmailMessage, words: str, count: int) -> list[Sent]:
        """Parts in parts in parts."""
        message.make_mixed()
        sent: list[Sent] = []
        outer = message
        for part in range(count):
            inner = EmailMessage(policy=SMTP)
            inner.set_content(words)
            inner.make_mixed()
            sent.append(attach(inner, self.attachment()))
            outer.attach(inner)
            outer = inner if part % 2 else outer
        return sent

    def _cut(self, letter: Letter) -> Letter:
        """The mail ends in the middle of its last attachment."""
        at = letter.raw.rindex(b"\r\n\r\n", 0, len(letter.raw) - 200) + 4
        raw = letter.raw[: self._chance.randrange(at, len(letter.raw) - 150)]
        last = letter.sent[-1]
        cut = Sent(last.name, last.data, CUT, "cut off", whole=False)
        return Letter(letter.message_id, raw, (*letter.sent[:-1], cut), "cut", letter.notes)


def attach(message: EmailMessage, sent: Sent) -> Sent:
    """Put an attachment into a mail."""
    major, minor = _type_of(sent.name)
    message.add_attachment(sent.data, maintype=major, subtype=minor, filename=sent.name)
    return sent


def _type_of(name: str) -> tuple[str, str]:
    if name.endswith(".jpg"):
        return "image", "jpeg"
    return ("video", "mp4") if name.endswith(".mp4") else ("application", "octet-stream")


def digests(post: Post) -> Iterator[str]:
    """The SHA-256 of every attachment of which all was sent."""
    return (each.sha256 for each in post.sent if each.whole)
