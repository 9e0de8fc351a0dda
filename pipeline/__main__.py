"""The command ``footage``, also called as ``python -m pipeline``."""

import os
import signal

# Whatever the program makes is for its user alone, also where no mode is given.
os.umask(0o077)

# SIGTERM, which systemd and shutdown send, ends the program as Ctrl-C does.
if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
    signal.signal(signal.SIGTERM, signal.default_int_handler)

# Both wait while the modules are loaded, because the program can't say yet how it ended.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])

from pipeline.cli import main  # noqa: E402 - after the line above

if __name__ == "__main__":
    main()
