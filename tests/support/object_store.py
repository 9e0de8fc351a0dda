"""A real HTTP server that speaks S3, on loopback: moto's, with one bucket."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

BUCKET = "campaign"
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret-for-the-tests",
    "AWS_REGION": "eu-central-1",
}


@dataclass
class ObjectServer:
    """The server, and a client of another maker (boto3) to look at what is in it.

    ``refuses``: called for each request with its number; a request for which it says so is
    refused with 503.  ``requests`` counts them.  ``changes``: called with the method and body of
    each answer; it gives the body that is sent, or the status of an answer without one.
    """

    client: Any
    address: str
    refuses: Any = None
    changes: Any = None
    requests: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """All objects, by key, without the prefix."""
        found: dict[str, bytes] = {}
        pages = self.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=BUCKET, Prefix=prefix):
            for each in page.get("Contents", ()):
                body = self.client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"]
                found[each["Key"].removeprefix(f"{prefix}/")] = body.read()
        return found


def serve(patch: pytest.MonkeyPatch) -> Iterator[ObjectServer]:
    """Start the server, and name it in the environment."""
    # slow to import, and needed in few tests
    import boto3  # noqa: PLC0415
    from moto.moto_server import werkzeug_app  # noqa: PLC0415
    from werkzeug.serving import make_server  # noqa: PLC0415

    for name, value in _ENVIRONMENT.items():
        patch.setenv(name, value)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)
    known = ObjectServer(None, "")
    one_at_a_time = threading.Lock()

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        # moto fails if an upload is given up while a part of it comes in another thread
        if length := int(environ.get("CONTENT_LENGTH") or 0):
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        with one_at_a_time:
            return [*moto(environ, start)]

    def answer(environ: dict[str, Any], start: Any) -> Any:
        with known.lock:
            known.requests += 1
            refused = known.refuses is not None and known.refuses(known.requests)
        if refused:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start("503 Slow Down", [("Content-Length", "0")])
            return [b""]
        try:
            return _changed(environ, start) if known.changes else application(environ, start)
        except (KeyError, ValueError):
            # moto fails at a late part of an upload that was given up meanwhile
            start("404 Not Found", [("Content-Length", "0")])
            return [b""]

    def _changed(environ: dict[str, Any], start: Any) -> Any:
        head: list[Any] = []
        body = b"".join(application(environ, lambda *given: head.extend(given[:2])))
        changed = known.changes(environ["REQUEST_METHOD"], body)
        if isinstance(changed, str):
            head[0], changed = changed, b""
        if changed != body:
            head[1] = [each for each in head[1] if each[0].lower() != "content-length"]
            head[1].append(("Content-Length", str(len(changed))))
        start(*head)
        return [changed]

    server = make_server("127.0.0.1", 0, answer, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    known.address = f"http://127.0.0.1:{server.server_port}"
    patch.setenv("AWS_ENDPOINT_URL", known.address)
    known.client = boto3.client("s3")
    where = {"LocationConstraint": _ENVIRONMENT["AWS_REGION"]}
    known.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    try:
        yield known
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
