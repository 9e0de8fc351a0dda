"""Access tokens instead of passwords (RFC 6749), as Google and Microsoft require them.

A token is stored in the workspace with mode 0600 until a minute before it expires.  Microsoft
sends a new refresh token with each answer: it is stored with the access token, and used instead of
the one in the environment until somebody changes that one.
"""

import hashlib
import http.client
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from urllib.parse import urlsplit

from pipeline import publishing
from pipeline.config import LOOPBACK, InboxSection, OAuth2
from pipeline.credentials import CredentialError, secret
from pipeline.errors import InboxError
from pipeline.time_limit import within
from pipeline.workspace import Workspace

_TIMEOUT_S = 30.0
_MARGIN_S = 60.0
_LARGEST_ANSWER = 1 << 18
_GOOGLE = "https://oauth2.googleapis.com/token"
_MICROSOFT = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
_MICROSOFT_SCOPE = {
    "refresh_token": "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
    "client_credentials": "https://outlook.office365.com/.default",
}


class Token:
    """An access token that is renewed when it expires."""

    renewable = True

    def __init__(self, inbox: InboxSection, oauth2: OAuth2, workspace: Workspace) -> None:
        """:raises InboxError: the provider does not offer this grant."""
        self._inbox, self._oauth2 = inbox, oauth2
        self.mechanism: str = oauth2.mechanism
        self._url = _token_url(oauth2)
        key = repr((inbox.user, oauth2.client_id, self._url, oauth2.grant))
        name = hashlib.sha256(key.encode()).hexdigest()[:16]
        self._cache = workspace.root / f"token-{name}.json"

    def secret(self, *, fresh: bool) -> str:
        """A token that is valid for at least a minute.

        :raises InboxError: the provider gives none.
        """
        kept = self._kept()
        if not fresh and _number(kept.get("expires_at")) > time.time() + _MARGIN_S:
            return str(kept["access_token"])
        answer = self._ask(kept)
        token = str(answer["access_token"])
        keep = {
            "access_token": token,
            "expires_at": time.time() + _number(answer.get("expires_in")),
            "refresh_token": answer.get("refresh_token") or kept.get("refresh_token", ""),
            "given": self._mark(),
        }
        publishing.write_text(self._cache, json.dumps(keep), 0o600)
        return token

    def _kept(self) -> dict[str, object]:
        """The last answer, unless somebody has set another refresh token since."""
        try:
            kept = json.loads(self._cache.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        good = isinstance(kept, dict) and kept.get("given") == self._mark()
        return kept if good else {}

    def _mark(self) -> str:
        given = _given(self._oauth2.refresh_token_env)
        return hashlib.sha256(given.encode()).hexdigest()[:16]

    def _ask(self, kept: dict[str, object]) -> dict[str, object]:
        form = {"client_id": self._oauth2.client_id, "grant_type": self._oauth2.grant}
        if self._oauth2.client_secret_env:
            form["client_secret"] = _environment(self._oauth2.client_secret_env)
        if self._oauth2.grant == "refresh_token":
            stored = str(kept.get("refresh_token") or "")
            form["refresh_token"] = stored or _environment(self._oauth2.refresh_token_env)
        scope = self._oauth2.scope
        if self._oauth2.provider == "microsoft":
            scope = scope or _MICROSOFT_SCOPE[self._oauth2.grant]
        if scope:
            form["scope"] = scope
        answer = self._post(form)
        if not isinstance(answer.get("access_token"), str):
            raise InboxError(f"{self._host} gave an answer without a token: check [inbox] oauth2")
        return answer

    @property
    def _host(self) -> str:
        return urlsplit(self._url).hostname or ""

    def _post(self, form: dict[str, str]) -> dict[str, object]:
        context = ssl.create_default_context()
        if self._inbox.ca_file and self._oauth2.provider == "custom":
            context.load_verify_locations(self._inbox.resolve(self._inbox.ca_file))
        request = urllib.request.Request(  # noqa: S310 - https, or loopback: see _token_url
            self._url, urllib.parse.urlencode(form).encode(), {"Accept": "application/json"}
        )
        try:
            data = json.loads(within(_TIMEOUT_S, lambda: _read(request, context)))
        except urllib.error.HTTPError as error:
            with error:
                code = _error_code(error.read(_LARGEST_ANSWER))
            raise InboxError(
                f"{self._host} gives no token for {self._inbox.user} (HTTP {error.code}"
                f"{f', {code}' if code else ''}): check client_id, the client's secret and the "
                "refresh token, which may have expired: sign in with the provider again"
            ) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise InboxError(
                f"{self._host} can't be asked for a token: {type(error).__name__}"
            ) from None
        return data if isinstance(data, dict) else {}


def _read(request: urllib.request.Request, context: ssl.SSLContext) -> bytes:
    with urllib.request.urlopen(  # noqa: S310
        request, timeout=_TIMEOUT_S, context=context
    ) as answer:
        read: bytes = answer.read(_LARGEST_ANSWER)
        return read


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _token_url(oauth2: OAuth2) -> str:
    url = oauth2.token_url
    if oauth2.provider == "google":
        if oauth2.grant != "refresh_token":
            raise InboxError(
                '[inbox] oauth2: Google accepts only grant = "refresh_token" for mailboxes'
            )
        url = url or _GOOGLE
    elif oauth2.provider == "microsoft":
        url = url or _MICROSOFT.format(tenant=urllib.parse.quote(oauth2.tenant, safe=""))
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not secure or not parts.hostname:
        raise InboxError("[inbox] oauth2: token_url must begin with https://")
    return url


def _environment(name: str) -> str:
    value = _given(name)
    if not value:
        raise InboxError(
            f"[inbox] oauth2: set the environment variable {name}"
            if name
            else "[inbox] oauth2: name the environment variable that holds the refresh token in "
            "refresh_token_env"
        )
    return value


def _given(name: str) -> str:
    """A secret by its name, "" if there is none."""
    try:
        return secret(name)
    except CredentialError as error:
        raise InboxError(str(error)) from None


def _error_code(body: bytes) -> str:
    """The error code of RFC 6749, section 5.2, without the text beside it."""
    try:
        code = json.loads(body).get("error", "")
    except (ValueError, AttributeError):
        return ""
    return code if isinstance(code, str) and code.isascii() and len(code) < 60 else ""
