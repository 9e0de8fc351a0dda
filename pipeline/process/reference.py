"""The decoder configuration that all clips of an output must have, so that they join by copy."""

from collections.abc import Iterable

from pipeline import judge
from pipeline.codecs import codec_of
from pipeline.config import Output
from pipeline.ffmpeg import made
from pipeline.ffmpeg.graph import Graph, read, write
from pipeline.media import encode
from pipeline.run import Run


def decoder_configurations(run: Run, outputs: Iterable[Output]) -> dict[str, str]:
    """Return the decoder configuration of each output (SHA-256), by the output's name.

    It depends only on the encoder's options, so one black picture tells it.  It is never taken
    from a clip: an unusual first clip would then decide for all others.

    :raises StageError: FFmpeg failed, or was ended from outside twice.
    """
    with made.scratch(run.workspace.cache) as scratch:
        found = {}
        for output in outputs:
            part = scratch.new(output.name, encode.most_bytes(output, 1))
            codec = codec_of(output)
            black = read(f"color=c=black:s={output.size}:r={output.fps}", {"f": "lavfi"})
            picture = black.video("0").filter("trim", end_frame=1).filter("format", "yuv420p")
            picture = encode.labelled(picture.filter("setsar", 1))
            graph = Graph((write(part.path, codec.arguments(output) | encode.CLEAN, picture),))
            run.ffmpeg.make("reference", graph, writes=(part,), seconds=120)
            found[output.name] = codec.judge(part.file, judge.Mp4Kind.PIECE).video.extradata
        return found
