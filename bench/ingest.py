"""What it costs to take mail in, compared with mbsync, getmail6, a naive client and a plain copy.

    .venv/bin/python -m bench.ingest [PART…]

Parts: ``large`` (a mailbox of some 700 MB), ``memory`` (attachments of 200 MB and of 1 GB),
``night`` (three new mails after ten thousand old ones); all parts if none is named.  All clients
use the same Dovecot on loopback, over TLS.  CPU is user and system time of the client and of all
that it starts.  mbsync and getmail6 are Debian's, from the PATH or unpacked beside the system.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pwd import struct_passwd

from support.dovecot import PASSWORD, Account, Dovecot

ROOT = Path(__file__).parents[1]
MB = 1_000_000
PIECE = 57 * 16384  # whole lines of base64
SMALL = [5 * MB] * 60
LARGE = 200 * MB
OLD, NEW = 10_000, 3

NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
COMPILED = str(Path(tempfile.gettempdir()) / f"footage-bench-{os.getpid()}")

NAIVE = """
import imapclient, pathlib, ssl, sys
port, ca_file, user, password, folder = sys.argv[1:]
tls = ssl.create_default_context(cafile=ca_file)
client = imapclient.IMAPClient("127.0.0.1", int(port), ssl_context=tls)
client.login(user, password)
client.select_folder("INBOX", readonly=True)
for uid, item in client.fetch(client.search(), ["RFC822"]).items():
    pathlib.Path(folder, str(uid)).write_bytes(item[b"RFC822"])
"""
COPY = """
import pathlib, shutil, sys
for path in pathlib.Path(sys.argv[1]).iterdir():
    shutil.copyfile(path, pathlib.Path(sys.argv[2], path.name))
"""


@dataclass(frozen=True)
class ProgramCost:
    """CPU seconds and peak memory in MB of a program."""

    cpu_s: float
    peak_mb: float


def cost(
    argv: Sequence[str],
    folder: Path,
    *,
    owner: struct_passwd | None = None,
    environment: Mapping[str, str] | None = None,
) -> ProgramCost:
    """Run a program to its end, as another user if need be.

    Linux includes the size of this process in the peak of what it starts, so it must stay small.
    """
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            stdout=said,
            stderr=said,
            env=_environment(environment or {}),
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )
        _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{argv[0]}: {(folder / 'said').read_text()[-500:]}")
    return ProgramCost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / MB)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Our environment, with compiled modules in one place, as an installed program has them."""
    known = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}
    return {**known, "PYTHONPYCACHEPREFIX": COMPILED, **more}


def mail(number: int, size: int) -> Iterator[bytes]:
    """A mail with a video of *size* random bytes, in pieces."""
    yield (
        f"From: Sender {number} <s{number}@example.org>\r\nTo: box@campaign.example\r\n"
        f"Subject: My clip {number}\r\nMessage-ID: <{number}@example.org>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="=b"\r\n\r\n'
        "--=b\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n"
        f'--=b\r\nContent-Type: video/mp4; name="clip{number}.mp4"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode()
    head = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
    while size > 0:
        data = (head + os.urandom(min(PIECE, size) - len(head)))[:size]
        yield base64.encodebytes(data).replace(b"\n", b"\r\n")
        size -= len(data)
        head = b""
    yield b"--=b--\r\n"


def fill(server: Dovecot, account: Account, sizes: Sequence[int]) -> int:
    """Deliver a mail for each size.

    :returns: the bytes of the mailbox.
    """
    for number, size in enumerate(sizes):
        server.deliver(account.user, f"{number:06}.bench", mail(number, size))
    new = server.home / "mail" / account.user / "new"
    return sum(path.stat().st_size for path in new.iterdir())


def settle(account: Account) -> None:
    """Let the server index its mail, so that this is not counted for the first client."""
    with account.client() as client:
        client.select_folder("INBOX")
        client.fetch(client.search(), ["RFC822.SIZE"])


def footage(server: Dovecot, account: Account, folder: Path) -> ProgramCost:
    """``footage ingest``, the whole command."""
    (folder / "config.toml").write_text(
        '[campaign]\nname = "Bench"\nhashtags = ["#Bench"]\n'
        f'[inbox]\nurl = "{account.url()}"\nca_file = "{server.ca_file}"\n'
        # nobody waits for what runs in bubblewrap, so its CPU would be missing from the figure
        '[process]\nsandbox = "landlock"\n'
    )
    argv = [sys.executable, "-m", "pipeline", "ingest"]
    secret = {"FOOTAGE_IMAP_PASSWORD": PASSWORD, "PYTHONPATH": str(ROOT)}
    # an installed program is compiled: import what the command will import, once
    loaded = (
        "import pipeline.cli, pipeline.commands.stages, pipeline.ingest.imap, pipeline.ingest.child"
    )
    subprocess.run([sys.executable, "-c", loaded], env=_environment(secret), check=True)
    return cost(argv, folder, environment=secret)


def mbsync(server: Dovecot, account: Account, folder: Path) -> ProgramCost:
    """Debian's isync, into a Maildir."""
    (folder / "mail").mkdir()
    (folder / "rc").write_text(
        f"IMAPStore far\nHost localhost\nPort {server.tls_port}\nUser {account.user}\n"
        f"Pass {PASSWORD}\nSSLType IMAPS\nCertificateFile {server.ca_file}\n\n"
        f"MaildirStore near\nPath {folder}/mail/\nInbox {folder}/mail/INBOX\n\n"
        "Channel bench\nFar :far:\nNear :near:\nPatterns INBOX\nSync Pull New\nCreate Near\n"
        f"SyncState {folder}/state\n"
    )
    program, environment = tool("mbsync", "isync")
    done = cost([program, "-c", "rc", "bench"], folder, environment=environment)
    return checked(done, folder / "mail" / "INBOX" / "new", folder / "mail" / "INBOX" / "cur")


def getmail(server: Dovecot, account: Account, folder: Path) -> ProgramCost:
    """Debian's getmail6, into a Maildir."""
    for name in ("mail", "mail/new", "mail/cur", "mail/tmp"):
        (folder / name).mkdir()
    (folder / "getmailrc").write_text(
        f"[retriever]\ntype = SimpleIMAPSSLRetriever\nserver = 127.0.0.1\n"
        f"port = {server.tls_port}\n"
        f"username = {account.user}\npassword = {PASSWORD}\nca_certs = {server.ca_file}\n"
        f"[destination]\ntype = Maildir\npath = {folder}/mail/\n"
        "[options]\nread_all = true\ndelete = false\ndelivered_to = false\nreceived = false\n"
    )
    program, environment = tool("getmail", "getmail6")
    argv = ["/usr/bin/python3", program, f"--getmaildir={folder}", "--rcfile=getmailrc"]
    owner = server.owner if os.geteuid() == 0 else None  # it delivers nothing as root
    for path in (folder, *folder.rglob("*")) if owner else ():
        os.chown(path, server.owner.pw_uid, server.owner.pw_gid)
    return checked(
        cost(argv, folder, owner=owner, environment=environment), folder / "mail" / "new"
    )


def naive(server: Dovecot, account: Account, folder: Path) -> ProgramCost:
    """Ten lines of IMAPClient."""
    (folder / "mail").mkdir()
    arguments = [str(server.tls_port), server.ca_file, account.user, PASSWORD, str(folder / "mail")]
    return checked(cost([sys.executable, "-c", NAIVE, *arguments], folder), folder / "mail")


def copy(server: Dovecot, account: Account, folder: Path) -> ProgramCost:
    """The mailbox's files, copied on the disk."""
    (folder / "mail").mkdir()
    source = server.home / "mail" / account.user / "cur"
    argv = [sys.executable, "-c", COPY, str(source), str(folder / "mail")]
    return checked(cost(argv, folder), folder / "mail")


def checked(done: ProgramCost, *folders: Path) -> ProgramCost:
    """Fail if a program did not fetch everything: it cannot be compared."""
    sizes = [path.stat().st_size for folder in folders for path in folder.iterdir()]
    if len(sizes) != len(SMALL) + 1 or sum(sizes) < 1.3 * (LARGE + sum(SMALL)):
        raise RuntimeError(f"only {len(sizes)} mails of {sum(sizes)} bytes came")
    return done


def tool(program: str, package: str) -> tuple[str, Mapping[str, str]]:
    """The path of a program of Debian, and the environment that it needs."""
    found = shutil.which(program)
    if found:
        return found, {}
    script = ROOT / "tests" / "unpack-packages"
    done = subprocess.run([script, package], check=True, capture_output=True, text=True)
    place = Path(done.stdout.strip())
    libraries = [str(path) for path in place.glob("**/*-linux-gnu")]
    return str(place / "usr" / "bin" / program), {
        "LD_LIBRARY_PATH": ":".join(libraries),
        "PYTHONPATH": str(place / "usr" / "lib" / "python3" / "dist-packages"),
    }


def large(server: Dovecot) -> None:
    """The same mailbox with each client."""
    account = server.account()
    size = fill(server, account, [*SMALL, LARGE])
    settle(account)
    ways: dict[str, Callable[[Dovecot, Account, Path], ProgramCost]] = {
        "footage ingest": footage, "mbsync": mbsync, "getmail6": getmail,
        "naive IMAPClient": naive, "plain file copy": copy,
    }  # fmt: skip
    costs: dict[str, ProgramCost] = {}
    for name, way in ways.items():
        with tempfile.TemporaryDirectory() as folder:
            costs[name] = way(server, account, Path(folder))
    ours = costs["footage ingest"]
    print(f"ingest: {len(SMALL) + 1} mails, {size / MB:.0f} MB, the largest with {LARGE / MB:.0f}")
    print("                        CPU s   peak MB   footage's CPU to it")
    for name, figures in costs.items():
        ratio = ours.cpu_s / figures.cpu_s
        print(f"  {name:18} {figures.cpu_s:9.2f} {figures.peak_mb:9.0f} {ratio:12.2f}")


def memory(server: Dovecot) -> None:
    """Peak memory; it must not grow with the attachment."""
    print("ingest: peak memory with one attachment")
    for size in (200 * MB, 1000 * MB):
        account = server.account()
        fill(server, account, [size])
        with tempfile.TemporaryDirectory() as folder:
            figures = footage(server, account, Path(folder))
        print(f"  {size / MB:5.0f} MB  {figures.peak_mb:9.0f} MB peak {figures.cpu_s:9.2f} s CPU")


def night(server: Dovecot) -> None:
    """Ten thousand mails are known, three are new."""
    account = server.account()
    fill(server, account, [300] * OLD)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = footage(server, account, folder)
        for number in range(NEW):
            server.deliver(account.user, f"new{number}.bench", mail(OLD + number, 300))
        second, third = footage(server, account, folder), footage(server, account, folder)
    print(f"ingest: {OLD} mails are known")
    print(f"  the first night      {first.cpu_s:9.2f} s CPU {first.peak_mb:9.0f} MB")
    print(f"  {NEW} new mails          {second.cpu_s:9.2f} s CPU {second.peak_mb:9.0f} MB")
    print(f"  nothing new          {third.cpu_s:9.2f} s CPU {third.peak_mb:9.0f} MB")


def main() -> None:
    parts = {"large": large, "memory": memory, "night": night}
    for name in sys.argv[1:] or parts:
        server = Dovecot()
        try:
            parts[name](server)
        finally:
            server.stop()
    shutil.rmtree(COMPILED)


if __name__ == "__main__":
    main()
