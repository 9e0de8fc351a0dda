"""The source of the password or token for a mailbox.  It is never shown and never logged.

A password is the output of a command, comes from the system's keyring, from a credential of systemd
or from an environment variable, in this order.  Tokens are in :mod:`pipeline.ingest.oauth`.
"""

import importlib
from dataclasses import dataclass
from typing import Protocol

from pipeline.config import InboxSection
from pipeline.credentials import CredentialError, printed_by, secret
from pipeline.errors import InboxError
from pipeline.workspace import Workspace


class Credentials(Protocol):
    """A source of passwords or tokens."""

    @property
    def mechanism(self) -> str:
        """``PASSWORD``, ``XOAUTH2`` or ``OAUTHBEARER``."""
        ...

    @property
    def renewable(self) -> bool:
        """Whether a fresh secret may be accepted after the last one was refused."""
        ...

    def secret(self, *, fresh: bool) -> str:
        """The password or token.

        :param fresh: do not use a stored token.
        :raises InboxError: there is none; the sentence says what to do.
        """
        ...


def credentials(inbox: InboxSection, workspace: Workspace) -> Credentials:
    """The source that the configuration of an inbox names."""
    if inbox.oauth2 is not None:
        from pipeline.ingest import oauth  # noqa: PLC0415 - it loads an HTTP client

        return oauth.Token(inbox, inbox.oauth2, workspace)
    return Password(inbox)


@dataclass(frozen=True)
class Password:
    """A password, which is never in the configuration itself."""

    inbox: InboxSection
    mechanism: str = "PASSWORD"
    renewable: bool = False

    def secret(self, *, fresh: bool) -> str:  # noqa: ARG002 - a password doesn't change in a run
        """The password.

        :raises InboxError: there is none; the sentence says what to do.
        """
        try:
            if self.inbox.password_command:
                return printed_by(self.inbox.password_command, "inbox")
            if self.inbox.password_keyring:
                return _from_keyring(self.inbox.password_keyring, self.inbox.user)
            password = secret(self.inbox.password_env)
        except CredentialError as error:
            raise InboxError(str(error)) from None
        if not password:
            raise InboxError(
                f"there is no password for {self.inbox.user}: set the environment variable "
                f"{self.inbox.password_env}, or name a password_command in [inbox]"
            )
        return password


def _from_keyring(service: str, user: str) -> str:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise InboxError(
            "[inbox] password_keyring needs the package keyring: pip install keyring"
        ) from None
    try:
        password = keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001 - each of its backends has errors of its own
        raise InboxError(
            f"the keyring can't be read: {type(error).__name__}; unlock it and run again"
        ) from None
    if not password:
        raise InboxError(
            f"the keyring holds no password for {user} under {service!r}: put it there with "
            f"`keyring set {service} {user}`"
        )
    return str(password)
