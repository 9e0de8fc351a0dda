"""What ten thousand rows cost: CPU and memory of the report, and the answers of its page.

    .venv/bin/python -m bench.report [ROWS]

Prints one JSON object.  The product promises: the report is written within 5 s of CPU and 300 MB,
and the first filter answers within 1 s.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from support.browser import ARGUMENTS, chromium
from support.ledger_scene import (
    LedgerScene,
    attachment,
    opened,
    refused,
    result,
    settings,
)

from pipeline.config import Config
from pipeline.model import Reason
from pipeline.review import report

TEXT = "Hello, here is our clip from the river. Everybody in it agreed to be shown. " * 12


def fill(campaign: LedgerScene, rows: int) -> None:
    """Two attachments a mail; one in nine is refused, one in thirteen is a duplicate."""
    for number in range(0, rows, 2):
        names = [f"clip {number + part}" for part in range(2)]
        if number % 26 == 24:
            names[1] = "clip 0"
        campaign.mail(
            *(attachment(name, part) for part, name in enumerate(names)),
            sender=f"sender{number % 700}@example.org",
            subject=f"Photo action {number}",
            text=TEXT,
        )
        for part, name in enumerate(names):
            if (number + part) % 9 == 4:
                campaign.clip(refused(name, Reason.CORRUPT, "no frame can be decoded"))
            elif name != "clip 0" or number == 0:
                campaign.clip(result(name, category="march" if part else None))


def written(config: Config, campaign: LedgerScene) -> dict[str, Any]:
    """CPU seconds and peak memory of writing the report, and of writing it with nothing new."""
    figures: dict[str, Any] = {}
    for name in ("first", "unchanged"):
        before = time.process_time()
        report.write(campaign.run(config))
        figures[f"{name}_cpu_s"] = round(time.process_time() - before, 2)
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    size = (campaign.workspace.report / "index.html").stat().st_size
    return figures | {"page_mb": round(size / 1e6, 1)}


def answered(index: Path) -> dict[str, Any]:
    """Seconds until the page is shown, and until a filter, a search and a sort have answered."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        page = browser.new_page()
        figures = {}
        begin = time.perf_counter()
        page.goto(index.as_uri())
        page.wait_for_selector(".card")
        figures["open_s"] = time.perf_counter() - begin
        # measured in the page, from the event to the next picture
        script = """([id, value, event]) => new Promise((resolve) => {
            const begin = performance.now();
            const control = document.getElementById(id);
            const count = document.getElementById("count");
            new MutationObserver(() => requestAnimationFrame(() => requestAnimationFrame(
                () => resolve((performance.now() - begin) / 1000)))
            ).observe(count, {childList: true, characterData: true, subtree: true});
            control.value = value;
            control.dispatchEvent(new Event(event, {bubbles: true}));
        })"""
        for name, step in (
            ("filter_s", ["f-status", "rejected", "change"]),
            ("search_s", ["f-text", "action 4", "input"]),
            ("sort_s", ["f-sort", "filename", "change"]),
        ):
            figures[name] = page.evaluate(script, step)
            if name == "search_s":
                page.locator("#clear").click()
        browser.close()
    return {name: round(value, 2) for name, value in figures.items()}


def main() -> dict[str, Any]:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        config = settings(Path(folder))
        with opened(config.root) as campaign:
            # one transaction, so that filling the ledger waits for the disk only once
            with campaign.ledger.transaction():
                fill(campaign, rows)
            figures = {"rows": rows} | written(config, campaign)
        return figures | answered(campaign.workspace.report / "index.html")


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
