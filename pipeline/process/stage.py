"""``footage process``: every original without a finished clip gets one, or a reason.

What has to be made is what the ledger knows minus what is done under the same recipe.

numpy, Pillow and the fonts take long to load.  A night without new footage does not need them, so
``batch``, which does, is imported only where there is work for it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from pipeline.config import Config
from pipeline.faces import model_file
from pipeline.ledger import Ledger
from pipeline.model import ClipResult, Review, Status, Wait
from pipeline.process import night, recipe, recording
from pipeline.process.recipe import Recipe
from pipeline.run import Run
from pipeline.store import FootageFile, files_of, original, still_of
from pipeline.texts import Detail
from pipeline.wording import counted

_MOST_NAMED = 5  # clips in a line


@dataclass(frozen=True)
class Waiting:
    """An original that this run did not begin with, and why."""

    sha256: str
    why: Wait


@dataclass(frozen=True)
class ProcessSummary:
    """How many clips this run accepted, rejected, and failed to make, and those that wait.

    ``outdated`` are the originals (by SHA-256) whose clips are out of date and stay so, because
    the originals were deleted.  ``put_away`` are photos of Live Photos whose files were deleted,
    because a part of their films may not be seen.
    """

    accepted: int = 0
    rejected: int = 0
    failed: int = 0
    outdated: tuple[str, ...] = ()
    waits: tuple[Waiting, ...] = ()
    put_away: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What is to be done: originals (by SHA-256) with their recipes.

    ``renamed`` are finished clips whose category was renamed while its hashtags stayed the same.
    ``outdated`` are clips that can't be made anew, because their original was deleted.
    ``unsearched`` are finished clips in whose originals nobody has looked for faces yet.
    ``lost`` are those of the missing clips that were finished, and whose film or still is gone.
    ``hidden`` are photos that are shown nowhere and still have files.
    """

    missing: tuple[tuple[str, Recipe], ...]
    renamed: tuple[ClipResult, ...] = ()
    outdated: tuple[str, ...] = ()
    unsearched: tuple[tuple[str, Recipe], ...] = ()
    lost: tuple[str, ...] = ()
    hidden: tuple[ClipResult, ...] = ()


def run(run: Run, only: Collection[str] | None = None) -> ProcessSummary:
    """Make the clips that are missing, as far as the limits of a night allow.

    :param only: the originals to look at, for which somebody waits, so that there are no limits;
        None for all.
    :raises DiskFull: the disk is full; what was made is recorded.
    :raises ConfigError: no font here can write the campaign's caption, or faces are wanted and
        packages are missing or the model can't be used.
    """
    _check_faces(run.config)
    todo = plan(run.config, run.ledger, run.store.holds, only)
    if todo.lost:
        clips = counted(len(todo.lost), "finished clip")
        names = ", ".join(sha256[:12] for sha256 in todo.lost[:_MOST_NAMED])
        more = ", …" if len(todo.lost) > _MOST_NAMED else ""
        run.console.warn(
            f"process: the film or the still of {clips} is gone; made again: {names}{more}"
        )
    for result in todo.renamed:
        run.ledger.clips.describe(result)
    put_away = recording.put_away(run, todo.hidden)
    if not todo.missing and not todo.unsearched and not _outdated_likeness(run.ledger):
        if only is None:
            run.ledger.runs.note_waits({})
        return ProcessSummary(outdated=todo.outdated, put_away=put_away)
    from pipeline.process import batch  # noqa: PLC0415 - slow to load, see above

    if run.config.looks_for_faces:
        model_file.check_answers(run.config.protect.own_model, run.ffmpeg)
    limits = night.of(run) if only is None else night.unlimited()
    counts = batch.make(run, todo.missing, limits)
    batch.search(run, todo.unsearched, limits)
    if only is None:
        run.ledger.runs.note_waits(limits.waits)
    batch.note_lookalikes(run.ledger)
    return ProcessSummary(
        accepted=counts[Status.ACCEPTED],
        rejected=counts[Status.REJECTED],
        failed=counts[Status.FAILED],
        outdated=todo.outdated,
        waits=tuple(Waiting(sha256, why) for sha256, why in limits.waits.items()),
        put_away=put_away,
    )


def plan(
    config: Config,
    ledger: Ledger,
    holds: Callable[[FootageFile], bool],
    only: Collection[str] | None = None,
) -> Plan:
    """Find the clips that are not as they must be and can be made: their original is still there.

    :param holds: whether a file can be had.
    :param only: the originals to look at; None for all.
    """
    known = ledger.clips.results()
    again = _to_try_again(config, ledger, known) if only is None else set()
    reviews = ledger.reviews.current()
    withdrawn = set(ledger.custody.withdrawn())  # also if such a file has come back to the disk
    missing, renamed, outdated, unsearched, lost = [], [], [], [], []
    photos = ledger.clips.hidden_with_films() - withdrawn
    for item, submission in ledger.clips.candidates():
        sha256 = item.sha256 or ""
        if sha256 in withdrawn or sha256 in photos:
            continue
        wanted = recipe.choose(config, item, submission, reviews.get(sha256, Review()))
        result = known.get(sha256)
        is_made = result is not None and sha256 not in again and _is_made(result, wanted)
        if result is not None and is_made and _is_whole(result, holds):
            if result.category != wanted.category:
                renamed.append(replace(result, category=wanted.category))
            elif only is None and _is_unsearched(result, wanted) and holds(original(sha256)):
                unsearched.append((sha256, wanted))
        elif holds(original(sha256)):
            if only is None or sha256 in only:
                missing.append((sha256, wanted))
                lost += [sha256] if is_made else []
        elif result is not None and result.outputs:
            outdated.append(sha256)
    return Plan(
        tuple(missing),
        tuple(renamed),
        tuple(outdated),
        tuple(unsearched),
        lost=tuple(lost),
        hidden=tuple(_to_put_away(photos, known, holds)),
    )


def _to_put_away(
    photos: Collection[str], known: Mapping[str, ClipResult], holds: Callable[[FootageFile], bool]
) -> Iterator[ClipResult]:
    """Find the photos that are shown nowhere and still have files, or have no outcome yet.

    One whose original was deleted keeps its files, because nobody could make them again.
    """
    for sha256 in sorted(photos):
        result = known.get(sha256, ClipResult(sha256, "", Status.ACCEPTED))
        if (result.outputs or sha256 not in known) and holds(original(sha256)):
            yield result


def unmasked(config: Config, ledger: Ledger) -> set[str]:
    """Find the finished clips whose faces must be masked, and that were made before that was so.

    :returns: their originals, by SHA-256.
    """
    if not config.looks_for_faces:
        return set()
    known, reviews = ledger.clips.results(), ledger.reviews.current()
    found = set()
    for item, submission in ledger.clips.candidates():
        sha256 = item.sha256 or ""
        wanted = recipe.choose(config, item, submission, reviews.get(sha256, Review()))
        outputs = known[sha256].outputs if sha256 in known else ()
        if wanted.always_by and not all(output.faces for output in outputs):
            found.add(sha256)
    return found


def _is_made(result: ClipResult, wanted: Recipe) -> bool:
    """Whether an outcome is that of a recipe, and may stay."""
    if result.refusal is not None and result.refusal.code is Detail.ORIGINAL_CHANGED:
        return False  # a store can give wrong bytes once; asking again costs a look at the file
    if result.status is Status.REJECTED:
        return result.recipe == wanted.refusal_key
    length = result.source.duration_s if result.source else None
    return result.recipe == wanted.key and (length or 0) <= wanted.max_source_seconds


def _is_whole(result: ClipResult, holds: Callable[[FootageFile], bool]) -> bool:
    """Whether the films of an outcome are there, and its stills if they can be made again."""
    films = files_of(result)
    if not all(map(holds, films)):
        return False
    stills = (still_of(film) for film in films if film.still)
    return all(map(holds, stills)) or not holds(original(result.sha256))


def _to_try_again(config: Config, ledger: Ledger, known: Mapping[str, ClipResult]) -> set[str]:
    """Find the clips that failed for what happened on the machine, until all attempts are made."""
    attempts, most = ledger.clips.attempts(), config.cluster.attempts
    return {
        sha256
        for sha256, result in known.items()
        if result.refusal and result.refusal.may_pass and attempts.get(sha256, 0) < most
    }


def _is_unsearched(result: ClipResult, wanted: Recipe) -> bool:
    """Whether a finished clip lacks the faces of its original."""
    if wanted.faces == "off" or result.source is None or not result.outputs:
        return False
    return result.source.faces is None or result.source.faces.by != wanted.detector


def _check_faces(config: Config) -> None:
    """Do nothing if no faces are wanted, or if they can be looked for.

    :raises ConfigError: packages are missing, or the model is.
    """
    if config.looks_for_faces:
        model_file.check(config.protect.own_model)


def _outdated_likeness(ledger: Ledger) -> bool:
    """Whether a clip is noted as like one that is gone, as after a withdrawal."""
    clips = ledger.clips.results().values()
    present = {result.sha256[:12] for result in clips if result.outputs}
    return not {result.looks_like for result in clips if result.looks_like} <= present
