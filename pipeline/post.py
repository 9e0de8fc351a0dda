"""Send mail through the server of ``[smtp]``."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from enum import StrEnum

from pipeline import credentials
from pipeline.config import SmtpSection
from pipeline.errors import StageError
from pipeline.time_limit import within

_TIMEOUT_S = 30.0
_WHOLE_S = 90.0
_GOODBYE_S = 5.0


class Outcome(StrEnum):
    """What is known of a mail that could not be sent."""

    NOT_SENT = "not-sent"  # it may be tried again
    REFUSED = "refused"  # the server does not want it, now or later
    UNKNOWN = "unknown"  # the connection ended before the server said whether it has it


class PostError(StageError):
    """A mail could not be sent; the sentence names the server and the cause."""

    def __init__(self, sentence: str, outcome: Outcome = Outcome.NOT_SENT) -> None:
        super().__init__(sentence)
        self.outcome = outcome


class Post:
    """A connection to the server, for any number of mails."""

    def __init__(self, smtp: SmtpSection, server: smtplib.SMTP) -> None:
        self._smtp, self._server = smtp, server

    def send(self, message: EmailMessage, envelope_sender: str | None = None) -> None:
        """Send *message* to the addresses of its ``To`` field.

        :param envelope_sender: the address that the server sends a returned mail to (RFC 5321,
            MAIL FROM); "" for none, None for the address of ``[smtp] from``.
        :raises PostError: the server did not take it.
        """
        host = self._smtp.host
        path = self._smtp.sender if envelope_sender is None else envelope_sender
        try:
            with _at_most(_WHOLE_S, self._server):
                self._server.send_message(message, path)
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            final = all(code >= 500 for code in codes)
            raise PostError(
                f"{host} refuses the recipient ({', '.join(map(str, sorted(codes)))})",
                Outcome.REFUSED if final else Outcome.NOT_SENT,
            ) from None
        except smtplib.SMTPResponseException as error:
            raise PostError(
                f"{host} refuses the mail ({error.smtp_code})",
                Outcome.REFUSED if error.smtp_code >= 500 else Outcome.NOT_SENT,
            ) from None
        except smtplib.SMTPNotSupportedError:
            # the address is not of ASCII letters only (RFC 6531), and nothing was sent
            raise PostError(f"{host} takes no such address", Outcome.REFUSED) from None
        except (OSError, smtplib.SMTPException) as error:
            raise PostError(
                f"the connection to {host} ended: {type(error).__name__}", Outcome.UNKNOWN
            ) from None


@contextmanager
def opened(smtp: SmtpSection) -> Iterator[Post]:
    """Open a connection, signed in, for the block.

    :raises PostError: the server could not be reached, or refused the sign-in.
    :raises CredentialError: there is no password.
    """
    password = _password(smtp) if smtp.user else ""
    try:
        server = _connection(smtp)
    except (OSError, smtplib.SMTPException) as error:
        raise PostError(f"{smtp.host} can't be reached: {type(error).__name__}") from None
    try:
        if smtp.user:
            _sign_in(smtp, server, password)
        yield Post(smtp, server)
    except KeyboardInterrupt:
        server.close()  # quit() would wait for the answer of a slow server
        raise
    finally:
        with suppress(OSError, smtplib.SMTPException), _at_most(_GOODBYE_S, server):
            server.quit()
        server.close()


def send(smtp: SmtpSection, message: EmailMessage) -> None:
    """Send one mail.

    :raises PostError: the server could not be reached, or did not take it.
    :raises CredentialError: there is no password.
    """
    with opened(smtp) as post:
        post.send(message)


def _sign_in(smtp: SmtpSection, server: smtplib.SMTP, password: str) -> None:
    try:
        with _at_most(_WHOLE_S, server):
            server.login(smtp.user, password)
    except smtplib.SMTPAuthenticationError as error:
        raise PostError(
            f"{smtp.host} refuses the sign-in of {smtp.user} ({error.smtp_code}): check the "
            "password"
        ) from None
    except (OSError, smtplib.SMTPException) as error:
        raise PostError(f"{smtp.host} can't be signed in to: {type(error).__name__}") from None


def _password(smtp: SmtpSection) -> str:
    if smtp.password_command:
        return credentials.printed_by(smtp.password_command, "smtp")
    password = credentials.secret(smtp.password_env)
    if not password:
        raise credentials.CredentialError(
            f"there is no password for {smtp.user}: set the environment variable "
            f"{smtp.password_env}, or name a password_command in [smtp]"
        )
    return password


def _connection(smtp: SmtpSection) -> smtplib.SMTP:
    """An open connection, encrypted unless the server is on this machine."""
    context = ssl.create_default_context()
    if smtp.ca_file:
        context.load_verify_locations(smtp.resolve(smtp.ca_file))
    if smtp.scheme == "smtps":
        return within(
            _WHOLE_S,
            lambda: smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=_TIMEOUT_S, context=context),
        )
    server = within(_WHOLE_S, lambda: smtplib.SMTP(smtp.host, smtp.port, timeout=_TIMEOUT_S))
    if smtp.scheme == "smtp+starttls":
        try:
            with _at_most(_WHOLE_S, server):
                server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


@contextmanager
def _at_most(seconds: float, server: smtplib.SMTP) -> Iterator[None]:
    """End the connection if the block takes longer, also one whose bytes come one by one."""

    def end() -> None:
        if server.sock is not None:
            with suppress(OSError):
                server.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
