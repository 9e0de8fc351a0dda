"""Hand the notice of a night to a program of the user, for Apprise and others."""

import json
import os
import re
import subprocess

from pipeline.notices.night import Night

# Nothing else of the environment: passwords and keys have many names.
_GIVEN = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|XDG_\w+|DBUS_SESSION_BUS_ADDRESS"
    r"|SSL_CERT_(?:FILE|DIR)|NOTIFY_\w+"
)


def run(argv: tuple[str, ...], night: Night, seconds: float) -> str:
    """Run the program; it reads the text on its standard input.  Return what went wrong, or "".

    ``FOOTAGE_TITLE``, ``FOOTAGE_EXIT_CODE`` and ``FOOTAGE_COUNTS`` (JSON) are in its environment.
    Of the variables of this process it gets the usual ones without secrets, and those whose names
    begin with ``NOTIFY_``, which are for it.

    :param seconds: how long it may take; then it is ended.
    """
    environment = {name: value for name, value in os.environ.items() if _GIVEN.fullmatch(name)}
    environment.pop("NOTIFY_SOCKET", None)  # of systemd, for this program only
    environment["FOOTAGE_TITLE"] = night.title
    environment["FOOTAGE_EXIT_CODE"] = str(night.exit_code)
    environment["FOOTAGE_COUNTS"] = json.dumps(dict(night.counts))
    if seconds <= 0:
        return f"{argv[0]} was not run, because the run was stopped"
    try:
        done = subprocess.run(
            argv,
            input=night.text().encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{argv[0]} did not end within {seconds:.0f} s"
    except (OSError, ValueError) as error:
        return f"{argv[0]} could not be run ({type(error).__name__})"
    return f"{argv[0]} ended with {done.returncode}" if done.returncode else ""
