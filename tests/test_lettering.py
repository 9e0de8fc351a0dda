"""Cards: what they say is drawn, in as many scripts as it has."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from PIL import Image
from support.command_scene import CommandScene

from pipeline.config import Config, Output, load
from pipeline.media import fonts, writing
from pipeline.render import lettering, readiness
from pipeline.render.lettering import Words

OUTPUT = Output(name="small", size="640x360", fps=30)


def configured(folder: Path, campaign: str = "", rest: str = "") -> Config:
    path = folder / "config.toml"
    path.write_text(
        f'[campaign]\nname = "T"\nhashtags = ["#T"]\n{campaign}\n'
        f'[inbox]\nurl = "eml:mails"\n{rest}\n'
    )
    return load(path)


def test_a_line_of_three_scripts_is_drawn_word_by_word(tmp_path: Path) -> None:
    style = lettering.card_style(configured(tmp_path))
    scripts = ["#RiverWeek", "#أسبوع_النهر", "#नदी_सप्ताह"]
    together = np.asarray(lettering.letters(Words(" ".join(scripts)), OUTPUT, style))[..., 3]
    for word in scripts:
        assert fonts.font_for(word, 20)
        without = " ".join(each for each in scripts if each != word)
        fewer = np.asarray(lettering.letters(Words(without), OUTPUT, style))[..., 3]
        assert together.any(axis=0).sum() > fewer.any(axis=0).sum()
    assert not together[:, :40].any()
    assert not together[:, -40:].any()


def test_words_do_not_overlap_and_run_in_their_own_direction() -> None:
    words = ["#RiverWeek", "#أسبوع_النهر", "#नदी_सप्ताह"]
    places = list(writing.placed(words, 30))
    assert [word for word, _ in places] == words
    for (word, left), (_, following) in itertools.pairwise(places):
        assert left + writing.length(word, 30) < following
    assert [word for word, _ in writing.placed(["أسبوع", "River", "Week"], 30)] == [
        *("River", "Week", "أسبوع"),
    ]


def test_doctor_says_what_a_montage_lacks(tmp_path: Path) -> None:
    scene = CommandScene(tmp_path)
    (tmp_path / "mails").mkdir()
    Image.new("L", (9, 9)).save(tmp_path / "gif.png", "GIF")
    for rest, named in (
        ('[montage]\nmusic = "tune.mp3"', "montage.music"),
        ('[montage]\norder = "recieved"', "montage.order"),
        ('[montage.style]\nlogo = "logo.png"', "montage.style.logo"),
        ('[montage.style]\nlogo = "gif.png"', "montage.style.logo"),
        ('[montage]\nopening_card = "\U0010fffd"', "U+10FFFD"),
    ):
        configured(tmp_path, rest=rest)
        said = scene.footage("doctor", "--json")
        checks = {check["name"]: check for check in said.data["checks"]}
        assert said.code == 1
        assert checks["montage"]["ok"] is False
        assert named in checks["montage"]["text"]
    configured(tmp_path, 'handle = "@أسبوع नदी river"')
    assert scene.footage("doctor").code == 0
    off = '[montage]\nopening_card = ""\nclosing_card = false\nchapter_cards = false'
    configured(tmp_path, rest=off)
    assert readiness.check(load(tmp_path / "config.toml")) == "no cards are wanted"
