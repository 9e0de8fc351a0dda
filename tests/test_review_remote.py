"""A review for other machines: TLS or nothing, a link for each, and no one can block it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.browser import Reader, browser, reader
from support.ledger_scene import LedgerScene, sha
from support.review_server import Client, campaign, config, entry, serving, until
from support.waiting import HANG_S
from test_review_command import command

from pipeline.config import Config
from pipeline.errors import UsageError
from pipeline.review import certificate
from pipeline.review.listening import Listening, check
from pipeline.review.web import ReviewServer

__all__ = ["browser", "campaign", "config", "reader"]


@pytest.fixture
def secured(tmp_path: Path) -> Listening:
    """On loopback, but with all that a review for other machines has."""
    files = certificate.own(tmp_path / "tls", "localhost")
    return Listening("127.0.0.1", 0, "localhost", *files)


@pytest.fixture
def server(config: Config, campaign: LedgerScene, secured: Listening) -> Iterator[ReviewServer]:
    with serving(config, "Ana", "Ben", listening=secured) as server:
        yield server


def test_a_reviewer_decides_over_tls(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    link = server.access.links["Ana"]
    assert link.startswith(f"https://localhost:{server.access.site.port}/?token=")
    page, watch = reader.open(link, trusts_all=True)
    page.wait_for_selector(".card")
    page.get_by_role("button", name="Approve").first.click()
    until(page, lambda: bool(campaign.ledger.reviews.current()))
    (review,) = campaign.ledger.reviews.current().values()
    assert (review.decision, review.by) == ("approved", "Ana")
    assert watch.errors == []


def test_without_tls_there_is_not_a_byte(server: ReviewServer) -> None:
    with socket.create_connection(("127.0.0.1", server.access.site.port), HANG_S) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            answer = plain.recv(1 << 16)
        except ConnectionResetError:
            answer = b""
    # an alert of TLS at most (RFC 8446, section 6)
    assert answer[:1] in (b"", b"\x15")
    assert b"HTTP" not in answer


def test_a_name_that_is_not_its_own_is_refused(server: ReviewServer) -> None:
    port = server.access.site.port
    client = Client(server, "Ben")
    assert client.ask("GET", "/report/report.json")[0] == 200
    assert client.ask("GET", "/report/report.json", Host=f"review.example:{port}")[0] == 421
    foreign = client.ask("POST", "/api/decide", entry("one"), Origin=f"http://localhost:{port}")
    assert foreign[0] == 403


def test_who_never_ends_the_handshake_holds_nobody_up(server: ReviewServer) -> None:
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.access.site.port)))
        assert Client(server, "Ana").ask("GET", "/report/report.json")[0] == 200


def test_one_machine_cannot_take_all_connections(server: ReviewServer) -> None:
    address = ("127.0.0.1", server.access.site.port)
    with ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(address)) for _ in range(65)]
        silent[-1].settimeout(HANG_S)
        assert silent[-1].recv(1) == b""  # closed at once
    while True:  # until the server has seen that the others are gone
        try:
            assert Client(server, "Ben").ask("GET", "/report/report.json")[0] == 200
        except OSError:
            continue
        break


@pytest.mark.parametrize(
    ("asked", "names", "said"),
    [
        (Listening("review.example"), ("Ana",), "in digits"),
        (Listening("192.0.2.7"), (), "--by"),
        (Listening("0.0.0.0"), ("Ana",), "--host"),
        (Listening("::"), ("Ana",), "--host"),
        (Listening("192.0.2.7", host="a/b"), ("Ana",), "not the name of a host"),
        (Listening(key=Path("key.pem")), (), "--certificate"),
    ],
)
def test_what_makes_no_sense_is_refused(
    asked: Listening, names: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        check(asked, names)


def test_the_usual_port_is_left_out_by_browsers() -> None:
    site = Listening("2001:db8::7", certificate=Path("c.pem")).site(443)
    assert site.link("t") == "https://[2001:db8::7]/?token=t"
    assert site.authorities == {"[2001:db8::7]", "[2001:db8::7]:443"}
    assert "http://[2001:db8::7]" not in site.origins


def test_the_own_certificate_stays_until_it_does_not_fit(tmp_path: Path) -> None:
    first = Listening("127.0.0.1", 0, "one.example", *certificate.own(tmp_path, "one.example"))
    assert first.context()
    seen = first.fingerprint()
    assert len(seen.split(":")) == 32
    certificate.own(tmp_path, "one.example")
    assert first.fingerprint() == seen
    other, key = certificate.own(tmp_path / "other", "one.example")
    assert {other.stat().st_mode & 0o777, key.stat().st_mode & 0o777} == {0o600}
    key.replace(tmp_path / "key.pem")  # as if a new key had been written, and then the power failed
    certificate.own(tmp_path, "one.example")
    assert first.fingerprint() != seen
    assert first.context()
    seen = first.fingerprint()
    certificate.own(tmp_path, "192.0.2.7")
    assert first.fingerprint() != seen


def test_files_that_are_no_certificate_are_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("not PEM")
    with pytest.raises(UsageError, match=r"wrong\.pem: is not a certificate"):
        Listening(certificate=wrong, key=wrong).context()
    with pytest.raises(UsageError, match="can't be read"):
        Listening(certificate=tmp_path / "none.pem").context()


def test_another_machine_is_never_let_in_without_names(
    campaign: LedgerScene, tmp_path: Path
) -> None:
    assert sha("one") in campaign.ledger.clips.results()
    with command(tmp_path, "--bind", "192.0.2.7") as process:
        _, err = process.communicate(timeout=HANG_S)
    assert (process.returncode, "--by" in err) == (2, True)


def test_an_address_of_another_machine_is_named(campaign: LedgerScene, tmp_path: Path) -> None:
    assert sha("one") in campaign.ledger.clips.results()
    with command(tmp_path, "--bind", "192.0.2.7", "--by", "Ana") as process:
        _, err = process.communicate(timeout=HANG_S)
    assert process.returncode == 1
    assert "192.0.2.7, port 0 can't be used" in err
