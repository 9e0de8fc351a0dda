"""The montage tab: an editor puts the admitted clips in order, and ``footage render`` reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from support.browser import Reader, browser, overflow, reader, violations
from support.ledger_scene import SMALL, LedgerScene, attachment, decide, result, settings, sha
from support.review_server import Client, enter, serving

from pipeline import clip_order
from pipeline import config as configuration
from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.ledger import Ledger
from pipeline.model import Decision, Review
from pipeline.render import timeline
from pipeline.review import ordering, rules
from pipeline.review.admission import Admission
from pipeline.review.entries import InvalidEntry
from pipeline.review.web import ReviewServer
from pipeline.workspace import Workspace

__all__ = ["browser", "reader"]  # fixtures

NAMES = ("one", "two", "three", "four")


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[LedgerScene]:
    workspace = Workspace(settings(tmp_path).root)
    workspace.create()
    with Ledger(workspace.ledger) as ledger:
        campaign = LedgerScene(ledger, workspace)
        for hue, name in enumerate((*NAMES, "waiting")):
            campaign.mail(attachment(name), sender=f"{name}@example.org")
            campaign.clip(result(name, source=SMALL), hue=hue * 70)
        for name in NAMES:
            decide(ledger, sha(name), Review(Decision.APPROVED, "", "ada"))
        yield campaign


def with_order(folder: Path, order: str, more: str = "") -> Config:
    path = folder / "config.toml"
    path.write_text(path.read_text() + f'[montage]\norder = "{order}"\n{more}')
    return configuration.load(path)


@pytest.fixture
def config(campaign: LedgerScene, tmp_path: Path) -> Config:
    return with_order(tmp_path, "order.txt")


@pytest.fixture
def server(config: Config) -> Iterator[ReviewServer]:
    with serving(config) as server:
        yield server


@pytest.fixture
def client(server: ReviewServer) -> Client:
    return Client(server)


def begun(client: Client) -> dict[str, Any]:
    status, _, body = client.ask("GET", "/api/order")
    assert status == 200
    data: dict[str, Any] = json.loads(body)
    return data


def wanted(*names: str, seen: str = "", out: tuple[str, ...] = ()) -> dict[str, Any]:
    lines = [{"sha256": sha(name), "pinned": name == "two"} for name in names]
    return {"lines": lines, "left_out": [sha(name) for name in out], "seen": seen}


def rendered(config: Config, campaign: LedgerScene) -> list[str]:
    """The clips in the order in which render takes them."""
    rows = campaign.ledger.clips.rows()
    senders = {item.id: item.sender for item in campaign.ledger.intake.submissions()}
    admitted = rules.admitted(rows, Admission(required=True))
    chosen, _ = timeline.ordered(config, timeline.Candidates(admitted, rows, senders))
    names = {sha(name): name for name in (*NAMES, "waiting")}
    return [names[row.attachment.sha256 or ""] for row in chosen]


# -- the file ---------------------------------------------------------------------------------


def test_what_is_saved_is_what_render_reads(
    client: Client, config: Config, campaign: LedgerScene
) -> None:
    body = wanted("three", "two", "one", out=("four",))
    status, _, answer = client.ask("POST", "/api/order", body)
    assert status == 200
    assert rendered(config, campaign) == ["three", "two", "one"]
    data = json.loads(answer)
    assert data == begun(client)
    assert [line["sha256"] for line in data["lines"]] == [sha(n) for n in ("three", "two", "one")]
    assert [line["pinned"] for line in data["lines"]] == [False, True, False]
    assert data["left_out"] == [sha("four")]
    path = clip_order.path_of(config)
    assert path
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.glob("*.part")) == []


def test_an_editors_own_file_is_read_and_keeps_its_remarks(
    client: Client, config: Config, tmp_path: Path
) -> None:
    path = tmp_path / "order.txt"
    path.write_text(f"# ours\n{sha('two')[:10]}   # signs\n\n  {sha('one').upper()}\n")
    path.chmod(0o644)
    data = begun(client)
    assert [line["sha256"] for line in data["lines"]] == [sha("two"), sha("one")]
    body = wanted("one", "two", seen=data["digest"])
    assert client.ask("POST", "/api/order", body)[0] == 200
    assert "# pinned; signs\n" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o644


def test_who_was_overtaken_writes_over_nobody(client: Client, tmp_path: Path) -> None:
    assert client.ask("POST", "/api/order", wanted("one", "two"))[0] == 200
    before = (tmp_path / "order.txt").read_bytes()
    status, _, body = client.ask("POST", "/api/order", wanted("two", "one"))
    assert status == 409
    assert (tmp_path / "order.txt").read_bytes() == before
    assert (
        client.ask("POST", "/api/order", wanted("two", seen=json.loads(body)["digest"]))[0] == 200
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lines": [], "left_out": 7},
        {"lines": ["x"], "left_out": []},
        {"lines": [{"sha256": "../../etc/passwd"}], "left_out": []},
        {"lines": [{"sha256": "0" * 64}], "left_out": []},
        {"lines": [{"sha256": sha("one")}, {"sha256": sha("one")}], "left_out": []},
        {"lines": [], "left_out": [sha("one") + "\n"]},
    ],
)
def test_what_is_no_order_is_not_written(
    client: Client, tmp_path: Path, body: dict[str, Any]
) -> None:
    assert client.ask("POST", "/api/order", {"seen": ""} | body)[0] == 422
    assert not (tmp_path / "order.txt").exists()


def test_withdrawn_clip_does_not_come_into_the_file(client: Client, campaign: LedgerScene) -> None:
    campaign.ledger.custody.withdraw([sha("one")])
    status, _, body = client.ask("POST", "/api/order", wanted("one", "two"))
    assert (status, "withdrawn" in json.loads(body)["problem"]) == (422, True)
    assert client.ask("POST", "/api/order", wanted("two"))[0] == 200


def test_nothing_but_an_order_file_is_written_over(campaign: LedgerScene, tmp_path: Path) -> None:
    config = with_order(tmp_path, "config.toml")
    before = (tmp_path / "config.toml").read_bytes()
    with serving(config) as server:
        client = Client(server)
        assert "is not an order file" in begun(client)["problem"]
        assert client.ask("POST", "/api/order", wanted("one"))[0] == 422
    assert (tmp_path / "config.toml").read_bytes() == before


@pytest.mark.parametrize(
    "line",
    ["{sha}  clip one", "abc", "\xef\xbb\xbfabc", "not hex at all", "{sha}0  # too long", "\xff"],
)
def test_what_the_tab_refuses_render_refuses_with_the_same_sentence(
    client: Client, config: Config, campaign: LedgerScene, tmp_path: Path, line: str
) -> None:
    text = f"{sha('two')}\n" + line.format(sha=sha("one"))
    (tmp_path / "order.txt").write_bytes(text.encode("latin-1"))
    problem = begun(client)["problem"]
    assert problem.startswith("order.txt ")
    assert json.loads(client.ask("POST", "/api/order", wanted("one"))[2])["problem"] == problem
    with pytest.raises(ConfigError) as refused:
        rendered(config, campaign)
    assert str(refused.value) == problem


@pytest.mark.parametrize("order", ["received", "sender", "filename", "shuffle:7"])
def test_a_rule_is_no_file(campaign: LedgerScene, tmp_path: Path, order: str) -> None:
    config = with_order(tmp_path, order)
    assert clip_order.path_of(config) is None
    with pytest.raises(InvalidEntry, match="not a file"):
        ordering.save(config, campaign.ledger.clips.rows(), wanted("one"))
    with serving(config) as server:
        offered = begun(Client(server))["admitted"]
    # the same word is a rule for render, and the tab begins with what it would show
    assert [sha(name) for name in rendered(config, campaign)] == offered
    assert len(offered) == len(NAMES)


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Origin": None}])
def test_foreign_page_writes_no_order(
    client: Client, tmp_path: Path, headers: dict[str, str | None]
) -> None:
    assert client.ask("POST", "/api/order", wanted("one"), **headers)[0] == 403
    assert not (tmp_path / "order.txt").exists()


# -- the tab ----------------------------------------------------------------------------------


@pytest.fixture
def tab(reader: Reader, server: ReviewServer) -> Callable[..., Page]:
    def opened(**how: str) -> Page:
        page, watch = enter(reader, server, **how)
        page.get_by_role("tab", name="Montage").click()
        page.wait_for_selector(".reel")
        assert watch.errors == []
        return page

    return opened


def shown(page: Page) -> list[str]:
    return page.locator("#film .what b").all_inner_texts()


def saved(page: Page) -> None:
    page.get_by_role("button", name="Save order").click()
    expect(page.locator("#dock-count")).to_contain_text("Now run: footage render")


def test_clips_are_moved_by_keys_alone(
    tab: Callable[..., Page], config: Config, campaign: LedgerScene
) -> None:
    page = tab()
    assert shown(page) == ["one.mov", "two.mov", "three.mov", "four.mov"]
    expect(page.locator("#film-length")).to_have_text("4 clips, 0:12 without the cards")
    keys = page.keyboard
    for key in ("j", "Shift+J", "Shift+J"):
        keys.press(key)
    expect(page.locator("#said")).to_have_text("one.mov is 3 of 4")
    expect(page.locator(f'.reel[data-sha256="{sha("one")}"]')).to_be_focused()
    for key in ("p", "k", "Shift+J"):  # past the pinned one, which keeps its place
        keys.press(key)
    assert shown(page) == ["two.mov", "four.mov", "one.mov", "three.mov"]
    for key in ("j", "x"):
        keys.press(key)
    assert page.locator("#film-out b").all_inner_texts() == ["three.mov"]
    keys.press("u")
    keys.press("s")
    expect(page.locator("#dock-count")).to_contain_text("4 clips saved to order.txt")
    expect(page.locator("#film-changed")).to_be_hidden()
    assert rendered(config, campaign) == ["two", "four", "one", "three"]


@pytest.mark.windows
def test_clips_are_moved_by_mouse_alone(
    tab: Callable[..., Page], config: Config, campaign: LedgerScene
) -> None:
    page = tab()
    handle = page.locator(".reel .handle")
    start, end = handle.nth(3).bounding_box(), handle.nth(0).bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 8, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(end["x"] + 8, end["y"] + 60, steps=4)
    page.mouse.move(end["x"] + 8, end["y"] - 10, steps=4)
    page.mouse.up()
    assert shown(page) == ["four.mov", "one.mov", "two.mov", "three.mov"]
    page.get_by_role("button", name="Later: one.mov").click()
    page.get_by_role("button", name="Pin: two.mov").click()
    page.get_by_role("button", name="Leave out: four.mov").click()
    page.get_by_role("button", name="Take in: four.mov").click()
    page.get_by_label("Sort all but the pinned").select_option("filename")
    page.get_by_role("button", name="Sort", exact=True).click()
    pinned = shown(page).index("two.mov")
    others = [name for name in shown(page) if name != "two.mov"]
    assert others == sorted(others)
    saved(page)
    assert rendered(config, campaign).index("two") == pinned
    page.get_by_role("button", name="Leave out: one.mov").click()
    page.get_by_role("button", name="Discard changes").click()
    expect(page.locator("#film-out .reel")).to_have_count(0)


def test_what_is_decided_meanwhile_comes_to_the_tab(
    tab: Callable[..., Page], campaign: LedgerScene
) -> None:
    page = tab()
    decide(campaign.ledger, sha("waiting"), Review(Decision.APPROVED, "", "bob"))
    decide(campaign.ledger, sha("one"), Review(Decision.HELD, "", "bob"))
    expect(page.locator(".reel")).to_have_count(5)
    expect(page.locator(".reel.absent")).to_contain_text("On hold: not rendered")


def test_an_order_that_is_not_loaded_or_saved_is_named_as_trouble(
    reader: Reader, server: ReviewServer, tmp_path: Path
) -> None:
    page, _ = enter(reader, server)
    trouble = page.locator("#dock-count.trouble")
    reading = "**/api/order"
    page.route(reading, lambda route: route.fulfill(status=500, json={"problem": "disk"}))
    page.get_by_role("tab", name="Montage").click()
    expect(trouble).to_contain_text("The order of the film could not be loaded: disk.")
    page.unroute(reading)
    page.get_by_role("button", name="Discard changes").click()
    expect(page.locator(".reel")).to_have_count(4)
    page.get_by_role("button", name="Later: one.mov").click()
    page.context.set_offline(True)
    page.get_by_role("button", name="Save order").click()
    expect(trouble).to_contain_text("does not answer")
    assert not (tmp_path / "order.txt").exists()


def test_a_rule_is_told_and_the_order_is_offered_as_text(
    reader: Reader, campaign: LedgerScene, tmp_path: Path
) -> None:
    config = with_order(tmp_path, "sender", "transition_seconds = 1.0\n")
    with serving(config) as server:
        page, _ = enter(reader, server)
        page.get_by_role("tab", name="Montage").click()
        page.wait_for_selector(".reel")
        expect(page.locator("#film-about")).to_contain_text('a rule: order = "sender"')
        expect(page.locator("#film-length")).to_contain_text("0:09")  # three fades of a second
        expect(page.locator(".reel .when").last).to_have_text("at 0:06, 3.0 s")
        page.get_by_role("button", name="Later: one.mov").click()
        with page.expect_download() as caught:
            page.get_by_role("button", name="Save order.txt").click()
        caught.value.save_as(tmp_path / "order.txt")
        expect(page.locator("#film-text")).to_have_value((tmp_path / "order.txt").read_text())
    path = tmp_path / "config.toml"
    path.write_text(path.read_text().replace('"sender"', '"order.txt"', 2).replace(
        'sender = "order.txt"', 'sender = "masked"'))  # fmt: skip
    assert rendered(configuration.load(path), campaign) == ["four", "three", "one", "two"]


def test_axe_finds_nothing_in_the_tab(tab: Callable[..., Page]) -> None:
    page = tab(size="phone")
    page.get_by_role("button", name="Pin: two.mov").click()
    page.get_by_role("button", name="Leave out: four.mov").click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
    assert overflow(page) <= 0
    page.get_by_role("tab", name="Montage").press("ArrowLeft")
    expect(page.get_by_role("tab", name="Clips")).to_be_focused()
    expect(page.locator("#view-montage")).to_be_hidden()
