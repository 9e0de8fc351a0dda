"""The workspace on disk: the path of each thing, and the lock that one run at a time holds."""

import contextlib
import fcntl
import itertools
import os
import shutil
import stat
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from pipeline.errors import StageError, UsageError, WorkspaceBusy
from pipeline.publishing import PART
from pipeline.removal import removed

# SQLite's write-ahead log needs memory that all its users share, so one machine
# (sqlite.org/wal.html).
_NETWORK = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "fuse.sshfs", "fuse.rclone"),
        *("fuse.s3fs", "fuse.glusterfs", "fuse.davfs", "davfs"),
    )
)

# the end of the name of a folder with the clips of a timeline, beside it
MEDIA: Final = "-media"

# struct flock of a lock on the whole file (fcntl(2)): type, whence, start, length, process
_FLOCK = "hhqqi0q"


class Workspace:
    """The paths below one folder that only its owner can enter."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ledger = root / "ledger.db"
        # the files as they were received: the only folder that may hold a location
        self.originals = root / "originals"
        self.changed = self.originals / "changed"  # their bytes are not those that came
        self.clips = root / "clips"  # cleaned and normalized, a folder for each original
        self.report = root / "report"
        self.montage = root / "montage"  # the montages and the files that belong to them
        self.logs = root / "logs"  # a file of JSON lines for each run
        self.heads = root / "heads"  # of the chain, as they were after each change
        self.custody = root / "custody"  # chronologies of clips
        self.backups = root / "backups"  # of the ledger
        self.stamps = root / "stamps"  # time stamps of the chain of custody
        self.letters = root / "letters"  # drafts of answers to senders
        self.aside = root / "aside"  # what can't be deleted, see sweep
        self.lock = root / ".lock"
        self.cache = root / "cache"  # what can be made again, such as cards and caption strips

    @classmethod
    def existing(cls, root: Path) -> Self:
        """The workspace in *root*.

        :raises UsageError: nothing was ever taken in there.
        """
        workspace = cls(root)
        if not workspace.ledger.exists():
            raise UsageError(f"there is no workspace at {root} yet; begin with: footage run")
        return workspace

    def original(self, sha256: str) -> Path:
        """The path of an original, named by its SHA-256."""
        return self.originals / sha256[:2] / sha256

    def clip(self, sha256: str, output: str, suffix: str = ".mp4") -> Path:
        """The path of a finished clip of one output."""
        return self.clips / sha256 / f"{output}{suffix}"

    def shows(self, sha256: str) -> Iterator[Path]:
        """The files that show the clip of an original, apart from the clip, its still and films.

        They are thumbnails of the report, cached pieces of films, previews of films, and copies
        beside a timeline.
        """
        yield from (self.report / "thumbs").glob(f"{sha256}*")
        yield from (self.cache / "seams").glob(f"*{sha256[:16]}*")
        yield from self.montage.glob("*-preview.*")
        yield from self.montage.glob(f"*{MEDIA}/clips/{sha256}/*")

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that every workspace has."""
        return (
            *(self.originals, self.clips, self.report, self.montage, self.logs, self.cache),
            *(self.backups, self.heads),
        )

    def free_bytes(self) -> int:
        """How many bytes of the disk are free for us."""
        return shutil.disk_usage(self.root).free

    def relative(self, path: Path) -> str:
        """A path as the report and the ledger write it: relative to the workspace, with slashes."""
        return path.relative_to(self.root).as_posix()

    def create(self) -> None:
        """Make the folders, which only the owner can enter.

        :raises StageError: the workspace belongs to somebody else, leads elsewhere by a link, or
            is on a network file system.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(self.root, self.root.stat())
        self.root.chmod(0o700)
        mounts = Path("/proc/self/mountinfo")
        if mounts.exists():
            kind = file_system(
                mounts.read_text("utf-8", "surrogateescape"), self.root.stat().st_dev
            )
            if kind in _NETWORK:
                raise StageError(
                    f"the workspace {self.root} is on a network file system ({kind}), where the "
                    "ledger could be damaged; set [workspace] path to a disk of this machine"
                )
        for folder in self.folders:
            folder.mkdir(mode=0o700, exist_ok=True)
        for path in (*self.folders, self.ledger):
            found = path.lstat() if path.is_symlink() or path.exists() else None
            if found and stat.S_ISLNK(found.st_mode):
                raise StageError(f"{path} is a link; the workspace may not lead elsewhere")
            if found:
                _check_owner(path, found)


@contextmanager
def hold(workspace: Workspace) -> Iterator[None]:
    """Hold the lock of the workspace; the kernel releases it when the holder dies.

    :raises WorkspaceBusy: another process holds it.
    """
    workspace.create()
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(workspace.lock, flags, 0o600), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkspaceBusy(
                f"another run holds the workspace {workspace.root}; nothing was changed. "
                "Wait until it has ended and try again."
            ) from None
        _show_lock(lock.fileno())
        yield


def is_held(workspace: Workspace) -> bool:
    """Whether a run holds the workspace now; a look keeps no run from beginning."""
    path = workspace.lock
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return _is_locked(descriptor)
    finally:
        os.close(descriptor)


def _show_lock(descriptor: int) -> None:
    """Take a second lock beside the first: the kernel answers questions about this kind only.

    It is a lock of the open file description (fcntl(2)), which ends with the first lock.  The first
    one stays, because it keeps runs of older versions out.
    """
    if hasattr(fcntl, "F_OFD_SETLK"):
        wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)


def _is_locked(descriptor: int) -> bool:
    """Ask the kernel; where it has no such question, try the lock and release it at once."""
    if hasattr(fcntl, "F_OFD_GETLK"):
        wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        with contextlib.suppress(OSError):
            found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, wanted)
            return bool(struct.unpack(_FLOCK, found)[0] != fcntl.F_UNLCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def file_system(mounts: str, device: int) -> str:
    """The type of the file system on a device, such as "ext4"; empty if it is not known.

    :param mounts: the text of ``/proc/self/mountinfo`` (proc_pid_mountinfo(5)).
    :param device: the ``st_dev`` of a file on it.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[2:3] == [number]:
            return after.partition(" ")[0]
    return ""


def _check_owner(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise StageError(
            f"{path} belongs to another user (number {found.st_uid}); run footage as that user, "
            "or choose another [workspace] path"
        )


@dataclass(frozen=True)
class Swept:
    """How many temporary files and scratch folders there were, and those that can't be deleted."""

    count: int
    stuck: tuple[Path, ...] = ()


def sweep(workspace: Workspace, below: Sequence[Path] = ()) -> Swept:
    """Delete the temporary files that a killed run left; only the holder of the lock may do so.

    What can't be deleted is moved into the folder ``aside``, where nothing looks for footage.
    The next sweep tries to delete it again.

    :param below: look only in these folders; in all of the workspace if there are none.
    """
    found = []
    # os.walk does not stat each file: with thousands of folders it is ten times as fast
    walks = map(os.walk, below or (workspace.root,))
    for folder, folders, names in itertools.chain.from_iterable(walks):
        if Path(folder) == workspace.root and workspace.aside.name in folders:
            folders.remove(workspace.aside.name)
        found += [Path(folder, name) for name in (*folders, *names) if name.endswith(PART)]
        folders[:] = [name for name in folders if not name.endswith(PART)]
    stuck = [_set_aside(path, workspace.aside) for path in found if not removed(path)]
    if workspace.aside.is_dir():
        stuck += [path for path in workspace.aside.iterdir() if not removed(path)]
        with contextlib.suppress(OSError):
            workspace.aside.rmdir()
    return Swept(len(found), tuple(sorted({*stuck})))


def _set_aside(path: Path, aside: Path) -> Path:
    """Move what can't be deleted out of the way; return where it is now."""
    final = aside / path.name
    try:
        aside.mkdir(mode=0o700, exist_ok=True)
        path.rename(final)
    except OSError:
        return path
    return final
