"""The versions of everything that makes files which are kept: part of the keys they are kept under.

Raise a version whenever the same input would give other bytes.  Whatever was made under an older
version is then made again.  ``tests/test_versions.py`` fails when an output changes and its version
does not.
"""

from typing import Final

CLIP: Final = 5  # findings, warnings, and the order of work in process
CLIP_GRAPH: Final = 1  # the filters of all clips
FILM: Final = 3  # what is decided and done for films only
PHOTO: Final = 3  # the same for photos and animations
ENCODING: Final = 1  # the options of the encoders
CAPTION: Final = 2  # the pixels of a caption strip
COLOURS: Final = 2  # the values of a colour table
HIDING: Final = 4  # how masks and changes of the sound are applied
CARD: Final = 3
SEAM: Final = 3
MONTAGE: Final = 4
MUSIC: Final = 1  # how music is mixed under the clips
FACES: Final = 5  # which faces are found, and the masks that are made of them
CHUNKS: Final = 1  # how long films are cut; in no key, because a clip in one piece is as good
