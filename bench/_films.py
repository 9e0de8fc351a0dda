"""A campaign of drawn films, and the programs of its cluster on this machine."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from pipeline.engine import certificates
from pipeline.ffmpeg.runner import program
from pipeline.ledger import Ledger
from pipeline.store import files_of, original, still_of

CLIPS = 24
_LONGEST_S = 60.0  # for which an ended worker's programs are waited for
_CONFIG = """
[campaign]
name = "River Week"
hashtags = ["#RiverWeek"]
[inbox]
url = "folder:inbox"
[review]
required = false
[process]
workers = 1
[[output]]
name = "wide"
size = "640x360"
"""


class Campaign:
    """A folder with films, a configuration, and the programs of its cluster."""

    def __init__(
        self, folder: Path, cluster: str = "", clips: int = CLIPS, seconds: int = 2
    ) -> None:
        self.folder = folder
        self.programs: list[subprocess.Popen[bytes]] = []
        inbox = folder / "inbox"
        inbox.mkdir(parents=True)
        for number in range(clips):
            self.draw(number, seconds + number % 3)
        (folder / "config.toml").write_text(_CONFIG + cluster)

    @classmethod
    def of_cluster(
        cls, folder: Path, clips: int = CLIPS, more: str = "", seconds: int = 2
    ) -> Campaign:
        """One whose clips are made by workers with certificates."""
        paths = certificates.write(folder / "pem")
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = f"tls://127.0.0.1:{server.getsockname()[1]}"
        names = zip(("ca", "certificate", "key"), paths, strict=True)
        lines = "".join(f'{name} = "{path}"\n' for name, path in names)
        return cls(folder, f'[cluster]\nscheduler = "{address}"\n{lines}{more}', clips, seconds)

    def draw(self, number: int, seconds: int) -> None:
        """Put a film into the inbox."""
        film = f"testsrc2=s=640x360:r=30:d={seconds},hue=h={number * 10}"
        command = [program(), "-v", "error", "-f", "lavfi", "-i", film]
        command += ["-preset", "ultrafast", str(self.folder / "inbox" / f"{number:03}.mp4")]
        subprocess.run(command, check=True)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a program and do not wait for it."""
        command = [sys.executable, "-m", "pipeline", *words, "-q"]
        command += ["--config", str(self.folder / "config.toml")]
        begun = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.programs.append(begun)
        return begun

    def run(self, *words: str) -> int:
        """Run a program to its end."""
        return self.start(*words).wait()

    def end(self) -> None:
        """End the programs that still run."""
        for each in self.programs:
            each.send_signal(signal.SIGCONT)
            each.terminate()
        for each in self.programs:
            each.wait()

    def made(self) -> dict[str, str]:
        """The digest of each accepted clip, by that of its original."""
        with Ledger(self.folder / "work" / "ledger.db") as ledger:
            results = ledger.clips.results()
        return {sha: result.outputs[0].sha256 for sha, result in results.items() if result.outputs}

    def events(self) -> Counter[str]:
        """How often each original was made, by the chain of custody."""
        with Ledger(self.folder / "work" / "ledger.db") as ledger:
            return Counter(it.subject for it in ledger.chain.events() if it.kind == "made")

    def named(self) -> set[str]:
        """The objects that the ledger names: originals, clips and their stills."""
        with Ledger(self.folder / "work" / "ledger.db") as ledger:
            results = ledger.clips.results()
        clips = [file for result in results.values() for file in files_of(result)]
        return {
            *(original(sha256).key for sha256 in results),
            *(file.key for clip in clips for file in (clip, still_of(clip))),
        }

    def left(self) -> list[str]:
        """Processes that work in this folder, and temporary files."""
        found = [str(path) for path in self.folder.rglob("*.part")]
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if str(self.folder) in words:
                found.append(words[:120])
        return found


def below(pid: int) -> list[tuple[int, str]]:
    """The processes that a process started, and those that they started, with their starts."""
    found: list[tuple[int, str]] = []
    with suppress(OSError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, children.read_text().split()):
                found += [(child, _begun_at(child)), *below(child)]
    return found


def live_on(processes: list[tuple[int, str]]) -> float:
    """Wait until processes have ended, for a minute at most; return how many seconds it took."""
    begun = time.monotonic()
    while any(start and _begun_at(pid) == start for pid, start in processes):
        if time.monotonic() - begun > _LONGEST_S:
            break
        time.sleep(0.02)
    return time.monotonic() - begun


def _begun_at(pid: int) -> str:
    """When a process began (proc_pid_stat(5), field 22); empty if it has ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    return ""
