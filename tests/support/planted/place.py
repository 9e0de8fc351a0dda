"""An invented place, in every form that files write places in."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from random import Random

MAKE, MODEL, ARTIST, DATE = "Ember", "E-12 Test", "B. Volunteer", "2026:03:04 05:06:07"
SERIAL = "SN40817263"


@dataclass(frozen=True)
class Place:
    """Degrees with five decimals, and an invented name."""

    lat: float
    lon: float
    name: str

    @classmethod
    def number(cls, index: int) -> Place:
        """The place with this number: always the same, and different from all others."""
        random = Random(f"carrier {index}")
        lat = random.choice((-1, 1)) * random.randint(1_100_001, 6_899_999) / 1e5
        lon = random.choice((-1, 1)) * random.randint(1_100_001, 17_899_999) / 1e5
        parts = ("Bra", "Quo", "Vel", "Tor", "Dun", "Mir"), ("lun", "gast", "fors", "wick", "dal")
        return cls(lat, lon, "".join(random.choice(part) for part in parts) + f"{1000 + index}")

    @property
    def iso6709(self) -> str:
        return f"{self.lat:+09.5f}{self.lon:+010.5f}"

    @property
    def text(self) -> str:
        return f"filmed at {self.lat:.5f}, {self.lon:.5f} near {self.name}"

    @property
    def needles(self) -> list[str]:
        """What no output may contain: both numbers cut to four decimals, and the name."""
        short = sorted(f"{abs(value):.5f}"[:-1] for value in (self.lat, self.lon))
        return [self.iso6709, *short, self.name]

    def degrees(self, value: float) -> list[int]:
        """Degrees, minutes and seconds as EXIF's three fractions."""
        seconds = abs(value) * 3600
        return [
            *(int(seconds // 3600), 1, int(seconds % 3600 // 60), 1),
            *(round(seconds % 60 * 10000), 10000),
        ]

    def exif(self, *, entries: list[tuple[int, bytes]] | None = None, gps: bool = True) -> bytes:
        """A big-endian TIFF structure: make, model, artist, date, and the GPS directory."""
        texts = {0x010F: MAKE, 0x0110: MODEL, 0x0132: DATE, 0x013B: ARTIST}
        fields = [(tag, 2, value.encode() + b"\0") for tag, value in texts.items()]
        fields += [(tag, 7, value) for tag, value in entries or []]
        north, east = ("N" if self.lat > 0 else "S"), ("E" if self.lon > 0 else "W")
        position = [
            (1, 2, north.encode() + b"\0"),
            (2, 5, struct.pack(">6I", *self.degrees(self.lat))),
            (3, 2, east.encode() + b"\0"),
            (4, 5, struct.pack(">6I", *self.degrees(self.lon))),
        ]
        return tiff(fields, position if gps else None)

    @property
    def fractions(self) -> str:
        """The bytes of the latitude in EXIF, in hexadecimal digits."""
        return struct.pack(">6I", *self.degrees(self.lat)).hex()

    def xmp(self, more: str = "") -> bytes:
        """A packet with the position in EXIF's words (XMP part 2, 3.3) and the city."""
        lat = f"{int(abs(self.lat))},{abs(self.lat) % 1 * 60:.6f}{'N' if self.lat > 0 else 'S'}"
        lon = f"{int(abs(self.lon))},{abs(self.lon) % 1 * 60:.6f}{'E' if self.lon > 0 else 'W'}"
        return packet(
            f'exif:GPSLatitude="{lat}" exif:GPSLongitude="{lon}" photoshop:City="{self.name}"',
            f"<dc:description><rdf:Alt><rdf:li xml:lang='x-default'>{self.text}</rdf:li></rdf:Alt>"
            f"</dc:description>{more}",
        )

    def iptc(self) -> bytes:
        """Records of city, sub-location, by-line and caption (IPTC-IIM 4.2, 6)."""
        values = {90: self.name, 92: f"Dock at {self.name}", 80: ARTIST, 120: self.text}
        return b"".join(
            struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value.encode()
            for number, value in values.items()
        )

    def gpmf(self) -> bytes:
        """A GoPro payload with one GPS5 sample."""

        def item(key: bytes, kind: bytes, size: int, count: int, data: bytes) -> bytes:
            data += b"\0" * (-len(data) % 4)
            return key + kind + struct.pack(">BH", size, count) + data

        lat, lon = round(self.lat * 1e7), round(self.lon * 1e7)
        scale = item(b"SCAL", b"l", 4, 5, struct.pack(">5i", 10**7, 10**7, 1000, 1000, 100))
        fix = item(b"GPS5", b"l", 20, 1, struct.pack(">5i", lat, lon, 35000, 0, 0))
        stream = item(b"STNM", b"c", 1, len(self.name), self.name.encode()) + scale + fix
        inner = item(b"STRM", b"\0", 1, len(stream), stream)
        name = item(b"DVNM", b"c", 1, 6, b"HERO99")
        return item(b"DEVC", b"\0", 1, len(name + inner), name + inner)

    @property
    def sevenths(self) -> str:
        """The bytes of the position in units of 1e-7 degrees, in hexadecimal digits."""
        return struct.pack(">2i", round(self.lat * 1e7), round(self.lon * 1e7)).hex()

    @property
    def nmea(self) -> bytes:
        """An RMC sentence (NMEA 0183), with the name behind it."""
        lat = f"{int(abs(self.lat)):02d}{abs(self.lat) % 1 * 60:07.4f}"
        lon = f"{int(abs(self.lon)):03d}{abs(self.lon) % 1 * 60:07.4f}"
        hemispheres = ("N" if self.lat > 0 else "S"), ("E" if self.lon > 0 else "W")
        return (
            f"$GPRMC,050607,A,{lat},{hemispheres[0]},{lon},{hemispheres[1]},0,0,040326,,*00\r\n"
            f"{self.text}\r\n"
        ).encode()


def packet(attributes: str, elements: str = "") -> bytes:
    return (
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description "
        "xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/' "
        "xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' "
        "xmlns:Iptc4xmpExt='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' "
        "xmlns:GImage='http://ns.google.com/photos/1.0/image/' "
        f"xmlns:xmpNote='http://ns.adobe.com/xmp/note/' rdf:about='' {attributes}>{elements}"
        "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    ).encode()


def tiff(
    fields: list[tuple[int, int, bytes]],
    gps: list[tuple[int, int, bytes]] | None = None,
    base: int = 0,
    following: int = 0,
) -> bytes:
    """A big-endian TIFF structure: one directory, and one of GPS under it.

    :param base: the offset of the first directory from the header; 0: directly after it.
    """
    start = base or 8
    fields = sorted(fields + ([(0x8825, 4, b"\0\0\0\0")] if gps is not None else []))
    behind = start + 6 + 12 * len(fields)
    inner = directory(gps or [], behind)[0] if gps is not None else b""
    fields = [(t, k, struct.pack(">I", behind) if t == 0x8825 else v) for t, k, v in fields]
    main, values = directory(fields, start, behind + len(inner), following)
    head = b"" if base else b"MM\0*" + struct.pack(">I", start)
    return head + main + inner + values


def directory(
    fields: list[tuple[int, int, bytes]], at: int, values_at: int = 0, following: int = 0
) -> tuple[bytes, bytes]:
    """A directory at *at* and the values that do not fit into it; without *values_at* in one."""
    widths = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8, 12: 8}
    place = values_at or at + 6 + 12 * len(fields)
    rows, values = b"", b""
    for tag, kind, value in fields:
        rows += struct.pack(">HHI", tag, kind, len(value) // widths[kind])
        if len(value) <= 4:
            rows += value.ljust(4, b"\0")
        else:
            rows += struct.pack(">I", place + len(values))
            values += value + b"\0" * (len(value) & 1)
    main = struct.pack(">H", len(fields)) + rows + struct.pack(">I", following)
    return (main, values) if values_at else (main + values, b"")
