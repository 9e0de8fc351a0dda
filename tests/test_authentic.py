"""Whether the campaign's own mail server found that a sender's address is forged (RFC 8601)."""

from __future__ import annotations

import io
import time

import pytest

from pipeline.ingest import mime
from pipeline.ingest.authentic import is_forged
from pipeline.ingest.headers import parse
from pipeline.ingest.sender import sender_of

OURS = "mx.example.org"
SPLIT = ("spf=fail", "dkim=none", "dmarc=none header.from=a.org")
LONG = "dkim=fail;\r\n " * 6_000


@pytest.mark.parametrize(
    ("fields", "forged"),
    [
        ([], False),
        (["mx.example.org; dmarc=fail header.from=a.org"], True),
        (["mx.example.org; dmarc=pass; spf=fail"], False),
        (["MX.Example.ORG 1; DMARC=Fail"], True),
        (["mx.example.org;\r\n spf=pass smtp.mailfrom=a.org;\r\n dmarc=fail (p=none)"], True),
        (["mx.example.org; spf=fail; dkim=fail"], True),
        (["mx.example.org; spf=softfail; dkim=none"], True),
        (["mx.example.org; spf=fail"], False),  # a forwarded mail: nothing is known
        (["mx.example.org; spf=fail; dkim=pass"], False),
        (["mx.example.org; spf=pass; dkim=fail"], False),
        (["mx.example.org; dmarc=none; spf=fail; dkim=fail"], True),
        (["mx.example.org; dmarc=temperror"], False),
        (["mx.example.org; none"], False),
        (["mx.example.com; dmarc=fail"], False),  # another server
        (["mx.example.com; dmarc=fail", "mx.example.org; dmarc=pass"], False),
        # the worst of several fields counts, and a server may write one for each method
        (["mx.example.org; dmarc=pass", "mx.example.org; dmarc=fail"], True),
        (["mx.example.org; dkim=pass", "mx.example.org; dmarc=fail"], True),
        (["mx.example.org; spf=fail; dkim=none", "mx.example.org; dkim=pass"], True),
        (["mx.example.org; dkim=fail", "mx.example.org; spf=fail"], True),
        (["mx.example.org; dkim=pass", "mx.example.org; spf=fail"], False),
        (["mx.example.org; dmarc=pass", "mx.example.org; dmarc=pass header.from=e.org"], True),
        # a forged field beside those of a server that writes one for each method
        ([f"mx.example.org; {each}" for each in (*SPLIT, "dmarc=pass header.from=a.org")], True),
        ([f"mx.example.org; {each}" for each in (*SPLIT, "dkim=pass header.d=a.org")], True),
        # a long field counts to its end, and what is longer than a line is not confirmed
        ([f"mx.example.org; {LONG[:39_000]}dmarc=fail"], True),
        ([f"mx.example.org; {LONG[:39_000]}dmarc=pass"], False),
        ([f"mx.example.org; {LONG}dmarc=fail"], True),
        ([f"mx.example.org; {LONG}dmarc=pass"], True),
        ([f"mx.example.org; dmarc=pass; spf={'ß' * 31_000}"], True),
        ([f"mx.example.com; {LONG}dmarc=fail"], False),
        (["mx.example.org (dmarc=fail); dmarc=pass"], False),  # a comment
        # quoted strings, comments and versions of RFC 8601 and RFC 5322
        (['mx.example.org; spf=pass smtp.mailfrom="a; dmarc=pass b"@e.org; dmarc=fail'], True),
        (['mx.example.org; spf=pass smtp.mailfrom="a\\"; dmarc=pass "@e.org; dmarc=fail'], True),
        (['mx.example.org; spf=pass smtp.mailfrom="; dmarc=fail'], True),  # a quote has no end
        (["mx.example.org; spf=pass (a; dmarc=fail"], True),
        (['mx.example.org; spf=pass (5 " inch); dmarc=fail'], True),
        (['mx.example.org; spf=pass smtp.mailfrom="a; dmarc=fail b"@a.org; dmarc=pass'], False),
        (["mx.example.org; spf=pass (a (b; dmarc=fail) \\) c); dmarc=pass"], False),
        (['"mx.example.org" (x) 1; dmarc (y) / 1 = (z) fail'], True),
        # the worst of several results counts
        (["mx.example.org; dmarc=pass; dmarc=fail"], True),
        (["mx.example.org; spf=pass; spf=fail; dkim=pass; dkim=fail"], True),
        (["mx.example.org; spf=pass smtp.helo=a.org; spf=none; dkim=none"], False),
        (["mx.example.org; dmarc=bestguesspass; spf=pass; dkim=none"], False),
        # DMARC passed for another domain
        (["mx.example.org; dmarc=pass header.from=evil.org"], True),
        (["mx.example.org; dmarc=pass (p=none) header.from=A.ORG."], False),
        (['mx.example.org; dmarc=pass reason=" header.from=e.org" header.from="a.org"'], False),
        ([";;; dmarc=fail"], False),
        ([""], False),
        (["(" * 10_000 + "mx.example.org; dmarc=fail"], False),
    ],
)
def test_forged(fields: list[str], forged: bool) -> None:
    mail = "".join(f"Authentication-Results: {field}\r\n" for field in fields)
    headers = mime.split(io.BytesIO(f"From: a@a.org\r\n{mail}\r\nHello\r\n".encode())).root.headers
    assert is_forged(headers, OURS, "a@a.org") is forged
    assert not is_forged(headers, "", "a@a.org")


PASSED = f"Authentication-Results: {OURS}; dmarc=pass header.from=evil.example"
EVIL = ("From: Evil <evil@evil.example>", PASSED)


@pytest.mark.parametrize(
    ("lines", "forged"),
    [
        (EVIL, False),
        ((*EVIL, "X-Original-From: Maria <maria@x.example>"), False),
        ((*EVIL, "List-Id: <l.evil.example>", "X-Original-From: <maria@x.example>"), True),
        ((*EVIL, "List-Id: <l.evil.example>", "Author: <maria@x.example>"), True),
        (
            (
                f"From: Maria via l <l@evil.example>\r\n{PASSED}",
                "List-Post: <mailto:l@evil.example>\r\nReply-To: maria@x.example",
            ),
            True,
        ),
        ((f"From: maria@\u200bx.example\r\n{PASSED}",), True),
        ((f"Sender: maria@x.example\r\n{PASSED}",), True),
        (("From: a@xn--strae-oqa.de", f"{PASSED[:-12]}straße.de"), False),
        (("From: a@strasse.de", f"{PASSED[:-12]}straße.de"), True),
        ((PASSED,), False),
    ],
)
def test_an_address_that_dmarc_did_not_check_is_not_confirmed(
    lines: tuple[str, ...], forged: bool
) -> None:
    text = "\r\n".join((*lines, "", "Hello"))
    root = mime.split(io.BytesIO(text.encode())).root
    assert is_forged(root.headers, OURS, sender_of(root).address) is forged


def test_a_made_up_bounce_is_of_nobody_that_is_confirmed() -> None:
    report = "Content-Type: multipart/report; report-type=delivery-status; boundary=b"
    inner = "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: Maria <maria@x.example>\r\n\r\nHi"
    text = "\r\n".join((*EVIL, "MIME-Version: 1.0", report, "", inner, "--b--", ""))
    root = mime.split(io.BytesIO(text.encode())).root
    assert sender_of(root).address == "maria@x.example"
    assert is_forged(root.headers, OURS, "maria@x.example")


def test_a_field_of_many_lines_takes_linear_time() -> None:
    block = f"Authentication-Results: {OURS};\r\n".encode() + b" a\r\n" * 250_000
    before = time.process_time()
    assert is_forged(parse(block), OURS, "")
    assert time.process_time() - before < 5
