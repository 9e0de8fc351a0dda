"""All attacks; the place where the program begins."""

import sys

from . import ATTACKS, files, kernel, main, processes, resources

__all__ = ["ATTACKS", "files", "kernel", "processes", "resources"]


def start() -> None:
    """Begin: the attack's name, the world, and the command to become are the arguments."""
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
