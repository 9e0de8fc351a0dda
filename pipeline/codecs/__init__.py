"""The codecs that clips and montages are encoded with, a module each.

Everything that depends on the codec is in a ``Codec``.  To add one, write a module and add it to
``CODECS``.
"""

from pipeline.codecs import h264
from pipeline.codecs.codec import Arguments, Codec
from pipeline.config import Output

CODECS: dict[str, Codec] = {codec.name: codec for codec in (h264.CODEC,)}
_DEFAULT = "h264"


def codec_of(_output: Output) -> Codec:
    """Return the codec of an output; there is one so far, so no key of ``[[output]]`` names it."""
    return CODECS[_DEFAULT]


__all__ = ["CODECS", "Arguments", "Codec", "codec_of"]
