"""Pictures of a report for the documentation: light, dark and on a phone.

    .venv/bin/python docs/pictures.py WORKSPACE/report [FOLDER]

Writes report-light.png, report-dark.png, report-clips.png and report-phone.png into FOLDER
(default: docs/pictures), each below 400 KB.
"""

from __future__ import annotations

import io
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

MOST_BYTES = 400_000
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic",
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """One picture: its name, the window, the colours, and whether it shows the clips."""

    name: str
    width: int
    height: int
    scheme: str = "light"
    clips: bool = False


PICTURES = (
    Picture("report-light", 1280, 860),
    Picture("report-clips", 1280, 860, clips=True),
    Picture("report-dark", 1280, 860, scheme="dark", clips=True),
    Picture("report-phone", 400, 860, clips=True),
)


def take(browser: Browser, index: Path, picture: Picture) -> bytes:
    """The picture as a PNG in full colour."""
    page = browser.new_page(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="dark" if picture.scheme == "dark" else "light",
        timezone_id="UTC",
        locale="en-GB",
    )
    page.goto(index.resolve().as_uri())
    page.wait_for_selector(".card, #empty:not([hidden])")
    if picture.clips:
        page.evaluate("document.getElementById('clips').scrollIntoView()")
    wait_for_stills(page)
    data = page.screenshot()
    page.close()
    return data


def wait_for_stills(page: Page) -> None:
    """Until the stills in sight are there: a poster tells nobody when it has come."""
    page.evaluate(
        """() => Promise.all([...document.querySelectorAll("video[poster]")].slice(0, 12).map(
            (video) => new Promise((done) => {
                const still = new Image();
                still.onload = still.onerror = done;
                still.src = video.poster;
            })))"""
    )
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200)))")


def small(data: bytes) -> bytes:
    """The picture with as many colours as the allowance has room for."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    for colours in (0, 256, 128, 64, 32):
        made = picture.quantize(colours, dither=Image.Dither.NONE) if colours else picture
        out = io.BytesIO()
        made.save(out, "PNG", optimize=True)
        if out.tell() < MOST_BYTES:
            return out.getvalue()
    raise SystemExit("the picture stays too large; choose a smaller window")


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    index = Path(sys.argv[1]) / "index.html"
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "pictures"
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not index.exists() or program is None:
        raise SystemExit(f"{index}: no such file" if program else "Chromium is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        for picture in PICTURES:
            path = folder / f"{picture.name}.png"
            path.write_bytes(small(take(browser, index, picture)))
            print(path, path.stat().st_size)
        browser.close()


if __name__ == "__main__":
    main()
