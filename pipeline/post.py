"""Send mail through the server of ``[smtp]``."""

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses
from enum import StrEnum

from pipeline import credentials
from pipeline.config import SmtpSection
from pipeline.errors import StageError
from pipeline.time_limit import within

_TIMEOUT_S = 30.0
_WHOLE_S = 90.0
_GOODBYE_S = 5.0

_CLOSING = 421  # RFC 5321, 4.3.2: the server ends the connection
# RFC 3463: 5.1.x is about an address and 5.2.x about a mailbox; 5.1.7 and 5.1.8 are about ours,
# and servers say 5.1.0 of either
_ENHANCED = re.compile(rb"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
_ABOUT_SENDER = ("0", "7", "8")
# RFC 5321, 4.2.3 and RFC 7504, for servers that give no enhanced code
_ABOUT_RECIPIENT = (550, 551, 553, 556)
_ABOUT_SERVER = re.compile(
    rb"relay|auth|login|log in|sign|sender|from|policy|spam|spf|dkim|dmarc|block|black|list|"
    rb"reputation|limit|rate|denied|permitted|allowed|reject|prohibited|client|host",
    re.IGNORECASE,
)


class Outcome(StrEnum):
    """What is known of a mail that could not be sent."""

    NOT_SENT = "not-sent"  # the server takes no mail now; it may be tried again
    LATER = "later"  # the server did not take this one; it may take others, and this one later
    REFUSED = "refused"  # the server refuses this recipient, now and later
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
        path = self._smtp.sender if envelope_sender is None else envelope_sender
        taking = False
        try:
            with _at_most(_WHOLE_S, self._server):
                to = _recipients(message)
                data, options = self._written(message, [path, *to])
                self._introduce(path, options, to)
                taking = True
                code, said = self._server.data(data)
        except smtplib.SMTPDataError as error:  # it refused DATA itself
            code, said = error.smtp_code, _bytes(error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            raise PostError(
                f"the connection to {self._smtp.host} ended: {type(error).__name__}",
                Outcome.UNKNOWN if taking else Outcome.NOT_SENT,
            ) from None
        if code // 100 != 2:
            self._again(code)
            raise self._fault("the mail", code, _of_mail(code, said))

    def _written(self, message: EmailMessage, addresses: Sequence[str]) -> tuple[bytes, list[str]]:
        """The bytes of a mail, and what MAIL FROM has to say of it."""
        if all(address.isascii() for address in addresses):
            return message.as_bytes(policy=SMTP), []
        self._server.ehlo_or_helo_if_needed()
        if not self._server.has_extn("smtputf8"):  # RFC 6531
            sentence = f"{self._smtp.host} takes no such address"
            raise PostError(sentence, Outcome.REFUSED)
        return message.as_bytes(policy=SMTP.clone(utf8=True)), ["SMTPUTF8", "BODY=8BITMIME"]

    def _introduce(self, path: str, options: Sequence[str], to: Sequence[str]) -> None:
        """Name sender and recipients of a mail; one that the server takes is enough.

        :raises PostError: the server wants none of them.
        """
        try:
            self._server.ehlo_or_helo_if_needed()
        except smtplib.SMTPHeloError as error:
            raise self._fault("this program", error.smtp_code, Outcome.NOT_SENT) from None
        code, _ = self._server.mail(path, options)
        if code // 100 != 2:
            self._again(code)
            raise self._fault("the sender", code, Outcome.NOT_SENT)
        refused: list[tuple[int, Outcome]] = []
        for address in to:
            code, said = self._server.rcpt(address)
            if code == _CLOSING:
                break
            if code // 100 != 2:
                refused.append((code, _of_recipient(code, said)))
        if code == _CLOSING:
            self._again(code)
            raise self._fault("more mail", code, Outcome.NOT_SENT)
        if len(refused) == len(to):
            self._again(code)
            final = all(outcome is Outcome.REFUSED for _, outcome in refused)
            codes = ", ".join(map(str, sorted({code for code, _ in refused})))
            raise self._fault("the recipient", codes, Outcome.REFUSED if final else Outcome.LATER)

    def _again(self, code: int) -> None:
        """Be ready for the next mail."""
        if code == _CLOSING:
            self._server.close()
            return
        with suppress(OSError, smtplib.SMTPException):
            self._server.rset()

    def _fault(self, what: str, code: object, outcome: Outcome) -> PostError:
        return PostError(f"{self._smtp.host} refuses {what} ({code})", outcome)


def _recipients(message: EmailMessage) -> list[str]:
    fields = [str(each) for each in message.get_all("To", [])]
    return [address for _, address in getaddresses(fields) if address]


def _of_recipient(code: int, said: bytes) -> Outcome:
    """Whether an answer to RCPT is about that address, or about a server that takes no mail."""
    if code // 100 != 5:
        return Outcome.LATER
    if _ENHANCED.match(said):
        return _of_enhanced(said)
    about = code in _ABOUT_RECIPIENT and not _ABOUT_SERVER.search(said)
    return Outcome.REFUSED if about else Outcome.LATER


def _of_mail(code: int, said: bytes) -> Outcome:
    """Whether an answer to DATA is about the address: only an enhanced code says so."""
    if code == _CLOSING:
        return Outcome.NOT_SENT
    if code // 100 not in (4, 5):
        return Outcome.UNKNOWN  # it does not speak SMTP
    return _of_enhanced(said) if code // 100 == 5 else Outcome.LATER


def _of_enhanced(said: bytes) -> Outcome:
    found = _ENHANCED.match(said)
    if found is None:
        return Outcome.LATER
    number, subject, detail = (part.decode() for part in found.groups())
    about = number == "5" and (subject == "2" or (subject == "1" and detail not in _ABOUT_SENDER))
    return Outcome.REFUSED if about else Outcome.LATER


def _bytes(said: bytes | str) -> bytes:
    return said.encode() if isinstance(said, str) else said


@contextmanager
def opened(smtp: SmtpSection) -> Iterator[Post]:
    """Open a connection, signed in, for the block.

    :raises PostError: the server could not be reached, or refused the sign-in.
    :raises CredentialError: there is no password.
    """
    password = _password(smtp) if smtp.user else ""
    try:
        server = _connection(smtp)
    except smtplib.SMTPResponseException as error:
        raise PostError(f"{smtp.host} refuses the connection ({error.smtp_code})") from None
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
