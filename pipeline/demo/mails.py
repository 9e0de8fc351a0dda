"""The sample's mails: who sent what, and the bytes of each mail, also of broken ones.

Dates, Message-IDs and boundaries are fixed, so the mails are always the same.  Senders and
servers have names that RFC 2606 reserves for examples.  The footage is in ``files``; it was
painted by ``tests/support/sample_footage``.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

_FILES = Path(__file__).parent / "files"
# A position in the middle of the South Pacific, for what senders write by hand.
WRITTEN_LATITUDE, WRITTEN_LONGITUDE = "31.4159", "89.7932"

_FIRST = datetime(2026, 9, 1, 7, 12, tzinfo=UTC)
_TO = Address("River Week", "submissions", "example.org")
_WRITTEN = f"-{WRITTEN_LATITUDE}, -{WRITTEN_LONGITUDE}"
_PLAYLIST = "playlist"
_NOTE = "note"
_HEAD_ONLY = "head only"

# Not footage: a playlist that would make a player open other files, and a text named as a photo.
_HOSTILE: dict[str, bytes] = {
    _PLAYLIST: b"ffconcat version 1.0\nfile /etc/hostname\nfile http://example.org/next.mp4\n",
    _NOTE: b"The photo is on my other phone, I will send it tomorrow.\n",
}


@dataclass(frozen=True)
class SampleFile:
    """An attachment: one of the files, and the name and type under which it is sent."""

    source: str
    name: str
    declared: str = ""


@dataclass(frozen=True)
class SampleMail:
    """One mail.

    ``forwarded`` is a mail inside it, ``signature`` adds the logo below the text, ``cut``
    removes the end, as a broken transfer does.
    """

    file: str
    name: str
    address: str
    subject: str
    text: str
    parts: tuple[SampleFile, ...] = ()
    forwarded: SampleMail | None = None
    signature: bool = False
    cut: bool = False


MAILS: tuple[SampleMail, ...] = (
    SampleMail("01-morning.eml", "Ana Pérez", "ana@example.org", "Early on the water",
        "Good morning! Filmed from the jetty at sunrise. You may use it, and my first name.",
        (SampleFile("morning.mp4", "VID_20260901_0612.mp4"),)),
    SampleMail("02-photo-action.eml", "Tomás Reyes", "tomas@example.net", "Photo action: our signs",
        "Three pictures for the photo action. Everybody in them has said yes.",
        (SampleFile("signs.jpg", "IMG_2231.JPG"), SampleFile("meander.png", "from above.png"),
         SampleFile("heron.heic", "IMG_2240.HEIC")), signature=True),
    SampleMail("03-balloon.eml", "Mei Lin", "mei@example.com", "Balloon over the poplars",
        "Filmed upright with my phone.", (SampleFile("balloon.mov", "IMG_0142.MOV"),)),
    SampleMail("04-lanterns.eml", "Jonas Weber", "jonas@example.net", "Lantern night 🏮",
        "It has no sound, my microphone is broken.",
        (SampleFile("lanterns.mp4", "🏮 lantern night 🌙.mp4"),)),
    SampleMail("05-below.eml", "سارة منصور", "sara@example.org", "تحت سطح النهر",
        "صوّرت هذا المقطع تحت الماء.", (SampleFile("below.webm", "تحت الماء.webm"),)),
    SampleMail("06-forwarded.eml", "Lea Novak", "lea@example.com", "Fwd: rain did not stop us",
        "My neighbour sent me this, I forward it as it is.",
        forwarded=SampleMail("", "Piet de Boer", "piet@example.net", "rain did not stop us",
                       "For the campaign, please pass it on.",
                       (SampleFile("rain.mp4", "umbrellas.mp4"),))),
    SampleMail("07-mill.eml", "Nia Okoro", "nia@example.net", f"The old mill at {_WRITTEN}",
        f"You find it at {_WRITTEN}, behind the weir. The recording is very quiet.",
        (SampleFile("mill.mov", f"mill -{WRITTEN_LATITUDE}_-{WRITTEN_LONGITUDE}.mov"),)),
    SampleMail("08-parade.eml", "Ravi Shah", "ravi@example.org", "Boat parade!!!",
        "Very loud! I may have attached it twice, sorry.",
        (SampleFile("parade.mp4", "parade.mp4"), SampleFile("parade.mp4", "parade (1).mp4"))),
    SampleMail("09-morning-again.eml", "Luis Pérez", "luis@example.org",
        "my wife's film of the sunrise", "I don't know whether Ana has sent it already.",
        (SampleFile("morning.mp4", "sunrise.mp4"),)),
    SampleMail("10-clean-up.eml", "Freya Dahl", "freya@example.com",
        "Photos of the clean-up, as a zip",
        "Two photos. 140 kg of litter!", (SampleFile("cleanup.zip", "clean-up.zip"),)),
    SampleMail("11-bridge.eml", "Sam Archer", "sam@example.com",
        '=HYPERLINK("http://example.org","Open me in your spreadsheet")',
        "A photo with an odd name.", (SampleFile("bridge.jpg", "../../../../tmp/bridge.jpg"),)),
    SampleMail("12-markup.eml", "<b>Max</b>", "max@example.net",
        "<img src=x onerror=alert(1)> my <b>best</b> shots", "See attached.",
        (SampleFile(_PLAYLIST, "clip.mp4", "video/mp4"),
         SampleFile(_NOTE, "photo.jpg", "image/jpeg"))),
    SampleMail("13-cut-off.eml", "Ida Holm", "ida@example.org", "From the train, bad connection",
        "I hope this arrives.", (SampleFile("lanterns.mp4", "night train.mp4"),), cut=True),
    SampleMail("14-damaged.eml", "Omar Haddad", "omar@example.net", "Card error",
        "My memory card is broken, can you save this one?",
        (SampleFile(_HEAD_ONLY, "MVI_0007.mp4", "video/mp4"),)),
    SampleMail("15-link.eml", "Chloe Martin", "chloe@example.com", "Too large for a mail",
        "It is in my drive: https://drive.google.com/file/d/river-week-example/view"),
)  # fmt: skip


def build() -> dict[str, bytes]:
    """The bytes of every mail, by file name."""
    return {mail.file: _bytes(mail, index) for index, mail in enumerate(MAILS, start=1)}


def _source(name: str) -> bytes:
    if name == _HEAD_ONLY:
        # the index of this MP4 is at its end, so its head alone cannot be played
        morning = _source("morning.mp4")
        return morning[: len(morning) * 2 // 5]
    return _HOSTILE[name] if name in _HOSTILE else (_FILES / name).read_bytes()


def _bytes(mail: SampleMail, index: int) -> bytes:
    data = _message(mail, f"{index:02}").as_bytes()
    if not mail.cut:
        return data
    # in the middle of a line of base64, after a number of characters with which no encoder ends
    line = data.rfind(b"\r\n", 0, len(data) * 3 // 5) + 2
    return data[: line + 41]


def _message(mail: SampleMail, number: str) -> EmailMessage:
    message = EmailMessage(policy.SMTP)
    index = int(number.partition("-")[0])
    at = _FIRST + timedelta(hours=3 * index, minutes=7 * index)
    host = mail.address.partition("@")[2]
    message["Received"] = (
        f"from mail.{host} by mx.example.org with ESMTPS id river{index:02}; {format_datetime(at)}"
    )
    message["From"] = Address(mail.name, addr_spec=mail.address)
    message["To"] = _TO
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(at - timedelta(minutes=1))
    message["Message-ID"] = f"<river-week-{number}@{host}>"
    message.set_content(mail.text + "\n")
    if mail.signature:
        _sign(message, mail)
    for part in mail.parts:
        declared = part.declared or mimetypes.guess_type(part.name.lower())[0] or _type(part.name)
        main, _, sub = declared.partition("/")
        data = _source(part.source)
        message.add_attachment(data, maintype=main, subtype=sub, filename=part.name)
    if mail.forwarded is not None:
        message.add_attachment(_message(mail.forwarded, f"{number}-inner"))
    for depth, entity in enumerate(message.walk()):
        if entity.get_content_maintype() == "multipart":
            entity.set_boundary(f"=_river-{number}-{depth}")
    return message


def _sign(message: EmailMessage, mail: SampleMail) -> None:
    """Add the text as HTML; its signature shows a logo by its Content-ID."""
    words = (
        f'<p>{mail.text}</p><p>-- <br><img src="cid:logo@river-week" alt=""> Riverside school</p>'
    )
    message.add_alternative(words + "\n", subtype="html")
    html = message.get_payload(1)
    assert isinstance(html, EmailMessage)
    logo = _source("logo.png")
    html.add_related(
        logo, "image", "png", cid="<logo@river-week>", filename="logo.png", disposition="inline"
    )


def _type(name: str) -> str:
    """The type of those that the standard library does not know on every machine."""
    known = {"heic": "image/heic", "webm": "video/webm", "mov": "video/quicktime"}
    return known.get(name.rpartition(".")[2].lower(), "application/octet-stream")
