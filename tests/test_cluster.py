"""Workers in processes of their own make the clips that threads make, and nothing is believed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image
from support.command_scene import CommandScene, begin, config, make
from support.waiting import still_running

OUTPUT = '[[output]]\nname = "wide"\nsize = "160x90"\nfps = 30\nquality = "draft"\n'
SETTINGS = "[process]\nstill_seconds = 0.3\n[review]\nrequired = false\n"


def files(folder: Path) -> dict[str, bytes]:
    film = make(
        folder,
        "film.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=160x120:r=15:d=1", "-f", "lavfi", "-i", "sine=d=1"),
        *("-preset", "ultrafast", "-c:a", "aac", "-metadata", "location=+48.2082+016.3738/"),
    )
    photo = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(photo, "PNG")
    broken = film[: len(film) // 3].replace(b"mdat", b"mdaT")
    return {"film.mp4": film, "photo.png": photo.getvalue(), "broken.mp4": broken}


def scene(folder: Path, given: dict[str, bytes], cluster: str = "") -> CommandScene:
    folder.mkdir()
    return begin(folder, {"a": given}, config(SETTINGS + cluster, outputs=OUTPUT))


def outcome(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    fields = ("status", "reason", "outputs", "warnings", "source", "metadata", "caption")
    return {name: [row[field] for field in fields] for name, row in rows.items()}


def test_workers_of_this_machine_make_the_same_clips(tmp_path: Path) -> None:
    given = files(tmp_path)
    one = scene(tmp_path / "one", given)
    two = scene(tmp_path / "two", given, '[cluster]\nscheduler = "local:2"\n')

    assert one.footage("run").code == 0
    said = two.footage("run")
    assert said.code == 0, said.err

    assert outcome(two.rows) == outcome(one.rows)
    assert {row["status"] for row in two.rows.values()} == {"accepted", "rejected"}
    programs = [event for event in two.programs() if event["purpose"] == "encode"]
    assert {event["worker"][:16] for event in programs} == {"tls://127.0.0.1:"}
    assert list(two.work.rglob("*.part")) == []
    assert still_running(two.folder) == []
