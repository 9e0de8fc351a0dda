"""Mails on the page: what needs an answer, what is held until a person has read a mail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from support.browser import Reader, browser, overflow, reader, violations
from support.ledger_scene import LedgerScene, attachment, decide, refused, result, sha
from support.report_page import campaign, card, config
from support.review_server import Client, enter, serving, until

from pipeline import letter_ids
from pipeline.config import Config
from pipeline.model import Decision, Note, OriginalState, Reason, Review
from pipeline.review import page as page_module
from pipeline.review import report

__all__ = ["browser", "campaign", "config", "reader"]  # fixtures

TOO_MANY_MS = 3000  # of a processor: a guard against a page that hangs, on a slow machine
HOSTILE_LINKS = (
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://drive.google.com@evil.example/video.mp4",
    "file:///etc/passwd",
    "drive.google.com/drive/folders/1XyZ",
    "https://[location removed]/video",
    '"><img src=x onerror="window.pwned = 1">',
    "https://" + "x" * 3000 + ".example/video",
)


def mails(campaign: LedgerScene) -> dict[str, str]:
    """A mail of each kind; gives the ids of the submissions."""
    first = campaign.mail(attachment("red"), sender="ana@example.org", subject="Two rivers")
    campaign.clip(result("red"))
    decide(campaign.ledger, sha("red"), Review(Decision.APPROVED, "", "ada"))
    campaign.mail(attachment("blue"), sender="ben@example.org", subject="A boat")
    campaign.clip(result("blue"))
    link = campaign.mail(
        sender="lena@example.org",
        subject="The bridge",
        text="Too large for a mail: see my kingfisher.",
        notes=(Note.HAS_A_LINK, Note.NO_ATTACHMENT),
    )
    taking = campaign.mail(
        sender="ana@example.org",
        subject="Please delete",
        text="Please don't use it.",
        notes=(Note.TAKES_BACK, Note.NO_ATTACHMENT),
    )
    question = campaign.mail(sender="ben@example.org", subject="When?", text="When is the film?")
    broken = campaign.mail(sender="eva@example.org", subject="Cut", notes=(Note.BROKEN_MAIL,))
    bounce = campaign.mail(sender="daemon@example.org", subject="Returned", notes=(Note.BOUNCE,))
    words = campaign.mail(sender="dov@example.org", subject="", text="Thank you all.")
    return {
        "first": first, "link": link, "taking": taking, "question": question,
        "broken": broken, "bounce": bounce, "words": words,
    }  # fmt: skip


def letter(mail: str) -> str:
    return f'.card[data-mail="{mail}"]'


def listed(page: Page) -> list[str | None]:
    return [each.get_attribute("data-mail") for each in page.locator(".card").all()]


def with_links(campaign: LedgerScene, config: Config, *links: str) -> Path:
    """A page where the mail of the first row has these links."""
    built = report.build(config, campaign.ledger, "2026-09-16T05:00:00Z")
    built["submissions"][0]["links"] = list(links)
    path = config.root / "page.html"
    facts = report.collect_facts(config, campaign.ledger)
    path.write_bytes(page_module.render(report.encode(built), facts))
    return path


def test_every_mail_is_found_counted_and_listed_by_what_it_needs(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    ids = mails(campaign)
    page, watch = reader.open(report.write(campaign.run(config)).index)
    expect(page.locator(".card")).to_have_count(8)
    expect(page.locator("#count")).to_have_text("8 of 8 files and mails")
    expect(page.locator(".figure.answer .value")).to_have_text("4")
    said = page.locator("#mails-to-answer").inner_text().split("\n")
    for words in ("May want footage back", "Sent only a link", "Did not arrive whole"):
        assert said[said.index(words) - 1] == "1"
    page.get_by_role("button", name="Need an answer").click()
    answered = {ids[name] for name in ("link", "taking", "question", "broken")}
    assert set(listed(page)) == answered
    page.get_by_role("button", name="Sent only a link").click()
    assert listed(page) == [ids["link"]]
    page.locator("#f-mail").select_option("automatic")
    assert listed(page) == [ids["bounce"]]
    page.locator("#f-mail").select_option("empty")
    assert len(listed(page)) == 6
    page.locator("#clear").click()
    for words, name in (
        ("KINGFISHER", "link"), ("thank you", "words"), ("returned mail", "bounce"),
        ("don't use", "taking"), ("e…@e….org", "broken"), ("Sender 5", "bounce"),
    ):  # fmt: skip
        page.locator("#f-text").fill(words)
        expect(page.locator(f".card:not({letter(ids[name])})")).to_have_count(0)
        expect(page.locator(letter(ids[name]))).to_be_visible()
    page.locator("#f-text").fill("")
    page.locator("#f-status").select_option("accepted")
    expect(page.locator(".card")).to_have_count(2)
    assert watch.errors == []


def test_figures_and_reasons_of_the_morning_look_alike(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    mails(campaign)
    campaign.mail(attachment("huge"), sender="eve@example.org")
    campaign.clip(refused("huge", Reason.TOO_LONG, ""))
    page, _ = reader.open(report.write(campaign.run(config)).index)
    look = "all => [...new Set(all.map(each => [each.offsetTop, getComputedStyle(each).fontSize,"
    look += " getComputedStyle(each).color].join()))]"
    assert len(page.locator("button.figure .label").evaluate_all(look)) == 1
    assert page.locator("#mails-to-answer li").filter(has_text="Sent a file").count() == 1
    look = look.replace("each.offsetTop, ", "")
    assert len(page.locator("#mails-to-answer button").evaluate_all(look)) == 1


def test_one_card_is_current_after_other_filters(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    ids = mails(campaign)
    page, _ = reader.open(report.write(campaign.run(config)).index)
    page.locator(letter(ids["broken"])).click()
    expect(page.locator(".card.current")).to_have_count(1)
    page.locator("#f-mail").select_option("handled")
    expect(page.locator(".card.current")).to_have_count(0)
    page.locator("#f-mail").select_option("open")
    expect(page.locator(letter(ids["broken"]))).to_have_class("card letter current")
    page.locator("#count").click()
    page.keyboard.press("j")
    expect(page.locator(".card.current")).to_have_count(1)


def test_earlier_cards_say_who_wrote_again_and_what_is_held(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    ids = mails(campaign)
    photo = campaign.mail(attachment("green"), sender="fay@example.org", subject="A swan")
    campaign.clip(result("green"))
    answered = (letter_ids.made(photo, "team@example.org"),)
    notes = (Note.TAKES_BACK,)
    campaign.mail(sender="gus@private.example", subject="Re: A swan", answers=answered, notes=notes)
    page, _ = reader.open(report.write(campaign.run(config)).index)
    red, blue = page.locator(card(page, "red")), page.locator(card(page, "blue"))
    green = page.locator(card(page, "green")).locator(".hold")
    expect(green).to_contain_text("Re: A swan from another address: sender 8 (g…@p….example)")
    expect(red.locator(".hold")).to_contain_text("May be taken back")
    expect(red.locator(".hold")).not_to_contain_text("another address")
    expect(blue.locator(".hold")).to_be_hidden()
    expect(page.locator(".figure.montage .value")).to_have_text("0:00")
    expect(red.locator(".again")).to_contain_text("This sender wrote again on 1 September")
    expect(blue.locator(".again")).to_contain_text("When?")
    page.locator("#f-text").fill("rivers")
    expect(page.locator(".card")).to_have_count(1)
    red.locator(".hold").get_by_role("button", name="Show the mail").click()
    expect(page.locator(letter(ids["taking"]))).to_be_focused()


def test_keys_on_the_card_of_a_mail_decide_nothing_and_say_why(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    ids = mails(campaign)
    page, watch = reader.open(report.write(campaign.run(config)).index)
    for _ in range(3):
        page.keyboard.press("j")
    mail = page.locator(letter(ids["link"]))
    expect(mail).to_be_focused()
    for key in "ahrxio u":
        page.keyboard.press(key)
    expect(mail.locator(".said")).to_contain_text("nothing to approve")
    page.keyboard.press("m")
    expect(mail.locator(".said")).to_contain_text("footage review")
    expect(mail.locator(".handle")).to_be_hidden()
    expect(mail.locator(".command code")).to_have_text(f"footage handled {ids['link']}")
    expect(page.locator("#dock")).to_be_hidden()
    page.keyboard.press("k")
    expect(page.locator(card(page, "blue"))).to_be_focused()
    page.keyboard.press("m")
    expect(page.locator("#said")).to_have_text("M is for mails. This is a clip.")
    assert watch.errors == []


def test_links_are_text_and_only_addresses_of_the_web_can_be_opened(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    campaign.mail(subject="links", notes=(Note.HAS_A_LINK,))
    good = "https://drive.google.com/file/d/1AbC/view?usp=sharing"
    page, watch = reader.open(with_links(campaign, config, good, *HOSTILE_LINKS))
    items = page.locator(".links li")
    assert items.locator(".address").all_inner_texts() == [good, *HOSTILE_LINKS]
    links = items.locator("a")
    # a host name has at most 253 characters, but a browser takes longer ones for an address
    expect(links.first).to_have_text("Open drive.google.com")
    hosts = [link.evaluate("link => link.host") for link in links.all()]
    assert hosts[1:] in ([], ["x" * 3000 + ".example"])
    assert links.first.get_attribute("href") == good
    assert links.first.get_attribute("rel") == "noreferrer noopener nofollow"
    page.locator("#f-text").fill("1abc/view")
    expect(page.locator(".card")).to_have_count(1)
    assert page.evaluate("window.pwned") is None
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) <= 0
    assert violations(page) == []
    assert watch.errors == []
    assert watch.abroad == []


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_axe_finds_nothing_on_mails(
    reader: Reader, campaign: LedgerScene, config: Config, size: str
) -> None:
    ids = mails(campaign)
    campaign.ledger.reviews.set_handled([ids["broken"]], "ada")
    page, _ = reader.open(report.write(campaign.run(config)).index, size=size)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
    assert overflow(page) <= 0


def test_mail_is_dealt_with_by_all_and_its_clips_are_free_again(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    ids = mails(campaign)
    with serving(config) as server:
        ada, watch = enter(reader, server, "Ada")
        bob, _ = enter(reader, server, "Bob")
        mail = ada.locator(letter(ids["taking"]))
        mail.focus()
        ada.keyboard.press("m")
        expect(mail.locator(".state")).to_have_text("Dealt withby Ada")
        expect(ada.locator(".figure.answer .value")).to_have_text("3")
        expect(ada.locator(".figure.montage .value")).to_have_text("0:03")
        expect(ada.locator(f"{card(ada, 'red')} .hold")).to_be_hidden()
        assert campaign.ledger.reviews.handled()[ids["taking"]].by == "Ada"
        # Bob sees it as it happens
        expect(bob.locator(f"{letter(ids['taking'])} .state")).to_contain_text("by Ada")
        expect(bob.locator(f"{card(bob, 'red')} .hold")).to_be_hidden()
        # and it can be undone, in the order of what was done
        ada.locator(f"{card(ada, 'blue')} button.approved").click()
        until(ada, lambda: sha("blue") in campaign.ledger.reviews.current())
        ada.keyboard.press("u")
        expect(ada.locator(card(ada, "blue"))).to_have_attribute("data-decision", "undecided")
        ada.keyboard.press("u")
        expect(mail.locator(".state")).to_have_text("Needs an answer")
        assert campaign.ledger.reviews.handled() == {}
        expect(bob.locator(f"{card(bob, 'red')} .hold")).to_be_visible()
        # a comment after it is undone first, and a mark that was taken back is set again
        mail.focus()
        ada.keyboard.press("m")
        expect(mail.locator(".state")).to_have_text("Dealt withby Ada")
        ada.keyboard.press("m")
        expect(mail.locator(".state")).to_have_text("Needs an answer")
        assert watch.errors == []
        ada.locator(f"{card(ada, 'blue')} .enlarge").click()  # there is no film in this scene
        ada.get_by_label("New comment").fill("a street sign")
        ada.get_by_label("New comment").press("Enter")
        expect(ada.locator("#comments li")).to_contain_text("a street sign")
        ada.keyboard.press("Escape")
        ada.keyboard.press("u")
        expect(ada.locator("#dock-count")).to_have_text("Undone on blue.mov: Comments")
        assert campaign.ledger.reviews.current()[sha("blue")].comments == ()
        ada.keyboard.press("u")
        expect(mail.locator(".state")).to_have_text("Dealt withby Ada")
        ada.keyboard.press("u")
        expect(mail.locator(".state")).to_have_text("Needs an answer")
        ada.locator(f"{letter(ids['link'])} .handle").click()
        until(ada, lambda: ids["link"] in campaign.ledger.reviews.handled())
        assert violations(ada) == []
        undone_as_it_was_taken(ada, bob, ids, campaign)


def undone_as_it_was_taken(
    ada: Page, bob: Page, ids: dict[str, str], campaign: LedgerScene
) -> None:
    """Ada has marked the mail with a link, and undoes that after acts that are refused."""
    # what the server did not take is said, and the act before it is undone
    dock = ada.locator("#dock-count")
    campaign.ledger.custody.set_state(sha("red"), OriginalState.WITHDRAWN)
    ada.locator(f"{card(ada, 'red')} button.rejected").click()
    expect(dock).to_contain_text("the clip is withdrawn")
    ada.context.set_offline(True)
    ada.locator(f"{letter(ids['question'])} .handle").click()
    expect(dock).to_contain_text("does not answer")
    ada.keyboard.press("u")
    ada.context.set_offline(False)
    ada.keyboard.press("u")
    until(ada, lambda: campaign.ledger.reviews.handled() == {})
    # a mark that somebody else made since is kept
    ada.locator(f"{letter(ids['question'])} .handle").click()
    theirs = bob.locator(letter(ids["question"]))
    for state in ("Dealt withby Ada", "Needs an answer"):
        expect(theirs.locator(".state")).to_have_text(state)
        theirs.locator(".handle").click()
    expect(ada.locator(f"{letter(ids['question'])} .state")).to_have_text("Dealt withby Bob")
    ada.keyboard.press("u")
    expect(dock).to_contain_text("Somebody marked that mail since")
    assert campaign.ledger.reviews.handled()[ids["question"]].by == "Bob"


def test_mark_needs_the_same_proofs_as_a_decision(campaign: LedgerScene, config: Config) -> None:
    ids = mails(campaign)
    body: dict[str, Any] = {"submission": ids["link"], "handled": True, "by": "bob"}
    with serving(config) as server:
        client, stranger = Client(server), Client(server, enters=False)
        assert stranger.ask("POST", "/api/handled", body)[0] == 403
        assert client.ask("POST", "/api/handled", body, Origin="https://evil.example")[0] == 403
        assert client.ask("POST", "/api/handled", body, Host="evil.example")[0] == 421
        assert client.ask("POST", "/api/handled", body, Content_Type="text/plain")[0] == 415
        for wrong in ({"submission": "s0"}, {"submission": ["x"]}, {"handled": "yes"}):
            assert client.ask("POST", "/api/handled", body | wrong)[0] == 422
        assert campaign.ledger.reviews.handled() == {}
        status, _, data = client.ask("POST", "/api/handled", body)
        assert status == 200
        now = json.loads(data)["mails"]
        assert now["handled"][ids["link"]]["by"] == "bob"
        assert now["held"] == {sha("red"): [ids["taking"]]}
        seen = json.loads(client.ask("GET", f"/api/changes?mails={now['version']}")[2])
        assert "mails" not in seen
        assert json.loads(client.ask("GET", "/api/changes?mails=old")[2])["mails"] == now


def test_page_with_many_clips_and_mails_stays_quick(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    campaign.mail(attachment("one"))
    campaign.clip(result("one"))
    mail_id = campaign.mail(subject="A link", notes=(Note.HAS_A_LINK,))
    built = report.build(config, campaign.ledger, "2026-09-16T05:00:00Z")
    clip, (brings, link) = built["clips"][0], built["submissions"]
    built["clips"] = [clip | {"sha256": sha(str(n)), "submission": f"c{n}"} for n in range(10_000)]
    built["submissions"] = [brings | {"id": f"c{n}"} for n in range(10_000)]
    built["submissions"] += [link | {"id": f"{mail_id}-{n}"} for n in range(1_000)]
    path = config.root / "page.html"
    facts = report.collect_facts(config, campaign.ledger)
    path.write_bytes(page_module.render(report.encode(built), facts))
    page, _ = reader.open("about:blank")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def worked_ms() -> float:
        """For how long a processor has worked for the page, however busy the machine is."""
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * float(
            next(each["value"] for each in metrics if each["name"] == "TaskDuration")
        )

    page.goto(path.as_uri())
    expect(page.locator("#count")).to_have_text("11,000 of 11000 files and mails")
    opened_ms = worked_ms()
    assert opened_ms < 3 * TOO_MANY_MS
    page.locator("#f-mail").select_option("link-only")
    expect(page.locator("#count")).to_have_text("1,000 of 11000 files and mails")
    assert worked_ms() - opened_ms < TOO_MANY_MS


def test_mail_names_the_files_that_became_no_clip(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    mail = campaign.mail(attachment("good"), attachment("bad", 1), subject="My videos")
    campaign.clip(result("good"))
    campaign.clip(refused("bad", Reason.TOO_LONG, "it lasts too long"))
    campaign.mail(attachment("next"))
    page, _ = reader.open(report.write(campaign.run(config)).index)
    page.locator("#f-mail").select_option("refused")
    files = page.locator(f"{letter(mail)} .refused-files li")
    expect(files).to_have_text(["bad.mov: Longer than we accept Show it"])
    files.get_by_role("button").click()
    expect(page.locator(card(page, "bad"))).to_be_focused()
