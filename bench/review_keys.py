"""What a review by keyboard costs for each decision, in the list and in the player.

    .venv/bin/python -m bench.review_keys [CLIPS]

Each clip is watched for a second before it is decided. Prints keys and seconds as one JSON object.
*list* is the way without the player: next, play, decide. *player* is the player where a clip plays
at once and the next one is shown after a decision.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from support.browser import ARGUMENTS, chromium
from support.ledger_scene import SMALL, attachment, opened, result, settings, sha

from pipeline.review import report

WATCHED_S = 1
SEEN = "(video) => video.currentTime >= 1 && !video.seeking"
DECIDED = "([sha]) => document.querySelector(`[data-sha256='${sha}'][data-decision=approved]`)"


def in_list(page: Page, names: list[str]) -> int:
    """Decide on each card: keys that were pressed."""
    for name in names:
        page.keyboard.press("n")
        page.keyboard.press(" ")
        video = page.locator(f".card[data-sha256='{sha(name)}'] video").element_handle()
        page.wait_for_function(SEEN, arg=video)
        page.keyboard.press("a")
        page.wait_for_function(DECIDED, arg=[sha(name)])
    return 3 * len(names)


def in_player(page: Page, names: list[str]) -> int:
    """Decide on each clip in the player: keys that were pressed."""
    page.keyboard.press("?")
    page.get_by_label("Play a clip at once").check()
    page.get_by_label("Go on after a decision").check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("n")
    page.keyboard.press("f")
    video = page.locator("#player-video").element_handle()
    for name in names:
        page.get_by_role("heading", name=f"{name}.mov").last.wait_for()
        page.wait_for_function(SEEN, arg=video)
        page.keyboard.press("a")
        page.wait_for_function(DECIDED, arg=[sha(name)])
    return 2 + len(names)


def main() -> None:
    """Print the figures of both ways."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 70
    names = [f"clip{number}" for number in range(count)]
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        config = settings(Path(folder))
        with opened(config.root) as scene:
            for name in names:
                scene.mail(attachment(name))
                scene.clip(result(name, source=SMALL), plays=True)
            index = report.write(scene.run(config)).index
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
            for way, decide in (("list", in_list), ("player", in_player)):
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.goto(index.as_uri())
                page.wait_for_selector(".card")
                begun = time.perf_counter()
                keys = decide(page, names)
                seconds = (time.perf_counter() - begun) / count
                figures[way] = {
                    "keys": round(keys / count, 2),
                    "seconds": round(seconds, 2),
                    "seconds_beyond_watching": round(seconds - WATCHED_S, 2),
                }
            browser.close()
    print(json.dumps({"clips": count} | figures))


if __name__ == "__main__":
    main()
