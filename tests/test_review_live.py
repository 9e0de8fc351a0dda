"""The served review in a real browser: written at once, seen by all, undone as it was made."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Page, Route, expect
from support.browser import Reader, browser, overflow, reader, violations
from support.ledger_scene import SMALL, LedgerScene, attachment, decide, result, sha
from support.review_server import NAMES, campaign, config, enter, server, serving, until

from pipeline.config import Config
from pipeline.model import Decision, Review
from pipeline.review.web import ReviewServer

__all__ = ["browser", "campaign", "config", "reader", "server"]  # fixtures


def card(name: str) -> str:
    return f'.card[data-sha256="{sha(name)}"]'


def test_review_by_keyboard_with_a_clip_that_plays(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    page, watch = enter(reader, server)
    assert "token" not in page.url
    video = page.locator(f"{card('one')} video").element_handle()
    page.keyboard.press("n")
    page.keyboard.press(" ")
    page.wait_for_function("video => video.currentTime > 0.2", arg=video)
    video.evaluate("video => { video.currentTime = 2.5; }")  # asks for a range
    page.wait_for_function("video => video.currentTime >= 2.5 && !video.seeking", arg=video)
    for keys in ("a", "nh", "nr"):
        for key in keys:
            page.keyboard.press(key)
    expect(page.locator(card("three"))).to_have_attribute("data-decision", "rejected")
    until(page, lambda: len(campaign.ledger.reviews.current()) == 3)
    decided = {name: campaign.ledger.reviews.current()[sha(name)] for name in NAMES}
    assert [decided[name].decision for name in NAMES] == ["approved", "held", "rejected"]
    assert {review.by for review in decided.values()} == {"ada"}
    assert watch.errors == []
    assert all(url.startswith((f"http://127.0.0.1:{server.access.site.port}/", "data:"))
               for url in watch.requests)  # fmt: skip


def test_two_reviewers_see_each_other(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    ada, _ = enter(reader, server, "Ada")
    bob, _ = enter(reader, server, "Bob")
    ada.locator(f"{card('one')} button.approved").click()
    expect(bob.locator(card("one"))).to_have_attribute("data-decision", "approved")
    expect(bob.locator("#dock-count")).to_have_text("Ada: one.mov is Approved")
    expect(bob.locator(".figure.montage .value")).to_have_text("0:03")
    bob.locator(f"{card('two')} button.held").click()
    expect(ada.locator(card("two"))).to_have_attribute("data-decision", "held")
    expect(ada.locator(f"{card('two')} .state")).to_contain_text("by Bob")
    # who gives a star has decided nothing
    bob.locator(card("one")).focus()
    for key in ("f", "3", "f"):
        bob.keyboard.press(key)
    expect(ada.locator("#dock-count")).to_have_text("Bob changed one.mov: Stars")
    ada.locator(card("two")).focus()
    for key in ("f", "4", "f"):
        ada.keyboard.press(key)
    for page in (ada, bob):
        expect(page.locator(card("one"))).to_contain_text("3 stars")
        expect(page.locator(card("two"))).to_contain_text("4 stars")
        expect(page.locator(f"{card('one')} .state")).to_have_text("Approvedby Ada")
        expect(page.locator(f"{card('two')} .state")).to_have_text("On holdby Bob")
    # an undo gives the decision back to whom it had before
    ada.locator(f"{card('two')} button.approved").click()
    expect(bob.locator(f"{card('two')} .state")).to_have_text("Approvedby Ada")
    ada.keyboard.press("u")
    for page in (ada, bob):
        expect(page.locator(f"{card('two')} .state")).to_have_text("On holdby Bob")


def held_back(page: Page, act: str = "decide") -> list[Route]:
    """The first act that the page sends stays on its way until it is let go on; here it comes."""
    first: list[Route] = []

    def handle(route: Route) -> None:
        if first:
            route.continue_()
        else:
            first.append(route)

    page.route(f"**/api/{act}", handle)
    return first


def test_note_and_cut_are_written_and_undo_outlives_the_server(
    reader: Reader, config: Config, campaign: LedgerScene
) -> None:
    with serving(config) as server:
        page, _ = enter(reader, server)
        one = page.locator(card("one"))
        one.locator("button.approved").click()
        until(page, lambda: campaign.ledger.reviews.trail_end() == 1)
        one.locator(".edit summary").click()
        # the first is on its way until the others are made: each is an act all the same
        first = held_back(page)
        edits = {"Note": "crop the sign", "Start at": "0.5", "End at": "2"}
        for label, text in edits.items():
            one.get_by_label(label).fill(text)
            one.get_by_label(label).press("Tab")
        until(page, lambda: len(first) == 1)
        expect(page.locator("#dock-count")).to_contain_text("has not answered yet")
        first[0].continue_()
        until(page, lambda: campaign.ledger.reviews.trail_end() == 4)
        expect(page.locator("#dock-count")).to_contain_text("all is written")
        page.close()
    stored = campaign.ledger.reviews.current()[sha("one")]
    assert (stored.decision, stored.note, stored.in_s, stored.out_s) == (
        Decision.APPROVED, "crop the sign", 0.5, 2.0,
    )  # fmt: skip
    with serving(config) as server:
        page, _ = enter(reader, server)
        for _ in range(4):
            before = campaign.ledger.reviews.trail_end()
            page.get_by_role("button", name="Undo").click()
            until(page, lambda before=before: campaign.ledger.reviews.trail_end() == before + 1)  # type: ignore[misc]
        expect(page.locator(card("one"))).to_have_attribute("data-decision", "undecided")
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#dock-count")).to_have_text("There is nothing to undo.")
    stored = campaign.ledger.reviews.current()[sha("one")]
    assert (stored.decision, stored.note, stored.in_s) == (Decision.UNDECIDED, "", None)


def test_what_was_built_on_an_overtaken_decision_goes_back_with_it(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    ada, _ = enter(reader, server, "Ada")
    bob, _ = enter(reader, server, "Bob")
    first = held_back(ada)
    one = ada.locator(card("one"))
    one.locator("button.approved").click()
    one.locator(".edit summary").click()
    one.get_by_label("Note").fill("the best of all")
    one.get_by_label("Note").press("Tab")
    bob.locator(f"{card('one')} button.rejected").click()
    until(bob, lambda: campaign.ledger.reviews.trail_end() == 1)
    until(ada, lambda: len(first) == 1)
    first[0].continue_()
    expect(one).to_have_attribute("data-decision", "rejected")
    expect(one.get_by_label("Note")).to_have_value("")
    one.get_by_label("Note").fill("seen")
    one.get_by_label("Note").press("Tab")
    until(ada, lambda: campaign.ledger.reviews.trail_end() == 2)
    stored = campaign.ledger.reviews.current()[sha("one")]
    assert (stored.decision, stored.note, stored.by) == (Decision.REJECTED, "seen", "Ada")
    # what is decided while an undo is on its way comes after it
    first = held_back(ada, "undo")
    one.focus()
    for key in "uh":
        ada.keyboard.press(key)
    until(ada, lambda: len(first) == 1)
    first[0].continue_()
    until(ada, lambda: campaign.ledger.reviews.trail_end() == 4)
    stored = campaign.ledger.reviews.current()[sha("one")]
    assert (stored.decision, stored.note, stored.by) == (Decision.HELD, "", "Ada")
    # only who decided is said to have decided
    first = held_back(ada)
    ada.keyboard.press("a")
    until(ada, lambda: len(first) == 1)
    campaign.ledger.reviews.amend(
        sha("one"), lambda before: replace(before, caption="Swans", by="Bob")
    )
    first[0].continue_()
    expect(ada.locator("#dock-count")).to_contain_text("Bob changed one.mov in the meantime: Cap")


def test_clips_of_a_running_night_are_offered(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    page, watch = enter(reader, server, "Ada")
    page.keyboard.press("Escape")
    page.locator(card("two")).focus()
    campaign.mail(attachment("four"), attachment("five", 1))
    expect(page.locator("#show-new")).to_have_text("2 new files: show")
    campaign.clip(result("four", source=SMALL), plays=True)
    expect(page.locator("#show-new")).to_have_text("1 new clip: show")
    page.locator("#show-new").click()
    expect(page.locator(card("four"))).to_be_visible()
    expect(page.locator("#show-new")).to_be_hidden()
    expect(page.locator(".card.current .name")).to_have_text("two.mov")
    # and what is taken back is shown no longer, also by who has it open
    page.get_by_role("button", name="Select all shown").click()
    page.locator(card("two")).focus()
    page.keyboard.press("f")
    expect(page.locator("#player")).to_be_visible()
    expect(page.locator("#list")).to_contain_text("About two")
    campaign.ledger.custody.withdraw([sha("two")])
    expect(page.locator("#player")).to_be_hidden()
    expect(page.locator("#dock-count")).to_contain_text("two.mov was taken back")
    expect(page.locator(f"{card('two')} .state")).to_have_text("Withdrawn")
    expect(page.locator(f"{card('two')} video")).to_have_count(0)
    expect(page.locator("#list")).not_to_contain_text("About two")
    page.locator("#selection .approved").click()
    until(page, lambda: len(campaign.ledger.reviews.current()) == 3)
    assert watch.errors == []


def test_an_undo_passes_over_what_somebody_else_decided_since(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    page, _ = enter(reader, server)
    for name in ("one", "two"):
        page.locator(f"{card(name)} button.approved").click()
        until(page, lambda name=name: sha(name) in campaign.ledger.reviews.current())  # type: ignore[misc]
    decide(campaign.ledger, sha("two"), Review(Decision.REJECTED, "a face", "carol"))
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#dock-count")).to_contain_text("it is not undone")
    page.get_by_role("button", name="Undo").click()
    until(
        page,
        lambda: campaign.ledger.reviews.current()[sha("one")].decision is Decision.UNDECIDED,
    )
    assert campaign.ledger.reviews.current()[sha("two")].by == "carol"
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#dock-count")).to_have_text("There is nothing to undo.")


def test_axe_finds_nothing_in_light_and_dark(reader: Reader, server: ReviewServer) -> None:
    page, _ = enter(reader, server, size="phone")
    page.locator(f"{card('one')} button.approved").click()
    page.locator(f"{card('one')} .edit summary").click()
    page.get_by_role("button", name="Select all shown").click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
    assert overflow(page) <= 0


def test_server_that_is_gone_is_told(reader: Reader, config: Config, campaign: LedgerScene) -> None:
    with serving(config) as server:
        page, _ = enter(reader, server)
        dock = page.locator("#dock-count")
        page.context.set_offline(True)
        expect(dock).to_contain_text("does not answer")
        # what was written waits in its field
        one = page.locator(card("one"))
        one.locator(".edit summary").click()
        note = one.get_by_label("Note")
        note.fill("the best of all")
        note.press("Tab")
        expect(dock).to_contain_text("Your note is still in its field")
        expect(note).to_have_value("the best of all")
        page.context.set_offline(False)
        expect(dock).to_contain_text("answers again")
        note.focus()
        note.press("Tab")
        until(page, lambda: campaign.ledger.reviews.trail_end() == 1)
    page.locator(f"{card('one')} button.approved").click()
    expect(dock).to_contain_text("does not answer")
    expect(page.locator(card("one"))).to_have_attribute("data-decision", "undecided")
    assert campaign.ledger.reviews.current()[sha("one")].note == "the best of all"
    assert campaign.ledger.reviews.current()[sha("one")].decision is Decision.UNDECIDED
    with serving(config, port=server.access.site.port):
        expect(dock).to_contain_text("Open the new link")


def test_selection_is_one_act_for_all_reviewers_and_their_history(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    page, watch = enter(reader, server, "Ada")
    page.get_by_role("button", name="Select all shown").click()
    page.locator("#selection .approved").click()
    history = page.locator(f"{card('two')} .history")
    expect(history.locator("summary")).to_have_text("History: 1 change")
    history.locator("summary").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#dock-count")).to_have_text("Undone on 3 clips")
    expect(history.locator("li")).to_have_count(2)
    expect(history.locator("li").first).to_contain_text("Ada · undo")
    assert {review.decision for review in campaign.ledger.reviews.current().values()} == {
        "undecided"
    }
    assert watch.errors == []
