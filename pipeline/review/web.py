"""``footage review``: the report on a port, where decisions are written at once.

It gives out nothing but the page, its data, and finished clips with their stills.  The path of a
request is compared as a whole with the few that exist, and is never joined to a folder.
"""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from pipeline import clock
from pipeline.config import Config
from pipeline.errors import ConfigError, named
from pipeline.ledger import Ledger
from pipeline.review import (
    acts,
    entrance,
    entries,
    live,
    ordering,
    page,
    report,
    shares,
    table,
    unseen,
)
from pipeline.review.access import (
    EVERYBODY,
    SESSION_HEADER,
    AccessGuard,
    Reviewers,
    ReviewRole,
    ReviewSession,
)
from pipeline.review.acts import ActRequest
from pipeline.review.answering import HTML, AnsweringHandler
from pipeline.review.entries import InvalidEntry
from pipeline.review.listening import Listening
from pipeline.review.presenting import JsonObject, reviews_data, trail_data
from pipeline.store import FootageFile
from pipeline.store.opening import open_store
from pipeline.workspace import Workspace

_NOT_JSON = "is not a JSON object of this page"
_PAGES = ("/report/", "/report/index.html")
_MOST, _MOST_OF_ONE = 256, 64  # open connections, of all machines and of one; a browser has 6
_MOST_BYTES = 8 << 20  # enough for a decision on each of ten thousand clips
_CLIP = re.compile(r"/clips/([0-9a-f]{64})/([A-Za-z0-9][A-Za-z0-9_-]{0,63})\.(mp4|jpg)")
_STILL = re.compile(r"/report/thumbs/([0-9a-f]{64})\.jpg")


class ReviewServer(ThreadingHTTPServer):
    """The server of one workspace."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128  # with the usual 5, a browser's next connections wait a second

    def __init__(
        self,
        config: Config,
        reviewers: Reviewers,
        announce: Callable[[str], None],
        listening: Listening,
    ) -> None:
        """Take the port.  Requests are answered from ``serve_forever`` on.

        :param announce: called with a sentence for each further link that lets one browser in.
        :raises OSError: the port is taken, or the address is not one of this machine.
        :raises UsageError: the certificate can't be used.
        """
        self.connections: dict[socket.socket, str] = {}
        context = listening.context()
        if ":" in listening.address:
            self.address_family = socket.AF_INET6
        super().__init__((listening.address, listening.port), _Handler)
        if context is not None:
            # the handshake is made in the thread of the connection, so that nobody can hold it up
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self.config, self.announce = config, announce
        self.by = reviewers.default
        self.workspace = Workspace(config.root)
        self.store = open_store(config, self.workspace, is_read=True)
        self.access = AccessGuard(listening.site(self.server_address[1]), reviewers.roles)

    def ledger(self) -> Ledger:
        """Open the ledger for one request: a connection of SQLite stays in its thread."""
        return Ledger(self.workspace.ledger)

    def verify_request(self, _request: object, client_address: Any) -> bool:
        """Whether a connection is let in: one machine can't take all that there are."""
        held = Counter(tuple(self.connections.values()))
        return held.total() < _MOST and held[client_address[0]] < _MOST_OF_ONE

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection of a browser, and answer it in a thread of its own."""
        self.connections[request] = client_address[0]
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection, and close it."""
        self.connections.pop(request, None)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Release the port and close every connection, so that no browser waits for an answer."""
        super().server_close()
        for connection in tuple(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: browsers often close a connection before the answer is complete."""


class _Handler(AnsweringHandler):
    server: ReviewServer

    def do_GET(self) -> None:  # noqa: N802 - http.server calls it so
        """Give the page, its data, clips and stills."""
        self._guarded(self._get, changes=False)

    def do_HEAD(self) -> None:  # noqa: N802 - http.server calls it so
        """Give the same without a body."""
        self.do_GET()

    def do_POST(self) -> None:  # noqa: N802 - http.server calls it so
        """Take decisions, which mails are dealt with, and the order of the montage."""
        self._guarded(self._post, changes=True)

    def _guarded(self, act: Callable[[str, ReviewSession], None], *, changes: bool) -> None:
        access, address = self.server.access, urlsplit(self.path)
        headers = {name.title(): value for name, value in self.headers.items()}
        token = parse_qs(address.query).get("token", [""])[0]
        is_link = not changes and address.path == "/"
        if not access.is_own_host(self.headers.get_all("Host", [])):
            self.refuse(HTTPStatus.MISDIRECTED_REQUEST, "this is another host's request")
        elif is_link and token and access.is_open_for(token):
            self._open(HTTPStatus.OK)  # the file of --open may be another origin
        elif not access.is_own_page(headers, changes=changes):
            self.refuse(HTTPStatus.FORBIDDEN, "this comes from another page")
        elif is_link:
            self._open(HTTPStatus.FORBIDDEN if token else HTTPStatus.OK)
        elif changes and address.path == "/api/enter":
            self._act_or_say_why_not(self._enter)
        elif session := access.session_of(headers):
            if changes and not access.may_write(session, headers):
                self.refuse(HTTPStatus.FORBIDDEN, "this may only read")
            else:
                self._act_or_say_why_not(lambda: act(address.path, session))
        elif not changes and address.path in _PAGES and SESSION_HEADER not in headers:
            self._open(HTTPStatus.OK)  # its script asks again, with the secrets that it has
        elif not changes and self._opens_media(address):
            self._act_or_say_why_not(lambda: self._media(address.path))
        else:
            self.refuse(HTTPStatus.FORBIDDEN, "open the link that the console shows")

    def _act_or_say_why_not(self, act: Callable[[], object]) -> None:
        self.answered = False
        try:
            act()
        except Exception as error:
            if self.answered:
                raise  # the browser went away, or has a part of the answer
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(named(error)))

    def _open(self, status: HTTPStatus) -> None:
        body, policy = entrance.opening()
        self.answer(body, HTML, policy, status)

    def _enter(self) -> None:
        """Exchange the token of a link for the secrets of a session."""
        access, body = self.server.access, self._body()
        if body is None:
            return
        session = access.redeem(str(body.get("token")))
        if session is None:
            self.refuse(HTTPStatus.FORBIDDEN, "this link was used; the console shows a new one")
            return
        whom = f"for {session.name} again" if session.name else "for another reviewer"
        self.server.announce(f"{whom}: {access.links[session.name]}")
        self.answer_json({"session": session.read, "write": session.write})

    def _opens_media(self, address: SplitResult) -> bool:
        """Whether an address has the key of the clip that it names."""
        match = _CLIP.fullmatch(address.path) or _STILL.fullmatch(address.path)
        key = parse_qs(address.query).get("key", [""])[0]
        return match is not None and self.server.access.opens(match[1], key)

    def _media(self, path: str) -> bool:
        """Give a film or a still, if *path* is one."""
        if match := _CLIP.fullmatch(path):
            sha256, output, suffix = match.groups()
            self._give(sha256, output, f".{suffix}")
        elif match := _STILL.fullmatch(path):
            output = self.server.config.output[0].name
            self._give(match[1], output, ".jpg")
        return match is not None

    def _give(self, sha256: str, output: str, suffix: str) -> None:
        """Give a file of a clip, of the version that the ledger knows."""
        path = self.server.workspace.relative(self.server.workspace.clip(sha256, output, suffix))
        digest = ""
        with self.server.ledger() as ledger:
            is_hidden, result = ledger.clips.is_hidden_with_film(sha256), None
            if self.server.store.is_beyond:
                result = ledger.clips.result(sha256)
        if is_hidden:
            self.refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
            return
        if self.server.store.is_beyond:
            outputs = result.outputs if result else ()
            digest = next((each.sha256 for each in outputs if each.name == output), "")
        self.answer_file(self.server.store, FootageFile(path, digest))

    def _get(self, path: str, session: ReviewSession) -> None:
        if self._media(path):
            return
        if path not in READING:
            self.refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
        elif self._may(READING[path].roles, session):
            READING[path].answer(self, session)

    def _may(self, roles: frozenset[ReviewRole], session: ReviewSession) -> bool:
        """Whether a person has one of the roles.  If not, that is answered."""
        if session.role not in roles:
            self.refuse(
                HTTPStatus.FORBIDDEN, f"an {session.role} orders and comments, but decides nothing"
            )
        return session.role in roles

    def give_page(self, session: ReviewSession) -> None:
        """Give the page."""
        body, policy = self._page(session)
        self.answer(body, HTML, policy)

    def give_report(self, session: ReviewSession) -> None:
        """Give the data of the page."""
        self.answer(report.encode(self._report(session)), "application/json")

    def give_table(self, session: ReviewSession) -> None:
        """Give the table of the clips."""
        self.answer(table.render(self._report(session)), "text/csv; charset=utf-8")

    def give_mails(self, session: ReviewSession) -> None:
        """Give the table of the mails."""
        self.answer(table.render_mails(self._report(session)), "text/csv; charset=utf-8")

    def _report(self, session: ReviewSession) -> JsonObject:
        with self.server.ledger() as ledger:
            return report.build(self._config(session), ledger, clock.now())

    def _config(self, session: ReviewSession) -> Config:
        """The configuration as this person may see it: the media team sees addresses."""
        config = self.server.config
        if session.role is not ReviewRole.MEDIA:
            return config
        shown = config.report.model_copy(update={"sender": "full"})
        return config.model_copy(update={"report": shown})

    def _page(self, session: ReviewSession) -> tuple[bytes, str]:
        with self.server.ledger() as ledger:
            # these are read first: a decision in between is then reported twice, not lost
            counter, mails = ledger.reviews.trail_end(), live.mails_version(ledger)
            counts, knows = ledger.clips.counts(), unseen.newest_mail(ledger)
            data = report.build(self._config(session), ledger, clock.now())
            begin = page.LiveReview(
                counter=counter,
                counts=counts,
                by=session.name or self.server.by,
                is_named=bool(session.name),
                role=session.role,
                mails=mails,
                keys=self._keys(data),
                mine=shares.share_of(session.name, self.server.access.deciders, data),
            )
            facts = report.collect_facts(self.server.config, ledger, knows, begin)
        return page.render(report.encode(data), facts), page.make_policy(is_served=True)

    def _keys(self, data: JsonObject) -> dict[str, str]:
        shown = {
            clip["duplicate_of"] or clip["sha256"] for clip in data["clips"] if clip["outputs"]
        }
        return {sha256: self.server.access.media_key(sha256) for sha256 in shown}

    def give_changes(self, _session: ReviewSession) -> None:
        """Give what was decided since the page asked last."""
        query = parse_qs(urlsplit(self.path).query)
        after = query.get("since", ["0"])[0]
        if not re.fullmatch(r"\d{1,15}", after):
            self.refuse(HTTPStatus.BAD_REQUEST, "since is not a number")
            return
        with self.server.ledger() as ledger:
            events = ledger.reviews.trail(int(after))
            trail = trail_data(ledger, events)
            seen = query.get("mails", [""])[0]  # which state of the mails the page has
            is_new = seen and seen != live.mails_version(ledger)
            beyond: JsonObject = {"counts": ledger.clips.counts()}
            if is_new:
                beyond["mails"] = live.mails_data(ledger)
            known = query.get("withdrawn")  # how many the page has heard of
            if known and known != [str(len(withdrawn := ledger.custody.withdrawn()))]:
                beyond |= {"withdrawn": withdrawn, "emptied": ledger.intake.emptied()}
        counter = events[-1].id if events else int(after)
        changes = reviews_data({event.sha256: event.after for event in events})
        self.answer_json({"counter": counter, "changes": changes, "events": trail} | beyond)

    def give_order(self, _session: ReviewSession) -> None:
        """Give the order of the montage."""
        self._order()

    def _order(self, status: HTTPStatus = HTTPStatus.OK) -> None:
        with self.server.ledger() as ledger:
            self.answer_json(ordering.as_data(self.server.config, ledger), status)

    def _post(self, path: str, session: ReviewSession) -> None:
        body = self._body()
        if body is None:
            return
        try:
            by = entries.clean_text("by", body.get("by") or "") or session.name or self.server.by
        except (TypeError, AttributeError):
            self.refuse(HTTPStatus.BAD_REQUEST, _NOT_JSON)
            return
        if session.name and by != session.name:
            self.refuse(HTTPStatus.FORBIDDEN, f"this link was made for {session.name}")
            return
        if path not in acts.ACTS:
            self.refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
            return
        if not self._may(acts.ACTS[path].roles, session):
            return
        try:
            with self.server.ledger() as ledger:
                request = ActRequest(body, by, session.role, self.server.config)
                outcome = acts.ACTS[path].do(ledger, request)
            self.answer_json(outcome.data, outcome.status)
        except (InvalidEntry, ConfigError) as error:
            self.refuse(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except ordering.OrderChanged:
            self._order(HTTPStatus.CONFLICT)

    def _body(self) -> JsonObject | None:
        """Read the JSON object that was sent; None if there is none, which is answered."""
        if self.headers.get("Content-Type") != "application/json":
            self.refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "only JSON is taken")
            return None
        length = self.headers.get("Content-Length") or ""
        if not re.fullmatch(r"\d{1,9}", length) or int(length) > _MOST_BYTES:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too much")
            return None
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            self.refuse(HTTPStatus.BAD_REQUEST, _NOT_JSON)
            return None
        return body


@dataclass(frozen=True)
class PageRead:
    """What answers a request that only reads, and who may send it."""

    answer: Callable[[_Handler, ReviewSession], None]
    roles: frozenset[ReviewRole]


# All that a session can read besides clips and stills.  What it can change is in ``acts``.
READING: Final[Mapping[str, PageRead]] = {
    "/report/": PageRead(_Handler.give_page, EVERYBODY),
    "/report/index.html": PageRead(_Handler.give_page, EVERYBODY),
    "/report/report.json": PageRead(_Handler.give_report, EVERYBODY),
    "/report/report.csv": PageRead(_Handler.give_table, EVERYBODY),
    "/report/mails.csv": PageRead(_Handler.give_mails, EVERYBODY),
    "/api/changes": PageRead(_Handler.give_changes, EVERYBODY),
    "/api/order": PageRead(_Handler.give_order, EVERYBODY),
}
