"""The command ``footage``, also called as ``python -m pipeline``."""

import os
import signal

# Whatever the program makes is for its user alone, also where no mode is given.
os.umask(0o077)

# Ctrl-C waits while the modules are loaded and while Python ends: only in between can the program
# say how it ended.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])

from pipeline.cli import main  # noqa: E402 - after the line above

if __name__ == "__main__":
    main()
