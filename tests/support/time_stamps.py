"""A time-stamp authority on this machine: real certificates and stamps, made by OpenSSL."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[signer]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = stamps
[stamps]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
certs = {folder}/ca.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha512
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
"""


class Authority:
    """An authority with its files in a folder; ``ca`` is the certificate to trust."""

    def __init__(self, folder: Path, name: str = "Clock House") -> None:
        folder.mkdir()
        self._folder = folder
        self.ca = folder / "ca.pem"
        (folder / "openssl.cnf").write_text(_CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        for each, subject in (("ca", f"{name} Root"), ("signer", name)):
            self._run(
                *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
                *("-subj", f"/CN={subject}", "-keyout", f"{each}.key", "-out", f"{each}.csr"),
            )
        made = ("x509", "-req", "-days", "30", "-extfile", "openssl.cnf", "-extensions")
        self._run(*made, "ca", "-in", "ca.csr", "-signkey", "ca.key", "-out", "ca.pem")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "7")
        self._run(*made, "signer", "-in", "signer.csr", "-out", "signer.pem", *signed)

    def stamp(self, query: bytes) -> bytes:
        """Answer a request."""
        (self._folder / "query.tsq").write_bytes(query)
        made = ("ts", "-reply", "-config", "openssl.cnf", "-section", "stamps")
        self._run(*made, "-queryfile", "query.tsq", "-out", "reply.tsr")
        return (self._folder / "reply.tsr").read_bytes()

    def _run(self, *arguments: str) -> None:
        command = ["openssl", *arguments]
        if arguments[0] == "req":
            command += ["-config", "openssl.cnf"]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)


@contextmanager
def time_stamp_server(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """Serve what *answer* makes of each request; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name of the base
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/tsa"
        finally:
            server.shutdown()
            thread.join()
