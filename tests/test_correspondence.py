"""Mails that belong together: answers, take-backs that hold clips, and what needs an answer."""

from __future__ import annotations

import csv
import email
import io
import json
from dataclasses import replace
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.command_scene import CommandScene, config
from support.ledger_scene import settings
from support.warm_taking import quick_taking

from pipeline import correspondence, letter_ids
from pipeline.commands.letters import draft
from pipeline.model import (
    Attachment,
    Kind,
    Note,
    Reason,
    Refusal,
    Row,
    Status,
    Submission,
)
from pipeline.review.mails import MailView
from pipeline.texts import Detail

__all__ = ["quick_taking"]  # a fixture

QUICK = (
    '[process]\nstill_seconds = 0.2\nstill_motion = "none"\n[review]\nrequired = false\n'
    '[montage]\nopening_card = ""\nclosing_card = false\n'
)
OUTPUT = '[[output]]\nname = "small"\nsize = "128x72"\nfps = 25\n'
ANA, BEN = "Ana <ana@example.org>", "ben@example.org"


def picture(colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(data, "PNG")
    return data.getvalue()


def written(sender: str, number: int, text: str, **files: bytes) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, "river@example.org"
    mail["Subject"] = f"Mail {number}"
    mail["Message-ID"] = f"<{number}@example.org>"
    mail["Received"] = f"by mx.example.org; Tue, 1 Sep 2026 {8 + number:02}:00:00 +0000"
    mail.set_content(text)
    for name, data in files.items():
        mail.add_attachment(data, maintype="image", subtype="png", filename=f"{name}.png")
    return mail


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    """Ana sends two photos and takes them back; Ben sends a photo, a link and a broken photo."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "config.toml").write_text(config(QUICK, outputs=OUTPUT))
    scene = CommandScene(folder)
    mails = [
        written(ANA, 0, "Here are two", red=picture("red"), green=picture("green")),
        written(BEN, 1, "Mine", blue=picture("blue")),
        written(BEN, 2, "It is here: https://we.tl/t-Ab12Cd34"),
        written(ANA, 3, "Please do not use my photos any more."),
        written("cara@example.org", 4, "Look", broken=picture("white")[:60]),
        written("dan@example.org", 5, "When is the film shown?"),
        written(BEN, 6, "Did it arrive?"),
    ]
    mails[6]["In-Reply-To"] = "<1@example.org>"
    (folder / "inbox").mkdir()
    for number, mail in enumerate(mails):
        (folder / "inbox" / f"{number}.eml").write_bytes(bytes(mail))
    assert scene.footage("run").code == 0
    return scene


@pytest.fixture
def scene(processed: CommandScene, tmp_path: Path) -> CommandScene:
    return processed.copy(tmp_path)


def mails_of(scene: CommandScene) -> dict[str, dict[str, object]]:
    report = json.loads((scene.work / "report" / "report.json").read_text("utf-8"))
    return {mail["subject"]: mail for mail in report["submissions"]}


def test_each_mail_says_what_there_is_to_do(scene: CommandScene) -> None:
    mails = mails_of(scene)
    needs = {subject: mail["needs_answer"] for subject, mail in mails.items()}
    assert needs == {
        "Mail 0": [],
        "Mail 1": [],
        "Mail 2": ["link-only"],
        "Mail 3": ["takes-back"],
        "Mail 4": ["refused"],
        "Mail 5": ["words-only"],
        "Mail 6": ["wrote-again"],
    }
    assert mails["Mail 0"]["wrote_again"] == [mails["Mail 3"]["id"]]
    assert mails["Mail 1"]["wrote_again"] == [mails["Mail 2"]["id"], mails["Mail 6"]["id"]]
    said = scene.footage("status")
    assert "5 mails need an answer: 1 may take footage back, 1 sent only a link" in said.out
    assert "2 clips are held" in said.out


def test_every_mail_is_in_the_table(scene: CommandScene) -> None:
    table = (scene.work / "report" / "mails.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [row["subject"] for row in rows] == [f"Mail {number}" for number in range(7)]
    assert rows[3]["needs_answer"] == "takes-back"


def test_a_take_back_holds_clips_until_somebody_has_dealt_with_it(scene: CommandScene) -> None:
    red = scene.rows["red.png"]
    taking = mails_of(scene)["Mail 3"]["id"]
    assert red["held_by"] == [taking]
    assert scene.rows["blue.png"]["held_by"] == []
    assert scene.footage("approve", red["sha256"]).code == 0
    said = scene.footage("render", "--json")
    assert said.data["render"][0]["clips"] == 1
    assert f"left out: 2 (read {taking})" in said.err

    assert scene.footage("handled", str(taking)[:8], "--by", "Zoe").code == 0
    assert scene.footage("report").code == 0
    assert scene.rows["red.png"]["held_by"] == []
    handled = mails_of(scene)["Mail 3"]["handled"]
    assert isinstance(handled, dict)
    assert handled["by"] == "Zoe"
    assert scene.footage("render", "--json").data["render"][0]["clips"] == 3

    assert scene.footage("handled", str(taking), "--undo").code == 0
    assert scene.footage("render", "--json").data["render"][0]["clips"] == 1
    assert scene.footage("handled", "nothing").code == 2


def test_status_names_the_montage_that_shows_what_is_no_longer_admitted(
    scene: CommandScene,
) -> None:
    red, blue = (str(scene.rows[name]["sha256"]) for name in ("red.png", "blue.png"))
    taking = str(mails_of(scene)["Mail 3"]["id"])
    scene.footage("handled", taking)
    assert scene.footage("render").code == 0
    assert "no longer admitted" not in scene.footage("status").out
    scene.footage("handled", taking, "--undo")
    scene.footage("reject", blue)
    said = scene.footage("status").out
    assert "shows 3 clips that are no longer admitted" in said
    assert red[:12] in said
    assert blue in scene.footage("status", "--json").data["montages"][0]["not_admitted"]
    planned = scene.footage("withdraw", "--clip", red, "--dry-run").err
    assert "montage/montage-small.mp4 holds them: it would be marked stale" in planned
    scene.footage("handled", taking)
    assert "shows 1 clip that is no longer admitted" in scene.footage("status").out
    assert scene.footage("render").code == 0
    assert "no longer admitted" not in scene.footage("status").out


def test_letters_are_drafts_with_the_true_address(scene: CommandScene) -> None:
    assert scene.footage("letters").code == 0
    folder = scene.work / "letters"
    assert folder.stat().st_mode & 0o777 == 0o700
    drafts = {}
    for path in folder.glob("*.eml"):
        drafts[path.stem] = email.message_from_bytes(path.read_bytes(), policy=default)
        assert path.stat().st_mode & 0o777 == 0o600
    ids = {subject: str(mail["id"]) for subject, mail in mails_of(scene).items()}
    assert set(drafts) == {ids[f"Mail {number}"] for number in (2, 3, 4, 5, 6)}
    link = drafts[ids["Mail 2"]]
    assert (link["To"], link["Subject"]) == ("ben@example.org", "Re: Mail 2")
    assert (link["In-Reply-To"], link["X-Unsent"]) == ("<2@example.org>", "1")
    assert "From" not in link
    assert "opens no links" in link.get_content()
    assert "keep the original files" in link.get_content()
    assert "keep the original files" not in drafts[ids["Mail 6"]].get_content()
    assert "is damaged" in drafts[ids["Mail 4"]].get_content()


def test_a_draft_that_somebody_changed_is_kept(scene: CommandScene) -> None:
    assert scene.footage("letters").code == 0
    folder = scene.work / "letters"
    ids = {subject: str(mail["id"]) for subject, mail in mails_of(scene).items()}
    changed, other = (folder / f"{ids[name]}.eml" for name in ("Mail 2", "Mail 4"))
    changed.write_text("my own words")
    assert scene.footage("handled", ids["Mail 2"], ids["Mail 4"]).code == 0
    said = scene.footage("letters", "--json")
    assert said.data["letters"]["kept"] == [changed.name]
    assert changed.read_text() == "my own words"
    assert not other.exists()


def test_a_letter_goes_with_the_footage_that_is_withdrawn(scene: CommandScene) -> None:
    assert scene.footage("letters").code == 0
    broken = str(mails_of(scene)["Mail 4"]["id"])
    letter = scene.work / "letters" / f"{broken}.eml"
    assert letter.exists()
    said = scene.footage("withdraw", "--submission", broken, "--dry-run", "--json")
    assert f"letters/{letter.name}" in said.data["withdraw"]["deleted"]
    assert letter.exists()
    assert scene.footage("withdraw", "--submission", broken).code == 0
    assert not letter.exists()


def mail(name: str, sender: str = "ana@example.org", **more: Any) -> Submission:
    given = {"subject": "River", "text": "", "received_at": "2026-09-01T08:00:00Z"} | more
    return Submission(name, f"<{name}@x>", sender, **given)


def test_a_take_back_from_another_address_holds_all_that_it_answers() -> None:
    first, second = mail("1"), mail("2")
    back = mail("3", "work@example.org", answers=("<2@x>", "<1@x>"), notes=(Note.TAKES_BACK,))
    assert correspondence.holds([back, first, second], set(), letters={}).keys() == {"1", "2", "3"}
    assert correspondence.holds([first, second, back], {"3"}, letters={}) == {}


def test_a_refusal_that_answers_a_letter_holds_all_of_the_person_who_got_it() -> None:
    """Also from another address, and by the Message-ID of the letter alone."""
    sent = [mail("s1"), mail("s2"), mail("ben", "ben@example.org"), mail("s3", "")]
    ours = letter_ids.made("s1", "team@example.org")
    for answered, letters in ((ours, {}), ("<q@x>", {"<q@x>": "s1"}), ("<s1@x>", {})):
        no = mail("4", "a@private.example", answers=(answered,), notes=(Note.TAKES_BACK,))
        late = mail("s5", received_at="2026-09-06T08:00:00Z")
        mails = [*sent, no, late]
        held = correspondence.holds(mails, set(), letters=letters)
        assert held == dict.fromkeys(("s1", "s2", "4", "s5"), ("4",))
        assert correspondence.holding(mails, {"s2"}, letters) == {"4"}
        assert correspondence.holds(mails, {"4"}, letters=letters) == {}
        assert correspondence.relate(mails, {"s1"}, letters).answers == {"4": "s1"}
    forged = ("<1.2.3.nobody@x>", "<s1@x", f"x{ours}", "<1.2.3.@x>")
    no = mail("4", "a@private.example", answers=forged, notes=(Note.TAKES_BACK,))
    assert correspondence.holds([*sent, no], set(), letters={}) == {"4": ("4",)}
    unknown = mail("4", "a@x.example", answers=(letter_ids.made("s3", "t@x.org"),), notes=no.notes)
    assert correspondence.holds([*sent, unknown], set(), letters={}).keys() == {"s3", "4"}


def test_a_form_that_calls_itself_automatic_can_take_footage_back() -> None:
    form = mail("2", notes=(Note.TAKES_BACK, Note.AUTOMATIC))
    assert correspondence.holds([mail("1"), form], set(), letters={})["1"] == ("2",)
    assert correspondence.matters(form, [], follows=True) == [correspondence.Matter.TAKES_BACK]
    bounce = mail("3", notes=(Note.TAKES_BACK, Note.BOUNCE))
    assert correspondence.holds([mail("1"), bounce], set(), letters={})["1"] == ("3",), (
        "no path to return"
    )
    assert correspondence.matters(bounce, [], follows=True) == [correspondence.Matter.TAKES_BACK]


def test_footage_that_was_long_on_its_way_is_held_by_a_take_back_that_came_before() -> None:
    back = mail("1", notes=(Note.TAKES_BACK,))
    delayed = mail("2", received_at="2026-09-06T08:00:00Z")
    other, new = mail("3", "ben@example.org"), mail("4", received_at="2026-09-06T08:00:01Z")
    held = correspondence.holds([back, other, delayed, new], set(), letters={})
    assert held == {"1": ("1",), "2": ("1",)}
    assert correspondence.holds([back, delayed], {"1"}, letters={}) == {}
    assert "2" in correspondence.holds([back, mail("2", received_at="")], set(), letters={})
    files = [mail(number, "") for number in ("5", "7")]
    nobody = mail("6", "", notes=(Note.TAKES_BACK,))
    held = correspondence.holds([files[0], nobody, files[1]], set(), letters={})
    assert held == {"6": ("6",)}, "without an address nobody knows whose the files are"


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": "no-reply@example.org"},
        {"sender": "list@example.org", "through": "list@example.org"},
        {"sender": ""},
        {"sender": "a@b\r\nBcc: c@d"},
        {"notes": (Note.AUTOMATIC,)},
        {"notes": (Note.BOUNCE,)},
    ],
)
def test_no_letter_to_a_program_or_a_list(tmp_path: Path, wrong: dict[str, Any]) -> None:
    matters = (correspondence.Matter.LINK_ONLY,)
    seen = MailView(replace(mail("1"), **wrong), [], matters, None, None, ())
    with pytest.raises((ValueError, MessageError, IndexError)):
        draft(settings(tmp_path), seen)


def test_an_archive_that_is_not_opened_needs_an_answer(tmp_path: Path) -> None:
    closed = Refusal(Reason.NOT_MEDIA, Detail.CLOSED_ARCHIVE, {"format": "RAR"})
    item = Attachment(0, "a.rar", Kind.OTHER, "0" * 64, 9, refusal=closed)
    rows = [Row("1", item, None, Status.REJECTED, closed, None, None)]
    matters = correspondence.matters(mail("1"), rows, follows=False)
    assert matters == [correspondence.Matter.REFUSED]
    seen = MailView(mail("1"), rows, tuple(matters), None, None, ())
    assert "could not open an archive" in draft(settings(tmp_path), seen).get_content()


def test_no_field_of_a_mail_adds_a_header_to_a_letter(tmp_path: Path) -> None:
    evil = mail("1", subject="a\u2028Bcc: c@d", text="secret")
    seen = MailView(evil, [], (correspondence.Matter.LINK_ONLY,), None, None, ())
    written = email.message_from_bytes(draft(settings(tmp_path), seen).as_bytes(), policy=default)
    assert "Bcc" not in written
    assert "secret" not in written.get_content()


def test_ten_thousand_mails_of_one_sender_take_linear_time() -> None:
    mails = [
        Submission(f"s{n}", f"<{n}>", "a@example.org", "", "", "", (Note.TAKES_BACK,))
        for n in range(10_000)
    ]
    held = correspondence.holds(mails, set(), letters={})
    assert max(map(len, held.values())) <= 2
    related = correspondence.relate(mails, set())
    assert max(map(len, related.later.values())) <= 10


def test_a_clip_with_a_link_and_words_alone_need_an_answer(tmp_path: Path) -> None:
    item = Attachment(0, "a.mp4", Kind.VIDEO, "0" * 64, 9)
    rows = [Row("1", item, None, Status.ACCEPTED, None, None, None)]
    both = mail("1", notes=(Note.HAS_A_LINK,), links=("https://we.tl/t-x",))
    matters = correspondence.matters(both, rows, follows=False)
    assert matters == [correspondence.Matter.MORE_BY_LINK]
    seen = MailView(both, rows, tuple(matters), None, None, ())
    assert "behind it, please send it" in draft(settings(tmp_path), seen).get_content()
    words = mail("2", notes=(Note.NO_ATTACHMENT,))
    matters = correspondence.matters(words, [], follows=False)
    assert matters == [correspondence.Matter.WORDS_ONLY]
    seen = MailView(words, [], tuple(matters), None, None, ())
    assert "no photo or video" in draft(settings(tmp_path), seen).get_content()
    assert correspondence.matters(mail("3"), [], follows=False) == []
    bulk = mail("4", notes=(Note.NO_ATTACHMENT, Note.AUTOMATIC))
    assert correspondence.matters(bulk, [], follows=False) == []


def test_the_letter_to_an_unknown_address_does_not_say_that_footage_is_put_aside(
    tmp_path: Path,
) -> None:
    taking: dict[str, Any] = {"notes": (Note.TAKES_BACK,)}
    mails = [mail("1"), mail("2", "cara@example.org", **taking), mail("3", **taking)]
    mails.append(mail("4", "work@example.org", answers=("<1@x>",), **taking))
    holding = correspondence.holding(mails, {"1"}, {})
    assert holding == {"3", "4"}
    for each in mails[1:]:
        matters = (correspondence.Matter.TAKES_BACK,)
        seen = MailView(each, [], matters, None, None, (), each.id in holding)
        said = draft(settings(tmp_path), seen).get_content()
        assert ("We have put it aside" in said) is (each.id in holding)
        assert ("nothing is put aside yet" in said) is (each.id not in holding)


def test_a_forged_mail_credits_nobody() -> None:
    ana = Submission("a", "", "ana@example.org", "", "", "2026-09-01T08:00:00Z")
    forged = replace(ana, id="b", notes=(Note.NOT_AUTHENTIC,))
    by_list = replace(ana, id="c", notes=(Note.NO_RECEIPT,))
    credited = correspondence.credited([ana, forged, by_list])
    assert credited == {"a": "ana@example.org", "c": "ana@example.org"}
    doubtful = [correspondence.is_of_doubtful_sender(mail) for mail in (ana, forged, by_list)]
    assert doubtful == [False, True, True]
