"""Small files that are made to keep the readers busy: seconds of CPU of each, and what is said.

    .venv/bin/python -m bench.readers [NAME…]

Prints one JSON object a file; exits 1 if one of them takes longer than 5 s.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from support.costly_files import FILES

from pipeline.carriers import find
from pipeline.formats import reader_of

_SECONDS = 5.0


def main() -> None:
    """Search all files, or those that are named."""
    slow = 0
    find(Path(__file__), reader_of)  # compiles the forms of places
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        for name in sys.argv[1:] or FILES:
            path.write_bytes(FILES[name]())
            before = time.process_time()
            found = find(path, reader_of)
            seconds = time.process_time() - before
            slow += seconds > _SECONDS
            said = [f"{each.carrier.value}: {each.what.value}" for each in found]
            size = path.stat().st_size
            row = {"file": name, "bytes": size, "cpu_s": round(seconds, 2), "found": said}
            print(json.dumps(row), flush=True)
    sys.exit(bool(slow))


if __name__ == "__main__":
    main()
