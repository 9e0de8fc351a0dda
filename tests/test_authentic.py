"""Whether the campaign's own mail server found that a sender's address is forged (RFC 8601)."""

from __future__ import annotations

import io

import pytest

from pipeline.ingest import mime
from pipeline.ingest.authentic import is_forged

OURS = "mx.example.org"


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
        (["mx.example.org; dmarc=pass", "mx.example.org; dmarc=fail"], False),  # the topmost
        (["mx.example.org (dmarc=fail); dmarc=pass"], False),  # a comment
        ([";;; dmarc=fail"], False),
        ([""], False),
        (["(" * 10_000 + "mx.example.org; dmarc=fail"], False),
    ],
)
def test_forged(fields: list[str], forged: bool) -> None:
    mail = "".join(f"Authentication-Results: {field}\r\n" for field in fields)
    headers = mime.split(io.BytesIO(f"From: a@a.org\r\n{mail}\r\nHello\r\n".encode())).root.headers
    assert is_forged(headers, OURS) is forged
    assert not is_forged(headers, "")
