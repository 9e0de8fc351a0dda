"""Mutated files through everything that reads a stranger's bytes first: a bounded run.

    .venv/bin/python -m bench.fuzz [COUNT] [SEED]

Each input is a file of the corpus in which some bytes were flipped, removed, doubled or replaced
by bytes of another file.  It goes through ``identify``, the readers, and in their sandbox the probe
and the survey of films.
Each must give an answer or a refusal; any other exception is a fault of ours, and is printed with
the seed that makes the input again.  Prints one JSON object of counts; exits 1 if there were
faults.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from support.planted import corpus
from support.planted.place import Place

from pipeline.carriers import find
from pipeline.console import Console, Verbosity
from pipeline.errors import Refused
from pipeline.ffmpeg.faults import ProgramFault
from pipeline.ffmpeg.made import scratch
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.formats import reader_of
from pipeline.media.identify import identify
from pipeline.media.probe import probe
from pipeline.media.survey import FilmSource, survey
from pipeline.model import Kind


def mutated(files: list[bytes], random: Random) -> bytes:
    """One of *files* after one to eight changes."""
    data = bytearray(random.choice(files))
    for _ in range(random.randint(1, 8)):
        at = random.randrange(len(data))
        length = min(random.choice((1, 2, 4, 8, 64, 1024)), len(data) - at)
        kind = random.choice(("flip", "extreme", "cut", "double", "splice"))
        if kind == "flip":
            data[at] ^= 1 << random.randrange(8)
        elif kind == "extreme":
            data[at : at + min(length, 8)] = random.choice((b"\0", b"\xff", b"\x7f")) * length
        elif kind == "cut":
            del data[at : at + length]
        elif kind == "double":
            data[at:at] = data[at : at + length]
        else:
            other = random.choice(files)
            start = random.randrange(len(other))
            data[at : at + length] = other[start : start + length]
        data = data or bytearray(b"\0")
    return bytes(data)


def tried(path: Path, runner: FfmpegRunner) -> str:
    """What became of a file: the reason of its refusal, or "understood"."""
    identity = identify(path)
    find(path, reader_of)
    if identity.refusal is not None:
        return str(identity.refusal.reason.value)
    if identity.format is None:
        return "archive"
    try:
        seen = probe(runner, path, identity.format, 1800)
        if identity.kind is Kind.VIDEO:
            with scratch(path.parent) as place:
                survey(runner, FilmSource(path, seen, place, 1801))
    except (Refused, ProgramFault) as refused:
        return str(refused.refusal.reason.value)
    return "understood"


def run(count: int, seed: int) -> dict[str, Any]:
    files = [planted.plant(Place.number(index)) for index, planted in enumerate(corpus())]
    runner = FfmpegRunner("auto", Console(Verbosity.QUIET))
    ends: Counter[str] = Counter()
    faults, slowest = [], 0.0
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "mutated"
        for number in range(seed, seed + count):
            path.write_bytes(mutated(files, Random(number)))
            begun = time.monotonic()
            try:
                ends[tried(path, runner)] += 1
            except Exception:  # noqa: BLE001 - every one of them is what is looked for
                ends["fault"] += 1
                faults.append({"seed": number, "at": traceback.format_exc(limit=-1)})
            slowest = max(slowest, time.monotonic() - begun)
    return {"count": count, "ends": dict(ends), "slowest_s": round(slowest, 2), "faults": faults}


def main() -> None:
    words = [int(word) for word in sys.argv[1:3] if word.isdecimal()]
    result = run(*words, *(300, 0)[len(words) :])
    print(json.dumps(result, indent=1))
    if result["faults"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
