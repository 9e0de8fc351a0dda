"""The film as a timeline for an editing program, pointing at the clips: OTIO, FCPXML, EDL, MLT.

Every cut can still be moved: a clip refers to all of its file, and a crossfade is a transition
over the cut in its middle.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from xml.etree import ElementTree as ET

from pipeline.comments import Comment
from pipeline.render.timeline import Segment, Timeline


class TimelineFormat(StrEnum):
    """A file format of editing programs."""

    OTIO = "otio"
    FCPXML = "fcpxml"
    EDL = "edl"
    MLT = "mlt"


@dataclass(frozen=True)
class Event:
    """A clip between two cuts; where it fades, the cut is in the middle of the fade.

    ``start`` is the first picture of its file that is shown, ``at`` its place in the film;
    the ``fade_in`` pictures of the fade before it end ``inner`` pictures after the cut.
    """

    segment: Segment
    start: int
    frames: int
    at: int
    fade_in: int
    inner: int


def events(film: Timeline) -> Iterator[Event]:
    """Cut the film in the middle of its fades; the events together are as long as the film."""
    for segment, at, before, after in film.placed():
        outer = before // 2  # pictures of a fade that are before the cut
        yield Event(
            segment=segment,
            start=segment.start + outer,
            frames=segment.length - outer - (after - after // 2),
            at=at + outer,
            fade_in=before,
            inner=before - outer,
        )


@dataclass(frozen=True)
class Labels:
    """What a timeline shows beside the film: its name, and what reviewers said of the clips.

    ``root`` is the workspace, where the paths of segments begin.  ``comments`` are those that
    nobody has resolved, by the SHA-256 of the original.
    """

    name: str
    root: Path
    comments: Mapping[str, Sequence[Comment]] = field(default_factory=dict)


@dataclass(frozen=True)
class Marker:
    """A comment on the timeline: its first picture in the clip's file, and how many there are."""

    start: int
    frames: int
    text: str


def markers(event: Event, labels: Labels, fps: int) -> Iterator[Marker]:
    """Place the comments of a clip; one that is wholly outside of what is shown is left out.

    A comment without a moment belongs to the whole clip, so it is at its first picture.
    """
    end = event.start + event.frames
    for comment in labels.comments.get(event.segment.sha256, ()):
        first = event.start if comment.from_s is None else round(comment.from_s * fps)
        last = first + 1 if comment.to_s is None else round(comment.to_s * fps)
        start, stop = max(first, event.start), min(max(last, first + 1), end)
        if start < stop:
            words = " ".join(comment.text.split())
            yield Marker(start, stop - start, f"{comment.by}: {words}" if comment.by else words)


def written(film: Timeline, labels: Labels, kind: TimelineFormat) -> str:
    """Return the timeline as text.

    MLT has no markers that its programs agree on, so there the comments are left out.
    """
    writers = {"otio": _otio, "fcpxml": _fcpxml, "edl": _edl, "mlt": _mlt}
    return writers[kind](film, labels)


def _url(root: Path, segment: Segment) -> str:
    return (root / segment.path).absolute().as_uri()


# -- OpenTimelineIO --------------------------------------------------------------------------


def _otio(film: Timeline, labels: Labels) -> str:
    # only an export needs it
    from opentimelineio import adapters, opentime, schema  # noqa: PLC0415

    def time(frames: int) -> opentime.RationalTime:
        return opentime.RationalTime(frames, film.output.fps)

    def span(start: int, frames: int) -> opentime.TimeRange:
        return opentime.TimeRange(time(start), time(frames))

    timeline = schema.Timeline(labels.name, global_start_time=time(0))
    for kind in (schema.TrackKind.Video, schema.TrackKind.Audio):
        track = schema.Track(kind, kind=kind)
        for event in events(film):
            if event.fade_in:
                dissolve = schema.TransitionTypes.SMPTE_Dissolve
                outer, inner = time(event.fade_in - event.inner), time(event.inner)
                track.append(schema.Transition(film.transition, dissolve, outer, inner))
            segment = event.segment
            media = schema.ExternalReference(_url(labels.root, segment), span(0, segment.frames))
            media.name = segment.title
            clip = schema.Clip(segment.title, media, span(event.start, event.frames))
            facts = {"sha256": segment.sha256, "category": segment.category or ""}
            clip.metadata["footage"] = facts
            if kind == schema.TrackKind.Video:
                clip.markers.extend(
                    schema.Marker(each.text, span(each.start, each.frames), color="YELLOW")
                    for each in markers(event, labels, film.output.fps)
                )
            track.append(clip)
        timeline.tracks.append(track)
    return f"{adapters.write_to_string(timeline, 'otio_json')}\n"


# -- Final Cut Pro XML 1.8 -------------------------------------------------------------------


def _fcpxml(film: Timeline, labels: Labels) -> str:
    """Write times as fractions of a second in whole pictures (Apple's fcpxml DTD, version 1.8)."""
    output = film.output

    def time(frames: int) -> str:
        return f"{frames * 100}/{output.fps * 100}s" if frames else "0s"

    document = ET.Element("fcpxml", version="1.8")
    resources = _add(document, "resources")
    _add(
        resources, "format", id="r1", name=f"{output.size} {output.fps}", frameDuration=time(1),
        colorSpace="1-1-1 (Rec. 709)", width=output.width, height=output.height,
    )  # fmt: skip
    references: dict[str, str] = {}
    for segment in film.segments:
        if segment.path not in references:
            references[segment.path] = f"r{len(references) + 2}"
            _add(
                resources, "asset", id=references[segment.path], name=segment.title,
                src=_url(labels.root, segment), start="0s", duration=time(segment.frames),
                format="r1", hasVideo=1, hasAudio=1, audioSources=1, audioChannels=2,
                audioRate=48000,
            )  # fmt: skip
    event = _add(_add(document, "library"), "event", name=labels.name)
    sequence = _add(
        _add(event, "project", name=labels.name), "sequence", format="r1",
        duration=time(film.frames), tcStart="0s", tcFormat="NDF", audioLayout="stereo",
        audioRate="48k",
    )  # fmt: skip
    spine = _add(sequence, "spine")
    for each in events(film):
        if each.fade_in:
            begins, duration = time(each.at - each.fade_in + each.inner), time(each.fade_in)
            _add(spine, "transition", name="Cross Dissolve", offset=begins, duration=duration)
        clip = _add(
            spine, "asset-clip", ref=references[each.segment.path], name=each.segment.title,
            offset=time(each.at), start=time(each.start), duration=time(each.frames), format="r1",
        )  # fmt: skip
        for mark in markers(each, labels, output.fps):
            _add(
                clip, "marker", start=time(mark.start), duration=time(mark.frames), value=mark.text
            )
    ET.indent(document)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'
    return head + ET.tostring(document, encoding="unicode") + "\n"


# -- Edit decision list, CMX 3600 (SMPTE 258M) -----------------------------------------------


def _edl(film: Timeline, labels: Labels) -> str:
    """Write files as reel AX; a dissolve begins at the out point of the clip before."""
    fps = film.output.fps
    lines = [f"TITLE: {labels.name}", "FCM: NON-DROP FRAME", ""]

    def code(frames: int) -> str:
        seconds, rest = divmod(frames, fps)
        minutes, seconds = divmod(seconds, 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}:{rest:02}"

    def line(number: int, how: str, *times: int) -> str:
        return f"{number:03}  AX       V     {how:9}{' '.join(map(code, times))}"

    before: Segment | None = None
    for number, (segment, at, fade_in, fade_out) in enumerate(film.placed(), 1):
        shown = segment.length - fade_out
        times = (segment.start, segment.start + shown, at, at + shown)
        how, clips = "C", {"FROM": segment}
        if fade_in and before is not None:
            out = before.stop - fade_in
            lines.append(line(number, "C", out, out, at, at))
            how, clips = f"D    {fade_in:03}", {"FROM": before, "TO": segment}
        lines.append(line(number, how, *times))
        for side, clip in clips.items():
            lines += [
                f"* {side} CLIP NAME: {clip.title}",
                f"* {side} CLIP: {_url(labels.root, clip)}",
            ]
        # the form that Avid and Resolve read: a place in the film, a colour, words in one line
        whole = Event(segment, segment.start, segment.length, at, fade_in, 0)
        for mark in markers(whole, labels, fps):
            lines.append(f"* LOC: {code(at + mark.start - segment.start)} YELLOW  {mark.text}")
        lines.append("")
        before = segment
    return "\n".join(lines)


# -- MLT XML (Kdenlive, Shotcut, melt) -------------------------------------------------------


def _mlt(film: Timeline, labels: Labels) -> str:
    """Write segments in a row; a crossfade is a tractor of its own with the two that overlap."""
    output = film.output
    document = ET.Element("mlt", LC_NUMERIC="C", title=labels.name, producer="film")
    _add(
        document, "profile", description=output.size, width=output.width, height=output.height,
        frame_rate_num=output.fps, frame_rate_den=1, progressive=1, sample_aspect_num=1,
        sample_aspect_den=1, colorspace=709, display_aspect_num=output.width,
        display_aspect_den=output.height,
    )  # fmt: skip
    names: dict[str, str] = {}
    for segment in film.segments:
        if segment.path not in names:
            names[segment.path] = f"clip{len(names)}"
            whole = _span(0, segment.frames)
            producer = _add(document, "producer", id=names[segment.path], **whole)
            _properties(producer, resource=str((labels.root / segment.path).absolute()))
    row = ET.Element("playlist", id="film")
    for index, (segment, _, before, after) in enumerate(film.placed()):
        if before:
            ending = film.segments[index - 1]
            fade = _add(document, "tractor", id=f"fade{index}", **_span(0, before))
            both = _add(fade, "multitrack")
            for each, first in ((ending, ending.stop - before), (segment, segment.start)):
                _add(both, "track", producer=names[each.path], **_span(first, before))
            for service in ("luma", "mix"):
                mixed = {"start": "-1"} if service == "mix" else {}
                way = _add(fade, "transition", **_span(0, before))
                _properties(way, a_track="0", b_track="1", mlt_service=service, **mixed)
            _add(row, "entry", producer=f"fade{index}", **_span(0, before))
        if frames := segment.length - before - after:
            shown = _span(segment.start + before, frames)
            _add(row, "entry", producer=names[segment.path], **shown)
    document.append(row)
    ET.indent(document)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(document, "unicode") + "\n"


def _add(parent: ET.Element, tag: str, /, **attributes: str | int) -> ET.Element:
    values = {name: str(value) for name, value in attributes.items()}
    return ET.SubElement(parent, tag, values)


def _span(first: int, frames: int) -> dict[str, int]:
    return {"in": first, "out": first + frames - 1}


def _properties(element: ET.Element, **values: str) -> None:
    for key, value in values.items():
        ET.SubElement(element, "property", name=key).text = value
