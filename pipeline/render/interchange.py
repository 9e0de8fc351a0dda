"""The film as a timeline for an editing program, pointing at the clips: OTIO, FCPXML, EDL, MLT.

Every cut can still be moved: a clip refers to all of its file, and a crossfade is a transition
over the cut in its middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from xml.etree import ElementTree as ET

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
    for index, (segment, at) in enumerate(zip(film.segments, film.starts, strict=True)):
        before, after = film.around(index)
        outer = before // 2  # pictures of a fade that are before the cut
        yield Event(
            segment=segment,
            start=segment.start + outer,
            frames=segment.length - outer - (after - after // 2),
            at=at + outer,
            fade_in=before,
            inner=before - outer,
        )


def written(film: Timeline, name: str, root: Path, kind: TimelineFormat) -> str:
    """Return the timeline as text.

    :param name: the name of the timeline in the editing program.
    :param root: the workspace, where the paths of segments begin.
    """
    writers = {
        TimelineFormat.OTIO: _otio,
        TimelineFormat.FCPXML: _fcpxml,
        TimelineFormat.EDL: _edl,
        TimelineFormat.MLT: _mlt,
    }
    return writers[kind](film, name, root)


def _url(root: Path, segment: Segment) -> str:
    return (root / segment.path).absolute().as_uri()


# -- OpenTimelineIO --------------------------------------------------------------------------


def _otio(film: Timeline, name: str, root: Path) -> str:
    import opentimelineio as otio  # noqa: PLC0415 - only an export needs it

    fps = film.output.fps

    def time(frames: int) -> otio.opentime.RationalTime:
        return otio.opentime.RationalTime(frames, fps)

    def span(start: int, frames: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(time(start), time(frames))

    timeline = otio.schema.Timeline(name, global_start_time=time(0))
    for kind in (otio.schema.TrackKind.Video, otio.schema.TrackKind.Audio):
        track = otio.schema.Track(kind, kind=kind)
        for event in events(film):
            if event.fade_in:
                track.append(
                    otio.schema.Transition(
                        film.transition,
                        transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve,
                        in_offset=time(event.fade_in - event.inner),
                        out_offset=time(event.inner),
                    )
                )
            segment = event.segment
            media = otio.schema.ExternalReference(_url(root, segment), span(0, segment.frames))
            media.name = segment.title
            facts = {"sha256": segment.sha256, "category": segment.category or ""}
            track.append(
                otio.schema.Clip(
                    segment.title,
                    media_reference=media,
                    source_range=span(event.start, event.frames),
                    metadata={"footage": facts},
                )
            )
        timeline.tracks.append(track)
    text: str = otio.adapters.write_to_string(timeline, "otio_json")
    return text + "\n"


# -- Final Cut Pro XML 1.8 -------------------------------------------------------------------


def _fcpxml(film: Timeline, name: str, root: Path) -> str:
    """Write times as fractions of a second in whole pictures (Apple's fcpxml DTD, version 1.8)."""
    output = film.output

    def time(frames: int) -> str:
        return f"{frames * 100}/{output.fps * 100}s" if frames else "0s"

    document = ET.Element("fcpxml", version="1.8")
    resources = ET.SubElement(document, "resources")
    ET.SubElement(
        resources, "format", id="r1", name=f"{output.size} {output.fps}", frameDuration=time(1),
        colorSpace="1-1-1 (Rec. 709)", width=str(output.width), height=str(output.height),
    )  # fmt: skip
    references: dict[str, str] = {}
    for segment in film.segments:
        if segment.path not in references:
            references[segment.path] = f"r{len(references) + 2}"
            ET.SubElement(
                resources, "asset", id=references[segment.path], name=segment.title,
                src=_url(root, segment), start="0s", duration=time(segment.frames), format="r1",
                hasVideo="1", hasAudio="1", audioSources="1", audioChannels="2", audioRate="48000",
            )  # fmt: skip
    event = ET.SubElement(ET.SubElement(document, "library"), "event", name=name)
    sequence = ET.SubElement(
        ET.SubElement(event, "project", name=name), "sequence", format="r1",
        duration=time(film.frames), tcStart="0s", tcFormat="NDF", audioLayout="stereo",
        audioRate="48k",
    )  # fmt: skip
    spine = ET.SubElement(sequence, "spine")
    for each in events(film):
        if each.fade_in:
            ET.SubElement(
                spine, "transition", name="Cross Dissolve",
                offset=time(each.at - each.fade_in + each.inner), duration=time(each.fade_in),
            )  # fmt: skip
        ET.SubElement(
            spine, "asset-clip", ref=references[each.segment.path], name=each.segment.title,
            offset=time(each.at), start=time(each.start), duration=time(each.frames), format="r1",
        )  # fmt: skip
    ET.indent(document)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'
    return head + ET.tostring(document, encoding="unicode") + "\n"


# -- Edit decision list, CMX 3600 (SMPTE 258M) -----------------------------------------------


def _edl(film: Timeline, name: str, root: Path) -> str:
    """Write files as reel AX; a dissolve begins at the out point of the clip before."""
    fps = film.output.fps
    lines = [f"TITLE: {name}", "FCM: NON-DROP FRAME", ""]

    def code(frames: int) -> str:
        seconds, rest = divmod(frames, fps)
        minutes, seconds = divmod(seconds, 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}:{rest:02}"

    def line(number: int, how: str, *times: int) -> str:
        return f"{number:03}  AX       V     {how:9}{' '.join(map(code, times))}"

    before: Segment | None = None
    for number, (segment, at) in enumerate(zip(film.segments, film.starts, strict=True), 1):
        fade_in, fade_out = film.around(number - 1)
        shown = segment.length - fade_out
        times = (segment.start, segment.start + shown, at, at + shown)
        if fade_in and before is not None:
            out = before.stop - fade_in
            lines.append(line(number, "C", out, out, at, at))
            lines.append(line(number, f"D    {fade_in:03}", *times))
            lines.append(f"* FROM CLIP NAME: {before.title}")
            lines.append(f"* FROM CLIP: {_url(root, before)}")
            lines.append(f"* TO CLIP NAME: {segment.title}")
            lines.append(f"* TO CLIP: {_url(root, segment)}")
        else:
            lines.append(line(number, "C", *times))
            lines.append(f"* FROM CLIP NAME: {segment.title}")
            lines.append(f"* FROM CLIP: {_url(root, segment)}")
        lines.append("")
        before = segment
    return "\n".join(lines)


# -- MLT XML (Kdenlive, Shotcut, melt) -------------------------------------------------------


def _mlt(film: Timeline, name: str, root: Path) -> str:
    """Write segments in a row; a crossfade is a tractor of its own with the two that overlap."""
    output = film.output
    document = ET.Element("mlt", LC_NUMERIC="C", title=name, producer="film")
    ET.SubElement(
        document, "profile", description=output.size, width=str(output.width),
        height=str(output.height), frame_rate_num=str(output.fps), frame_rate_den="1",
        progressive="1", sample_aspect_num="1", sample_aspect_den="1", colorspace="709",
        display_aspect_num=str(output.width), display_aspect_den=str(output.height),
    )  # fmt: skip
    names: dict[str, str] = {}
    for segment in film.segments:
        if segment.path not in names:
            names[segment.path] = f"clip{len(names)}"
            last = str(segment.frames - 1)
            clip = {"id": names[segment.path], "in": "0", "out": last}
            producer = ET.SubElement(document, "producer", clip)
            _properties(producer, resource=str((root / segment.path).absolute()))
    row = ET.Element("playlist", id="film")
    for index, segment in enumerate(film.segments):
        before, after = film.around(index)
        if before:
            ending = film.segments[index - 1]
            fade = ET.SubElement(document, "tractor", id=f"fade{index}", out=str(before - 1))
            fade.set("in", "0")
            both = ET.SubElement(fade, "multitrack")
            for each, first in ((ending, ending.stop - before), (segment, segment.start)):
                both.append(_stretch("track", names[each.path], first, before))
            for service in ("luma", "mix"):
                way = ET.SubElement(fade, "transition", {"in": "0", "out": str(before - 1)})
                mixed = {"start": "-1"} if service == "mix" else {}
                _properties(way, a_track="0", b_track="1", mlt_service=service, **mixed)
            row.append(_stretch("entry", f"fade{index}", 0, before))
        if frames := segment.length - before - after:
            row.append(_stretch("entry", names[segment.path], segment.start + before, frames))
    document.append(row)
    ET.indent(document)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(document, "unicode") + "\n"


def _stretch(tag: str, producer: str, first: int, frames: int) -> ET.Element:
    last = str(first + frames - 1)
    return ET.Element(tag, {"producer": producer, "in": str(first), "out": last})


def _properties(element: ET.Element, **values: str) -> None:
    for key, value in values.items():
        ET.SubElement(element, "property", name=key).text = value
