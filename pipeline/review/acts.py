"""What a page can change on the review server: each act, and who may do it.

Each act is called by the table ``ACTS`` alone, and each row names the roles that may do the act.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from pipeline.config import Config
from pipeline.ledger import Ledger
from pipeline.review import live, ordering
from pipeline.review.access import DECIDERS, EVERYBODY, ReviewRole
from pipeline.review.entries import InvalidEntry
from pipeline.review.live import ActOutcome
from pipeline.review.presenting import JsonObject, reviews_data
from pipeline.review.unseen import UnseenMail


@dataclass(frozen=True)
class ActRequest:
    """What somebody wants to change: the JSON that was sent, by whom, and their role."""

    body: JsonObject
    by: str
    role: ReviewRole
    config: Config


@dataclass(frozen=True)
class ActAnswer:
    """The JSON that answers an act, and the status of HTTP."""

    data: JsonObject
    status: HTTPStatus = HTTPStatus.OK


@dataclass(frozen=True)
class PageAct:
    """What does an act, and the roles that may do it."""

    do: Callable[[Ledger, ActRequest], ActAnswer]
    roles: frozenset[ReviewRole]


def _decide(ledger: Ledger, request: ActRequest) -> ActAnswer:
    return _answer(live.decide(ledger, request.body.get("entries"), request.by))


def _comment(ledger: Ledger, request: ActRequest) -> ActAnswer:
    said = request.body.get("comment")
    return _answer(live.comment(ledger, request.body.get("sha256"), said, request.by))


def _undo(ledger: Ledger, request: ActRequest) -> ActAnswer:
    passed = request.body.get("passed", [])  # acts that the page has said it can't undo
    if not isinstance(passed, list) or not all(isinstance(act, int) for act in passed):
        raise InvalidEntry("passed is not a list of numbers")
    decides = request.role.may_decide
    return _answer(live.undo(ledger, request.by, decides=decides, passed=frozenset(passed)))


def _answer(outcome: ActOutcome) -> ActAnswer:
    is_conflict = outcome.overtaken and not outcome.written
    sides = {"changes": outcome.written, "overtaken": outcome.overtaken}
    data: JsonObject = {side: reviews_data(reviews) for side, reviews in sides.items()}
    if outcome.undone is not None:
        data["undone"] = outcome.undone
    return ActAnswer(data, HTTPStatus.CONFLICT if is_conflict else HTTPStatus.OK)


def _mark_mail(ledger: Ledger, request: ActRequest) -> ActAnswer:
    body = request.body
    changed = live.mark_mail(ledger, body.get("submission"), body.get("handled"), request.by)
    return ActAnswer({"mails": live.mails_data(ledger), "changed": changed})


def _record_consent(ledger: Ledger, request: ActRequest) -> ActAnswer:
    try:
        is_written = live.set_consent(ledger, request.body, request.by)
    except UnseenMail as unseen:
        data = {"mails": live.mails_data(ledger), "unseen": unseen.mail, "problem": str(unseen)}
        return ActAnswer(data, HTTPStatus.CONFLICT)
    status = HTTPStatus.OK if is_written else HTTPStatus.CONFLICT
    return ActAnswer({"mails": live.mails_data(ledger)}, status)


def _save_order(ledger: Ledger, request: ActRequest) -> ActAnswer:
    ordering.save(request.config, ledger.clips.rows(), request.body)
    return ActAnswer(ordering.as_data(request.config, ledger))


ACTS: Final[Mapping[str, PageAct]] = {
    "/api/decide": PageAct(_decide, DECIDERS),
    "/api/comment": PageAct(_comment, EVERYBODY),
    "/api/undo": PageAct(_undo, EVERYBODY),
    "/api/handled": PageAct(_mark_mail, DECIDERS),
    "/api/consent": PageAct(_record_consent, DECIDERS),
    "/api/order": PageAct(_save_order, EVERYBODY),
}
