"""The configuration: every fault at once, by file, key and what is allowed; no secret in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import Config, load
from pipeline.errors import ConfigError

MINIMAL = """
[campaign]
name = "River Week 2026"
hashtags = ["#RiverWeek"]
[inbox]
url = "imaps://submissions%40example.org@mail.example.org:1993/In%20box"
"""


def loaded(folder: Path, text: str) -> Config:
    path = folder / "config.toml"
    path.write_text(text)
    return load(path)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    assert caught.value.exit_code == 2
    return [line.removeprefix(f"{folder / 'config.toml'}: ") for line in caught.value.problems]


def test_the_defaults_are_those_of_the_interface(tmp_path: Path) -> None:
    config = loaded(tmp_path, MINIMAL)
    assert config.inbox[0].user == "submissions@example.org"
    assert (config.inbox[0].host, config.inbox[0].port, config.inbox[0].folder) == (
        "mail.example.org", 1993, "In box",
    )  # fmt: skip
    assert config.inbox[0].password_env == "FOOTAGE_IMAP_PASSWORD"
    assert config.inbox[0].max_attachment_mb == 2048
    assert config.root == tmp_path / "work"
    assert config.workspace.retain_originals_days == 30
    assert (config.process.workers, config.process.still_seconds) == (0, 4.0)
    assert (config.process.loudness_lufs, config.process.max_source_seconds) == (-16.0, 1800)
    assert (config.process.timeout_factor, config.process.sandbox) == (20, "auto")
    assert config.review.required
    assert config.report.sender == "masked"
    assert (config.montage.name, config.montage.order) == ("montage", "received")
    assert config.montage.opening_card is None
    assert config.montage.closing_card
    assert not config.montage.automatic
    (output,) = config.output
    assert (output.name, output.size, output.fps) == ("landscape", "1920x1080", 30)
    assert (output.quality, output.fit) == ("standard", "fill")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        """
        [campaign]
        name = ""
        hashtags = ["RiverWeek"]
        opens = 2026-09-15
        closes = 2026-09-01
        [[campaign.category]]
        name = "a"
        match = "colour"
        pattern = "("
        [inbox]
        url = "pop3://mail.example.org"
        [process]
        workers = "two"
        colour = "blue"
        [[output]]
        size = "1921x1080"
        fps = 29
        """,
    )
    keys = [line.split(":")[0] for line in told]
    assert keys == [
        "campaign.name", "campaign.hashtags[0]", "campaign.category[0].match",
        "campaign.category[0].pattern", "inbox.url", "process.workers", "process.colour",
        "output[0].size", "output[0].fps",
    ]  # fmt: skip
    by_key = dict(zip(keys, told, strict=True))
    assert "'subject', 'recipient', 'body' or 'kind'" in by_key["campaign.category[0].match"]
    assert "there is no such key" in by_key["process.colour"]
    assert "24, 25, 30, 50 or 60 (it is 29)" in by_key["output[0].fps"]


def test_missing_keys_are_named(tmp_path: Path) -> None:
    assert faults(tmp_path, "[campaign]\nname = 'x'\n") == [
        "campaign.hashtags: is required",
        "inbox: is required",
    ]


@pytest.mark.parametrize(
    "url",
    ["imaps://me%40example.org:hunter2@mail.example.org/INBOX", "imap://me:hunter2@localhost/"],
)
def test_a_password_in_the_address_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    (line,) = faults(tmp_path, MINIMAL.split("[inbox]", maxsplit=1)[0] + f'[inbox]\nurl = "{url}"')
    assert "password_env" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("key", ["password", "oauth_token", "client_secret"])
def test_a_secret_as_a_key_is_refused_and_not_repeated(tmp_path: Path, key: str) -> None:
    (line,) = faults(tmp_path, MINIMAL + f'{key} = "hunter2"\n')
    assert line.startswith(f"inbox.{key}: there is no such key; a secret is never in")
    assert "hunter2" not in line


def test_plain_imap_is_for_loopback_only(tmp_path: Path) -> None:
    text = MINIMAL.replace("imaps://", "imap://")
    (line,) = faults(tmp_path, text)
    assert "imaps:// or imap+starttls://" in line
    assert loaded(tmp_path, text.replace("mail.example.org", "127.0.0.1")).inbox[0].scheme == "imap"


@pytest.mark.parametrize(
    ("rest", "fault"),
    [
        ("[::1/x", "form"),
        ("", "form"),
        ("host:0/x", "has a port that is not a number from 1 to 65535"),
        ("host:99999/x", "has a port that is not a number from 1 to 65535"),
        ("host/x#y", "must have no ? and no #; write %3F and %23 instead"),
        ("host/?x", "must have no ? and no #; write %3F and %23 instead"),
    ],
)
def test_addresses_of_all_servers_have_the_same_rules(
    tmp_path: Path, rest: str, fault: str
) -> None:
    head = MINIMAL.split("url", maxsplit=1)[0]
    smtp = f'[smtp]\nurl = "smtps://me@{rest}"\nfrom = "a@b.org"\n'
    for text, key in ((f'{head}url = "imaps://me@{rest}"', "inbox"), (MINIMAL + smtp, "smtp")):
        (line,) = faults(tmp_path, text)
        assert line.startswith(f"{key}.url: ")
        assert fault in line


def test_paths_are_seen_from_the_file(tmp_path: Path) -> None:
    config = loaded(tmp_path, MINIMAL + '[workspace]\npath = "../elsewhere"\n')
    assert config.root == tmp_path.parent / "elsewhere"


@pytest.mark.parametrize("text", ["[campaign", "\xff"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"config\.toml"):
        load(path)


def test_a_missing_file_says_what_to_try(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="footage demo"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize("text", ["River Week 2026", "#RiverWeek", "In%20box", "work", "order.txt"])
def test_no_text_holds_the_character_nul(tmp_path: Path, text: str) -> None:
    """Neither a path nor a caption can have it."""
    whole = MINIMAL + '[workspace]\npath = "work"\n[montage]\norder = "order.txt"\n'
    (fault,) = faults(tmp_path, whole.replace(f'{text}"', f'{text}\\u0000"'))
    assert fault.partition(": ")[2].startswith("must not have the character NUL in it")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('until = "6:00"', "must be a time of day with two digits for each part"),
        ("max_hours_per_sender = inf", "must be a finite number"),
    ],
)
def test_a_time_and_a_number_that_cannot_be(tmp_path: Path, line: str, fault: str) -> None:
    (said,) = faults(tmp_path, f"{MINIMAL}\n[process]\n{line}\n")
    assert fault in said


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000, "36_501"])
def test_numbers_and_arrays_beyond_all_measure(tmp_path: Path, value: str) -> None:
    (fault,) = faults(tmp_path, f"{MINIMAL}[workspace]\nretain_originals_days = {value}\n")
    assert fault.startswith(("not valid TOML: ", "workspace.retain_originals_days: "))


def test_a_user_that_does_not_exist_is_a_part_of_the_path(tmp_path: Path) -> None:
    config = loaded(tmp_path, MINIMAL + '[workspace]\npath = "~nosuchuser/work"\n')
    assert config.root == tmp_path / "~nosuchuser" / "work"
