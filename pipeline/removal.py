"""Delete a folder, whatever was built in it.

A program that was taken over may leave folders in folders thousands of levels deep, folders that
nobody may enter, and millions of files with names of any bytes.  So nothing here is recursive, only
two folders are open at a time, and no list of names is kept.  A folder in the folder is first
moved up to the top, which makes the tree flat.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def removed(path: Path) -> bool:
    """Delete a file or folder with all that is in it.

    :returns: whether it is gone; if not, as much of it as possible is.
    """
    try:
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode):
            with _entered(path) as top:
                _empty(top)
            path.rmdir()
        else:
            path.unlink()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _empty(top: int) -> None:
    """Delete all that is in the folder of a descriptor.

    :raises OSError: something can't be deleted.
    """
    left = True
    while left:
        left = False
        for entry in _entries(top):
            left = True
            if not _is_deleted(entry, top):
                with _entered(entry.name, top) as inner:
                    _lift(inner, top)
                os.rmdir(entry.name, dir_fd=top)


def _lift(inner: int, top: int) -> None:
    """Delete the files of a folder, and move its folders to the top, under new names."""
    left = True
    while left:
        left = False
        for entry in _entries(inner):
            left = True
            if not _is_deleted(entry, inner):
                with _entered(entry.name, inner):
                    pass  # it has the rights now that it needs to be moved
                os.rename(entry.name, os.urandom(16).hex(), src_dir_fd=inner, dst_dir_fd=top)


def _is_deleted(entry: os.DirEntry[str], folder: int) -> bool:
    """Delete a file or an empty folder; whether that is done."""
    if not entry.is_dir(follow_symlinks=False):
        os.unlink(entry.name, dir_fd=folder)
        return True
    try:
        os.rmdir(entry.name, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def _entries(folder: int) -> Iterator[os.DirEntry[str]]:
    # a descriptor of its own, since scandir goes on where the last one stopped
    again = os.open(".", _ENTER, dir_fd=folder)
    try:
        with os.scandir(again) as entries:
            yield from entries
    finally:
        os.close(again)


@contextmanager
def _entered(path: Path | str, folder: int | None = None) -> Iterator[int]:
    """Open a folder, which is given the rights that this needs."""
    handle = os.open(path, _LOOK, dir_fd=folder)
    try:
        # through the descriptor, so that no link in its place is followed
        Path(f"/proc/self/fd/{handle}").chmod(0o700)
        inside = os.open(".", _ENTER, dir_fd=handle)
        try:
            yield inside
        finally:
            os.close(inside)
    finally:
        os.close(handle)
