"""For each entry of the judge's allow-list: a change that breaks it, and its name."""

from __future__ import annotations

import struct
from collections.abc import Callable

from support.mp4_surgery import Part, Surgery

_STBL = "moov/trak/mdia/minf/stbl"
_STSD = f"{_STBL}/stsd"
_AAC = "moov/trak:2/mdia/minf/stbl"
_ALAC = "moov/trak:3/mdia/minf/stbl"
SECRET = b"+52.5200+013.4050/"


def unit(nal: bytes) -> bytes:
    return struct.pack(">I", len(nal)) + nal


def at(path: str, change: Callable[[Part], None]) -> Callable[[Surgery], None]:
    return lambda file: change(file[path])


def put(path: str, offset: int, form: str, *values: object) -> Callable[[Surgery], None]:
    return lambda file: file[path].put(offset, form, *values)


def own(path: str, data: bytes) -> Callable[[Surgery], None]:
    def change(file: Surgery) -> None:
        file[path].data = data

    return change


def add(path: str, part: Part, place: int = 99) -> Callable[[Surgery], None]:
    def change(file: Surgery) -> None:
        (file[path] if path else file).inner.insert(place, part)

    return change


def sample(track: int, number: int, change: Callable[[bytes], bytes]) -> Callable[[Surgery], None]:
    return lambda file: file.replace(track, number, change(file.samples(track)[number]))


def before(nal: bytes) -> Callable[[Surgery], None]:
    return sample(1, 3, lambda old: unit(nal) + old)


def after(nal: bytes) -> Callable[[Surgery], None]:
    return sample(1, 3, lambda old: old + unit(nal))


def media(change: Callable[[bytes], bytes], shift: int = 0) -> Callable[[Surgery], None]:
    def apply(file: Surgery) -> None:
        file["mdat"].data = change(file["mdat"].data)
        file.before -= shift

    return apply


def sets(change: Callable[[bytes, bytes], bytes]) -> Callable[[Surgery], None]:
    """Put another avcC in place, made of the head with the SPS, and the rest from the PPS on."""

    def apply(file: Surgery) -> None:
        part = file[f"{_STSD}/avc1/avcC"]
        end = 8 + part.data[7]
        part.data = change(part.data[:end], part.data[end:])

    return apply


PLANTS: dict[str, tuple[Callable[[Surgery], None], str]] = {
    "bytes in free": (own("free", bytes(8)), "free is not empty"),
    "a second free": (add("", Part(b"free")), "more than one box free"),
    "uuid behind the file": (add("", Part(b"uuid", bytes(16) + SECRET)), "a box uuid in the file"),
    "meta behind the file": (add("", Part(b"meta", bytes(4))), "a box meta in the file"),
    "a fragment": (add("", Part(b"moof")), "a box moof in the file"),
    "a second mdat": (add("", Part(b"mdat", SECRET)), "more than one box mdat"),
    "a second moov": (add("", Part(b"moov")), "more than one box moov"),
    "a box with a strange type": (add("", Part(b"\0\1\2\3")), "a box 0x00010203"),
    "something before ftyp": (add("", Part(b"free"), 0), "does not begin with ftyp|more than one"),
    "another brand": (put("ftyp", 8, ">4s", b"qt  "), "brands"),
    "a brand twice": (put("ftyp", 8, ">4s4s", b"isom", b"isom"), "brands"),
    "another version of the brand": (put("ftyp", 4, ">I", 20260901), "brands"),
    "mvhd created": (put("moov/mvhd", 4, ">I", 3_800_000_000), "a date in mvhd"),
    "mvhd modified": (put("moov/mvhd", 8, ">I", 1), "a date in mvhd"),
    "mvhd reserved": (put("moov/mvhd", 26, ">H", 1), "values in mvhd"),
    "mvhd matrix": (put("moov/mvhd", 36, ">I", 0x20000), "values in mvhd"),
    "mvhd preview": (put("moov/mvhd", 72, ">I", 7), "values in mvhd"),
    "mvhd duration": (put("moov/mvhd", 16, ">I", 7), "another duration in mvhd"),
    "tkhd created": (put("moov/trak/tkhd", 4, ">I", 1), "a date in tkhd"),
    "tkhd modified": (put("moov/trak:3/tkhd", 8, ">I", 1), "a date in tkhd"),
    "tkhd reserved": (put("moov/trak/tkhd", 16, ">I", 1), "values in tkhd"),
    "tkhd number": (put("moov/trak/tkhd", 12, ">I", 9), "track number"),
    "tkhd matrix": (put("moov/trak/tkhd", 40, ">ii", 0, 0x10000), "values in tkhd"),
    "tkhd width": (put("moov/trak/tkhd", 76, ">I", 65 << 16), "values in tkhd"),
    "tkhd flags": (put("moov/trak/tkhd", 0, ">I", 7), "values in tkhd"),
    "tkhd layer": (put("moov/trak:2/tkhd", 32, ">H", 1), "values in tkhd"),
    "mdhd created": (put("moov/trak/mdia/mdhd", 4, ">I", 1), "a date in mdhd"),
    "mdhd modified": (put("moov/trak:2/mdia/mdhd", 8, ">I", 1), "a date in mdhd"),
    "mdhd language": (put("moov/trak:2/mdia/mdhd", 20, ">H", 0x10B5), "a language"),
    "mdhd flags": (put("moov/trak:2/mdia/mdhd", 0, ">I", 1), "values in mdhd"),
    "mdhd duration": (put("moov/trak/mdia/mdhd", 16, ">I", 20001), "duration in mdhd"),
    "sound of another duration": (put("moov/trak:2/mdia/mdhd", 16, ">I", 5), "duration in mdhd"),
    "handler name": (
        at("moov/trak/mdia/hdlr", lambda hdlr: hdlr.put(24, ">12s", b"Anna's phone")),
        "handler name",
    ),
    "handler vendor": (put("moov/trak/mdia/hdlr", 12, ">4s", b"appl"), "handler name"),
    "bytes after the handler name": (
        at("moov/trak/mdia/hdlr", lambda hdlr: hdlr.put(37, ">4s", b"52.5")),
        "handler name",
    ),
    "a text track": (put("moov/trak:3/mdia/hdlr", 8, ">4s", b"text"), "neither picture nor sound"),
    "a sound called picture": (
        own("moov/trak:3/mdia/hdlr", bytes(8) + b"vide" + bytes(12) + b"VideoHandler\0"),
        "not its handler's|no box moov/trak/mdia/minf/vmhd",
    ),
    "vmhd mode": (put("moov/trak/mdia/minf/vmhd", 4, ">H", 1), "values in vmhd"),
    "smhd balance": (put("moov/trak:2/mdia/minf/smhd", 4, ">H", 1), "values in smhd"),
    "smhd beside vmhd": (add("moov/trak/mdia/minf", Part(b"smhd", bytes(8))), "a box smhd"),
    "a reference outside": (
        own("moov/trak/mdia/minf/dinf/dref/url", bytes(4) + b"http://127.0.0.1/\0"),
        "another file",
    ),
    "a second reference": (
        put("moov/trak/mdia/minf/dinf/dref", 4, ">I", 2),
        "values in dref",
    ),
    "elst with a wait": (put("moov/trak/edts/elst", 12, ">i", -1), "a wait"),
    "elst that hides frames": (put("moov/trak/edts/elst", 12, ">i", 4000), "hides frames"),
    "elst that hides sound": (put("moov/trak:3/edts/elst", 12, ">i", 1024), "hides sound"),
    "elst that is faster": (put("moov/trak/edts/elst", 16, ">h", 2), "change of speed"),
    "elst that is shorter": (put("moov/trak:2/edts/elst", 8, ">I", 31000), "not as long|differ"),
    "elst of two entries": (
        own("moov/trak/edts/elst", struct.pack(">IIIiIIiI", 0, 2, 1, 2000, 65536, 9, 0, 65536)),
        "more than one entry",
    ),
    "elst flags": (put("moov/trak/edts/elst", 0, ">I", 1), "values in elst"),
    "two sample entries": (put(_STSD, 4, ">I", 2), "sample entries"),
    "avc1 compressor": (put(f"{_STSD}/avc1", 42, ">B8s", 8, b"+52+013/"), "compressor name"),
    "avc1 after the compressor": (put(f"{_STSD}/avc1", 60, ">4s", b"52.5"), "values in avc1"),
    "avc1 reserved": (put(f"{_STSD}/avc1", 16, ">I", 1), "values in avc1"),
    "avc1 reference": (put(f"{_STSD}/avc1", 6, ">H", 2), "data reference in avc1"),
    "avc1 width": (put(f"{_STSD}/avc1", 24, ">H", 66), "values in tkhd"),
    "a colour profile": (own(f"{_STSD}/avc1/colr", b"prof" + bytes(128)), "colour description"),
    "colours of another kind": (put(f"{_STSD}/avc1/colr", 4, ">H", 9), "colour description"),
    "long pixels": (put(f"{_STSD}/avc1/pasp", 0, ">I", 2), "not square"),
    "a bit rate": (put(f"{_STSD}/avc1/btrt", 4, ">I", 52520013), "a bit rate"),
    "a buffer size": (put(f"{_STSD}/avc1/btrt", 0, ">I", 5252), "a buffer size"),
    "a second SPS": (
        sets(lambda head, rest: head[:5] + b"\xe2" + head[6:] + head[6:] + rest),
        "more than one parameter set|avcC",
    ),
    "a second PPS": (
        sets(lambda head, rest: head + b"\2" + rest[1:-4] + rest[1:-4] + rest[-4:]),
        "more than one parameter set",
    ),
    "bytes after the PPS": (sets(lambda head, rest: head + rest + SECRET), "bytes after"),
    "an SPS extension": (
        sets(lambda head, rest: head + rest[:-1] + b"\1\0\2\x6d\0"),
        "bytes after",
    ),
    "an SPS that is none": (sets(lambda head, rest: head[:8] + b"\x06" + head[9:] + rest), "none"),
    "a long PPS": (
        sets(lambda head, rest: head + b"\1\0\x50\x68" + bytes(79) + rest[-4:]),
        "that are none",
    ),
    "another level in avcC": (
        sets(lambda head, rest: head[:3] + b"\x33" + head[4:] + rest),
        "not its parameter sets'",
    ),
    "avcC cut off": (own(f"{_STSD}/avc1/avcC", b"\1\x64\0\x0b\xff\xe1\0\x1d"), "cut off"),
    "esds object type": (put(f"{_AAC}/stsd/mp4a/esds", 17, ">B", 0x6B), "values in esds"),
    "esds rate": (put(f"{_AAC}/stsd/mp4a/esds", 26, ">I", 52520013), "a bit rate"),
    "esds setup": (put(f"{_AAC}/stsd/mp4a/esds", 35, ">B", 0x0A), "values in esds"),
    "esds stream": (put(f"{_AAC}/stsd/mp4a/esds", 9, ">H", 7), "values in esds"),
    "a descriptor more": (
        at(
            f"{_AAC}/stsd/mp4a/esds", lambda esds: esds.put(len(esds.data), ">BB2s", 0x13, 2, b"52")
        ),
        "values in esds",
    ),
    "mp4a reserved": (put(f"{_AAC}/stsd/mp4a", 8, ">I", 1), "values in mp4a"),
    "ALAC compatible version": (put(f"{_ALAC}/stsd/alac/alac", 8, ">B", 1), "ALAC cookie"),
    "ALAC frame size": (put(f"{_ALAC}/stsd/alac/alac", 16, ">I", 52520), "ALAC cookie"),
    "a sample group": (put(f"{_AAC}/sgpd", 4, ">4s", b"seig"), "a sample group"),
    "a sample group of some": (put(f"{_AAC}/sbgp", 12, ">I", 2), "a sample group"),
    "a group on the picture": (add(_STBL, Part(b"sgpd", bytes(12))), "a sample group"),
    "uneven frames": (
        own(f"{_STBL}/stts", struct.pack(">IIIIII", 0, 2, 10, 1000, 10, 1001)),
        "uneven",
    ),
    "a frame shown late": (put(f"{_STBL}/ctts", 12, ">I", 2500), "uneven"),
    "two frames at once": (put(f"{_STBL}/ctts", 12, ">I", 3000), "uneven"),
    "uneven sound": (
        own(f"{_ALAC}/stts", struct.pack(">IIIIIIII", 0, 3, 1, 4000, 6, 4096, 1, 3424)),
        "uneven",
    ),
    "a row of no samples": (
        own(f"{_STBL}/stts", struct.pack(">IIIIII", 0, 2, 20, 1000, 0, 52520013)),
        "stts counts",
    ),
    "times for other samples": (put(f"{_STBL}/stts", 8, ">I", 21), "stts counts"),
    "a sync sample that is none": (put(f"{_STBL}/stss", 12, ">I", 8), "key frames"),
    "a sync sample beyond": (put(f"{_STBL}/stss", 16, ">I", 99), "stss names"),
    "an empty sample": (sample(3, 2, lambda _: b""), "an empty sample"),
    "chunks beyond": (put(f"{_STBL}/stsc", 8, ">I", 2), "stsc names"),
    "another description": (put(f"{_STBL}/stsc", 16, ">I", 2), "stsc names"),
    "other counts": (put(f"{_STBL}/stsc", 12, ">I", 9), "stsc counts"),
    "both chunk tables": (add(_STBL, Part(b"co64", bytes(8))), "chunk tables"),
    "bytes behind the samples": (media(lambda data: data + SECRET), "belong to no sample"),
    "bytes before the samples": (
        media(lambda data: SECRET + data, shift=len(SECRET)),
        "belong to no sample",
    ),
    "samples of another track": (
        lambda file: file[f"{_ALAC}/stco"].put(8, ">I", file[f"{_STBL}/stco"].get(">I", 8)[0]),
        "overlap",
    ),
    "samples outside": (put(f"{_ALAC}/stco", 8, ">I", 0x7FFF0000), "outside of it"),
    "an SEI message": (before(b"\x06\x05\x04\x52\x52\x52\x52\x80"), r"an SEI message .*type 6"),
    "an SEI message behind": (after(b"\x06\x05\x04\x52\x52\x52\x52\x80"), "an SEI message"),
    "filler": (after(b"\x0c" + SECRET + b"\x80"), "filler data"),
    "an unknown unit": (before(b"\x18" + SECRET), "an unknown NAL unit .*type 24"),
    "a data partition": (after(b"\x22" + SECRET), "a data partition"),
    "an auxiliary picture": (after(b"\x33" + SECRET), "an auxiliary picture"),
    "the end of the stream": (after(b"\x0b\x0b"), "an end of stream"),
    "another SPS": (before(b"\x67\x64" + SECRET), "parameter set that is not the header's"),
    "a parameter set behind the picture": (
        lambda file: after(file[f"{_STSD}/avc1/avcC"].data[8:37])(file),
        "parameter set that is not the header's",
    ),
    "a full delimiter": (before(b"\x09\x10" + SECRET), "delimiter with something"),
    "a delimiter with bits in it": (before(b"\x09\x15"), "delimiter with something"),
    "a delimiter behind": (after(b"\x09\x10"), "delimiter with something"),
    "a second picture": (sample(1, 3, lambda old: old + old), "more than one picture"),
    "a rest of a picture": (sample(1, 3, lambda old: unit(old[4:5] + b"\x7f")), "more than one"),
    "no picture": (sample(1, 3, lambda _: unit(b"\x09\x10")), "without a picture"),
    "a key frame more": (sample(1, 3, lambda old: old[:4] + b"\x65" + old[5:]), "key frames"),
    "a key frame less": (sample(1, 0, lambda old: old[:4] + b"\x41" + old[5:]), "key frames"),
    "a forbidden bit": (sample(1, 3, lambda old: old[:4] + b"\xc1" + old[5:]), "key frames"),
    "a unit too long": (sample(1, 3, lambda old: b"\0\1\0\0" + old[4:]), "impossible size"),
    "an empty unit": (after(b""), "not a NAL unit|impossible size"),
    "bytes behind the unit": (sample(1, 3, lambda old: old + b"52.5"), "not a NAL unit"),
    "more bytes behind the unit": (sample(1, 3, lambda old: old + SECRET), "impossible size"),
    "a text element in AAC": (
        sample(2, 3, lambda old: b"\x80\x12" + SECRET + old),
        "at the start",
    ),
    "a fill element in AAC": (sample(2, 3, lambda old: b"\xde\x04" + old), "at the start"),
    "a lone channel": (sample(2, 3, lambda old: b"\0" + old), "at the start"),
    "bytes behind AAC": (sample(2, 3, lambda old: old + b"52.5"), "bytes after the sound in aac"),
    "noughts behind AAC": (sample(2, 3, lambda old: old + b"\0"), "bytes after the sound in aac"),
    "a text element in ALAC": (sample(3, 3, lambda old: b"\x80\x12" + old), "at the start of alac"),
    "bits in ALAC's head": (
        sample(3, 3, lambda old: b"\x20\x20" + old[2:]),
        "at the start of alac",
    ),
    "bytes behind ALAC": (sample(3, 3, lambda old: old + b"52.5"), "bytes after the sound in alac"),
}
