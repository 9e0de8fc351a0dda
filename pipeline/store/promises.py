"""Try whether a bucket keeps what the program relies on, before footage is given to it."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from pipeline.store.bucket import Bucket

_FIRST, _SECOND = b"the first", b"the second"


def broken(bucket: Bucket) -> tuple[str, ...]:
    """Try every promise with small objects of its own, which are deleted again.

    :returns: a sentence for each promise that the bucket breaks.
    :raises StoreError: it does not answer, or refuses the login.
    """
    bucket.begin()
    folder = f"trial/{uuid.uuid4().hex}/"
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "object"
        try:
            return (*_of_objects(bucket, f"{folder}object", file), *bucket.faults(folder))
        finally:
            for left in tuple(bucket.listed(folder)):
                bucket.delete(left.key)


def _of_objects(bucket: Bucket, key: str, file: Path) -> Iterator[str]:
    file.write_bytes(_FIRST)
    if not bucket.put(key, file) or bucket.size(key) != len(_FIRST):
        yield "an object can't be seen after it was written"
        return
    if bucket.read(key, 0, len(_FIRST)) != _FIRST or bucket.read(key, 4, 9) != _FIRST[4:9]:
        yield "it gives back other bytes than it was given, or a part of them is wrong"
    if not any(each.key == key for each in bucket.listed(key.rpartition("/")[0] + "/")):
        yield "its list does not have an object that was written just before"
    file.write_bytes(_SECOND)
    if bucket.put(key, file) or bucket.read(key, 0, len(_FIRST)) != _FIRST:
        yield "an object can be replaced by a request that asks for a new one only (put-if-absent)"
    bucket.delete(key)
    if bucket.size(key) is not None:
        yield "a deleted object is still there"
