"""The codecs that clips and montages are encoded with, a module each.

All that depends on the codec is behind a ``Codec``.  A new codec is a new module and a line in
``CODECS``.
"""

from __future__ import annotations

from pipeline.codecs import h264
from pipeline.codecs.codec import Codec
from pipeline.config import Output

CODECS: dict[str, Codec] = {codec.name: codec for codec in (h264.CODEC,)}


def codec_of(_output: Output) -> Codec:
    """Return the codec of an output; there is one so far, so no key of ``[[output]]`` names it."""
    return h264.CODEC


__all__ = ["CODECS", "Codec", "codec_of"]
