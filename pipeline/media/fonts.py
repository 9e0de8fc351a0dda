"""Find a font that can write a text: packaged fonts first, then the system's Noto fonts.

A character that no font has would be shown as an empty box in every clip.  So it is an error
before the first clip is made, and the error names the character.
"""

import contextlib
import importlib
import pkgutil
import unicodedata
from functools import cache
from pathlib import Path

from PIL import ImageFont, features

from pipeline.errors import ConfigError

_SYSTEM = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
_EMOJI_SIZE = 109  # pixels; the only size that Noto Color Emoji's bitmaps have
# Joiners and variation selectors change how their neighbours look, and have no glyph of their own.
_INVISIBLE = {"\u200c", "\u200d", "\ufe0e", "\ufe0f"}
# Bidirectional classes of UAX #9.
_RIGHT_TO_LEFT = {"R", "AL"}


def right_to_left(text: str) -> bool:
    """Whether *text* is written from the right: by its first strong character (UAX #9, P2)."""
    directions = map(unicodedata.bidirectional, text)
    first = next((each for each in directions if each == "L" or each in _RIGHT_TO_LEFT), "L")
    return first != "L"


def needs_shaping(text: str) -> bool:
    """Whether *text* can't be drawn one character after the other."""
    return any(
        unicodedata.bidirectional(char) in _RIGHT_TO_LEFT
        or unicodedata.category(char) in ("Mn", "Mc")
        or char in _INVISIBLE
        or 0x0900 <= ord(char) <= 0x109F
        or 0x1780 <= ord(char) <= 0x17FF
        for char in text
    )


def font_for(text: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a bold font of *size* pixels that has every character of *text*.

    :raises ConfigError: no font has one of the characters, or the text needs shaping and the
        library for it is not installed.
    """
    if needs_shaping(text) and not (features.check("raqm") and features.check("fribidi")):
        why = "is in a script that must be shaped, and the library FriBidi is not on this system"
        install = "install it (Debian: libfribidi0)"
        raise ConfigError([f"campaign.hashtags: {text!r} {why}; {install}"])
    paths = (*_packaged(), *_on_system())
    for path in paths:
        if _has(path, text):
            return _load(path, size)
    alone = (char for char in text if not any(_has(path, char) for path in paths))
    names = ", ".join(unicodedata.name(c, f"U+{ord(c):04X}") for c in next(alone, text)[:3])
    packages = "fonts-noto-core, fonts-noto-cjk, fonts-noto-color-emoji"
    take = f"take the character out or install a font that has it (Debian: {packages})"
    problem = f"campaign.hashtags: no font here can write {text!r} ({names}); {take}"
    raise ConfigError([problem], names)


@cache
def emoji_font() -> ImageFont.FreeTypeFont | None:
    """Return the system's colour emoji at the one size of its bitmaps; None if there is none."""
    for path in _emoji():
        with contextlib.suppress(OSError):  # a font with another kind of pictures
            return ImageFont.truetype(str(path), _EMOJI_SIZE)
    return None


def has_emoji(text: str) -> bool:
    """Whether the colour emoji font has all of *text*."""
    return any(_has(path, text) for path in _emoji())


@cache
def _emoji() -> tuple[Path, ...]:
    return tuple(path for folder in _SYSTEM for path in sorted(folder.rglob("NotoColorEmoji*.ttf")))


def _has(path: Path, text: str) -> bool:
    return all(char in _INVISIBLE or ord(char) in coverage(path) for char in text)


def _load(path: Path, size: int) -> ImageFont.FreeTypeFont:
    engine = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    font = ImageFont.truetype(str(path), size, layout_engine=engine)
    with contextlib.suppress(OSError):  # a font with a file for each weight
        font.set_variation_by_name("Bold")
    return font


@cache
def _packaged() -> tuple[Path, ...]:
    names = sorted(m.name for m in pkgutil.iter_modules() if m.name.startswith("fontpkg_"))
    # the plain family first: it has the Latin letters and digits that the others do not have
    names.sort(key=lambda name: (name != "fontpkg_noto_sans", name))
    found: list[Path] = []
    for name in names:
        folder = Path(importlib.import_module(name).ROOT) / "files"
        found += sorted(path for path in folder.glob("*.ttf") if "Italic" not in path.name)
    return tuple(found)


@cache
def _on_system() -> tuple[Path, ...]:
    found = [
        path
        for folder in _SYSTEM
        if folder.is_dir()
        for pattern in ("Noto*-Bold.[to]t[fc]", "Noto*Bold*.otf", "Noto*-Regular.[to]t[fc]")
        for path in sorted(folder.rglob(pattern))
        if "Serif" not in path.name and "Mono" not in path.name
    ]
    return tuple(dict.fromkeys(found))


@cache
def coverage(path: Path) -> frozenset[int]:
    """Return the characters that a font has glyphs for (OpenType table cmap)."""
    # slow to load, and not needed in a night without new footage
    from fontTools.ttLib import TTFont  # noqa: PLC0415

    with path.open("rb") as file, TTFont(file, lazy=True, fontNumber=0) as font:
        return frozenset(font.getBestCmap() or ())
