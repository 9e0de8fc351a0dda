"""Check whether the answer of a worker is possible: it comes from another machine.

Names, paths and texts are compared with those of the task.  Numbers are in the range that they can
have.  The files of a clip are judged and hashed here, by their descriptors, before they get their
names.
"""

from __future__ import annotations

import math
import re
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from pipeline import judge, places, protection, publishing
from pipeline.caution import Caution
from pipeline.codecs import codec_of
from pipeline.config import Output
from pipeline.errors import BytesChanged, FileMissing
from pipeline.ffmpeg.faults import ProgramLied
from pipeline.ffmpeg.made import MadeFile
from pipeline.jobs.handout import Following
from pipeline.media import encode
from pipeline.media.timebase import samples_of
from pipeline.model import ClipOutput, ClipResult, Refusal, Source, Status
from pipeline.process import chunk_plan, clip, glance, searching
from pipeline.process.chunk_plan import MORE, ChunkPlan, ClipPiece, InOnePiece, PieceFile
from pipeline.process.long_clips import LongClips
from pipeline.process.night import NightBudget
from pipeline.process.recipe import Recipe
from pipeline.process.wire import ClipAnswer, ClipStep, ClipTask
from pipeline.protection import FoundFaces, ImpossibleProtection
from pipeline.run import Run
from pipeline.store import FootageFile, files_of, still_of
from pipeline.store.delivery import delivered

_WORDS = re.compile(r"[ -~]{0,300}")
_NAME = re.compile(r"[A-Za-z0-9 ()+,._-]{0,64}")
_COORDINATE = re.compile(r"\d\.\d|\d{5}")  # no codec and no container has such a name
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MARKS = re.compile(r"([0-9a-f]{16}( [0-9a-f]{16}){0,7})?(\.[A-Za-z0-9_-]{1,2200})?")
_LARGEST = 1 << 40
_WIDEST = 1 << 16
_MOST_FINDINGS = 10_000


class ClipRules:
    """What a run does with the clips that workers make; see ``jobs/handout``."""

    answer = ClipAnswer

    def __init__(self, run: Run, night: NightBudget) -> None:
        self.run, self.night = run, night
        self._long = LongClips(run, night)
        # by clip and lost worker: the count of attempts, and the pieces that were lost with it
        self._lost: dict[tuple[str, str], tuple[int, set[str]]] = {}

    def begin(self, task: ClipTask) -> bool:
        """Whether the night has room for it, or it goes on with a clip that was begun."""
        if not self._long.is_begun(task):
            return self.night.begin(task.sha256)
        if task.part != "clip" and not self._long.is_wanted(task):
            return False
        self.night.go_on(task.subject)
        return True

    def end(self, task: ClipTask) -> None:
        """Count what it cost its sender."""
        self.night.end(task.subject)

    def possible(self, task: ClipTask, result: ClipStep) -> dict[str, bool]:
        """Whether each part of an outcome is possible, by its name."""
        match result:
            case ChunkPlan():
                return possible_plan(result, task)
            case ClipPiece():
                return _piece(result, task)
            case InOnePiece():
                return {"refusal": task.part != "clip"}
            case _ if task.made is not None:
                return _searched(result, task.made, task.recipe)
            case _:
                return _facts(result, task) | {"part": task.part in ("clip", "join")}

    def take(self, task: ClipTask, result: ClipStep) -> None:
        """Judge the files of a clip, and give them their names."""
        if isinstance(result, ClipPiece):
            take_piece(self.run, task, result)
        elif isinstance(result, ClipResult) and result.outputs and task.made is None:
            take(self.run, task, result)

    def follow(self, task: ClipTask, result: ClipStep) -> Following[ClipTask]:
        """Return the pieces that a long clip is made of, and at last the task that joins them."""
        return self._long.follow(task, result)

    def attempts(self, task: ClipTask, lost: str) -> int:
        """Count an attempt in the ledger.

        A worker that is lost with several pieces of a clip is one attempt.
        """
        count, subjects = self._lost.get((task.sha256, lost), (0, set()))
        if lost and subjects and task.subject not in subjects:
            subjects.add(task.subject)
            return count
        count = self.run.ledger.clips.count_attempt(task.sha256)
        self._lost[task.sha256, lost] = count, {task.subject}
        return count

    def failed(self, task: ClipTask, refusal: Refusal) -> ClipResult:
        """The outcome after the last attempt; a finished clip stays, its faces were not found."""
        if task.made is not None:
            return searching.described(task.made, searching.nothing_found(task.recipe))
        return clip.refused(task.sha256, task.recipe, refusal, ())


def take(run: Run, task: ClipTask, result: ClipResult) -> None:
    """Judge the files of a clip that a worker made, and give them their names.

    :raises ProgramLied: they are not what the answer says.
    :raises NotClean: they hold something that is not on the allow-list.
    """
    clips = files_of(result)
    if not run.store.is_beyond:
        places_of = {file: run.workspace.root / delivered(file) for file in _with_stills(clips)}
        _take(run, task, result, places_of)
        return
    for file in _with_stills(clips):
        run.store.size(file)  # from now on the store knows that it has the file
    try:
        with run.store.at_hand(_with_stills(clips)):
            here = {file: run.workspace.root / file.path for file in _with_stills(clips)}
            _take(run, task, result, here)
    except (BytesChanged, FileMissing) as error:
        raise ProgramLied("a file with other bytes than it says") from error


def take_piece(run: Run, task: ClipTask, piece: ClipPiece) -> None:
    """Give the files of a piece that a worker made their names.

    Their bytes are compared with their digests when they are joined.

    :raises ProgramLied: one is not there, or is larger than it can be.
    """
    for each in piece.files:
        file = each.stored(task.sha256, task.number)
        most = _most(each, task)
        if run.store.is_beyond:
            try:
                size = run.store.size(file)
            except FileMissing as error:
                raise ProgramLied("a piece that is not in the store") from error
            if size > most:
                raise ProgramLied("a file larger than it can be")
            continue
        made = MadeFile(run.workspace.root / delivered(file), most, is_new=False)
        with closing(made):
            made.publish(run.workspace.root / file.path)


def _most(file: PieceFile, task: ClipTask) -> int:
    """How many bytes a file of a piece can have."""
    output = next((each for each in task.recipe.outputs if each.name == file.output), None)
    if output is None:
        return glance.MOST_BYTES
    if file.kind == "still":
        return encode.most_still(output.width, output.height)
    seconds = math.ceil(task.recipe.max_source_seconds) + 1
    return encode.most_bytes(output, seconds * output.fps)


def possible_plan(plan: ChunkPlan, task: ClipTask) -> dict[str, bool]:
    """Whether each part of a plan is possible, by its name."""
    known, chunks = plan.facts, plan.chunks
    length = chunk_plan.length_of(known)
    starts = chunk_plan.begins(length, task.chunk_s) if task.chunk_s else ()
    return {
        "part": task.part == "clip" and task.made is None,
        "length": 0 < length <= task.recipe.max_source_seconds + 1,
        "size": 0 < known.width <= _WIDEST and 0 < known.height <= _WIDEST,
        "shape": 0 < known.over < _LARGEST,
        "chunk": len(chunks) <= len(starts) + 1
        and all(
            (each.begin_s, each.end_s) == (start * task.chunk_s, end)
            for start, (each, end) in enumerate(
                zip(chunks, [*(each.begin_s for each in chunks[1:]), None], strict=True)
            )
        )
        and all(each.seek_s <= each.from_s <= each.begin_s for each in chunks),
        "face": _are_faces(plan.faces, task.recipe),
        "finding": len(plan.findings) <= _MOST_FINDINGS,
    }


def _piece(piece: ClipPiece, task: ClipTask) -> dict[str, bool]:
    """Whether each part of a piece is possible, by its name."""
    names = [output.name for output in task.recipe.outputs]
    kinds = [(each.kind, each.output) for each in piece.files]
    if task.part == "sound":
        wanted = {("sound", name) for name in names}
        allowed = wanted
    else:
        wanted = {("movie", name) for name in names} | {("glance", "")}
        allowed = wanted | {("still", name) for name in names}
    prints = len(names) if task.part == "chunk" else 0
    return {
        "part": task.part in ("chunk", "sound"),
        "file": wanted <= {*kinds} <= allowed and len(kinds) == len({*kinds}),
        "print": len(piece.prints) == prints and all(len(each) >= MORE for each in piece.prints),
        "loudness": piece.lufs is None or -200 <= piece.lufs <= 50,
    }


def _with_stills(clips: tuple[FootageFile, ...]) -> list[FootageFile]:
    return [file for clip in clips for file in (clip, still_of(clip))]


def _take(run: Run, task: ClipTask, result: ClipResult, at: dict[FootageFile, Path]) -> None:
    with ExitStack() as opened:
        found = []
        for output, wanted in zip(result.outputs, task.recipe.outputs, strict=True):
            clip = FootageFile(output.path, output.sha256)
            most = encode.most_bytes(wanted, output.frames)
            movie = MadeFile(at[clip], most, is_new=False)
            opened.callback(movie.close)
            most = encode.most_still(wanted.width, wanted.height)
            still = MadeFile(at[still_of(clip)], most, is_new=False)
            opened.callback(still.close)
            _check_files(output, wanted, task.configurations[output.name], (movie, still))
            found += [(movie, clip), (still, still_of(clip))]
        if not run.store.is_beyond:
            for file, named in found:
                file.publish(run.workspace.root / named.path)


def _check_files(
    output: ClipOutput, wanted: Output, configuration: str, files: tuple[MadeFile, MadeFile]
) -> None:
    movie, still = files
    facts = codec_of(wanted).judge(movie.file, judge.Mp4Kind.CLIP)
    judge.judge_still(still.file)
    lossless = [sound.samples for sound in facts.audio if sound.codec == "alac"]
    exact = (
        encode.joins(facts.video, wanted, output.frames, configuration)
        and (facts.video.width, facts.video.height) == (wanted.width, wanted.height)
        and lossless == [samples_of(output.frames, output.fps)]
        and publishing.sha256_of(movie.file) == output.sha256
        and publishing.sha256_of(still.file) == output.still
    )
    if not exact:
        raise ProgramLied("a file that is not what its answer says")


def _facts(result: ClipResult, task: ClipTask) -> dict[str, bool]:
    """Whether each part of an outcome is possible, by its name."""
    recipe, refusal = task.recipe, result.refusal
    accepted = result.status is Status.ACCEPTED
    key = recipe.refusal_key if result.status is Status.REJECTED else recipe.key
    return {
        "original": result.sha256 == task.sha256,
        "status": result.status in (Status.ACCEPTED, Status.REJECTED, Status.FAILED),
        "reason": accepted if refusal is None else result.status is refusal.reason.status,
        "sentence": refusal is None or _is_sentence(refusal),
        "recipe": result.recipe == key,
        "caption": result.caption == (recipe.caption if accepted else ""),
        "category": result.category == recipe.category,
        "verdict": result.clean is True if accepted else result.clean is not True,
        "likeness": result.looks_like is None,
        "warning": len(result.warnings) <= len(Caution) and {*result.warnings} <= {*Caution},
        "source": (result.source is not None and _is_source(result.source, recipe))
        if accepted
        else result.source is None,
        "outputs": [output.name for output in result.outputs]
        == ([output.name for output in recipe.outputs] if accepted else []),
        "output": all(
            _is_output(output, wanted, task)
            for output, wanted in zip(result.outputs, recipe.outputs, strict=False)
        ),
    }


def _searched(result: ClipResult, made: ClipResult, recipe: Recipe) -> dict[str, bool]:
    """Whether an outcome is that of a finished clip, with the faces that were found."""
    before = made.source.faces if made.source else None
    source = replace(result.source, faces=before) if result.source else None
    return {
        "change": replace(result, source=source, warnings=made.warnings) == made,
        "face": result.source is None or _are_faces(result.source.faces, recipe),
        "warning": {*result.warnings} <= {*Caution, *made.warnings},
    }


def _is_output(output: ClipOutput, wanted: Output, task: ClipTask) -> bool:
    path = f"clips/{task.sha256}/{wanted.name}{codec_of(wanted).suffix}"
    longest = max(task.recipe.max_source_seconds, task.recipe.still_seconds) + 1
    return (
        output.path == path
        and _DIGEST.fullmatch(output.sha256) is not None
        and (output.width, output.height, output.fps) == (wanted.width, wanted.height, wanted.fps)
        and 0 < output.frames <= longest * wanted.fps
        and output.duration_s == round(output.frames / wanted.fps, 3)
        and output.extradata == task.configurations.get(wanted.name)
        and (output.loudness_lufs is None or -200 <= output.loudness_lufs <= 50)
        and _MARKS.fullmatch(output.marks) is not None
        and (output.hides, output.faces) == (task.recipe.hides, task.recipe.always_by)
        and (output.fit, output.still_motion) == (wanted.fit, task.recipe.still_motion)
    )


def _is_source(source: Source, recipe: Recipe) -> bool:
    names = (source.container, source.video_codec, source.audio_codec or "")
    numbers = (source.width, source.height, source.fps, source.duration_s, source.missing_percent)
    return (
        all(_NAME.fullmatch(name) and not _COORDINATE.search(name) for name in names)
        and all(number is None or 0 <= number < _LARGEST for number in numbers)
        and source.rotation in range(-360, 361)
        and _are_faces(source.faces, recipe)
    )


def _are_faces(faces: FoundFaces | None, recipe: Recipe) -> bool:
    """Whether faces can be those of an original, and were looked for if they had to be."""
    if faces is None or recipe.faces == "off":
        return faces is None and recipe.faces == "off"
    try:
        protection.check(faces.masks, ())
        for mask in faces.masks:
            protection.check_times(mask.from_s, mask.to_s)
            for point in mask.points:
                protection.checked_point(point)
    except ImpossibleProtection:
        return False
    return faces.by == recipe.detector


def _is_sentence(refusal: Refusal) -> bool:
    """Whether what fills the places of a sentence can be ours, and no place on the earth is in it.

    The words of a sentence are from lists of our own, so they have no letters of other scripts.
    """
    for name, value in refusal.values.items():
        if not _NAME.fullmatch(name):
            return False
        if isinstance(value, str):
            if not _WORDS.fullmatch(value) or places.masked(value) != value:
                return False
        elif isinstance(value, int | float) and not (math.isfinite(value) and value < _LARGEST):
            return False
    return len(refusal.values) <= 8
