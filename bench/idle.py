"""What a run costs when it has nothing to do: with a thousand finished clips, and with none.

.venv/bin/python -m bench.idle [CLIPS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from test_idle import finished

from bench._cpu import footage

_TIMES = 3


def main() -> None:
    clips = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("idle: the shortest of three runs")
    for count in (0, clips):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            finished(folder, count)
            cpu = min(footage(folder, "process").cpu for _ in range(_TIMES))
        print(f"  {count:5} finished clips: {cpu:5.2f} s CPU")


if __name__ == "__main__":
    main()
