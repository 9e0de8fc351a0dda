"""Decide which clips the montage holds, in which order, how much of each, and where each begins.

The functions here calculate with data and start nothing; only an order file is read.  All times
are counted in pictures.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import addressees, clip_order, texts
from pipeline.clip_order import OrderFile
from pipeline.config import Config, Output
from pipeline.errors import ConfigError
from pipeline.media.timebase import fade_frames
from pipeline.model import Decision, Row, Status

UNLISTED = "not in the order file"


@dataclass(frozen=True)
class Segment:
    """A part of the montage: a card, or as much of a clip as is shown.

    ``path`` is from the workspace; ``sha256`` is that of the original, empty for a card;
    ``content`` is the SHA-256 of the file, which holds ``frames`` pictures; those from
    ``start`` to before ``stop`` are shown.  ``still`` is the SHA-256 of its still, if it is known.
    ``sender`` is an address, which is never shown unmasked unless the configuration says so.
    ``credit`` is the name that the sender wants shown.
    """

    title: str
    path: str
    content: str
    frames: int
    extradata: str
    start: int
    stop: int
    sha256: str = ""
    caption: str = ""
    category: str | None = None
    sender: str = ""
    credit: str = ""
    still: str = ""

    @property
    def length(self) -> int:
        """How many pictures are shown."""
        return self.stop - self.start

    @property
    def whole(self) -> bool:
        """Whether all of the file is shown."""
        return self.length == self.frames


@dataclass(frozen=True)
class LeftOut:
    """A clip that is not in the montage, and why."""

    sha256: str
    why: str


@dataclass(frozen=True)
class Candidates:
    """The rows that the review admits, all rows, and the sender of each submission."""

    admitted: Sequence[Row]
    rows: Sequence[Row]
    senders: Mapping[str, str]


@dataclass(frozen=True)
class ChosenClips:
    """The clips of one output's montage in order, and those that are left out."""

    output: Output
    clips: tuple[Segment, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class Timeline:
    """A montage as it will be seen: cards and clips, and how one passes into the next.

    ``fades`` has an entry for each joint: the pictures over which a segment and the next
    overlap, 0 for a hard cut.
    """

    output: Output
    segments: tuple[Segment, ...]
    fades: tuple[int, ...]
    transition: str
    left_out: tuple[LeftOut, ...] = ()

    @property
    def frames(self) -> int:
        """How many pictures the whole has."""
        return sum(segment.length for segment in self.segments) - sum(self.fades)

    def placed(self) -> Iterator[tuple[Segment, int, int, int]]:
        """Yield each segment, where it begins in the whole, and the fades before and after it."""
        at = 0
        around = itertools.pairwise((0, *self.fades, 0))
        for segment, (before, after) in zip(self.segments, around, strict=True):
            yield segment, at, before, after
            at += segment.length - after

    @property
    def starts(self) -> tuple[int, ...]:
        """The picture of the whole with which each segment begins."""
        return tuple(at for _, at, _, _ in self.placed())


def film(config: Config, selection: ChosenClips, segments: Sequence[Segment]) -> Timeline:
    """Put *segments*, the clips of *selection* with their cards, together as one film."""
    output, montage = selection.output, config.montage
    longest = fade_frames(montage.transition_seconds, output.fps)
    overlaps = fades([segment.length for segment in segments], longest)
    return Timeline(output, tuple(segments), overlaps, montage.transition, selection.left_out)


def fades(lengths: Sequence[int], longest: int) -> tuple[int, ...]:
    """Return the fade at each joint: at most *longest*, and half of the shorter neighbour."""
    return tuple(
        min(longest, before // 2, after // 2) for before, after in itertools.pairwise(lengths)
    )


def arrange(
    config: Config, output: Output, candidates: Candidates, *, beside: int = 0
) -> ChosenClips:
    """Put the admitted clips into the order that the configuration names, within its limits.

    :param beside: the pictures of all cards together.
    :raises ConfigError: the order is unknown, or its file can't be read.
    """
    chosen, unlisted = ordered(config, candidates)
    left_out = [LeftOut(row.sha256, UNLISTED) for row in unlisted]
    known = {row.sha256 for row in candidates.admitted}
    left_out += [
        LeftOut(row.sha256, _why(row, config))
        for row in candidates.rows
        if row.result and row.result.outputs and not row.duplicate_of and row.sha256 not in known
    ]
    clips: list[Segment] = []
    for row in chosen:
        segment = _segment(row, config, output)
        if segment is None:
            left_out.append(LeftOut(row.sha256, "no clip for this output"))
        elif segment.length <= 0:
            left_out.append(LeftOut(row.sha256, "its in and out points leave nothing"))
        else:
            clips.append(replace(segment, sender=candidates.senders.get(row.submission, "")))
    within, beyond = limited(config, output, clips, beside)
    numbered = tuple(
        replace(segment, title=texts.montage_words("clip", number=number))
        for number, segment in enumerate(within, 1)
    )
    return ChosenClips(output, numbered, (*left_out, *beyond))


def limited(
    config: Config, output: Output, clips: Sequence[Segment], beside: int
) -> tuple[list[Segment], list[LeftOut]]:
    """Return the clips that are within the limits of the montage, and the others.

    A clip that would make the whole too long is left out; a shorter one after it may fit.
    """
    limits = config.montage
    longest = fade_frames(limits.transition_seconds, output.fps)
    room = fade_frames(limits.max_seconds, output.fps)
    counts: dict[str, int] = {}
    within: list[Segment] = []
    beyond: list[LeftOut] = []
    total = beside
    for segment in clips:
        grown = segment.length
        if within:
            grown -= fades([within[-1].length, segment.length], longest)[0]
        person = addressees.person(segment.sender)
        if limits.max_per_sender and counts.get(person, 0) >= limits.max_per_sender:
            why = f"max_per_sender: {limits.max_per_sender} clips of this sender are in already"
            beyond.append(LeftOut(segment.sha256, why))
        elif room and total + grown > room:
            why = f"max_seconds: the whole would be longer than {limits.max_seconds:g} s"
            beyond.append(LeftOut(segment.sha256, why))
        else:
            counts[person] = counts.get(person, 0) + 1
            within.append(segment)
            total += grown
    return within, beyond


def _why(row: Row, config: Config) -> str:
    if row.status is Status.WITHDRAWN:
        return "withdrawn"
    if row.held_by:
        return "it may be taken back"
    if not row.consent.allows(needs_consent=config.review.needs_consent):
        return f"consent: {row.consent}"
    ready = ", but not ready" if row.review.decision is Decision.APPROVED else ""
    return f"review: {row.review.decision}{ready}"


def _segment(row: Row, config: Config, output: Output) -> Segment | None:
    """Return a clip as a segment; None if it was not made for this output."""
    result = row.result
    made = {made.name: made for made in result.outputs}.get(output.name) if result else None
    if result is None or made is None:
        return None
    start, stop = row.review.cut(made.frames, output.fps)
    longest = fade_frames(config.montage.max_clip_seconds, output.fps)
    return Segment(
        title="",
        path=made.path,
        content=made.sha256,
        frames=made.frames,
        extradata=made.extradata,
        start=start,
        stop=min(stop, start + longest) if longest else stop,
        sha256=row.sha256,
        caption=result.caption,
        category=result.category,
        credit=row.credit,
        still=made.still,
    )


def ordered(config: Config, candidates: Candidates) -> tuple[list[Row], list[Row]]:
    """Put the admitted rows into order; return apart those that an order file does not name.

    :raises ConfigError: the order file can't be read or is not one.
    """
    path, unlisted = clip_order.path_of(config), list[Row]()
    if path is None:
        rule = config.montage.order
        chosen = clip_order.sort_by_rule(rule, candidates.senders, candidates.admitted)
    else:
        chosen, unlisted = _listed(path, candidates)
    if config.montage.chapter_cards:
        # the clips of a category are put together; those without a category come first
        names = [row.result.category for row in chosen if row.result and row.result.category]
        places = {name: number for number, name in enumerate(dict.fromkeys(names), 1)}
        chosen.sort(key=lambda row: places.get(row.result.category or "", 0) if row.result else 0)
    return chosen, unlisted


def order_file(path: Path) -> OrderFile:
    """Read the order file that the configuration names.

    :raises ConfigError: it can't be read or is not one.
    """
    order = clip_order.read(path)
    if not order.digest:
        allowed = '"received", "sender", "filename", "shuffle:SEED" or the path of a file of SHAs'
        raise ConfigError([f"montage.order: must be {allowed}; {path} can't be read"])
    return order


def _listed(path: Path, candidates: Candidates) -> tuple[list[Row], list[Row]]:
    order = order_file(path)
    left = {row.sha256: row for row in candidates.admitted}
    chosen = [left.pop(sha256) for _, sha256 in order.clips(left) if sha256 is not None]
    return chosen, list(left.values())
