"""The warnings about a clip."""

from enum import StrEnum


class Caution(StrEnum):
    """What a reviewer should look at in a clip; never a reason to refuse it.

    The report writes ``looks-like`` and ``bare-lookalike`` with the other clip:
    ``looks-like:<12 hex digits>``.
    """

    BLACK = "black"
    DARK = "dark"
    FROZEN = "frozen"
    SHAKY = "shaky"
    BLURRED = "blurred"
    UPSCALED = "upscaled"
    VERY_SHORT = "very-short"
    VERY_LONG = "very-long"
    NO_SOUND = "no-sound"
    SILENT = "silent"
    TOO_SHORT = "too-short"
    TOO_QUIET = "too-quiet"
    CLIPPED_SOUND = "clipped-sound"
    OFF_TARGET = "loudness-off-target"
    BROKEN_SOUND = "broken-sound"
    SOUND_CHANGES = "sound-changes"
    SIZE_CHANGES = "size-changes"
    INCOMPLETE = "incomplete"
    FACE_LOST = "face-lost"
    FACES_PARTIAL = "faces-partial"
    FACE_UNMASKED = "face-unmasked"
    WITHHELD = "withheld"
    LOOKS_LIKE = "looks-like"
    BARE_LOOKALIKE = "bare-lookalike"
