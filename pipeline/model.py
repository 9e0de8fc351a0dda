"""The records and enums that the stages pass to each other, as frozen data.

Names of statuses, reasons, carriers and fields are those of the report's schema
(``pipeline/review/report.schema.json``), so that nothing is translated on the way.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline import texts
from pipeline.comments import Comment
from pipeline.consent import Consent
from pipeline.findings import Finding
from pipeline.protection import FoundFaces, Mask, Need, Protect, SoundChange
from pipeline.texts import Detail, Value


class Status(StrEnum):
    """What became of one attachment."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    PENDING = "pending"
    WITHDRAWN = "withdrawn"


class Kind(StrEnum):
    """What an attachment is; determined from its bytes, never from its name."""

    VIDEO = "video"
    IMAGE = "image"
    ARCHIVE = "archive"
    OTHER = "other"


class Reason(StrEnum):
    """Why an attachment is not a clip."""

    NOT_MEDIA = "not-media"
    UNSUPPORTED = "unsupported"
    CORRUPT = "corrupt"
    TOO_LARGE = "too-large"
    TOO_LONG = "too-long"
    NO_VIDEO = "no-video"
    ENCRYPTED = "encrypted"
    UNSAFE = "unsafe"
    TRUNCATED_TRANSFER = "truncated-transfer"
    BROKEN_MAIL = "broken-mail"
    DECORATION = "decoration"
    TIMEOUT = "timeout"
    NOT_CLEAN = "not-clean"
    INTERNAL = "internal"

    @property
    def status(self) -> Status:
        """Rejected if the material is at fault, which is normal; failed if the program is."""
        failures = (Reason.TIMEOUT, Reason.NOT_CLEAN, Reason.INTERNAL)
        return Status.FAILED if self in failures else Status.REJECTED


class Wait(StrEnum):
    """Why a clip was not begun in a run, and waits for the next one."""

    SENDER_HOURS = "sender-hours"
    NIGHT_OVER = "night-over"
    DISK = "disk"


class Decision(StrEnum):
    """What a reviewer decided on a clip."""

    APPROVED = "approved"
    HELD = "held"
    REJECTED = "rejected"
    UNDECIDED = "undecided"


class OriginalState(StrEnum):
    """Whether an original is on the disk, was deleted by age, or was taken back by its sender.

    A ``lost`` one is missing from the disk, or what is there has other bytes.
    """

    KEPT = "kept"
    PURGED = "purged"
    WITHDRAWN = "withdrawn"
    LOST = "lost"


class Filed(StrEnum):
    """Whether a mail was moved on the server; ``asked`` means that no answer came yet."""

    NO = "no"
    ASKED = "asked"
    YES = "yes"


class Note(StrEnum):
    """What a reviewer should know of a submission as a whole."""

    HAS_A_LINK = "has-a-link"
    OUTSIDE_WINDOW = "outside-window"
    NO_ATTACHMENT = "no-attachment"
    LOCATION_IN_TEXT = "location-in-text"
    BROKEN_MAIL = "broken-mail"
    TAKES_BACK = "takes-back"
    AFTER_CONSENT = "after-consent"
    AFTER_NO = "after-no"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    NOT_AUTHENTIC = "not-authentic"
    NO_RECEIPT = "no-receipt"


@dataclass(frozen=True)
class Refusal:
    """Why there is no clip: the reason, and the code of the sentence that says it exactly.

    ``values`` fill the places in the sentence.  They are numbers, or words from a list of our
    own; never a location, a sender's words or the free text of a decoder.
    """

    reason: Reason
    code: Detail
    values: Mapping[str, Value] = field(default_factory=dict, hash=False)

    @property
    def detail(self) -> str:
        """The English sentence."""
        return texts.sentence(self.code, self.values)

    @property
    def may_pass(self) -> bool:
        """Whether it is for what happened on the machine, and says nothing of the file."""
        return self.code in {Detail.KILLED, Detail.STARVED}


@dataclass(frozen=True)
class MailIdentity:
    """The facts by which the next run recognises a mail (RFC 9051, section 2.3.1.1)."""

    account: str
    mailbox: str
    uidvalidity: int
    uid: str


def is_submission_id(text: str) -> bool:
    """Whether a text may be the id of a submission; files get their names from it."""
    return re.fullmatch(r"[0-9A-Za-z_-]{1,64}", text) is not None


@dataclass(frozen=True)
class Submission:
    """One mail (or one file brought in by hand): who, when, and what they wrote.

    ``subject`` and ``text`` are already masked; ``received_at`` is RFC 3339 in UTC.
    ``recipients`` are the addresses of To, Cc and Delivered-To, for categories by
    plus-address.  ``name``: the sender's display name, masked of places.  ``links``: addresses
    where footage may be, masked of places; they are never fetched.  ``answers``: the Message-IDs
    of In-Reply-To and References.  ``through``: the address of a mailing list.  ``inbox``: the
    name of the inbox, empty if there is only one.
    """

    id: str
    message_id: str
    sender: str
    subject: str
    text: str
    received_at: str
    notes: tuple[Note, ...] = ()
    recipients: tuple[str, ...] = ()
    name: str = ""
    links: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    through: str = ""
    inbox: str = ""


@dataclass(frozen=True)
class Attachment:
    """One attachment as it was taken out of the mail.

    ``sha256`` is that of the decoded bytes, or None where not all of them were read.
    ``parent`` is the position (in the same submission) of the archive or mail that it came
    in.  ``refusal`` is set where ingest already knows that this will be no clip.  ``pair`` is
    the position of the film that a photo belongs to (a Live Photo).
    """

    position: int
    filename: str
    kind: Kind
    sha256: str | None
    size: int
    parent: int | None = None
    refusal: Refusal | None = None
    findings: tuple[Finding, ...] = ()
    pair: int | None = None


@dataclass(frozen=True)
class Source:
    """The properties of a file as it was received.

    ``width`` and ``height`` are of the upright picture with square pixels.  ``rotation`` is the
    clockwise turn in degrees that made it upright.  ``missing_percent``: how much did not come,
    None if nothing is missing or nobody can tell.  ``faces``: None if nobody looked for any.
    """

    container: str
    video_codec: str
    audio_codec: str | None
    width: int
    height: int
    fps: float | None
    duration_s: float | None
    rotation: int
    hdr: bool
    missing_percent: float | None = None
    faces: FoundFaces | None = None


@dataclass(frozen=True)
class ClipOutput:
    """One finished file of a clip.  ``path`` is relative to the workspace.

    ``extradata`` is the SHA-256 of the H.264 decoder configuration record: equal for all
    clips of an output, or they could not be joined by copy.  ``marks`` are hashes of
    its pictures, for finding those that look alike.  ``hides`` names what is hidden in it (see
    :func:`pipeline.protection.hidden`).  ``faces`` names what found the faces that were masked
    without asking; empty if that was not wanted.  ``still`` is the SHA-256 of its still.  ``fit``
    and ``still_motion`` are the settings by which its pictures were placed.  The three are empty if
    an older version made it.
    """

    name: str
    path: str
    sha256: str
    width: int
    height: int
    fps: int
    frames: int
    duration_s: float
    loudness_lufs: float | None
    extradata: str
    marks: str = ""
    hides: str = ""
    faces: str = ""
    still: str = ""
    fit: str = ""
    still_motion: str = ""


@dataclass(frozen=True)
class ClipResult:
    """The outcome of ``process`` for one original.

    ``looks_like`` is the beginning (12 hex digits) of the SHA-256 of the clip that was received
    earlier and looks the same; empty if there is none, None if nobody has looked yet.
    """

    sha256: str
    recipe: str
    status: Status
    refusal: Refusal | None = None
    findings: tuple[Finding, ...] = ()
    clean: bool | None = None
    source: Source | None = None
    caption: str = ""
    category: str | None = None
    warnings: tuple[str, ...] = ()
    looks_like: str | None = None
    outputs: tuple[ClipOutput, ...] = ()


@dataclass(frozen=True)
class Review:
    """A reviewer's decision on the bytes of one original; survives reprocessing.

    ``masks`` and ``sounds`` are what is hidden, ``protect`` from whom, ``needs`` what has to be
    done before the clip may go into a film.  ``agreed_by`` are those who approved it as it is now
    (empty in reviews of older versions), and ``seen_by`` those who watched it to its end as it is
    now.  ``stars`` are 0 to 5.
    """

    decision: Decision = Decision.UNDECIDED
    note: str = ""
    by: str = ""
    at: str | None = None
    caption: str | None = None
    category: str | None = None
    in_s: float | None = None
    out_s: float | None = None
    masks: tuple[Mask, ...] = ()
    sounds: tuple[SoundChange, ...] = ()
    protect: Protect = Protect.NONE
    needs: tuple[Need, ...] = ()
    agreed_by: tuple[str, ...] = ()
    seen_by: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    tags: tuple[str, ...] = ()
    stars: int = 0

    @property
    def hides_picture(self) -> bool:
        """Whether a part of the picture may not be seen: by masks, for a person, or by a cut."""
        return (self.masks, self.protect, self.in_s, self.out_s) != ((), Protect.NONE, None, None)

    def cut(self, frames: int, fps: int) -> tuple[int, int]:
        """The first frame that is shown, and the one behind the last.

        :param frames: how many frames the clip has, at *fps* frames a second.
        """
        start = 0 if self.in_s is None else min(round(self.in_s * fps), frames)
        stop = frames if self.out_s is None else min(round(self.out_s * fps), frames)
        return start, stop


@dataclass(frozen=True)
class Row:
    """One line of the report: an attachment with all that is known about it.

    ``pair``: the SHA-256 of the film that stands for this photo (a Live Photo).  It is None if the
    film can't become a clip; then the photo becomes one.  ``held_by``: the mails that may take it
    back or limit a consent, and which nobody has dealt with.  ``consent``: that of all senders of
    these bytes; ``own_consent``: that of this mail; ``credit``: the name to show.
    ``is_hidden_with_film``: it is shown nowhere, as its film.  ``has_original``: it is not deleted.
    """

    submission: str
    attachment: Attachment
    parent_sha256: str | None
    status: Status
    refusal: Refusal | None
    duplicate_of: str | None
    result: ClipResult | None
    review: Review = field(default_factory=Review)
    pair: str | None = None
    held_by: tuple[str, ...] = ()
    consent: Consent = Consent.UNKNOWN
    own_consent: Consent = Consent.UNKNOWN
    credit: str = ""
    is_hidden_with_film: bool = False
    has_original: bool = True

    @property
    def sha256(self) -> str:
        """The SHA-256 of the original; empty for an attachment that was not kept."""
        return self.attachment.sha256 or ""
