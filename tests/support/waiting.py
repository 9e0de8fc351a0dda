"""How the tests wait, and how they start a program that they will stop with Ctrl-C."""

from __future__ import annotations

# A guard against hanging, for every wait in the tests: what is waited for comes much sooner, and
# a test never passes or fails by how long it took.
HANG_S = 120.0

# A shell that starts a job in the background, and nohup, may let it ignore SIGINT; its children
# inherit that.  What these words start gets the default back, so that SIGINT reaches it.
INTERRUPTIBLE = ("env", "--default-signal=INT")
