"""What the configuration asks of a clip before a film may show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.categories import category_of
from pipeline.config import Config
from pipeline.ledger import Ledger
from pipeline.model import Row
from pipeline.protection import Protect


@dataclass(frozen=True)
class Admission:
    """What a clip needs.

    ``required``: the approval of a reviewer.  Otherwise only the clips that a reviewer rejected or
    held stay out.  ``needs_consent``: the consent of its sender.  ``four_eyes``: the categories
    whose clips need the approval of two people.  ``came_for``: the originals (by SHA-256) that are
    in such a category by their mail or by their clip, so that nobody can take a clip out of it
    alone.
    """

    required: bool
    needs_consent: bool = False
    four_eyes: frozenset[str] = frozenset()
    came_for: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: Config, ledger: Ledger, rows: Sequence[Row]) -> Admission:
        """Read what the configuration asks, and which of the *rows* came for which category."""
        review = config.review
        four_eyes = frozenset(review.four_eyes)
        came_for = frozenset(_came_for(config, ledger, rows)) if four_eyes else frozenset()
        return cls(review.required, review.needs_consent, four_eyes, came_for)

    def needs_two(self, row: Row) -> bool:
        """Whether two people must approve a clip as it is.

        They must where somebody is hidden from people who know them, and in chosen categories.
        """
        review = row.review
        is_chosen = review.category in self.four_eyes or row.sha256 in self.came_for
        return review.protect is Protect.KNOWN or is_chosen


def _came_for(config: Config, ledger: Ledger, rows: Sequence[Row]) -> set[str]:
    """The originals that a mail brought for one of the categories, or whose clip is in one."""
    mails = {mail.id: mail for mail in ledger.intake.submissions()}
    found = set()
    for row in rows:
        category = category_of(config, row.attachment, mails[row.submission])
        names = {category.name if category else None, row.result.category if row.result else None}
        if names & set(config.review.four_eyes):
            found.add(row.sha256)
    return found
