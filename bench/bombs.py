"""Mails that are made to cost much: seconds and memory of each, and what became of its neighbour.

    .venv/bin/python -m bench.bombs [NAME]

Each lies in an inbox with an ordinary mail behind it.  ``footage ingest`` takes both.  Prints one
JSON object a bomb; exits 1 if an ordinary mail did not come in, a bomb has no row of its own, a
temporary file is left, or a bomb costs more than 60 s or 1.3 GB.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from support.bombs import BOMBS
from support.ingest_scene import IngestScene, jpeg, mail, sha
from support.resource_use import taken

from pipeline.ledger import Ledger

_SECONDS, _MEMORY = 60, 1.3e9


def run(name: str) -> dict[str, Any]:
    bomb, count = BOMBS[name]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        inbox = folder / "mails"
        inbox.mkdir()
        with (inbox / "1.eml").open("wb") as file:
            file.writelines(bomb(count))
            size = file.tell()
        (inbox / "2.eml").write_bytes(mail(("a.jpg", jpeg())).as_bytes())
        scene = IngestScene.at(folder, "eml:mails")
        config = str(folder / "config.toml")
        done = taken([sys.executable, "-m", "pipeline", "-q", "ingest", "--config", config])
        with Ledger(scene.workspace.ledger) as ledger:
            mails = ledger.intake.submissions()
            rows = ledger.clips.rows()
        left = [path.name for path in scene.workspace.root.rglob("*.part")]
    own = [mail for mail in mails if "b@example.org" in mail.sender]
    of_bomb = [row for row in rows if row.attachment.sha256 != sha(jpeg())]
    return {
        "bomb": name,
        "mail_mb": round(size / 1e6, 2),
        "exit": done.code,
        "wall_s": round(done.wall_s, 2),
        "memory_mb": round(done.memory / 1e6),
        "recorded": len(mails) == 2 and bool(own),
        "rows": len(of_bomb),
        "notes": sorted(own[0].notes) if own else [],
        "reasons": sorted({row.refusal.code for row in of_bomb if row.refusal}),
        "neighbour": sha(jpeg()) in {row.attachment.sha256 for row in rows},
        "left": left,
        "said": done.err[-200:],
    }


def main() -> None:
    """Run all bombs, or the one that is named."""
    bad = 0
    for name in sys.argv[1:] or BOMBS:
        result = run(name)
        good = result["neighbour"] and result["recorded"] and not result["left"]
        good = good and result["exit"] == 0 and result["wall_s"] < _SECONDS
        good = good and result["memory_mb"] * 1e6 < _MEMORY
        bad += not good
        print(json.dumps(result | {"good": good}), flush=True)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
