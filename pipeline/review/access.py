"""Who may use the review server: only the reviewer's own browser, through a link of the server.

Another page in the same browser must not reach it, even if another user of this machine serves
that page on another port.  So nothing depends on a cookie: browsers send cookies to every port of
a host.  The page keeps two secrets in the storage of its origin, which has the port, and
sends them in headers, which no other page can set here.

* A link has a token, which is exchanged for the secrets of a session once.
* The *session* secret reads.  The *write* secret is needed besides for every change, and is never
  part of an address.
* Pictures and films are fetched by the browser itself, without headers.  Their addresses have a
  key, which opens the files of one clip for reading until the server ends.
* The Host header must name this server, which stops a foreign name that was made to point to it
  (DNS rebinding).
* A request must come from our own pages (Origin, Sec-Fetch-Site).
"""

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pipeline.review.listening import Site

SESSION_HEADER = "Footage-Session"
WRITE_HEADER = "Footage-Write"


def _new_secret() -> str:
    return secrets.token_urlsafe(24)


class ReviewRole(StrEnum):
    """What somebody may do in a review.

    A reviewer decides, comments, orders the montage, records consents, and marks mails as dealt
    with.  An editor orders and comments, and decides nothing.  The media team does all that a
    reviewer does, and sees the addresses of senders.
    """

    REVIEWER = "reviewer"
    EDITOR = "editor"
    MEDIA = "media"

    @property
    def may_decide(self) -> bool:
        """Whether decisions, consents and marks on mails are taken from this person."""
        return self is not ReviewRole.EDITOR


EVERYBODY: Final = frozenset(ReviewRole)
DECIDERS: Final = frozenset(role for role in ReviewRole if role.may_decide)


@dataclass(frozen=True)
class Reviewers:
    """Who reviews: each of ``roles`` gets a link of their own and acts under that name alone.

    Without names there is a link for anybody, who may give a name; ``default`` is used until then.
    """

    default: str = ""
    roles: Mapping[str, ReviewRole] = field(default_factory=dict)


@dataclass(frozen=True)
class ReviewSession:
    """What one browser was given.

    ``name`` is the person that the link was made for, "" where the link is for anybody.
    """

    name: str
    role: ReviewRole = ReviewRole.REVIEWER
    read: str = field(default_factory=_new_secret, repr=False)
    write: str = field(default_factory=_new_secret, repr=False)


class AccessGuard:
    """The links and the sessions of one server; safe to use from any thread."""

    def __init__(self, site: Site, roles: Mapping[str, ReviewRole]) -> None:
        """Make a link for each name, or one link for anybody if there are none."""
        self.site = site
        self._roles = dict(roles) or {"": ReviewRole.REVIEWER}
        self._tokens = {name: _new_secret() for name in self._roles}
        self._sessions: dict[str, ReviewSession] = {}
        self._media = secrets.token_bytes(32)
        self._lock = threading.Lock()

    @property
    def links(self) -> dict[str, str]:
        """The link of each reviewer, by name; it lets one browser in, once."""
        with self._lock:
            return {name: self.site.link(token) for name, token in self._tokens.items()}

    @property
    def deciders(self) -> list[str]:
        """The names of those who have a link of their own and may decide."""
        return [name for name, role in self._roles.items() if name and role.may_decide]

    @property
    def link(self) -> str:
        """The first link."""
        return next(iter(self.links.values()))

    def is_open_for(self, token: str) -> bool:
        """Whether a link with this token would let a browser in.  This does not use it up."""
        with self._lock:
            return self._owner(token) is not None

    def redeem(self, token: str) -> ReviewSession | None:
        """Exchange a token for a session, None if it is wrong.  A token can be used once."""
        with self._lock:
            name = self._owner(token)
            if name is None:
                return None
            self._tokens[name] = _new_secret()
            session = ReviewSession(name, self._roles[name])
            self._sessions[session.read] = session
            return session

    def _owner(self, token: str) -> str | None:
        """Whose token this is, None if it is not ours.  All are compared, in equal time."""
        given = token.encode("utf-8", "replace")
        owners = [
            name for name, own in self._tokens.items() if hmac.compare_digest(given, own.encode())
        ]
        return owners[0] if owners else None

    def is_own_host(self, hosts: list[str]) -> bool:
        """Whether there is one Host header and it names this server."""
        return len(hosts) == 1 and hosts[0] in self.site.authorities

    def session_of(self, headers: Mapping[str, str]) -> ReviewSession | None:
        """The session whose secret is in the headers of a request."""
        return self._sessions.get(headers.get(SESSION_HEADER, ""))

    def may_write(self, session: ReviewSession, headers: Mapping[str, str]) -> bool:
        """Whether a request has the second secret of its session."""
        given = headers.get(WRITE_HEADER, "").encode("utf-8", "replace")
        return hmac.compare_digest(given, session.write.encode())

    def media_key(self, sha256: str) -> str:
        """The key that an address needs to open the files of one clip."""
        digest = hmac.digest(self._media, sha256.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:18]).decode()

    def opens(self, sha256: str, key: str) -> bool:
        """Whether *key* is the key of this clip."""
        given = key.encode("utf-8", "replace")
        return hmac.compare_digest(given, self.media_key(sha256).encode())

    def is_own_page(self, headers: Mapping[str, str], *, changes: bool) -> bool:
        """Whether a request comes from our own pages, as far as the browser says.

        :param changes: the request would change something, so the browser must say it.
        """
        origin = headers.get("Origin")
        if headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            return False
        if origin is None:
            return not changes
        own = f"{self.site.scheme}://{headers.get('Host')}"
        return origin == own and origin in self.site.origins
