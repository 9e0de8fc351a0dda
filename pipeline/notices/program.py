"""Hand the notice of a night to a program of the user, for Apprise and others."""

import json
import os
import subprocess
from collections.abc import Collection

from pipeline.notices.night import Night

_TIMEOUT_S = 60.0


def run(
    argv: tuple[str, ...],
    night: Night,
    secrets: Collection[str],
    seconds: float = _TIMEOUT_S,
) -> str:
    """Run the program; it reads the text on its standard input.  Return what went wrong, or "".

    ``FOOTAGE_TITLE``, ``FOOTAGE_EXIT_CODE`` and ``FOOTAGE_COUNTS`` (JSON) are in its environment.

    :param secrets: names of variables that it does not get.
    :param seconds: how long it may take; then it is ended.
    """
    environment = {name: value for name, value in os.environ.items() if name not in secrets}
    environment.pop("CREDENTIALS_DIRECTORY", None)
    environment["FOOTAGE_TITLE"] = night.title
    environment["FOOTAGE_EXIT_CODE"] = str(night.exit_code)
    environment["FOOTAGE_COUNTS"] = json.dumps(dict(night.counts))
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
