"""Pictures of report and review for the documentation: light, dark, on a phone, in Arabic.

    .venv/bin/python docs/pictures.py WORKSPACE/report [FOLDER]

Writes report-*.png and review-*.png into FOLDER (default: docs/pictures), each below 300 KB.
The review runs on a copy of the workspace and its config.toml, so nothing is decided in the
workspace itself.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from pipeline import config as configuration
from pipeline.console import Console, Verbosity
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ledger import Ledger
from pipeline.ledger.clips import Clips
from pipeline.ledger.intake import Intake
from pipeline.model import Row, Submission
from pipeline.review import report
from pipeline.review.access import Reviewers
from pipeline.review.listening import Listening
from pipeline.review.web import ReviewServer
from pipeline.run import Run
from pipeline.store import WorkspaceFolder
from pipeline.workspace import Workspace

MOST_BYTES = 300_000
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic",
)  # fmt: skip


def at_clips(page: Page) -> None:
    page.evaluate("document.getElementById('clips').scrollIntoView()")


def deciding(page: Page) -> None:
    """In the middle of a review: some clips decided, some selected."""
    page.locator("#f-status").select_option("accepted")
    for key in ("n", "a", "n", "x", "j", "x", "k"):
        page.keyboard.press(key)
    page.locator(".history:not([hidden])").first.wait_for()
    at_clips(page)


def in_montage(page: Page) -> None:
    """An editor at work: one clip pinned, one left out."""
    page.get_by_role("button", name="Select all shown").click()
    page.locator("#selection .approved").click()
    page.locator(".history:not([hidden])").nth(5).wait_for()
    page.get_by_role("tab", name="Montage").click()
    page.wait_for_selector(".reel")
    for key in ("j", "Shift+J", "p", "j", "x", "k"):
        page.keyboard.press(key)


def in_player(page: Page) -> None:
    """The large player, with a mask that is being placed."""
    page.locator(".card[data-status=accepted]:has(video)").nth(1).focus()
    page.keyboard.press("f")
    page.wait_for_function("() => document.getElementById('player-video').readyState >= 2")
    drawn = "({ drawn, count }) => drawn === count"
    page.wait_for_function(f"() => ({drawn})(document.getElementById('player-pictures').dataset)")
    page.keyboard.press("v")
    page.locator(".mask").wait_for()


def nothing(_page: Page) -> None:
    pass


@dataclass(frozen=True)
class Picture:
    """One picture: its name, the window, the colours, and what is done on the page before."""

    name: str
    width: int
    height: int
    scheme: str = "light"
    prepare: Callable[[Page], None] = nothing


REPORT = (
    Picture("report-light", 1280, 860),
    Picture("report-clips", 1280, 860, prepare=at_clips),
    Picture("report-dark", 1280, 860, scheme="dark", prepare=at_clips),
    Picture("report-phone", 400, 860, prepare=at_clips),
)
REVIEW = (
    Picture("review-light", 1280, 860, prepare=deciding),
    Picture("review-dark", 1280, 860, scheme="dark", prepare=deciding),
    Picture("review-montage", 1280, 720, prepare=in_montage),
    Picture("review-player", 1280, 860, prepare=in_player),
)
ARABIC = (Picture("report-arabic", 1280, 860, prepare=at_clips),)

# What Arabic speakers might write: subject, text, file name.
SAID = (
    (
        "فيديو من النهر صباحا",
        "مرحبا، هذا مقطعي من يوم النهر 2026.\nيمكنكم عرضه، شكرا!",
        "مقطع (1).mov",
    ),
    ("صور مظاهرتنا", "كلنا موافقون على النشر.", "IMG_2231 نسخة.jpg"),
    ("Re: أسبوع النهر", "الصورة من فوق الجسر — please credit “مريم”.", "من فوق الجسر.png"),
)


def take(browser: Browser, url: str, picture: Picture) -> bytes:
    """The picture as a PNG in full colour."""
    page = browser.new_page(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="dark" if picture.scheme == "dark" else "light",
        timezone_id="UTC",
        locale="en-GB",
    )
    page.goto(url)
    page.wait_for_selector(".card, #empty:not([hidden])")
    picture.prepare(page)
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


def copied(report_folder: Path, folder: Path) -> configuration.Config:
    """A copy of the workspace and its configuration, for pictures that change something."""
    root = report_folder.resolve().parent
    shutil.copy(root.parent / "config.toml", folder)
    config = configuration.load(folder / "config.toml")
    shutil.copytree(root, config.root, ignore=shutil.ignore_patterns("originals", "cache", "logs"))
    path = folder / "config.toml"
    text = path.read_text("utf-8").replace("required = false", "required = true")
    path.write_text(text + '\n[montage]\norder = "order.txt"\n' * ("[montage]" not in text))
    return configuration.load(path)


def served(config: configuration.Config, browser: Browser, picture: Picture) -> bytes:
    """A picture of the review that is served."""
    server = ReviewServer(config, Reviewers("Ines"), lambda _: None, Listening())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        return take(browser, server.access.link, picture)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class ArabicIntake(Intake):
    """The same mails, as if Arabic speakers had sent them."""

    def submissions(self) -> list[Submission]:
        """All of them, the first few in other words."""
        return [
            replace(item, subject=words[0], text=words[1])
            for item, words in zip(super().submissions(), SAID, strict=False)
        ] + super().submissions()[len(SAID) :]


class ArabicClips(Clips):
    """The same clips, as if Arabic speakers had named them."""

    def rows(self) -> list[Row]:
        """All of them, the first of each of these mails under another name."""
        mails = ArabicIntake(self._db, self._chain).submissions()
        names = {item.id: words[2] for item, words in zip(mails, SAID, strict=False)}
        return [
            replace(row, attachment=replace(row.attachment, filename=names[row.submission]))
            if row.submission in names and row.result
            else row
            for row in super().rows()
        ]


class Arabic(Ledger):
    """A ledger with these mails and clips."""

    def __init__(self, path: Path) -> None:
        """Open it."""
        super().__init__(path)
        self.intake = ArabicIntake(self._connection, self.chain)
        self.clips = ArabicClips(self._connection, self.chain)


def in_arabic(config: configuration.Config) -> Path:
    """A report whose senders wrote Arabic."""
    workspace, console = Workspace(config.root), Console(Verbosity.QUIET)
    with Arabic(workspace.ledger) as ledger:
        store = WorkspaceFolder(workspace)
        run = Run(config, ledger, workspace, FfmpegRunner("none", console), console, store)
        return report.write(run).index


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    index = Path(sys.argv[1]) / "index.html"
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "pictures"
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not index.exists() or program is None:
        raise SystemExit(f"{index}: no such file" if program else "Chromium is not installed")
    folder.mkdir(parents=True, exist_ok=True)

    def keep(picture: Picture, data: bytes) -> None:
        path = folder / f"{picture.name}.png"
        path.write_bytes(small(data))
        print(path, path.stat().st_size)

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as temporary:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        for picture in REPORT:
            keep(picture, take(browser, index.resolve().as_uri(), picture))
        for number, picture in enumerate((*REVIEW, *ARABIC)):
            place = Path(temporary) / str(number)
            place.mkdir()
            config = copied(Path(sys.argv[1]), place)
            if picture in ARABIC:
                keep(picture, take(browser, in_arabic(config).as_uri(), picture))
            else:
                keep(picture, served(config, browser, picture))
        browser.close()


if __name__ == "__main__":
    main()
