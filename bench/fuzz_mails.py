"""Mutated mails, headers, winmail.dat and archives through the taking apart: a run of some minutes.

    .venv/bin/python -m bench.fuzz_mails [MINUTES] [TARGET] [SEED]

Each input is taken in as ``footage ingest`` does, from its bytes to its rows.  Wrong is: an error
that leaves the taker or that it names an internal one, more than 5 s of processor time, a row whose
SHA-256 is not that of the bytes on the disk, or encoded bytes of a file among the words.  Prints
one JSON object a target, with the seed of each fault; exits 1 if there were faults.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from support.bombs import BOMBS
from support.ingest_scene import jpeg, mail, mp4, raw
from test_ingest_archives import packed, winmail
from test_ingest_files_in_files import HOLD, in_winmail

from bench.fuzz import mutated
from pipeline import publishing
from pipeline.ingest.inbox import NewMail
from pipeline.ingest.originals import Originals
from pipeline.ingest.take import Opening, Taken, Taker
from pipeline.model import MailIdentity

_SECONDS = 5.0
_ENCODED = re.compile(
    r"(?=\w*[a-z])(?=\w*[A-Z])(?=\w*[0-9])(?<![\w+/])[A-Za-z0-9+/]{76,}|^M[ -`]{60}$", re.MULTILINE
)
_TOKENS = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"--", b"--=b", b"--=b--", b": ", b";", b'"', b"(", b"\\",
    b"Content-Type: ", b"Content-Transfer-Encoding: base64\r\n", b"Content-Disposition: attachment",
    b"multipart/mixed; boundary==b", b"message/rfc822", b"message/partial; id=a; number=1; total=2",
    b"text/html", b"charset=utf-7", b"charset=iso-2022-jp", b"=?utf-8?b?", b"?=", b"=?",
    b"filename*0*=",
    b"begin 644 a.jpg\n", b"end\n", b"=ybegin line=128 size=9 name=a\n", b"=yend",
    b"data:image/png;base64,",
    b"<a href=", b"cid:", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"From ", b"> ", b"=\r\n", b"=00",
    b"winmail.dat", b".eml", b"\x1b$B", "\u0301".encode() * 9, b"52.5, 13.4",
)  # fmt: skip


def _mails() -> list[bytes]:
    made = [mail(("a.jpg", jpeg(1)), ("b.mp4", mp4(2)), text="words").as_bytes()]
    made += [mail((name, data)).as_bytes() for name, data in HOLD.values()]
    made += [b"".join(bomb(min(count, 20))) for bomb, count in BOMBS.values()]
    made.append(raw("From: a@b.example\nSubject: s", b"Content-Type: text/plain\r\n\r\nwords"))
    return made


def _of_mail(random: Random, mails: list[bytes]) -> bytes:
    data = bytearray(mutated(mails, random))
    for _ in range(random.randint(0, 6)):
        at = random.randrange(len(data) + 1)
        data[at:at] = random.choice(_TOKENS)
    return bytes(data)


def _of_headers(random: Random, mails: list[bytes]) -> bytes:
    head, _, body = random.choice(mails).partition(b"\r\n\r\n")
    changed = _of_mail(random, [head])
    for _ in range(random.randint(0, 4)):
        at = random.randrange(len(changed) + 1)
        changed = changed[:at] + random.choice(_TOKENS) * random.randint(1, 300) + changed[at:]
    return changed + b"\r\n\r\n" + body


def _of_winmail(random: Random, _: list[bytes]) -> bytes:
    plain = winmail(("FOTO~1.JPG", "фото.jpg", jpeg(1)), ("a.mp4", "", mp4(2)))
    return mail(("winmail.dat", mutated([plain, in_winmail(plain)], random))).as_bytes()


def _of_archive(random: Random, _: list[bytes]) -> bytes:
    whole = [data for _, data in HOLD.values()] + [packed(("a.mp4", mp4(1)), ("b.jpg", jpeg(2)))]
    name = random.choice([name for name, _ in HOLD.values()])
    return mail((name, mutated(whole, random)), ("b.jpg", jpeg(3))).as_bytes()


TARGETS: dict[str, Callable[[Random, list[bytes]], bytes]] = {
    "mails": _of_mail,
    "headers": _of_headers,
    "winmail": _of_winmail,
    "archives": _of_archive,
}


def _problems(originals: Originals, taken: Taken) -> list[str]:
    found = [f"internal: {taken.error}"] if taken.error else []
    for row in taken.attachments:
        if row.sha256 is not None:
            path = originals.held.get(row.sha256)
            if path is None or publishing.sha256_of(path) != row.sha256:
                found.append("an original that is not what its row says")
        if row.refusal is not None and row.refusal.code == "unreadable-part":
            found.append("unreadable-part")
    said = taken.submission
    texts = (said.text, said.subject, said.name, *(row.filename for row in taken.attachments))
    found += ["encoded bytes among the words" for text in texts if _ENCODED.search(text)]
    return found


def run(target: str, minutes: float, seed: int) -> dict[str, Any]:
    """Try inputs of one target for so long."""
    mails = _mails()
    ends: Counter[str] = Counter()
    faults: list[dict[str, Any]] = []
    slowest, number = 0.0, seed
    stop = time.monotonic() + minutes * 60
    with tempfile.TemporaryDirectory() as place:
        originals = Originals(Path(place), 64)
        taker = Taker(originals, Opening())
        while time.monotonic() < stop:
            number += 1
            data = TARGETS[target](Random(number), mails)
            begun = time.process_time()
            try:
                with originals.spool() as file:
                    file.write(data)
                    identity = MailIdentity("a", "b", 1, str(number))
                    taken = taker.mail(NewMail(identity, len(data)), file)
                problems = _problems(originals, taken)
                ends["taken"] += 1
            except Exception:  # noqa: BLE001 - every one of them is what is looked for
                problems = [traceback.format_exc(limit=-3)]
                ends["error"] += 1
            finally:
                originals.forget()
            cost = time.process_time() - begun
            slowest = max(slowest, cost)
            if cost > _SECONDS:
                problems.append(f"{cost:.1f} s")
            for problem in problems:
                ends[problem.splitlines()[-1][:80]] += 1
                if len(faults) < 40:
                    faults.append({"seed": number, "what": problem})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {
        "target": target, "inputs": number - seed, "slowest_s": round(slowest, 2),
        "memory_mb": peak,
        "ends": dict(ends), "faults": faults,
    }  # fmt: skip


def main() -> None:
    """Run one target, or all of them for a minute each."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    targets = sys.argv[2:3] or list(TARGETS)
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    bad = False
    for target in targets:
        result = run(target, minutes, seed)
        print(json.dumps(result, indent=1), flush=True)
        bad = bad or bool(result["faults"])
    sys.exit(bad)


if __name__ == "__main__":
    main()
