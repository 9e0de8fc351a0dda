"""Attacks on files."""

from __future__ import annotations

import ctypes
import fcntl
import os
import stat
import struct

from . import World, attack, calls

_CWD = -100
_F_SETLEASE, _F_NOTIFY = 1024, 1026
_IMMUTABLE = 0x10
_GETFLAGS, _SETFLAGS = 0x80086601, 0x40086602
_IOCTLS_FIFREEZE = 0xC0045877


def _read(path: str) -> str:
    with open(path, "rb") as file:
        return file.read(4096).decode("latin-1")


@attack()
def read_secret(world: World) -> str:
    """Read a file of the same user."""
    return _read(world.secret)


@attack()
def read_secret_through_a_link(world: World) -> str:
    """Read a file of the same user by a symbolic link in the scratch folder."""
    link = f"{world.scratch}/link"
    os.symlink(world.secret, link)
    return _read(link)


@attack()
def append_to_secret(world: World) -> str:
    """Write to a file of the same user."""
    with open(world.secret, "a") as file:
        return f"wrote {file.write('x')}"


@attack()
def delete_secret(world: World) -> str:
    """Delete a file of the same user."""
    os.unlink(world.secret)
    return "deleted"


@attack()
def rename_secret(world: World) -> str:
    """Move a file of the same user into the scratch folder."""
    os.rename(world.secret, f"{world.scratch}/moved")
    return "moved"


@attack()
def link_secret(world: World) -> str:
    """Make a hard link to a file of the same user in the scratch folder."""
    os.link(world.secret, f"{world.scratch}/linked")
    return "linked"


@attack()
def list_folder(world: World) -> str:
    """List a folder of the same user."""
    return " ".join(os.listdir(world.folder))


@attack()
def look_at_secret(world: World) -> str:
    """Learn the size and the time of a file whose name is known."""
    return f"{os.stat(world.secret).st_size} bytes"


@attack()
def read_passwords(_world: World) -> str:
    """Read the list of users."""
    return _read("/etc/passwd")


@attack()
def write_to_temporary_files(world: World) -> str:
    """Make a file in /tmp."""
    path = f"/tmp/{world.token}"
    with open(path, "x"):
        os.unlink(path)
        return "made"


@attack()
def write_to_shared_memory_files(world: World) -> str:
    """Make a file in /dev/shm, which uses memory that no limit counts."""
    path = f"/dev/shm/{world.token}"
    with open(path, "x"):
        os.unlink(path)
        return "made"


@attack()
def change_mode_of_secret(world: World) -> str:
    """Change the mode of a file of the same user."""
    os.chmod(world.secret, 0o777)
    return "changed"


@attack()
def change_mode_by_the_newest_call(world: World) -> str:
    """Change the mode by fchmodat2."""
    calls.call("fchmodat2", _CWD, world.secret.encode(), 0o777, 0)
    return "changed"


@attack()
def change_mode_of_input(world: World) -> str:
    """Change the mode of the original through its descriptor."""
    handle = os.open(world.given, os.O_RDONLY)
    os.fchmod(handle, 0o777)
    return "changed"


@attack()
def change_owner_of_secret(world: World) -> str:
    """Change owner or group of a file of the same user."""
    os.chown(world.secret, -1, os.getegid())
    return "changed"


@attack()
def change_owner_by_folder(world: World) -> str:
    """Change owner or group by fchownat."""
    calls.call("fchownat", _CWD, world.secret.encode(), -1, os.getegid(), 0)
    return "changed"


@attack()
def change_time_of_secret(world: World) -> str:
    """Change the time of a file of the same user."""
    os.utime(world.secret, (1, 1))
    return "changed"


@attack()
def change_time_of_input(world: World) -> str:
    """Change the time of the original through its descriptor."""
    os.utime(os.open(world.given, os.O_RDONLY), (1, 1))
    return "changed"


@attack()
def set_attribute_of_secret(world: World) -> str:
    """Set an extended attribute of a file of the same user."""
    os.setxattr(world.secret, "user.attack", b"x")
    return "set"


@attack()
def set_attribute_of_input(world: World) -> str:
    """Set an extended attribute of the original through its descriptor."""
    os.setxattr(os.open(world.given, os.O_RDONLY), "user.attack", b"x")
    return "set"


@attack()
def read_attributes_of_secret(world: World) -> str:
    """List the extended attributes of a file of the same user."""
    return f"{len(os.listxattr(world.secret))} attributes"


@attack()
def truncate_secret(world: World) -> str:
    """Empty a file of the same user by its path."""
    os.truncate(world.secret, 0)
    return "emptied"


@attack()
def truncate_input(world: World) -> str:
    """Empty the original by its path."""
    os.truncate(world.given, 0)
    return "emptied"


@attack()
def truncate_input_while_reading(world: World) -> str:
    """Empty the original by opening it for reading with O_TRUNC."""
    os.open(world.given, os.O_RDONLY | os.O_TRUNC)
    return "emptied"


@attack()
def truncate_secret_without_access(world: World) -> str:
    """Empty a file of the same user by opening it neither for reading nor for writing."""
    os.open(world.secret, 3 | os.O_TRUNC)
    return "emptied"


@attack()
def open_without_access(world: World) -> str:
    """Open a file of the same user neither for reading nor for writing."""
    return f"descriptor {os.open(world.secret, 3)}"


@attack()
def open_by_the_newest_call(world: World) -> str:
    """Open a file of the same user by openat2, whose flags no filter sees."""
    how = struct.pack("=QQQ", os.O_RDONLY, 0, 0)
    handle = calls.call("openat2", _CWD, world.secret.encode(), how, len(how))
    return os.read(handle, 100).decode()


@attack()
def write_to_input(world: World) -> str:
    """Write to the original."""
    with open(world.given, "r+b") as file:
        return f"wrote {file.write(b'x')}"


@attack()
def delete_input(world: World) -> str:
    """Delete the original."""
    os.unlink(world.given)
    return "deleted"


@attack()
def map_input_for_writing(world: World) -> str:
    """Write to the original through shared memory."""
    import mmap  # noqa: PLC0415 - only this attack needs it

    with open(world.given, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        mapped[0] = 0
    return "wrote"


@attack()
def make_folder(world: World) -> str:
    """Make a folder in the scratch folder."""
    os.mkdir(f"{world.scratch}/folder")
    return "made"


@attack()
def make_link(world: World) -> str:
    """Make a symbolic link in the scratch folder."""
    os.symlink("/etc/passwd", f"{world.scratch}/link")
    return "made"


@attack()
def make_pipe(world: World) -> str:
    """Make a FIFO in the scratch folder."""
    os.mkfifo(f"{world.scratch}/pipe")
    return "made"


@attack()
def make_socket_file(world: World) -> str:
    """Make a socket's file in the scratch folder."""
    os.mknod(f"{world.scratch}/socket", stat.S_IFSOCK | 0o600)
    return "made"


@attack()
def make_device(world: World) -> str:
    """Make a device in the scratch folder."""
    os.mknod(f"{world.scratch}/device", stat.S_IFCHR | 0o600, os.makedev(1, 1))
    return "made"


@attack()
def make_whiteout(world: World) -> str:
    """Make the one device that every user may make, which hides files in an overlay."""
    os.mknod(f"{world.scratch}/whiteout", stat.S_IFCHR | 0o600, os.makedev(0, 0))
    return "made"


@attack()
def open_by_handle(world: World) -> str:
    """Open a file of the same user by a handle, past all folders."""
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0), 136)
    mount = ctypes.create_string_buffer(4)
    calls.call("name_to_handle_at", _CWD, world.secret.encode(), handle, mount, 0)
    root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    opened = calls.call("open_by_handle_at", root, handle, os.O_RDONLY)
    return os.read(opened, 100).decode()


@attack()
def learn_handle(world: World) -> str:
    """Learn the handle of a file of the same user."""
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0), 136)
    mount = ctypes.create_string_buffer(4)
    calls.call("name_to_handle_at", _CWD, world.secret.encode(), handle, mount, 0)
    return "a handle"


@attack()
def lease_input(world: World) -> str:
    """Take a lease on the original, so that others who open it have to wait."""
    handle = os.open(world.given, os.O_RDONLY)
    fcntl.fcntl(handle, _F_SETLEASE, fcntl.F_RDLCK)
    return "leased"


@attack()
def watch_folder_by_signal(_world: World) -> str:
    """Have the kernel send signals about a folder."""
    handle = os.open("/usr/lib", os.O_RDONLY)
    fcntl.fcntl(handle, _F_NOTIFY, 1)
    return "watched"


@attack()
def watch_secret(world: World) -> str:
    """Watch who uses a file of the same user, by inotify."""
    queue = calls.call("inotify_init1", 0)
    return f"watch {calls.call('inotify_add_watch', queue, world.secret.encode(), 0xFFF)}"


@attack(root=True)
def watch_everything(_world: World) -> str:
    """Watch all files of the machine, by fanotify."""
    return f"descriptor {calls.call('fanotify_init', 0, 0)}"


@attack(root=True)
def make_input_unchangeable(world: World) -> str:
    """Make the original a file that nobody can delete."""
    handle = os.open(world.given, os.O_RDONLY)
    flags = ctypes.create_string_buffer(struct.pack("=Q", 0), 8)
    calls.call("ioctl", handle, _GETFLAGS, flags)
    before = flags.raw
    flags[0] = bytes([before[0] | _IMMUTABLE])
    calls.call("ioctl", handle, _SETFLAGS, flags)
    calls.call("ioctl", handle, _SETFLAGS, ctypes.create_string_buffer(before, 8))
    return "unchangeable"


@attack()
def ask_for_flags_of_input(world: World) -> str:
    """Make an ioctl that no decoder needs."""
    flags = ctypes.create_string_buffer(8)
    calls.call("ioctl", os.open(world.given, os.O_RDONLY), _GETFLAGS, flags)
    return "flags"


@attack()
def ask_for_quota(_world: World) -> str:
    """Change the quota of users."""
    return calls.passes("quotactl", 0x800001 << 8, None, 0, None)


@attack(gives_up=True)
def write_more_than_allowed(world: World) -> str:
    """Write a file that is larger than its limit, at its end."""
    handle = os.open(world.outputs[0], os.O_WRONLY | os.O_CREAT, 0o600)
    place = 1 << 40 if world.control else world.file_size + 1
    return f"wrote {os.pwrite(handle, b'x', place)}"


@attack(gives_up=True)
def reserve_more_than_allowed(world: World) -> str:
    """Make a file that is larger than its limit, without writing to it."""
    handle = os.open(world.outputs[0], os.O_WRONLY | os.O_CREAT, 0o600)
    os.ftruncate(handle, world.file_size + (1 << 20))
    return "made"


@attack()
def leave_by_chroot(_world: World) -> str:
    """Change the root folder."""
    os.chroot("/")
    return "changed"
