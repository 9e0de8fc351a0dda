"""The source of secrets: passwords and tokens.  They are never shown and never logged.

A secret has a name.  systemd gives a service its credentials as files in a folder, named by
``$CREDENTIALS_DIRECTORY`` (systemd.exec(5), ``LoadCredential=``); they come before the environment,
because other programs of the same user can read a process' environment.
"""

import os
import subprocess
from pathlib import Path

from pipeline.errors import StageError

_COMMAND_S = 60.0
_LARGEST = 64 << 10


class CredentialError(StageError):
    """A secret can't be had; the sentence says what to do."""


def secret(name: str) -> str:
    """The secret of that name, without the line break at its end; "" if there is none.

    :raises CredentialError: the file of the credential can't be read.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    path = Path(folder, name)
    if folder and name and path.parent == Path(folder):
        try:
            with path.open("rb") as file:
                return file.read(_LARGEST).decode("utf-8", "surrogateescape").rstrip("\r\n")
        except (FileNotFoundError, IsADirectoryError):
            pass
        except OSError as error:
            sentence = f"the credential {name} can't be read: {error.strerror}"
            raise CredentialError(sentence) from None
    return os.environ.get(name, "") if name else ""


def printed_by(argv: tuple[str, ...], table: str) -> str:
    """The first line that a program prints; its standard error is not read.

    :param table: the table of ``config.toml`` that names the program, for the message.
    :raises CredentialError: it could not be run, failed, or printed nothing.
    """
    name, where = argv[0], f"[{table}] password_command"
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=_COMMAND_S, check=False
        )
    except FileNotFoundError:
        raise CredentialError(f"{where}: there is no program {name}") from None
    except (OSError, subprocess.TimeoutExpired):
        raise CredentialError(
            f"{where}: {name} could not be run, or did not end within {_COMMAND_S:.0f} s"
        ) from None
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    if done.returncode or not lines or not lines[0]:
        raise CredentialError(
            f"{where}: {name} ended with {done.returncode} and gave "
            f"{'a' if lines and lines[0] else 'no'} password; try it in a terminal"
        )
    return lines[0]
