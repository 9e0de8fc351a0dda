"""Who may talk to the review server: only the reviewer's own browser, through its own link.

A page of a stranger in the same browser must not reach it.  So the Host header must be ours
(which stops a name that is rebound to loopback), a request that changes something must come
from our own pages (Origin, Sec-Fetch-Site), and everything needs a cookie that is given once
for a token that only the console showed.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

_NAMES = ("127.0.0.1", "localhost")


@dataclass
class Door:
    """The keys of one server; safe to use from any thread."""

    port: int
    _token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _sessions: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def link(self) -> str:
        """The link that opens the door once."""
        return f"http://127.0.0.1:{self.port}/?token={self._token}"

    @property
    def cookie(self) -> str:
        """The cookie's name: cookies know no ports, and two servers may run."""
        return f"footage-{self.port}"

    def redeem(self, token: str) -> str | None:
        """The session for a token, which is worth nothing from then on; None if it is wrong."""
        with self._lock:
            if not hmac.compare_digest(token.encode(), self._token.encode()):
                return None
            self._token = secrets.token_urlsafe(24)
            session = secrets.token_urlsafe(24)
            self._sessions.add(session)
            return session

    def is_ours(self, hosts: list[str]) -> bool:
        """Whether the Host headers are one, and it names this server."""
        return len(hosts) == 1 and hosts[0] in {f"{name}:{self.port}" for name in _NAMES}

    def is_known(self, cookies: str | None) -> bool:
        """Whether a Cookie header holds a session that this server gave."""
        try:
            jar = SimpleCookie(cookies or "")
        except CookieError:
            return False
        return self.cookie in jar and jar[self.cookie].value in self._sessions

    def is_own_page(self, headers: Mapping[str, str], *, changes: bool) -> bool:
        """Whether a request comes from our own pages, as far as the browser tells.

        :param changes: it would change something, so the browser has to tell.
        """
        origin = headers.get("Origin")
        if headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            return False
        if origin is None:
            return not changes
        return origin in {f"http://{name}:{self.port}" for name in _NAMES} and (
            origin == f"http://{headers.get('Host')}"
        )
