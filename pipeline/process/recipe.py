"""What is to be made of an original: text, category, and the key that says when it is done.

Two originals with the same bytes and the same key give the same clip.  So a stage can skip what
is done, and a changed configuration redoes only the clips that it changes.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pipeline import protection, publishing, versions
from pipeline.categories import category_of
from pipeline.config import CaptionPosition, CaptionStyle, Category, Config, FaceMode, Output
from pipeline.faces import model_file
from pipeline.ffmpeg import runner
from pipeline.media import encode
from pipeline.media.timebase import fade_frames
from pipeline.model import Attachment, Kind, Review, Submission
from pipeline.protection import Mask, SoundChange

_VERSIONS = (versions.CLIP_GRAPH, versions.ENCODING, versions.CAPTION, versions.COLOURS)


@dataclass(frozen=True)
class Recipe:
    """All that decides what a clip looks and sounds like, apart from its source.

    ``dictated``: the caption is a reviewer's own, not the campaign's.  ``kind`` decides which
    version is part of the keys, so that a change for films does not make photos again.  ``masks``
    and ``sounds`` are what a reviewer hides.
    ``detector`` names what looks for faces; empty if nothing does.
    """

    caption: str
    category: str | None
    outputs: tuple[Output, ...]
    still_seconds: float
    still_motion: str
    loudness_lufs: float
    # a whole number stays one on its way to a worker, because the keys depend on how it is written
    max_source_seconds: int | float
    caption_position: CaptionPosition = "bottom-left"
    caption_style: CaptionStyle = "panel"
    transition_seconds: float = 0.0
    dictated: bool = False
    kind: Kind = Kind.IMAGE
    rejects_incomplete: bool = False
    masks: tuple[Mask, ...] = ()
    sounds: tuple[SoundChange, ...] = ()
    faces: FaceMode = "off"
    detector: str = ""

    def fade_frames(self, output: Output) -> int:
        """Return how many pictures of *output* a crossfade lasts; 0 for hard cuts."""
        return fade_frames(self.transition_seconds, output.fps)

    @property
    def key(self) -> str:
        """The hash of all that decides the clip's bytes: 32 hex digits."""
        return _key(self)

    @property
    def always_by(self) -> str:
        """What finds the faces that are always masked; empty if they are not."""
        return self.detector if self.faces == "always" else ""

    @property
    def hides(self) -> str:
        """The name of what is hidden; empty for nothing."""
        return protection.hidden(self.masks, self.sounds)

    @property
    def refusal_key(self) -> str:
        """The hash of all that decides a rejection.

        Hashtags are not part of it: changing them cannot make a broken file usable.
        """
        special = _special(self)
        return publishing.cache_key("refusal", versions.CLIP, self.max_source_seconds, *special)


def choose(config: Config, item: Attachment, submission: Submission, review: Review) -> Recipe:
    """Return the recipe of an original, by the first mail that brought it and by its review."""
    category = category_of(config, item, submission)
    if review.category is not None:
        named = (c for c in config.campaign.category if c.name == review.category)
        category = next(named, None)
    hashtags = [*config.campaign.hashtags, *(category.hashtags if category else ())]
    caption = " ".join(dict.fromkeys(hashtags))
    made = of(config, caption, category.name if category else None)
    made = _looked_for(made, config, category)
    dictated = review.caption is not None
    made = replace(made, kind=item.kind, masks=review.masks, sounds=review.sounds)
    return replace(made, caption=review.caption or "", dictated=True) if dictated else made


def of(config: Config, caption: str, category: str | None = None) -> Recipe:
    """Return the recipe of a clip with this caption."""
    return Recipe(
        caption=caption,
        category=category,
        outputs=config.output,
        still_seconds=config.process.still_seconds,
        still_motion=config.process.still_motion,
        loudness_lufs=config.process.loudness_lufs,
        max_source_seconds=config.process.max_source_seconds,
        caption_position=config.process.caption_position,
        caption_style=config.process.caption_style,
        transition_seconds=config.montage.transition_seconds,
        rejects_incomplete=config.process.incomplete == "reject",
    )


def _looked_for(made: Recipe, config: Config, category: Category | None) -> Recipe:
    """Return a recipe with how faces are treated."""
    own = category.faces if category else None
    mode = own if own is not None else config.protect.faces
    if mode == "off":
        return made
    return replace(made, faces=mode, detector=model_file.name_of(config.protect.own_model))


@cache
def _key(recipe: Recipe) -> str:
    contents = (*_contents(recipe, encoder()), *_special(recipe))
    return publishing.cache_key("clip", versions.CLIP, _VERSIONS, *contents)


def _special(recipe: Recipe) -> list[object]:
    """The version of what is done for one kind of footage only; nothing while it is the first."""
    version = versions.FILM if recipe.kind is Kind.VIDEO else versions.PHOTO
    strict: list[object] = ["rejects incomplete"] if recipe.rejects_incomplete else []
    return [recipe.kind.value, version, *strict] if version > 1 else strict


def _contents(recipe: Recipe, program: str) -> list[object]:
    outputs = [output.model_dump() | encode.clip_arguments(output) for output in recipe.outputs]
    caption = (recipe.caption, recipe.caption_position, recipe.caption_style)
    still = (recipe.still_seconds, recipe.still_motion)
    contents: list[object] = [program, *caption, outputs, *still, recipe.loudness_lufs]
    if recipe.always_by:
        contents += ["faces", recipe.always_by]
    if recipe.transition_seconds > 0:  # moves key frames, and changes nothing else
        contents.append([recipe.fade_frames(output) for output in recipe.outputs])
    if recipe.hides:
        contents += ["hides", versions.HIDING, recipe.hides]
    return contents


def encoder() -> str:
    """Return the name of FFmpeg's file: another version may write other parameter sets."""
    return Path(runner.program()).name
