"""Time stamps of a real authority: made after a night, checked later, and never in the way."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.command_scene import CommandScene, begin, config
from support.time_stamps import Authority, time_stamp_server

from pipeline import stamps
from pipeline.commands import stamping
from pipeline.config import load
from pipeline.stamps import StampError

TABLES = """
[custody]
timestamp = "{address}"
timestamp_ca = "{ca}"
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "ours")


def configure(scene: CommandScene, address: str, ca: Path) -> None:
    text = config(TABLES.format(address=address, ca=ca) if address else "")
    (scene.folder / "config.toml").write_text(text)


def test_each_night_is_stamped_and_checked(authority: Authority, tmp_path: Path) -> None:
    scene = begin(tmp_path, {"One": {"notes.txt": b"no footage"}})
    with time_stamp_server(authority.stamp) as address:
        configure(scene, address, authority.ca)
        night = scene.footage("run", "--json")
        assert night.code == 0, night.err
        checked = stamping.examine(load(tmp_path / "config.toml"))
        assert checked == f"{address}, checked with 1 certificate"
        assert scene.footage("run").code == 0
    (first, second) = sorted((scene.work / "stamps").glob("*.tsr"))
    head = first.with_suffix(".txt").read_text()
    assert night.data["timestamp"]["head"] == head
    assert first.stat().st_mode & 0o777 == 0o600
    openssl = ["openssl", "ts", "-verify", "-data", str(first.with_suffix(".txt"))]
    openssl += ["-in", str(first), "-CAfile", str(authority.ca)]
    subprocess.run(openssl, check=True, capture_output=True)
    said = scene.footage("verify")
    assert said.code == 0, said.err
    assert "its time stamps are good: 2" in said.err
    assert "stamped by Clock House" in said.err
    sha256 = scene.report["clips"][0]["sha256"]
    told = scene.footage("custody", "--clip", sha256, "--json")
    assert told.code == 0, told.err
    assert len(told.data["custody"]["chain"]["stamps"]) == 2
    assert "stamped by Clock House" in Path(told.data["custody"]["written"][1]).read_text()
    # without the certificates they can't be checked, which is no fault of the chain
    configure(scene, "", authority.ca)
    unchecked = scene.footage("verify")
    assert (unchecked.code, "were not checked" in unchecked.err) == (0, True)
    assert "were not checked" in scene.footage("custody", "--clip", sha256).out
    # a changed stamp, one of other bytes, and one that an unknown authority signed
    configure(scene, "http://127.0.0.1:1/", authority.ca)
    whole = first.read_bytes()
    first.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    assert broken(scene) == [first.name]
    shutil.copy(second, first)
    assert broken(scene) == [first.name]
    first.write_bytes(whole)
    first.with_suffix(".txt").unlink()
    assert broken(scene) == [first.name]
    first.with_suffix(".txt").write_text(head)
    other = Authority(tmp_path / "other", "Somebody")
    configure(scene, "http://127.0.0.1:1/", other.ca)
    assert broken(scene) == [first.name, second.name]
    assert scene.footage("custody", "--clip", sha256).code == 1


def broken(scene: CommandScene) -> list[str]:
    said = scene.footage("verify", "--json")
    assert said.code == 1
    found = said.data["verify"]["differences"]
    assert {each["kind"] for each in found} == {"stamp-broken"}
    return [Path(each["path"]).name for each in found]


def test_a_stamp_shows_that_events_were_cut_off(authority: Authority, tmp_path: Path) -> None:
    scene = begin(tmp_path, {"One": {"notes.txt": b"no footage"}})
    with time_stamp_server(authority.stamp) as address:
        configure(scene, address, authority.ca)
        assert scene.footage("ingest").code == 0
        before = (scene.work / "ledger.db").read_bytes()
        assert scene.footage("run").code == 0
    (scene.work / "ledger.db").write_bytes(before)  # an older ledger, which fits by itself
    said = scene.footage("verify", "--json")
    assert said.code == 1
    found = {each["kind"] for each in said.data["verify"]["differences"]}
    assert found == {"chain-cut", "log-newer", "backup-newer"}


@pytest.mark.parametrize(
    "answer",
    [b"", b"<html>busy</html>", b"\x30\x05\x30\x03\x02\x01\x02", b"0" * 100_000],
    ids=["nothing", "a page", "a refusal", "too much"],
)
def test_a_night_goes_well_without_a_stamp(
    authority: Authority, tmp_path: Path, answer: bytes
) -> None:
    scene = begin(tmp_path, {})
    with time_stamp_server(lambda _: answer) as address:
        configure(scene, address, authority.ca)
        said = scene.footage("run", "--json")
    assert said.code == 0, said.err
    assert "the next night tries again" in said.err
    assert said.data["timestamp"]["at"] is None
    assert not (scene.work / "stamps").exists()


def test_a_server_that_is_gone_or_lies_gives_no_stamp(authority: Authority, tmp_path: Path) -> None:
    scene = begin(tmp_path, {})
    configure(scene, "http://127.0.0.1:1/", authority.ca)
    said = scene.footage("run")
    assert (said.code, "can't be reached" in said.err) == (0, True)
    roots = stamps.read_roots(authority.ca)
    old = authority.stamp  # an answer to another request: the nonce differs
    kept: list[bytes] = []

    def again(query: bytes) -> bytes:
        kept.append(kept[0] if kept else old(query))
        return kept[0]

    with time_stamp_server(again) as address:
        first = stamps.ask(address, b"12:ab", roots)
        assert stamps.check(first, b"12:ab", roots).authority == "Clock House"
        with pytest.raises(StampError, match="not valid"):
            stamps.ask(address, b"12:ab", roots)
    with pytest.raises(StampError, match="not valid"):
        stamps.check(first, b"12:ac", roots)
    (tmp_path / "empty.pem").write_text("")
    for name, why in (("none.pem", "can't be read"), ("empty.pem", "no certificate")):
        with pytest.raises(StampError, match=why):
            stamps.read_roots(tmp_path / name)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (
            'timestamp = "ftp://tsa.example.org"\ntimestamp_ca = "ca.pem"',
            "must begin with https://",
        ),
        ('timestamp = "https://u:p@tsa.example.org"\ntimestamp_ca = "ca.pem"', "without a user"),
        ('timestamp = "https://tsa.example.org"', "needs timestamp_ca"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, table: str, why: str) -> None:
    scene = begin(tmp_path, {}, config(f"[custody]\n{table}\n"))
    said = scene.footage("status")
    assert said.code == 2
    assert why in said.err
