from __future__ import annotations

import sys
from pathlib import Path

from . import build

if len(sys.argv) != 2:
    sys.exit("usage: python -m tests.support.planted DIR")
print(f"{len(build(Path(sys.argv[1])))} files with a place in each")  # noqa: T201 - a script
