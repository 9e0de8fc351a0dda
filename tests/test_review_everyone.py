"""The page for everyone: by any sense, in any script, and whatever a sender wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.browser import SIZES, Reader, browser, overflow, reader, violations
from support.ledger_scene import (
    LedgerScene,
    attachment,
    decide,
    refused,
    result,
    settings,
    sha,
)
from support.report_page import PLAYABLE, campaign, card, config, index, names

from pipeline.model import Decision, Reason, Review
from pipeline.review import report

__all__ = ["browser", "campaign", "config", "index", "reader"]  # fixtures


# -- for everyone -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_axe_finds_nothing_in_light_and_dark(reader: Reader, index: Path, size: str) -> None:
    page, _ = reader.open(index, size=size)
    for name, button in zip(PLAYABLE, ("approved", "held", "rejected"), strict=False):
        page.locator(f"{card(page, name)} button.{button}").click()
    page.locator(f"{card(page, 'one')} .edit summary").click()
    page.locator(f"{card(page, 'four')} .history summary").click()
    page.locator(f"{card(page, 'two')} .pick input").check()
    expect(page.locator("#selection")).to_be_visible()
    assert violations(page) == []
    status = page.locator("#f-status")
    if size == "phone":  # the filters are folded, and their button says how many are set
        expect(status).to_be_hidden()
        page.get_by_role("button", name="Filters").click()
        status.select_option("accepted")
        expect(page.locator("#fold")).to_have_text("Filters (1 set)")
    expect(status).to_be_visible()
    if size == "laptop":  # colours are the same on a phone
        page.emulate_media(color_scheme="dark")
        assert violations(page) == []
    assert overflow(page) <= 0


def test_nothing_moves_for_who_asked_for_stillness(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    moving = """() => [...document.querySelectorAll("*")].filter((element) => {
        const style = getComputedStyle(element);
        return style.transitionDuration.split(", ").some((time) => parseFloat(time) > 0)
            || style.animationName !== "none" || style.scrollBehavior === "smooth";
    }).length"""
    assert page.evaluate(moving) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == 0


# where the letters of some words stand on the page, from the left, the first of each word
PLACES = """([element, words]) => words.map((word) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const at = node.data.indexOf(word);
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        const box = range.getBoundingClientRect();
        return [box.left, box.right];
    }
    throw new Error(word);
})"""


def test_arabic_is_right_to_left_and_leaves_our_own_words_where_they_are(
    reader: Reader, campaign: LedgerScene, tmp_path: Path
) -> None:
    campaign.mail(
        attachment("one", filename="مقطع (1).mov"),
        sender="مريم@example.org",
        subject="فيديو من النهر 2026!",
        text="مرحبا، هذا مقطعي.\nيمكنكم عرضه.",
    )
    campaign.clip(result("one", caption="#أسبوع_النهر معا", category="مسيرة"))
    decide(campaign.ledger, sha("one"), Review(Decision.HELD, "اسألوا أولا!", "ليلى"))
    config = settings(tmp_path, sender="full")
    index = report.write(campaign.run(config)).index
    page, _ = reader.open(index)
    one = page.locator(".card")

    def places(selector: str, *words: str) -> list[list[float]]:
        element = one.locator(selector).element_handle()
        found: list[list[float]] = page.evaluate(PLACES, [element, list(words)])
        return found

    # a name reads from the right: its number and ending stand left of its first word
    first, ending = places(".name", "مقطع", "mov")
    assert ending[1] <= first[0]
    # the exclamation mark ends the sentence on the left, and the sentence begins on the left
    # of its column, as one of ours
    word, year, mark = places(".subject", "فيديو", "2026", "!")
    assert mark[1] <= year[0] + 1
    assert year[1] <= word[0]
    # "from" stands before the name of the sender, and "by" before that of the reviewer
    ours, theirs = places(".who", "from", "example")
    assert ours[1] <= theirs[0]
    by, layla = places(".state .by", "by", "ليلى")
    assert by[1] <= layla[0]
    # a mail's text is set from the right edge of its column
    begin, second = places(".mail .text", "مرحبا", "يمكنكم")
    column = one.locator(".mail .text").bounding_box()
    assert column
    right = column["x"] + column["width"]
    assert abs(begin[1] - right) < 2
    assert abs(second[1] - right) < 2
    # what stands around a note of a reviewer stays where it was
    caption, note = places(".caption q", "معا", "#")
    assert caption[1] <= note[0]
    assert violations(page) == []


# -- what senders write -----------------------------------------------------------------------

HOSTILE = {
    "script": "</script><script>window.pwned = 1</script>",
    "image": '"><img src=x onerror="window.pwned = 1">',
    "comment": "<!--<script>",
    "template": "{{script}} ${alert(1)} {n}",
    "attribute": "' onfocus=window.pwned=1 autofocus x='",
    "override": "\u202egpj.exe\u202c \u2066abc \u200f",
    "long": "W" * 5000,
    "zalgo": "Z" + "\u0301\u0489\u0353" * 300 + "algo",
    "arabic": "مقطع من النهر (1).mov",
    "null": "nul\x00l \ufffe \u2028 \u2029",
    "dollar": "$& $1 \\u003c/script>",
}


def test_hostile_words_neither_run_nor_break_the_layout(
    reader: Reader, campaign: LedgerScene, tmp_path: Path
) -> None:
    for name, text in HOSTILE.items():
        campaign.mail(
            attachment(name, filename=text), sender=text, subject=text, text=f"{text}\n{text}"
        )
        campaign.clip(result(name, caption=text, category=text, warnings=(text,)), plays=False)
        decide(campaign.ledger, sha(name), Review(Decision.HELD, text, text, None, None, text))
    campaign.mail(attachment("bad", filename=HOSTILE["script"]))
    campaign.clip(refused("bad", Reason.UNSAFE, HOSTILE["image"]))
    config = settings(tmp_path, name="</title><b>River</b> {{script}}", sender="full")
    index = report.write(campaign.run(config)).index
    page, watch = reader.open(index)
    expect(page.locator(".card")).to_have_count(len(HOSTILE) + 1)
    expect(page.locator("h1")).to_have_text("</title><b>River</b> {{script}}")
    assert page.evaluate("window.pwned") is None
    assert page.locator("article img, article script, h1 b").count() == 0
    shown = names(page)
    assert shown[0] == HOSTILE["script"]
    assert "\u202e" not in page.locator("#list").inner_text()
    for size in ("laptop", "narrow"):
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        assert overflow(page) <= 0
        tall = page.eval_on_selector_all(
            ".card", "cards => Math.max(...cards.map(card => card.offsetHeight))"
        )
        assert tall < 1600
    assert violations(page) == []
    assert watch.dialogs == []
    assert [error for error in watch.errors if "ERR_FILE_NOT_FOUND" not in error] == []
    assert watch.abroad == []


def test_policy_of_the_page_stops_what_is_not_its_own(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.pwned = 1";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.pwned = 2'>");
        }"""
    )
    refused_fetch = page.evaluate(
        "fetch('http://127.0.0.1:9/').then(() => 'went out', (error) => error.name)"
    )
    assert refused_fetch == "TypeError"
    assert page.evaluate("window.pwned") is None
