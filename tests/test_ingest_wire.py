"""The answers of the process that takes mails apart are not believed.

Each field of each record is exchanged for what it can't be.  What is not refused must be a record
of the right types, which the ledger stores and gives back.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pipeline.findings import Carrier, Finding, What
from pipeline.ingest import wire
from pipeline.ingest.faults import Untrue
from pipeline.ingest.take import Taken
from pipeline.ingest.wire import Answer
from pipeline.ledger import Ledger
from pipeline.ledger.intake import MailSums
from pipeline.model import Attachment, Kind, MailIdentity, Note, Reason, Refusal, Submission
from pipeline.texts import Detail

SHA = "0123456789abcdef" * 4
FINDING = Finding(Carrier.EXIF_POSITION, What.LOCATION)
TAKEN = Taken(
    Submission(
        *(
            "s0123456789ab",
            "<1@x>",
            "ana@example.org",
            "Clip",
            "Here it is",
            "2026-09-01T08:00:00Z",
        ),
        notes=(Note.HAS_A_LINK, Note.BOUNCE),
        recipients=("s@campaign.example",),
        name="Ana",
        links=("https://we.tl/t-x",),
        answers=("<0@x>",),
        through="list@example.org",
    ),
    (
        Attachment(0, "a.zip", Kind.ARCHIVE, SHA, 9),
        Attachment(1, "a.jpg", Kind.IMAGE, SHA[::-1], 9, parent=0, findings=(FINDING,), pair=2),
        Attachment(
            *(2, "a.mov", Kind.VIDEO, None, 0),
            refusal=Refusal(Reason.TOO_LARGE, Detail.TOO_LARGE, {"limit_mb": 2048}),
        ),
    ),
    digest=SHA,
    bytes=18,
)
ANSWERS: dict[str, Mapping[str, object]] = {
    "taken": wire.message_of(Answer(TAKEN, {SHA: ".incoming-1.part", SHA[::-1]: "x"})),
    "fault": wire.message_of(Answer(fault="MemoryError")),
    "full": wire.message_of(Answer(errno=28)),
}
WRONG: tuple[object, ...] = (
    *(None, True, -1, 0, 7, 1 << 62, 1 << 63, 1 << 70, 1.5, float("nan"), float("inf"), 1e400),
    *("", "x", "x" * 60_000, "\ud800", "a\0b", "[", "[1]", '["x"]', "[[1]]", '{"a": 1}', "null"),
    *('["\\ud800"]', "NaN", "[" * 2000, '[["EXIF position", "location", 1]]', '"x"'),
    *('{"limit_mb": "\\ud800"}', '{"limit_mb": [1]}', '{"limit_mb": 1e999}', "52.5200, 13.4050"),
    *(
        [],
        {},
        [1],
        [None],
        [[]],
        {"a": 1},
        ["x"] * 5000,
        [{}],
        {"x": {}},
        {SHA: SHA},
        {SHA: "../x"},
    ),
)


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from places(inner, (*path, at))


def exchanged(value: Any, path: tuple[Any, ...], new: object) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = exchanged(value[path[0]], path[1:], new)
    return copy


def mutations(message: Any) -> Iterator[object]:
    for path in places(message):
        for new in WRONG:
            yield exchanged(message, path, new)
        if path:
            outer = message
            for key in path[:-1]:
                outer = outer[key]
            smaller = outer.copy()
            del smaller[path[-1]]
            yield exchanged(message, path[:-1], smaller)
            if isinstance(outer, dict):
                yield exchanged(message, path[:-1], {**outer, "unknown": 1})
            else:
                yield exchanged(message, path[:-1], [*outer, outer[path[-1]]])


def is_storable(text: str) -> bool:
    return text.isascii() or text.encode("utf-8", "replace").decode() == text


def check(answer: Answer) -> None:
    """Whether an answer that was believed is a record of the right types."""
    assert type(answer.errno) is int
    assert isinstance(answer.fault, str)
    if answer.taken is None:
        return
    taken = answer.taken
    texts = [taken.digest, taken.error, *(answer.files or {}), *(answer.files or {}).values()]
    for field in fields(Submission):
        value = getattr(taken.submission, field.name)
        assert isinstance(value, str if "tuple" not in str(field.type) else tuple)
        texts += [value] if isinstance(value, str) else value
    assert all(isinstance(note, Note) for note in taken.submission.notes)
    for row in taken.attachments:
        assert isinstance(row.kind, Kind)
        assert row.refusal is None or isinstance(row.refusal.reason, Reason)
        assert all(isinstance(finding, Finding) for finding in row.findings)
        texts += [row.filename, row.sha256 or ""]
    assert all(isinstance(text, str) and is_storable(text) for text in texts)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_refused_or_is_a_record(name: str, tmp_path: Path) -> None:
    believed, refused = [], []
    for mutated in mutations(json.loads(json.dumps(ANSWERS[name]))):
        untrusted = json.loads(json.dumps(mutated))
        try:
            answer = wire.answer_of(untrusted)
        except Untrue as error:
            refused.append(str(error))
            continue
        check(answer)
        believed.append(answer)
    with Ledger(tmp_path / "ledger.db") as ledger:
        for number, answer in enumerate(believed):
            if answer.taken is not None:
                identity = MailIdentity("a", "b", 1, str(number))
                submission = Submission(**{**vars(answer.taken.submission), "id": f"s{number}"})
                ledger.intake.record_mail(
                    identity, MailSums(f"{number:064x}", SHA), submission, answer.taken.attachments
                )
        assert len(ledger.clips.rows()) == sum(
            len(answer.taken.attachments) for answer in believed if answer.taken
        )
    assert believed
    assert max(map(len, refused)) < 60  # a kind of error, and not the value


def test_bytes_on_the_wire_are_refused() -> None:
    """A length that is a lie, torn JSON, other bytes: each is an error that ends the process."""
    random, refused = Random(14), []
    data = json.dumps(ANSWERS["taken"]).encode()
    whole = len(data).to_bytes(4, "big") + data
    for number in range(1500):
        torn = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            torn[random.randrange(8 if number % 3 else len(torn))] = random.randrange(256)
        cut = bytes(torn[: random.randrange(len(torn))] if number % 2 else torn)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(cut)
            theirs.shutdown(socket.SHUT_WR)
            try:
                untrusted, descriptor = wire.receive(ours, 5)
                assert descriptor is None
                check(wire.answer_of(untrusted))
            except (EOFError, ValueError, RecursionError, Untrue) as error:
                refused.append(type(error))
    assert set(refused) >= {EOFError, Untrue, json.JSONDecodeError}


@pytest.mark.parametrize("nested", [b"[" * 100_000, b'{"a":' * 100_000])
def test_a_message_that_nests_too_deep_is_refused(nested: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
        theirs.sendall(len(nested).to_bytes(4, "big") + nested)
        with pytest.raises((ValueError, RecursionError)):
            wire.receive(ours, 5)
