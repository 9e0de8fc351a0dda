"""``footage report --pack``: report and clips go to a reviewer, and the decisions come back."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.browser import Reader, browser, reader
from support.command_scene import CommandScene
from support.ledger_scene import LedgerScene, attachment, result, sha
from support.review_server import NAMES, campaign, config

from pipeline import protection, publishing
from pipeline.ledger import Ledger
from pipeline.model import Decision, Review
from pipeline.protection import Mask, MaskPoint

__all__ = ["browser", "campaign", "config", "reader"]


@pytest.fixture
def scene(campaign: LedgerScene, tmp_path: Path) -> CommandScene:
    """Three clips that play, and one that its sender has taken back."""
    campaign.mail(attachment("gone"))
    campaign.clip(result("gone"), plays=True)
    return CommandScene(tmp_path)


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): publishing.sha256_of(path)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_reviewer_gets_the_pack_and_its_decisions_come_back(
    reader: Reader, scene: CommandScene, campaign: LedgerScene, tmp_path: Path
) -> None:
    assert scene.footage("withdraw", "--clip", sha("gone")).code == 0
    target = tmp_path / "for-ana.zip"
    said = scene.footage("--json", "report", "--pack", str(target))
    assert (said.code, len(said.data["pack"]["clips"])) == (0, 3)
    away = tmp_path / "elsewhere"
    with zipfile.ZipFile(target) as packed:
        assert {name.split("/")[0] for name in packed.namelist()} == {"for-ana"}
        packed.extractall(away)
    held = files(away / "for-ana")
    assert {name for name in held if name.endswith(".mp4")} == {
        f"clips/{sha(name)}/landscape.mp4" for name in NAMES
    }
    assert {name.split("/")[0] for name in held} == {"report", "clips"}
    assert all(sha("gone") not in name for name in held)
    assert held.items() <= files(tmp_path / "work").items()

    page, watch = reader.open(away / "for-ana" / "report" / "index.html")
    video = page.locator(".card video").first
    video.evaluate("video => video.play()")
    page.wait_for_function("video => video.currentTime > 0", arg=video.element_handle())
    page.get_by_role("button", name="Approve").first.click()
    page.get_by_label("Your name").fill("Ana")
    with page.expect_download() as caught:
        page.get_by_role("button", name="Save decisions file").click()
    caught.value.save_as(tmp_path / "back.json")
    assert (watch.errors, watch.abroad) == ([], [])
    assert scene.footage("decide", str(tmp_path / "back.json")).err == "1 decision taken\n"
    again = scene.footage("decide", str(tmp_path / "back.json"))
    assert again.err == "0 decisions taken; 1 entry says what is recorded already\n"
    (review,) = campaign.ledger.reviews.current().values()
    assert (review.decision, review.by) == ("approved", "Ana")


def test_an_older_ledger_gives_no_pack_and_its_page_saves_no_decision(
    reader: Reader, scene: CommandScene, campaign: LedgerScene, tmp_path: Path
) -> None:
    """The ledger may have forgotten who took footage back."""
    (campaign.workspace.heads / "29990101.txt").write_text(f"999999:{'0' * 64}\n")
    said = scene.footage("report", "--pack", str(tmp_path / "pack"))
    assert said.code == 1
    assert "Left out until a person has looked: packs of the report." in said.err
    assert not (tmp_path / "pack").exists()
    assert scene.footage("report").code == 0
    page, _ = reader.open(tmp_path / "work" / "report" / "index.html")
    expect(page.locator("#ledger-older")).to_contain_text("An older ledger was put back")
    expect(page.locator("#ledger-older")).to_be_in_viewport()
    page.get_by_role("button", name="Approve").first.click()
    expect(page.get_by_text("Not saved: this page was made from an older")).to_be_visible()
    expect(page.get_by_role("button", name="Save decisions file")).to_be_disabled()


def test_a_folder_holds_the_same_as_a_zip(scene: CommandScene, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip", "pack"):
        publishing.part_path(tmp_path / name).mkdir()  # of a run that was killed
        assert scene.footage("report", "--pack", str(tmp_path / name)).code == 0
    assert not [*tmp_path.glob(".*.part")]
    assert (tmp_path / "a.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        packed.extractall(tmp_path)
    assert files(tmp_path / "pack") == files(tmp_path / "a")
    assert (tmp_path / "pack").stat().st_mode & 0o777 == 0o700
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        assert len(packed.namelist()) == len(files(tmp_path / "a"))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("there.zip", "exists already"),
        ("work/pack", "in the workspace"),
        ("nowhere/pack.zip", "is not a folder"),
    ],
)
def test_where_a_pack_can_not_be_is_said(
    scene: CommandScene, tmp_path: Path, target: str, said: str
) -> None:
    (tmp_path / "there.zip").write_bytes(b"of somebody")
    done = scene.footage("report", "--pack", str(tmp_path / target))
    assert (done.code, said in done.err) == (2, True)
    assert (tmp_path / "there.zip").read_bytes() == b"of somebody"


def test_a_withdrawal_names_the_packs_that_hold_the_clip(
    scene: CommandScene, campaign: LedgerScene, tmp_path: Path
) -> None:
    campaign.mail(attachment("late"))
    assert scene.footage("report", "--pack", str(tmp_path / "pack")).code == 0
    campaign.clip(result("late"), plays=True)
    held = scene.footage("withdraw", "--dry-run", "--clip", sha("gone"))
    assert "a pack of the report that was made at" in held.err
    newer = scene.footage("withdraw", "--dry-run", "--clip", sha("late"))
    assert "a pack of the report" not in newer.err
    with Ledger(campaign.workspace.ledger) as ledger:
        assert ledger.chain.breaks() == []


def test_packs_from_before_the_masks_are_named(
    reader: Reader, scene: CommandScene, campaign: LedgerScene, tmp_path: Path
) -> None:
    """They are named by what makes the clip anew, by the status, and in the page."""
    masks = (Mask((MaskPoint(0.0, 0.1, 0.1, 0.2, 0.2),)),)
    ledger = campaign.ledger

    def pack(name: str) -> None:
        assert scene.footage("report", "--pack", str(tmp_path / name)).code == 0

    def old() -> int:
        return len(scene.footage("status", "--json").data["old_packs"])

    pack("bare")
    assert old() == 0
    ledger.reviews.amend(sha("one"), lambda _: Review(Decision.APPROVED, masks=masks))
    bare = scene.footage("report", "--pack", str(tmp_path / "not made anew yet"), "--json")
    assert bare.data["pack"]["left_out"] == [sha("one")]
    assert (
        f"left out of the pack: {sha('one')[:12]} one.mov does not have its new masks" in bare.err
    )
    held = files(tmp_path / "not made anew yet")
    assert not [name for name in held if sha("one") in name], "neither the film nor its still"
    away, _ = reader.open(tmp_path / "not made anew yet" / "report" / "index.html")
    away.get_by_role("button", name="Enlarge one.mov").click()
    expect(
        away.get_by_text("A pack leaves out a film that does not have its new masks")
    ).to_be_visible()
    assert old() == 1
    said = scene.footage("process").err
    assert "1 pack of the report" in said
    assert "delete all copies of it" in said
    ledger.chain.begin_run("7", "process")
    made = result("one")
    hides = protection.hidden(masks, ())
    masked = replace(made, outputs=tuple(replace(it, hides=hides) for it in made.outputs))
    campaign.clip(masked, plays=True)
    pack("masked")
    campaign.clip(replace(masked, caption="another"), plays=True)
    assert old() == 1
    assert "1 pack of the report (made at" in scene.footage("status").out
    page, _ = reader.open(campaign.workspace.report / "index.html")
    expect(page.locator("#old-packs")).to_contain_text("1 pack of the report (made at")
    ledger.reviews.amend(sha("one"), lambda review: replace(review, masks=()))
    assert old() == 0, "nothing is hidden now"
