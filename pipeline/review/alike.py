"""Clips that show what is hidden in a clip that looks like them.

Somebody masks a face, and the same footage came once more in another file: it has no masks.  The
program can't know where the face is in the other file, so it masks nothing there, and says so.
"""

from collections.abc import Collection, Iterable, Mapping

from pipeline.caution import Caution
from pipeline.model import Decision, Review, Row
from pipeline.review.admission import Admission
from pipeline.review.rules import admitted, has_clip, lacking


def bare(rows: Iterable[Row]) -> dict[str, str]:
    """Find the clips that hide less than one that looks like them.

    Clips that were rejected are left out: they are in no film.

    :returns: the SHA-256 of each, with that of the first clip that hides more.
    """
    found = {}
    for group in _groups([row for row in rows if has_clip(row)]):
        hiding = [row for row in group if lacking(Review(), row.review)]
        for row in group if hiding else ():
            if row.review.decision is not Decision.REJECTED:
                others = (other for other in hiding if lacking(row.review, other.review))
                if other := next(others, None):
                    found[row.sha256] = other.sha256
    return found


def bare_in_films(rows: Iterable[Row], admission: Admission) -> list[Row]:
    """Pick the admitted rows whose clips hide less than one that looks like them."""
    listed = list(rows)
    known = bare(listed)
    return [row for row in admitted(listed, admission) if row.sha256 in known] if known else []


def like(rows: Iterable[Row], shas: Collection[str]) -> list[Row]:
    """Pick the clips that look like one of *shas*, and are none of them."""
    groups = _groups([row for row in rows if has_clip(row)])
    near = [group for group in groups if any(row.sha256 in shas for row in group)]
    return [row for group in near for row in group if row.sha256 not in shas]


def warnings(row: Row, known: Mapping[str, str]) -> list[str]:
    """Name the clip that a clip looks like, and the one that hides more.

    :param known: what :func:`bare` found.
    """
    similar = row.result.looks_like if row.result else None
    more = known.get(row.sha256) if has_clip(row) else None
    found = {Caution.LOOKS_LIKE: similar, Caution.BARE_LOOKALIKE: more}
    return [f"{caution}:{other[:12]}" for caution, other in found.items() if other]


def _groups(rows: list[Row]) -> list[list[Row]]:
    """Put clips that look alike together, in the order in which they came."""
    by_digits: dict[str, Row] = {}
    for row in rows:
        by_digits.setdefault(row.sha256[:12], row)
    first: dict[str, str] = {}
    for row in by_digits.values():
        earlier = row.result.looks_like if row.result else None
        if earlier in by_digits and earlier != row.sha256[:12]:
            one, other = (_first(first, digits) for digits in (row.sha256[:12], earlier))
            first[one] = other if one != other else one
    groups: dict[str, list[Row]] = {}
    for digits, row in by_digits.items():
        groups.setdefault(_first(first, digits), []).append(row)
    return [group for group in groups.values() if len(group) > 1]


def _first(first: Mapping[str, str], digits: str) -> str:
    """Follow the links from a clip to the one that stands for its group."""
    while first.get(digits, digits) != digits:
        digits = first[digits]
    return digits
