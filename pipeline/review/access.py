"""Who may use the review server: only the reviewer's own browser, through a link of the server.

Another page in the same browser must not reach it.  So three things are checked.  The Host header
must name this server, which stops a foreign name that was made to point to loopback (DNS
rebinding).  A request that changes something must come from our own pages (Origin,
Sec-Fetch-Site).  Everything needs a cookie, which is given once for a token that only the console
shows.
"""

import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

_HOSTS = ("127.0.0.1", "localhost")


@dataclass
class AccessGuard:
    """The token and the sessions of one server; safe to use from any thread."""

    port: int
    _token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _sessions: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def link(self) -> str:
        """The link that lets one browser in."""
        return f"http://127.0.0.1:{self.port}/?token={self._token}"

    @property
    def cookie(self) -> str:
        """The cookie's name.  It has the port, because browsers send cookies to all ports."""
        return f"footage-{self.port}"

    def redeem(self, token: str) -> str | None:
        """Exchange a token for a session, None if it is wrong.  A token can be used once."""
        with self._lock:
            if not hmac.compare_digest(token.encode(), self._token.encode()):
                return None
            self._token = secrets.token_urlsafe(24)
            session = secrets.token_urlsafe(24)
            self._sessions.add(session)
            return session

    def is_own_host(self, hosts: list[str]) -> bool:
        """Whether there is one Host header and it names this server."""
        return len(hosts) == 1 and hosts[0] in {f"{name}:{self.port}" for name in _HOSTS}

    def has_session(self, cookies: str | None) -> bool:
        """Whether a Cookie header holds a session of this server."""
        try:
            jar = SimpleCookie(cookies or "")
        except CookieError:
            return False
        return self.cookie in jar and jar[self.cookie].value in self._sessions

    def is_own_page(self, headers: Mapping[str, str], *, changes: bool) -> bool:
        """Whether a request comes from our own pages, as far as the browser says.

        :param changes: the request would change something, so the browser must say it.
        """
        origin = headers.get("Origin")
        if headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            return False
        if origin is None:
            return not changes
        return origin in {f"http://{name}:{self.port}" for name in _HOSTS} and (
            origin == f"http://{headers.get('Host')}"
        )
