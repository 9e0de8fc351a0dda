"""The table ``[inbox]``, or several ``[[inbox]]``: where the footage arrives and how to sign in."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, PrivateAttr, field_validator

from pipeline.config.section import Located, Section
from pipeline.config.server import ServerAddress


@dataclass(frozen=True)
class InboxKind:
    """A kind of inbox.

    ``form``: how an address of this kind looks.  ``reader``: the module and class in
    ``pipeline.ingest`` that read it; it is a name, because the configuration imports no stage.
    """

    form: str
    description: str
    reader: str

    @property
    def prefix(self) -> str:
        """What an address of this kind begins with, up to its ``:`` or ``://``."""
        return re.match(r"[^:]*:(//)?", self.form)[0]  # type: ignore[index]

    @property
    def is_on_server(self) -> bool:
        """Whether the inbox is on a server, which one signs in to."""
        return self.prefix.endswith("//")


# fmt: off
_KINDS = (
    InboxKind("imaps://USER@HOST/FOLDER",
              "IMAP over TLS, port 993 unless `HOST:PORT` is given", "imap.ImapInbox"),
    InboxKind("imap+starttls://USER@HOST/FOLDER",
              "IMAP that turns encryption on before the sign-in, port 143", "imap.ImapInbox"),
    InboxKind("imap://USER@localhost/FOLDER",
              "IMAP without encryption: refused unless the host is loopback", "imap.ImapInbox"),
    InboxKind("maildir:PATH", "a Maildir", "folders.MaildirInbox"),
    InboxKind("mbox:PATH", "an mbox file", "mbox.MboxInbox"),
    InboxKind("eml:PATH", "a folder of `.eml` files", "folders.EmlInbox"),
    InboxKind("folder:PATH",
              "a drop folder: each file and each folder in it becomes a separate submission",
              "drop.DropInbox"),
)
# fmt: on
INBOX_KINDS = {kind.prefix.rstrip(":/"): kind for kind in _KINDS}
"""The kinds of inboxes, by the scheme of their addresses.

The allowed values of ``url``, the table in docs/configuration.md and ``open_inbox`` in
``pipeline.ingest.inbox`` are made from this table.
"""
_PREFIXES = ", ".join(kind.prefix for kind in _KINDS)


class OAuth2(Section):
    """Sign-in with a token instead of a password, as Google and Microsoft require."""

    provider: Literal["google", "microsoft", "custom"] = Field(description="who issues the token")
    client_id: str = Field(
        description="the id of the application that is registered with the provider"
    )
    grant: Literal["refresh_token", "client_credentials"] = Field(
        default="refresh_token", description="how a token is requested"
    )
    client_secret_env: str = Field(
        default="", description="the environment variable with the client's secret"
    )
    refresh_token_env: str = Field(
        default="", description="the environment variable with the refresh token"
    )
    tenant: str = Field(default="common", description="the tenant, for Microsoft")
    token_url: str = Field(default="", description="where a custom provider issues tokens")
    scope: str = Field(default="", description="the scope that a custom provider requires")
    mechanism: Literal["XOAUTH2", "OAUTHBEARER"] = Field(
        default="XOAUTH2", description="the SASL mechanism of the server"
    )


class InboxSection(Located):
    """Where the footage arrives."""

    name: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,63})?$",
        description="what messages and the report call it; required if there are several",
    )
    url: str = Field(description=f"the address; it begins with one of {_PREFIXES}")
    category: str = Field(
        default="",
        description="the name of the category of all that comes in here, whatever the patterns "
        "of the categories say",
    )
    password_env: str = Field(
        default="FOOTAGE_IMAP_PASSWORD", description="the environment variable with the password"
    )
    password_command: tuple[str, ...] = Field(
        default=(), description="a program and its arguments that prints the password"
    )
    password_keyring: str = Field(
        default="", description="the service name under which the keyring holds the password"
    )
    oauth2: OAuth2 | None = Field(default=None, description="sign in with a token instead")
    ca_file: str = Field(default="", description="a private certificate authority")
    authserv_id: str = Field(
        default="",
        max_length=255,
        description="the name that your mail server has in its Authentication-Results fields; with "
        "it forged senders are known",
    )
    processed_folder: str = Field(
        default="",
        description="moved here once everything in it is safe on disk; for `folder:` a path",
    )
    max_attachment_mb: int = Field(
        default=2048, ge=1, le=1_000_000, description="a larger attachment is rejected as too-large"
    )
    _names_port: bool = PrivateAttr(default=False)

    @field_validator("url")
    @classmethod
    def _known(cls, value: str) -> str:
        scheme = value.split(":", 1)[0].lower()
        kind = INBOX_KINDS.get(scheme)
        if kind is None:
            raise ValueError(f"must begin with one of {_PREFIXES}")
        if not kind.is_on_server:
            if not value.partition(":")[2]:
                raise ValueError(f"needs a path after {scheme}:")
            return value
        ServerAddress(
            form=f"needs the form {scheme}://USER@HOST/FOLDER, with an @ in the user written %40",
            clear=("imap", "the password"),
            instead="imaps:// or imap+starttls://",
            needs_user=True,
        ).check(value)
        return value

    @property
    def label(self) -> str:
        """What a message about this inbox begins with; nothing if it has no name."""
        return f"inbox {self.name}: " if self.name else ""

    @property
    def scheme(self) -> str:
        """What the address begins with, before the colon."""
        return self.url.split(":", 1)[0].lower()

    @property
    def kind(self) -> InboxKind:
        """The kind of inbox that the address names."""
        return INBOX_KINDS[self.scheme]

    @property
    def path(self) -> str:
        """The path of an inbox on the disk, as it is written."""
        return self.url.partition(":")[2]

    @property
    def user(self) -> str:
        """The login of an IMAP inbox."""
        return unquote(urlsplit(self.url).username or "")

    @property
    def host(self) -> str:
        """The server of an IMAP inbox."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of an IMAP inbox; 993 and 143 unless the address says otherwise."""
        return urlsplit(self.url).port or (993 if self.scheme == "imaps" else 143)

    @property
    def folder(self) -> str:
        """The mailbox of an IMAP inbox; INBOX unless the address says otherwise."""
        return unquote(urlsplit(self.url).path.lstrip("/")) or "INBOX"

    @property
    def account(self) -> str:
        """What the ledger calls the account of an IMAP inbox: its login and its server."""
        return f"{self.user}@{self.host}" + (f":{self.port}" if self._names_port else "")

    def name_port(self, *, in_account: bool) -> None:
        """Decide whether the account's name holds the port."""
        self._names_port = in_account

    @property
    def mailbox(self) -> tuple[str, str]:
        """What the mails of an IMAP inbox are known by, without the port."""
        return f"{self.user}@{self.host}", self.folder

    @property
    def home(self) -> tuple[object, ...]:
        """What two inboxes have in common if they are the same."""
        if self.kind.is_on_server:
            return *self.mailbox, self.port
        return self.scheme, self.resolve(self.path)


def tell_apart(inboxes: Sequence[InboxSection]) -> None:
    """Give mailboxes of one name on different ports of a server different accounts.

    The port is left out of all others, because it says nothing about the mailbox: one mailbox has
    a port for each way of encryption.
    """
    servers = [inbox for inbox in inboxes if inbox.kind.is_on_server]
    count = Counter(inbox.mailbox for inbox in servers)
    for inbox in servers:
        inbox.name_port(in_account=count[inbox.mailbox] > 1)


def contradictions(
    inboxes: Sequence[InboxSection], categories: Sequence[str]
) -> Iterator[tuple[int, str, str]]:
    """What is wrong with inboxes beside each other.

    :returns: the place of the inbox, the key, and what is allowed.
    """
    for number, inbox in enumerate(inboxes):
        others = inboxes[:number]
        if len(inboxes) > 1 and not inbox.name:
            yield number, "name", "is required, because there are several [[inbox]]"
        elif inbox.name in [other.name for other in others]:
            yield number, "name", f"must differ from the other names (it is {inbox.name!r})"
        if inbox.category and inbox.category not in categories:
            known = ", ".join(map(repr, categories)) or "none, there is no [[campaign.category]]"
            yield number, "category", f"must be one of: {known} (it is {inbox.category!r})"
        if inbox.home in [other.home for other in others]:
            yield number, "url", "another [[inbox]] reads the same mails already"
