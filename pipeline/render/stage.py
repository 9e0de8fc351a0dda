"""``footage render``: the clips that the review admits, joined into one montage an output."""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import clock, correspondence, protection, publishing, texts
from pipeline.codecs import codec_of
from pipeline.config import Config, Output
from pipeline.errors import NotClean, StageError, UsageError
from pipeline.ffmpeg import runner
from pipeline.history import MontageRecord
from pipeline.jobs import engines
from pipeline.jobs.handout import Dispatcher
from pipeline.ledger import heads
from pipeline.model import Row, Status
from pipeline.removal import removed
from pipeline.render import cards, interchange, join, preview, publish, seams, timeline
from pipeline.render.cuts import CutPlan
from pipeline.render.lettering import Words
from pipeline.render.preview import Excerpt
from pipeline.render.timeline import Candidates, ChosenClips, Segment, Timeline
from pipeline.run import Run
from pipeline.store import FootageFile, still_of
from pipeline.store.stills import discard, stills_at_hand
from pipeline.wording import counted
from pipeline.workspace import MEDIA

_MOST_TOGETHER = 4  # films that are joined side by side


class StillsLost(StageError):
    """Stills of a film are gone or were changed; their clips, in ``originals``, are made again."""

    def __init__(self, originals: Sequence[str]) -> None:
        names = ", ".join(sha256[:12] for sha256 in originals[:5])
        super().__init__(
            f"the stills of {counted(len(originals), 'clip')} are gone or were changed ({names}); "
            "the next run makes them again. The old montage stays."
        )
        self.originals = tuple(originals)


@dataclass(frozen=True)
class Rendered:
    """A montage: its path from the workspace, its length, and whether it existed already.

    ``unlisted``: how many admitted clips the order file does not name.
    """

    output: str
    path: str
    clips: int
    frames: int
    duration_s: float
    cached: bool
    unlisted: int = 0


def outputs_named(config: Config, names: Sequence[str]) -> tuple[Output, ...]:
    """Return the outputs of these names; all of them if no name is given.

    :raises UsageError: there is no such output.
    """
    known = {output.name: output for output in config.output}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no output {name!r}; there are: {', '.join(known)}")
    return tuple(known[name] for name in names) if names else config.output


def run(
    run: Run, admitted: Sequence[Row], outputs: Sequence[Output], excerpt: Excerpt | None = None
) -> list[Rendered]:
    """Render the admitted clips.

    :param excerpt: make a preview of this much instead; the montages are not changed.
    :raises StillsLost: stills are gone or were changed, and their clips can be made again.
    :raises StageError: nothing is admitted, a clip's file is gone, or joining failed; the old
        montage stays.
    :raises UsageError: the preview begins with a clip that is not in the montage.
    """
    forget(run)
    try:
        with Dispatcher(run) as jobs:
            whole = films(run, jobs, outputs, admitted)
            if excerpt is None:
                return _wholes(run, jobs, whole)
            return _previews(run, jobs, [preview.excerpted(film, excerpt) for film in whole])
    except NotClean as fault:
        problems = "; ".join(fault.problems[:3])
        raise StageError(f"the montage is withheld, it was not clean: {problems}") from fault


def export(
    run: Run, output: Output, admitted: Sequence[Row], kind: interchange.TimelineFormat
) -> str:
    """Write the film of an output as a timeline for editing programs, beside the montage.

    :returns: its path from the workspace.
    :raises StageError: nothing is admitted, or a clip's file is gone.
    """
    name = f"{run.config.montage.name}-{output.name}"
    final = run.workspace.montage / f"{name}.{kind}"
    film = planned(run, output, admitted)
    root = _media(run, film, name) if run.store.is_beyond else run.workspace.root
    comments = {
        row.sha256: [each for each in row.review.comments if not each.resolved_by]
        for row in admitted
    }
    labels = interchange.Labels(name, root, comments)
    publishing.write_text(final, interchange.written(film, labels, kind))
    clips = [segment.sha256 for segment in film.segments if segment.sha256]
    run.ledger.runs.record_export(publishing.sha256_of(final), kind, clips)
    return run.workspace.relative(final)


def _media(run: Run, film: Timeline, name: str) -> Path:
    """Fetch the files of a film for an editing program, which can't open a store.

    :returns: the folder that has them under their paths.
    """
    folder = run.workspace.montage / f"{name}{MEDIA}"
    removed(folder)
    for file in dict.fromkeys(_file(segment) for segment in film.segments):
        with publishing.new_file(folder / file.path) as copy:
            for piece in run.store.pieces(file):
                copy.write(piece)
    return folder


def files_beside(montage: Path) -> list[Path]:
    """The files that were made with a montage or exported from it."""
    suffixes = (*publish.BESIDE, *(f".{kind}" for kind in interchange.TimelineFormat))
    return [path for path in map(montage.with_suffix, suffixes) if path.exists()]


def forget(run: Run) -> None:
    """Delete the bridges of footage that was withdrawn, or of clips that were made anew."""
    rows = run.ledger.clips.rows()
    known = [row.result for row in rows if row.result and row.status is not Status.WITHDRAWN]
    seams.forget(run, known)


def planned(run: Run, output: Output, admitted: Sequence[Row]) -> Timeline:
    """Plan the film of an output, and make its cards.

    :raises StageError: no clip goes into it, or one's file is gone.
    """
    with Dispatcher(run) as jobs:
        return films(run, jobs, [output], admitted)[0]


def films(
    run: Run, jobs: Dispatcher, outputs: Sequence[Output], admitted: Sequence[Row]
) -> list[Timeline]:
    """Plan the film of each output, and make the cards of all.

    :raises StageError: no clip goes into one, or a clip's file is gone.
    """
    selections = [_selection(run, output, admitted) for output in outputs]
    cards.make(
        run, jobs, [(words, each.output) for each in selections for words in _words(run, each)]
    )
    return [timeline.film(run.config, each, [*_with_cards(run, each)]) for each in selections]


def _selection(run: Run, output: Output, admitted: Sequence[Row]) -> ChosenClips:
    """Choose the clips of an output's film, and put them in order."""
    config = run.config
    ends = [words for words in (cards.opening(config), cards.closing(config)) if words]
    if config.montage.chapter_cards:
        categories = {row.result.category for row in admitted if row.result}
        ends += [cards.chapter(name) for name in categories if name]
    beside = sum(cards.length(words, output) for words in ends)
    senders = correspondence.credited(run.ledger.intake.submissions())
    candidates = Candidates(admitted, run.ledger.clips.rows(), senders)
    selection = timeline.arrange(config, output, candidates, beside=beside)
    if not selection.clips:
        raise StageError(f"no admitted clip goes into the montage of {output.name!r}")
    gone = [clip for clip in selection.clips if not run.store.holds(_file(clip))]
    if gone:
        names = ", ".join(clip.sha256[:12] for clip in gone[:5])
        clips = counted(len(gone), "admitted clip has", "admitted clips have")
        # an older ledger may have forgotten that they were taken back
        is_older = heads.is_ledger_older(run.workspace, run.ledger)
        first = "footage verify" if is_older else "footage doctor --repair`, then `footage process"
        see = " See docs/custody.md." if is_older else ""
        raise StageError(f"{clips} no file ({names}): run `{first}`. The old montage stays.{see}")
    return selection


def _previews(run: Run, jobs: Dispatcher, films: Sequence[Timeline]) -> list[Rendered]:
    plans = [join.planned(run, film) for film in films]
    seams.make(run, jobs, plans)
    made = []
    for plan in plans:
        path = preview.make(run, plan)
        made.append(_rendered(plan.film, run.workspace.relative(path), cached=False))
    return made


def _wholes(run: Run, jobs: Dispatcher, films: Sequence[Timeline]) -> list[Rendered]:
    """Make the montages that are not as they must be, side by side."""
    paths = [_path(run, film) for film in films]
    changed = [
        film for film, path in zip(films, paths, strict=True) if _is_changed(run, film, path)
    ]
    plans = [join.planned(run, film) for film in changed]
    seams.make(run, jobs, plans)
    if plans:
        run.ledger.chain.note_program(*runner.build())
        _join(run, plans)
    for path in paths:
        _hand_over(run, run.workspace.relative(path))
    return [
        _rendered(film, run.workspace.relative(path), cached=film not in changed)
        for film, path in zip(films, paths, strict=True)
    ]


def _join(run: Run, plans: Sequence[CutPlan]) -> None:
    """Join films side by side, and record each; the others are finished if one fails."""
    numbers = run.ledger.intake.sender_numbers()

    def joined(plan: CutPlan) -> str:
        stills = _stills(plan.film)
        with stills_at_hand(run.store, [*stills]) as lost:
            anew = [stills[still] for still in lost if discard(run.store, stills[still], still)]
            if anew:
                raise StillsLost(anew)
            for still in lost:
                run.console.warn(f"{still.path} is gone or was changed; the sheet is without it")
            return publish.publish(run, plan, _path(run, plan.film), numbers)

    most = min(len(plans), engines.slots(run), _MOST_TOGETHER)
    with ThreadPoolExecutor(most, thread_name_prefix="film") as pool:
        futures = [pool.submit(joined, plan) for plan in plans]
        try:
            wait(futures)
        except BaseException:
            run.ffmpeg.close()
            run.store.stop()
            pool.shutdown(cancel_futures=True)
            raise
    for plan, future in zip(plans, futures, strict=True):
        if future.exception() is None:
            path = run.workspace.relative(_path(run, plan.film))
            clips = tuple(segment.sha256 for segment in plan.film.segments if segment.sha256)
            key = publish.key(plan.film, run.config)
            record = MontageRecord(path, key, future.result(), clips, clock.now())
            # nobody can change a review between the look and the record
            with run.ledger.transaction():
                record = replace(record, stale=_hides_less(run, plan.film))
                run.ledger.runs.record_montage(record)
            if record.stale:
                run.console.warn(
                    f"render: the masks or the sound of a clip were changed while {path} was made, "
                    "so it is out of date: delete it, or run footage render again"
                )
    for future in futures:
        future.result()


def _hides_less(run: Run, film: Timeline) -> bool:
    """Whether a film shows a clip from before the review hid something else of it."""
    reviews, results = run.ledger.reviews.current(), run.ledger.clips.results().values()
    hidden = {output.sha256: output.hides for each in results for output in each.outputs}
    clips = [(part.content, reviews.get(part.sha256)) for part in film.segments if part.sha256]
    return any(
        hidden.get(content, "") != protection.hidden(review.masks, review.sounds)
        for content, review in clips
        if review is not None
    )


def _path(run: Run, film: Timeline) -> Path:
    name = f"{run.config.montage.name}-{film.output.name}{codec_of(film.output).suffix}"
    return run.workspace.montage / name


def _is_changed(run: Run, film: Timeline, path: Path) -> bool:
    """Whether a montage must be made: another one is wanted, or its file is not as recorded."""
    same = (publish.key(film, run.config), *publish.former_keys(film, run.config))
    name = run.workspace.relative(path)
    if run.ledger.runs.montage_key(name) not in same or not path.is_file():
        return True
    recorded = [each.sha256 for each in run.ledger.runs.montages() if each.path == name]
    return publishing.sha256_of(path) not in recorded


def _hand_over(run: Run, path: str) -> None:
    """Put a copy of a montage into a store beyond the workspace, in place of the one before.

    A montage that is out of date already has no copy there.
    """
    record = next(film for film in run.ledger.runs.montages() if film.path == path)
    film = FootageFile(path, record.sha256)
    stored = [each.key for each in run.store.beyond(film.folder)]
    if film.key not in stored and not record.stale:
        run.store.publish([film])
    for key in stored:
        if film.is_version(key) and (key != film.key or record.stale):
            run.store.delete(key)


def _stills(film: Timeline) -> dict[FootageFile, str]:
    """The stills of the clips of a film, for its contact sheet, and the originals of each."""
    return {still_of(_file(part)): part.sha256 for part in film.segments if part.sha256}


def _file(clip: Segment) -> FootageFile:
    return FootageFile(clip.path, clip.content, clip.still)


def _rendered(film: Timeline, path: str, *, cached: bool) -> Rendered:
    clips = sum(1 for segment in film.segments if segment.sha256)
    length = round(film.frames / film.output.fps, 3)
    unlisted = sum(out.why == timeline.UNLISTED for out in film.left_out)
    return Rendered(film.output.name, path, clips, film.frames, length, cached, unlisted)


def _words(run: Run, selection: ChosenClips) -> list[Words]:
    """What the cards of a film say."""
    categories = dict.fromkeys(clip.category for clip in selection.clips)
    chapters = [cards.chapter(name) for name in categories if name]
    found = (
        cards.opening(run.config),
        *(chapters if run.config.montage.chapter_cards else ()),
        cards.closing(run.config),
    )
    return [words for words in found if words]


def _with_cards(run: Run, selection: ChosenClips) -> Iterator[Segment]:
    def made(words: Words, title: str) -> Segment:
        return cards.card(run, words, title, selection.output)

    if opening := cards.opening(run.config):
        yield made(opening, texts.montage_words("opening"))
    for category, clips in itertools.groupby(selection.clips, lambda clip: clip.category):
        if category and run.config.montage.chapter_cards:
            words = cards.chapter(category)
            yield replace(made(words, words.title), category=category)
        yield from clips
    if closing := cards.closing(run.config):
        yield made(closing, texts.montage_words("closing"))
