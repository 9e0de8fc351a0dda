"""The words of a mail as Outlook stores them: compressed RTF (MS-OXRTFCP), which may wrap HTML."""

import re

from pipeline.ingest.charsets import decoded

_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_SIZE = 4096
_HEADER = 16  # bytes: sizes, kind, checksum
_MOST = 1 << 19  # bytes that are unpacked
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}\r\n]+)", re.DOTALL
)
_SILENT = frozenset((b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"generator"))
_BREAKS = frozenset((b"par", b"line"))


def unpacked(data: bytes) -> bytes:
    """Decompress RTF (MS-OXRTFCP, 2.2); as much of it as can be read."""
    if data[8:12] != b"LZFu":
        return data[_HEADER : _HEADER + _MOST]
    out = bytearray(_DICTIONARY)
    begin, position = len(out), _HEADER
    while position < len(data) and len(out) < _MOST:
        control, position = data[position], position + 1
        for bit in range(8):
            if not control >> bit & 1:
                out += data[position : position + 1]
                position += 1
                continue
            token = int.from_bytes(data[position : position + 2], "big")
            position += 2
            back = (len(out) - (token >> 4)) % _SIZE
            if position > len(data) or back == 0 or back > len(out):
                return bytes(out[begin:])
            for _ in range((token & 15) + 2):
                out.append(out[-back])
    return bytes(out[begin:])


def words(data: bytes) -> tuple[str, bool]:
    """The words of compressed RTF, and whether they are HTML (MS-OXRTFEX, 2.1.3)."""
    text = unpacked(data)
    out: list[bytes] = []
    groups: list[bool] = []  # whether each open group is silent
    silent = hidden = False
    is_html = b"\\fromhtml" in text[:1000]
    for word, number, code, symbol, brace, plain in _TOKEN.findall(text):
        if brace == b"{":
            groups.append(silent)
        elif brace:
            silent = groups.pop() if groups else False
        elif word == b"htmlrtf":
            hidden = number != b"0"
        elif word == b"htmltag":
            silent = False
        elif word in _SILENT or symbol == b"*":
            silent = True
        elif not silent and not hidden:
            out.append(_shown(word, number, code, symbol) or plain)
    charset = re.search(rb"\\ansicpg(\d{3,5})", text[:1000])
    codepage = f"cp{charset[1].decode()}" if charset else "cp1252"
    pieces = re.split(rb"\0u(\d{1,5});", b"".join(out))
    return "".join(
        chr(int(piece)) if at % 2 else decoded(piece, codepage) for at, piece in enumerate(pieces)
    ), is_html


def _shown(word: bytes, number: bytes, code: bytes, symbol: bytes) -> bytes:
    """What a control word or symbol shows; a letter by its number is marked with a NUL."""
    if word in _BREAKS:
        return b"\n"
    if word == b"tab":
        return b" "
    if word == b"u" and number:
        letter = int(number) % 0x10000
        return b"" if 0xD800 <= letter < 0xE000 else b"\0u%d;" % letter
    if code:
        return bytes([int(code, 16)])
    return symbol if symbol in (b"\\", b"{", b"}") else b""
