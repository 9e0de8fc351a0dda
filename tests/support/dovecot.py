"""A real Dovecot 2.3 on loopback for the tests; it needs no root and leaves nothing behind.

Root cannot own mail in Dovecot, so under root the server runs as nobody.  Every user name is
valid, with the same password and its own mail, so each test takes a new one.
"""

from __future__ import annotations

import contextlib
import grp
import http.server
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import imapclient

from support.ports import ReservedPort
from support.waiting import HANG_S

PASSWORD = "correct-horse-battery-staple"
TOKEN = "a-good-token"
BARE = "127.0.0.2"  # here the server speaks no MOVE

_CONF = """\
base_dir = {home}/run
state_dir = {home}/run
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1 {bare}
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
first_valid_uid = 1
ssl = yes
ssl_cert = <{home}/server.pem
ssl_key = <{home}/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_cache_size = 0
auth_failure_delay = 0
mail_location = maildir:{home}/mail/%u
mailbox_list_index = yes
mail_fsync = never
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {home}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%u
}}
protocol imap {{
  mail_max_userip_connections = 100
}}
local {bare} {{
  protocol imap {{
    imap_capability = IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE UIDPLUS
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service stats {{
  chroot =
}}
"""
_OAUTH2 = """\
introspection_url = http://127.0.0.1:{port}/introspect?token=
introspection_mode = get
username_attribute = username
active_attribute = active
active_value = true
"""


class Server(Protocol):
    """What an account needs of its server; ``port`` is without TLS."""

    port: int
    tls_port: int

    @property
    def ca_file(self) -> str:
        """The certificate authority that signed the server's certificate."""
        ...


@dataclass(frozen=True)
class Account:
    """A user of a server."""

    server: Server
    user: str

    def url(self, folder: str = "INBOX", *, scheme: str = "imaps", host: str = "127.0.0.1",
            port: int | None = None) -> str:  # fmt: skip
        """The address for ``[inbox] url``."""
        port = port or (self.server.tls_port if scheme == "imaps" else self.server.port)
        return f"{scheme}://{self.user}@{host}:{port}/{folder}"

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        """A connection for the test itself, to prepare and to check."""
        with imapclient.IMAPClient("127.0.0.1", self.server.port, ssl=False) as client:
            client.login(self.user, PASSWORD)
            yield client

    def append(
        self, mails: Iterable[bytes], folder: str = "INBOX", at: datetime | None = None
    ) -> None:
        """Put mails into a mailbox; it is created if it is missing."""
        with self.client() as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            for mail in mails:
                client.append(folder, mail, msg_time=at)

    def mailbox(self, folder: str = "INBOX") -> dict[int, bytes]:
        """The mails of a mailbox by UID; empty if there is none."""
        with self.client() as client:
            if not client.folder_exists(folder):
                return {}
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search(), ["BODY.PEEK[]"])
            return {uid: item[b"BODY[]"] for uid, item in found.items()}

    def flags(self, folder: str = "INBOX") -> dict[int, tuple[bytes, ...]]:
        """The flags of the mails of a mailbox by UID."""
        with self.client() as client:
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search(), ["FLAGS"])
            return {uid: item[b"FLAGS"] for uid, item in found.items()}


class Dovecot:
    """The server, running from construction to :meth:`stop`."""

    def __init__(self) -> None:
        self.password = PASSWORD
        self.home = Path(tempfile.mkdtemp(prefix="footage-dovecot-"))
        self._ports = ReservedPort(), ReservedPort()
        self.port, self.tls_port = (port.number for port in self._ports)
        self._users = count(1)
        self._tokens = _TokenServer()
        root = os.geteuid() == 0
        self.owner = owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
        for name in ("run", "mail"):
            (self.home / name).mkdir()
        make_certificates(self.home)
        values = {
            "home": self.home, "user": owner.pw_name, "group": grp.getgrgid(owner.pw_gid).gr_name,
            "uid": owner.pw_uid, "gid": owner.pw_gid, "port": self.port,
            "tls_port": self.tls_port, "password": PASSWORD, "bare": BARE,
        }  # fmt: skip
        (self.home / "dovecot.conf").write_text(_CONF.format(**values))
        (self.home / "oauth2.conf").write_text(_OAUTH2.format(port=self._tokens.port))
        if root:
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self._log: list[str] = []
        self._process = subprocess.Popen(
            [_program(), "-F", "-c", str(self.home / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            user=owner.pw_uid if root else None,
            group=owner.pw_gid if root else None,
            extra_groups=[] if root else None,
        )
        try:
            self._wait_until_up()
        except RuntimeError:
            self.stop()
            raise

    @property
    def ca_file(self) -> str:
        """The certificate authority that signed the server's certificate."""
        return str(self.home / "ca.pem")

    def account(self) -> Account:
        """A user that nobody has used before."""
        return Account(self, f"user{next(self._users)}")

    def deliver(self, user: str, name: str, pieces: Iterable[bytes]) -> None:
        """Put a mail of any size into a user's INBOX, as a delivery program does it."""
        home = self.home / "mail" / user
        for folder in (home, home / "tmp", home / "new", home / "cur"):
            if not folder.is_dir():
                folder.mkdir()
                shutil.chown(folder, self.owner.pw_uid, self.owner.pw_gid)
        path = home / "tmp" / name
        with path.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        shutil.chown(path, self.owner.pw_uid, self.owner.pw_gid)
        path.rename(home / "new" / name)

    def stop(self) -> None:
        """End the server and delete its files."""
        self._process.terminate()
        self._process.wait(HANG_S)
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._tokens.stop()
        for port in self._ports:
            port.release()
        shutil.rmtree(self.home)

    def _wait_until_up(self) -> None:
        """The server writes to standard error as soon as it listens."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log.append(line)
            if "starting up" in line:
                break
        else:
            raise RuntimeError("Dovecot did not start:\n" + "".join(self._log))
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError):  # closed in the middle
            self._log.extend(self._process.stderr)


def make_certificates(home: Path) -> None:
    """A certificate authority ``ca.pem``, and ``server.pem`` with ``server.key`` from it."""

    def openssl(*args: str) -> None:
        subprocess.run(["openssl", *args], cwd=home, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=tests")  # fmt: skip
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=mail")
    names = f"subjectAltName=DNS:localhost,IP:127.0.0.1,IP:{BARE}\n"
    (home / "names").write_text(names)
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "server.pem", "-days", "2",
            "-extfile", "names")  # fmt: skip


def _program() -> str:
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise RuntimeError("there is no dovecot: run tests/install-system-packages")
    return found


class _TokenServer:
    """The server that Dovecot asks whether a token is valid (RFC 7662, with GET)."""

    def __init__(self) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                token = query.get("token", [""])[0]
                good, _, user = token.partition(".for.")
                body = (
                    f'{{"active": true, "username": "{user}"}}' if good == TOKEN
                    else '{"active": false}'
                ).encode()  # fmt: skip
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
