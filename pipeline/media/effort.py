"""How much work the pictures of one file may be.

A file of a megabyte can hold a film of huge pictures that differ in nothing, which keeps an encoder
busy for hours.  So work is counted in pixels of all pictures, before anything is encoded.  The
limit is that of an ordinary film: ``max_source_seconds`` long, in 4K, at 60 pictures a second.
"""

from pathlib import Path

from pipeline.carriers import BudgetSpent, Window
from pipeline.carriers.containers import jpeg
from pipeline.errors import Refused
from pipeline.formats import Format
from pipeline.media.probed import Picture
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_WIDTH, _HEIGHT, _RATE = 4096, 2304, 60  # every size that is called 4K
_LEAST_S = 300  # also where only shorter films are taken: a short film may be in 8K
_LEAST_PIXELS = 1 << 18  # however small a picture is, it costs as much as one of so many pixels
_SCANNED = 1 << 33  # pixels of all scans of a JPEG; a photo has up to 14 scans


def most_pixels(seconds: float) -> int:
    """Return how many pixels all pictures of a file may have.

    :param seconds: how long a film may be.
    """
    return int(max(seconds, _LEAST_S) * _RATE * _WIDTH * _HEIGHT)


def admit(picture: Picture, seconds: float) -> None:
    """Do nothing where the pictures of a file are no more work than a film may be.

    :param seconds: how long a film may be.
    :raises Refused: they are more: too-long.
    """
    pixels = max(picture.width * picture.height, _LEAST_PIXELS)
    if picture.packets * pixels > most_pixels(seconds):
        raise too_much(seconds)


def too_much(seconds: float) -> Refused:
    """Return the refusal of a file whose pictures are too much work.

    :param seconds: how long a film may be.
    """
    minutes = round(max(seconds, _LEAST_S) / 60)
    return Refused(Refusal(Reason.TOO_LONG, Detail.TOO_MANY_PIXELS, {"minutes": minutes}))


def admit_scans(path: Path, footage: Format) -> None:
    """Do nothing where a JPEG has no more scans than its size allows.

    Each scan of a progressive JPEG goes over the whole picture, also if it has only a few bytes.

    :raises Refused: it has more: unsafe.
    """
    if footage.name != "jpeg":
        return
    with path.open("rb") as file:
        window = Window.whole(file)
        try:
            width, height = jpeg.size(window) or (0, 0)
            allowed = _SCANNED // max(width * height, 1)
            scans = (each for each in jpeg.segments(window) if each.marker == jpeg.SOS)
            if any(number > allowed for number, _ in enumerate(scans, 1)):
                raise Refused(Refusal(Reason.UNSAFE, Detail.COSTLY_PICTURE))
        except BudgetSpent as error:
            raise Refused(Refusal(Reason.UNSAFE, Detail.COSTLY_PICTURE)) from error
