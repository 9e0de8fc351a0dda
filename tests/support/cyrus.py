"""A real Cyrus IMAP server on loopback, a second server beside Dovecot.

Its package conflicts with Dovecot's, so it is unpacked beside the system and run from there
(``tests/unpack-packages``).  All users have the same password; Cyrus checks it.
"""

from __future__ import annotations

import grp
import os
import pwd
import select
import shutil
import signal
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from support.dovecot import PASSWORD, Account, make_certificates
from support.ports import ReservedPort
from support.waiting import HANG_S

_IMAPD = """\
configdirectory: {home}/conf
proc_path: {home}/run/proc
mboxname_lockpath: {home}/run/lock
defaultpartition: default
partition-default: {home}/mail
cyrus_user: {user}
cyrus_group: {group}
servername: localhost
autocreate_quota: 0
autocreate_users: anyone
unixhierarchysep: yes
altnamespace: yes
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {home}/sasldb
sasl_mech_list: PLAIN
tls_server_cert: {home}/server.pem
tls_server_key: {home}/server.key
idlesocket: {home}/run/idle
notifysocket: {home}/run/notify
master_ready_file: {home}/run/ready
"""
_MASTER = """\
START {{
  recover cmd="{programs}/ctl_cyrusdb -C {home}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{programs}/imapd -C {home}/imapd.conf" listen="127.0.0.1:{port}" prefork=0
  imaps cmd="{programs}/imapd -C {home}/imapd.conf -s" listen="127.0.0.1:{tls_port}" prefork=0
}}
EVENTS {{
  told cmd="/bin/cp {home}/cyrus.conf {home}/run/told" period=0
}}
"""


class Cyrus:
    """The server, running from construction to :meth:`stop`."""

    def __init__(self) -> None:
        self._place = unpacked("cyrus-common", "cyrus-imapd", "sasl2-bin")
        self.home = Path(tempfile.mkdtemp(prefix="footage-cyrus-"))
        self._ports = ReservedPort(), ReservedPort()
        self.port, self.tls_port = (port.number for port in self._ports)
        self._users = count(1)
        root = os.geteuid() == 0
        owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
        for name in ("conf", "mail", "run", "run/proc", "run/lock"):
            (self.home / name).mkdir()
        make_certificates(self.home)
        values = {
            "home": self.home, "user": owner.pw_name, "group": grp.getgrgid(owner.pw_gid).gr_name,
            "port": self.port, "tls_port": self.tls_port,
            "programs": self._place / "usr/lib/cyrus/bin",
        }  # fmt: skip
        (self.home / "imapd.conf").write_text(_IMAPD.format(**values))
        (self.home / "cyrus.conf").write_text(_MASTER.format(**values))
        if root:
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self._as_owner: dict[str, Any] = {
            "env": {**environment(self._place), "CYRUS_USER": owner.pw_name},
            "user": owner.pw_uid if root else None,
            "group": owner.pw_gid if root else None,
            "extra_groups": [] if root else None,
            "cwd": self.home,
        }
        self._pid = self._start()
        self._handle = os.pidfd_open(self._pid)

    @property
    def ca_file(self) -> str:
        """The certificate authority that signed the server's certificate."""
        return str(self.home / "ca.pem")

    def account(self) -> Account:
        """A user that nobody has used before."""
        user = f"user{next(self._users)}"
        subprocess.run(
            [self._place / "usr/sbin/saslpasswd2", "-p", "-c", "-u", "localhost",
             "-f", self.home / "sasldb", user],
            input=PASSWORD.encode(), check=True, **self._as_owner,
        )  # fmt: skip
        return Account(self, user)

    def plant(self, account: Account, mail: bytes) -> None:
        """Put a mail with NULs into a fresh INBOX: APPEND would turn it into base64."""
        before = set(self.home.glob("mail/uuid/*/*/*/1."))
        stand_in = b"Subject: stand-in\r\n\r\n"
        account.append([stand_in + b"x" * (len(mail) - len(stand_in))])
        (path,) = set(self.home.glob("mail/uuid/*/*/*/1.")) - before
        path.write_bytes(mail)

    def stop(self) -> None:
        """End the server and delete its files."""
        os.kill(self._pid, signal.SIGTERM)
        select.select([self._handle], [], [], HANG_S)
        os.close(self._handle)
        for port in self._ports:
            port.release()
        shutil.rmtree(self.home)

    def _start(self) -> int:
        """Run the master as a daemon; its first event, once it listens, writes into a pipe."""
        told = self.home / "run" / "told"
        os.mkfifo(told)
        told.chmod(0o666)
        files = {"-C": "imapd.conf", "-M": "cyrus.conf", "-p": "run/pid", "-L": "run/log"}
        argv = [str(self._place / "usr/lib/cyrus/bin/master"), "-d"]
        for option, name in files.items():
            argv += [option, str(self.home / name)]
        handle = os.open(told, os.O_RDONLY | os.O_NONBLOCK)
        subprocess.run(argv, check=True, **self._as_owner)
        ready, _, _ = select.select([handle], [], [], HANG_S)
        os.close(handle)
        if not ready:
            raise RuntimeError(f"Cyrus did not start: {(self.home / 'run' / 'log').read_text()}")
        return int((self.home / "run" / "pid").read_text())


def environment(place: Path) -> dict[str, str]:
    """The environment for programs that were unpacked below *place*."""
    libraries = [str(path) for path in place.glob("**/*-linux-gnu")]
    plugins = [
        *map(str, Path("/usr/lib").glob("*-linux-gnu/sasl2")),
        *(f"{path}/sasl2" for path in libraries),
    ]
    return {
        "LD_LIBRARY_PATH": ":".join(libraries),
        "SASL_PATH": ":".join(plugins),
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    }


def unpacked(*packages: str) -> Path:
    """The folder with Debian's *packages*, unpacked beside the system.

    :raises RuntimeError: they are not available.
    """
    script = Path(__file__).parents[1] / "unpack-packages"
    done = subprocess.run([script, *packages], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return Path(done.stdout.strip())
