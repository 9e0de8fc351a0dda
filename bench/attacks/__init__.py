"""Attacks from inside of the sandbox: what a taken-over decoder can reach.

    .venv/bin/python -m bench.attacks [ATTACK…]

A real `footage run` takes in a mail of photos.  In the place of the FFmpeg that encodes a photo
stands a program that makes attacks, and then becomes FFmpeg.  One photo is innocent, and must
become a clip.  This is done with each wall, as root and as an ordinary user, and as on kernels of
Landlock ABI 2, 3 and 4.  It is also done without a wall, as a control: an attack that reaches
nothing there proves nothing.  An attack has succeeded if it says so, or if there is an effect
outside.
Prints a table.  ``deputies`` is a bench of its own: what a program leaves for the run to stumble
over.  ``inside`` holds the attacks, ``surroundings`` what they try to reach.
"""

from collections.abc import Sequence


def main(names: Sequence[str] = ()) -> int:
    """Make all attacks, or those that are named, and print a table; 1 if a wall did not hold."""
    from bench.attacks import harness  # noqa: PLC0415 - the driver needs nothing of it

    return harness.main(names)
