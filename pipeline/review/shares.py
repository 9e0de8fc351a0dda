"""How several reviewers share the clips: each clip is proposed to one of them, or to two.

Each name gets a number for each clip, and the highest number wins (rendezvous hashing).  So every
reviewer gets about the same number of clips.  If a reviewer joins or leaves, only the clips of that
reviewer change, and a new clip changes nothing for the others.
"""

import hashlib
from collections.abc import Iterable

from pipeline.review.presenting import JsonObject


def owners(sha256: str, names: Iterable[str], count: int = 1) -> list[str]:
    """Return the reviewers that a clip is proposed to.

    :param names: all reviewers; their order does not matter.
    :param count: how many people must approve the clip.
    """

    def draw(name: str) -> bytes:
        return hashlib.sha256(f"{sha256} {name}".encode()).digest()

    return sorted(sorted(set(names)), key=draw, reverse=True)[:count]


def share_of(name: str, names: Iterable[str], report: JsonObject) -> list[str] | None:
    """Return the clips (by SHA-256) that are proposed to one reviewer.

    :param names: all who may decide.
    :param report: as :func:`pipeline.review.report.build` makes it.
    :returns: None if there is nobody to share with, or *name* is not one of them.
    """
    people = set(names)
    if len(people) < 2 or name not in people:
        return None
    clips = {clip["sha256"]: clip for clip in report["clips"] if clip["outputs"]}
    return [
        sha256
        for sha256, clip in clips.items()
        if name in owners(sha256, people, 2 if "two_people" in clip else 1)
    ]
