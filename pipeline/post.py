"""Send a mail through the server of ``[smtp]``."""

import smtplib
import ssl
from email.message import EmailMessage

from pipeline import credentials
from pipeline.config import SmtpSection
from pipeline.errors import StageError

_TIMEOUT_S = 30.0


class PostError(StageError):
    """A mail could not be sent; the sentence names the server and the cause.

    ``permanent``: the server refused it for good, so that trying again does not help.
    """

    def __init__(self, sentence: str, *, permanent: bool = False) -> None:
        super().__init__(sentence)
        self.permanent = permanent


def send(smtp: SmtpSection, message: EmailMessage, envelope_sender: str | None = None) -> None:
    """Send *message* to the addresses of its ``To`` field.

    :param envelope_sender: the address that the server sends a returned mail to (RFC 5321,
        MAIL FROM); "" for none, None for the address of ``[smtp] from``.
    :raises PostError: the server could not be reached, or refused the sign-in or the mail.
    :raises CredentialError: there is no password.
    """
    path = smtp.sender if envelope_sender is None else envelope_sender
    password = _password(smtp) if smtp.user else ""
    try:
        with _connection(smtp) as server:
            if smtp.user:
                server.login(smtp.user, password)
            server.send_message(message, path)
    except smtplib.SMTPAuthenticationError as error:
        raise PostError(
            f"{smtp.host} refuses the sign-in of {smtp.user} ({error.smtp_code}): check the "
            "password"
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = {code for code, _ in error.recipients.values()}
        raise PostError(
            f"{smtp.host} refuses the recipient ({', '.join(map(str, sorted(codes)))})",
            permanent=all(code >= 500 for code in codes),
        ) from None
    except smtplib.SMTPResponseException as error:
        raise PostError(
            f"{smtp.host} refuses the mail ({error.smtp_code})", permanent=error.smtp_code >= 500
        ) from None
    except (OSError, smtplib.SMTPException) as error:
        raise PostError(f"{smtp.host} can't be reached: {type(error).__name__}") from None


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
        return smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=_TIMEOUT_S, context=context)
    server = smtplib.SMTP(smtp.host, smtp.port, timeout=_TIMEOUT_S)
    if smtp.scheme == "smtp+starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server
