"""What is to be made of an original: text, category, and the key that says when it is done.

Two clips with the same bytes and the same key come out the same, so a stage may skip what
is done and redo what a changed configuration touches, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pipeline.config import CaptionPosition, CaptionStyle, Category, Config, Output
from pipeline.ffmpeg import runner
from pipeline.media import encode
from pipeline.media.timebase import fade_frames
from pipeline.model import Attachment, Review, Submission

# Raised whenever the same recipe would give other bytes, so that clips are made again.
_VERSION = 4


@dataclass(frozen=True)
class Recipe:
    """All that decides what a clip looks and sounds like, apart from its source.

    ``dictated``: the caption is a reviewer's own, not the campaign's.
    """

    caption: str
    category: str | None
    outputs: tuple[Output, ...]
    still_seconds: float
    still_motion: str
    loudness_lufs: float
    max_source_seconds: float
    caption_position: CaptionPosition = "bottom-left"
    caption_style: CaptionStyle = "panel"
    transition_seconds: float = 0.0
    dictated: bool = False

    def fade_frames(self, output: Output) -> int:
        """How many pictures of *output* a crossfade of the montage lasts; 0 for hard cuts."""
        return fade_frames(self.transition_seconds, output.fps)

    @property
    def key(self) -> str:
        """The hash of what the clip's bytes depend on: 32 hex digits."""
        return _key(self)

    @property
    def refusal_key(self) -> str:
        """The hash of what a rejection depends on: a new hashtag saves no broken file."""
        return _digest([_VERSION, "refusal", self.max_source_seconds])


def choose(config: Config, item: Attachment, submission: Submission, review: Review) -> Recipe:
    """The recipe for an original, by the mail in which it came first and the review's word."""
    category = _category(config.campaign.category, item, submission)
    if review.category is not None:
        named = (c for c in config.campaign.category if c.name == review.category)
        category = next(named, None)
    hashtags = [*config.campaign.hashtags, *(category.hashtags if category else ())]
    caption = " ".join(dict.fromkeys(hashtags))
    made = of(config, caption, category.name if category else None)
    if review.caption is None:
        return made
    return replace(made, caption=review.caption, dictated=True)


def of(config: Config, caption: str, category: str | None = None) -> Recipe:
    """The recipe for a clip with this caption."""
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
    )


@cache
def _key(recipe: Recipe) -> str:
    parts = [
        _VERSION,
        Path(runner.program()).name,  # another FFmpeg may write other parameter sets
        recipe.caption,
        recipe.caption_position,
        recipe.caption_style,
        [output.model_dump() | encode.clip_arguments(output) for output in recipe.outputs],
        recipe.still_seconds,
        recipe.still_motion,
        recipe.loudness_lufs,
    ]
    if recipe.transition_seconds > 0:  # moves key frames, and nothing else
        parts.append([recipe.fade_frames(output) for output in recipe.outputs])
    return _digest(parts)


def _category(
    categories: Iterable[Category], item: Attachment, submission: Submission
) -> Category | None:
    for category in categories:
        texts = {
            "subject": (submission.subject,),
            "body": (submission.text,),
            "recipient": submission.recipients,
            "kind": (item.kind.value,),
        }[category.match]
        if any(re.search(category.pattern, text) for text in texts):
            return category
    return None


def _digest(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
