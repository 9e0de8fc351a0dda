from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from support.sample_footage import footage

if len(sys.argv) != 2:
    sys.exit("usage: python -m tests.support.sample_footage DIR")
footage.make(Path(sys.argv[1]))
