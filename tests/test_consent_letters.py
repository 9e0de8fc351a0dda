"""A letter asks for consent, the answer proposes, a person confirms, and the film keeps to it."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from PIL import Image
from support.command_scene import CommandScene, begin, config
from support.listeners import mail_listener
from support.warm_taking import quick_taking

from pipeline.history import EventKind
from pipeline.ledger import Ledger

__all__ = ["quick_taking"]  # a fixture

TABLES = """
[smtp]
url = "smtp://localhost:{port}"
from = "submissions@example.org"
[receipts]
send = true
[process]
still_seconds = 0.2
still_motion = "none"
[review]
required = false
consent = "required"
"""


def photo(red: int) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), (red, 90, 60)).save(data, "PNG")
    return data.getvalue()


def deliver(
    folder: Path, name: str, text: str, *, answers: str = "", red: int = 0, through: str = ""
) -> None:
    """Put a mail into the inbox; with *red*, a photo of this colour is in it.

    :param through: the id of the list that it came by.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"Somebody <{name.partition('-')[0]}@example.net>"
    mail["To"] = "submissions@example.org"
    mail["Subject"] = "Re: the video" if answers else f"Mail {name}"
    mail["Message-ID"] = f"<{name}@example.net>"
    # the clock of the server that received the answer is behind
    earlier = timedelta(minutes=2 if answers else 0)
    mail["Received"] = f"from a by b; {format_datetime(datetime.now(UTC) - earlier)}"
    if answers:
        mail["In-Reply-To"] = answers.strip()  # a long one begins on a line of its own
    if through:
        mail["List-Id"] = through
    mail.set_content(text)
    if red:
        mail.add_attachment(photo(red), maintype="image", subtype="png", filename=f"{name}.png")
    (folder / f"inbox/{name}.eml").write_bytes(mail.as_bytes())


def words(letter: Message) -> str:
    payload = letter.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def asked(scene: CommandScene) -> dict[str, list[str]]:
    waiting: dict[str, list[str]] = scene.footage("status", "--json").data["waiting_for_consent"]
    return waiting


def with_footage(scene: CommandScene) -> list[dict[str, Any]]:
    return [mail for mail in scene.report["submissions"] if mail["clips"]]


def ask_by_letter(tmp_path: Path) -> tuple[CommandScene, Message]:
    """A campaign with three mails and a file, and the letter to the sender of two of them."""
    with mail_listener() as (post, port):
        scene = begin(tmp_path, {}, config(TABLES.format(port=port)))
        deliver(tmp_path, "mia", "Hier ist ein Foto von der Demo, danke.", red=200)
        deliver(tmp_path, "mia-again", "Noch eines.", red=120)
        deliver(tmp_path, "mia-by-list", "Drei.", red=160, through="<river.example.net>")
        (tmp_path / "found.png").write_bytes(photo(77))
        assert scene.footage("add", str(tmp_path / "found.png")).code == 0
        deliver(tmp_path, "zoe", "Please do not use my photo, I withdraw my consent.", red=40)
        assert scene.footage("run").code == 0
        receipts = len(post.mails)
        status = scene.footage("status").out
        waiting = "4 mails wait for the consent of the sender, none of them was asked yet"
        assert waiting in status
        assert "1 mail or file without a known sender waits for consent" in status
        drafting = scene.footage("letters")
        assert (drafting.code, "no address" in drafting.err) == (0, False), "of the file"
        asking = [
            path
            for path in sorted((scene.work / "letters").glob("*.eml"))
            if b"May we show" in path.read_bytes()
        ]
        (draft,) = asking  # one for each person, and none to somebody who takes footage back
        first = draft.read_bytes()
        assert scene.footage("letters").code == 0
        assert draft.read_bytes() == first, "with the same code"
        (scene.work / "letters/approved").mkdir()
        draft.rename(scene.work / "letters/approved" / draft.name)
        (zoe,) = (scene.work / "letters").glob("*.eml")
        (scene.work / "letters/approved" / zoe.name).write_bytes(first)
        sending = scene.footage("letters", "--send")
        assert (sending.code, "but the sender takes footage back" in sending.err) == (1, True)
        (scene.work / "letters/approved" / zoe.name).unlink()
        (letter,) = post.mails[receipts:]
        return scene, letter


def test_from_the_question_to_the_film(tmp_path: Path) -> None:
    scene, letter = ask_by_letter(tmp_path)
    text = words(letter)
    assert "May we show your photos" in text
    assert "Dürfen wir Ihre Fotos" in text, "also in the language of the mail"
    assert "X-Asks-For-Consent" not in letter
    assert len(asked(scene)["mails"]) == 5
    assert len(asked(scene)["asked"]) == 2, "all that surely came from this person"
    left = scene.footage("letters", "--json").data["letters"]["drafts"]
    assert len(left) == 1, "asked once; zoe gets an answer"
    deliver(tmp_path, "mia-answers", "Ja gern, mit meinem Namen: Mia", answers=letter["Message-ID"])
    assert scene.footage("run").code == 0
    mia = [mail for mail in with_footage(scene) if mail["consent"]["state"] == "asked"]
    assert [mail["consent"]["proposed"]["state"] for mail in mia] == ["yes-with-name"] * 2
    assert mia[0]["consent"]["proposed"]["sentence"] == "Ja gern, mit meinem Namen: Mia"
    assert scene.report["consent"] == {"required": True, "waiting": 5, "asked": 2}
    assert "have no consent of their sender" in scene.footage("render").err
    wanted = ("--set", "yes-with-name", "--name", "Mia <M>", "--by", "Ines")
    assert scene.footage("consent", "mia@example.net", *wanted).code == 0
    rendered = scene.footage("render")
    assert rendered.code == 0, rendered.err
    assert "clips without the consent of their sender, left out: 3" in rendered.err
    film = next((scene.work / "montage").glob("*.mp4"))
    assert film.with_suffix(".credits.txt").read_text("utf-8").count("Mia <M>") == 2
    assert "#RiverWeek\nMia &lt;M>" in film.with_suffix(".vtt").read_text("utf-8")
    contents = json.loads(film.with_suffix(".json").read_text("utf-8"))
    credits_ = [each["credit"] for each in contents["segments"] if each["sha256"]]
    assert credits_ == ["Mia <M>", "Mia <M>"]
    left_out = {out["why"] for out in contents["left_out"]}
    assert left_out == {"it may be taken back", "consent: unknown"}
    assert "consent" in (scene.work / "report/report.csv").read_text("utf-8-sig").splitlines()[0]
    said = scene.footage("consent", str(mia[0]["id"]), "--set", "no", "--json")
    assert said.data["films"] == [str(film.relative_to(scene.work))]
    assert "shows 1 clip that is no longer admitted" in scene.footage("status").out
    code = re.search(r"Your code: (\w+)", text)
    assert code is not None
    taken = scene.footage("withdraw", "--case", code[1], "--json").data["withdraw"]
    assert len(taken["withdrawn"]) == 1, "what the letter was about"
    assert [*(scene.work / "letters/sent").iterdir()] == []
    states = {mail["id"]: mail["consent"]["state"] for mail in with_footage(scene)}
    assert states[mia[0]["id"]] == "unknown", "it was deleted"
    with Ledger(scene.work / "ledger.db") as ledger:
        (receipt,) = ledger.chain.events(EventKind.RECEIPT)
    assert receipt.facts["state"] == "sent"
    assert receipt.facts["submissions"] == [mail["id"] for mail in mia]
    told = scene.footage("custody", "--clip", taken["withdrawn"][0], "--json").data["custody"]
    texts = [event["text"] for event in told["events"]]
    assert f"A receipt was sent. The hash of its code is {receipt.facts['code']}." in texts
    assert sum("recorded what the sender agreed to" in each for each in texts) >= 2
    chain = scene.footage("verify")
    assert chain.code == 0, chain.err
