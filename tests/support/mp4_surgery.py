"""Open an MP4, change one thing in it, and close it so that everything else is still correct.

Only for small files.  When a box or a sample grows, offsets of chunks and sizes are corrected,
so the planted change is the only fault.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_FIELDS = {
    **dict.fromkeys((b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl"), 0),
    b"dref": 8,
    b"stsd": 8,
    b"avc1": 78,
    b"mp4a": 28,
}


class Part:
    """A box that can be changed: its own bytes and the boxes inside it."""

    def __init__(self, kind: bytes, data: bytes = b"", inner: list[Part] | None = None) -> None:
        self.kind = kind
        self.data = data
        self.inner = inner or []

    @staticmethod
    def row(data: bytes, above: bytes = b"") -> list[Part]:
        parts = []
        at = 0
        while at < len(data):
            size, kind = struct.unpack_from(">I4s", data, at)
            body = data[at + 8 : at + size]
            fields = _FIELDS.get(kind)
            if (above, kind) == (b"stsd", b"alac"):
                fields = 28
            if fields is None:
                parts.append(Part(kind, body))
            else:
                parts.append(Part(kind, body[:fields], Part.row(body[fields:], kind)))
            at += size
        return parts

    def __bytes__(self) -> bytes:
        body = self.data + b"".join(map(bytes, self.inner))
        return struct.pack(">I4s", 8 + len(body), self.kind) + body

    def __getitem__(self, path: str) -> Part:
        """The first box at a path below; "trak:2" is the second box of that name."""
        name, _, rest = path.partition("/")
        kind, _, number = name.partition(":")
        same = [part for part in self.inner if part.kind == kind.encode("latin-1").ljust(4)]
        part = same[int(number or 1) - 1]
        return part[rest] if rest else part

    def put(self, at: int, form: str, *values: object) -> None:
        """Write fields over its own bytes."""
        size = struct.calcsize(form)
        self.data = self.data[:at] + struct.pack(form, *values) + self.data[at + size :]

    def get(self, form: str, at: int = 0) -> tuple[int, ...]:
        return struct.unpack_from(form, self.data, at)

    def walk(self, path: str = "") -> Iterator[tuple[str, Part]]:
        """All boxes below with their paths, same names numbered from the second on."""
        seen: dict[bytes, int] = {}
        for part in self.inner:
            seen[part.kind] = number = seen.get(part.kind, 0) + 1
            name = part.kind.decode("latin-1").strip() + (f":{number}" if number > 1 else "")
            yield f"{path}{name}", part
            yield from part.walk(f"{path}{name}/")


class Surgery(Part):
    """A whole file; ``moov`` stands before ``mdat``, as FFmpeg's faststart leaves it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(b"file", b"", Part.row(data))
        self.before = len(data) - len(self["mdat"].data)

    def close(self) -> bytes:
        """The file, its chunk offsets moved along with the media data."""
        at = b"".join(map(bytes, self.inner)).rindex(bytes(self["mdat"])) + 8
        shift = at - self.before
        for track in self.tracks:
            stco = track["mdia/minf/stbl/stco"]
            (count,) = stco.get(">I", 4)
            offsets = [offset + shift for offset in stco.get(f">{count}I", 8)]
            stco.put(8, f">{count}I", *offsets)
        self.before = at
        return b"".join(map(bytes, self.inner))

    @property
    def tracks(self) -> list[Part]:
        return [part for part in self["moov"].inner if part.kind == b"trak"]

    def samples(self, track: int) -> list[bytes]:
        """The samples of a track, counted from 1."""
        return [sample for _, owner, row in self._chunks() if owner == track - 1 for sample in row]

    def replace(self, track: int, number: int, sample: bytes) -> None:
        """Put another sample (counted from 0) of any size in the place of one, and lay out anew."""
        data = bytearray()
        sizes: dict[int, list[int]] = {}
        offsets: dict[int, list[int]] = {}
        for _, owner, row in self._chunks():
            offsets.setdefault(owner, []).append(self.before + len(data))
            for old in row:
                mine = sizes.setdefault(owner, [])
                new = sample if (owner, len(mine)) == (track - 1, number) else old
                mine.append(len(new))
                data += new
        self["mdat"].data = bytes(data)
        for owner, part in enumerate(self.tracks):
            stbl = part["mdia/minf/stbl"]
            count = len(sizes[owner])
            stbl["stsz"].data = struct.pack(f">III{count}I", 0, 0, count, *sizes[owner])
            stbl["stco"].put(8, f">{len(offsets[owner])}I", *offsets[owner])

    def _chunks(self) -> list[tuple[int, int, list[bytes]]]:
        """Offset, track and samples of each chunk, in the order of the file."""
        chunks = []
        for owner, part in enumerate(self.tracks):
            stbl = part["mdia/minf/stbl"]
            _, size, count = stbl["stsz"].get(">III")
            sizes = [size] * count if size else list(stbl["stsz"].get(f">{count}I", 12))
            (many,) = stbl["stco"].get(">I", 4)
            offsets = stbl["stco"].get(f">{many}I", 8)
            (rows,) = stbl["stsc"].get(">I", 4)
            flat = stbl["stsc"].get(f">{3 * rows}I", 8)
            counts = dict(zip(flat[::3], flat[1::3], strict=True))
            each = 0
            for index, offset in enumerate(offsets, 1):
                each = counts.get(index, each)
                at = offset - self.before
                row = []
                for length in sizes[:each]:
                    row.append(self["mdat"].data[at : at + length])
                    at += length
                del sizes[:each]
                chunks.append((offset, owner, row))
        return sorted(chunks)
