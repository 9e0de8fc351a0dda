"""Attacks on the kernel: sockets, IPC, mounts, clocks, doors that no decoder needs."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import socket
import struct

from . import World, attack, calls

_CWD = -100


@attack()
def call_by_tcp(world: World) -> str:
    """Connect to a port of the machine."""
    with socket.create_connection(("127.0.0.1", world.tcp), 2):
        return "connected"


@attack()
def call_by_udp(world: World) -> str:
    """Send a datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return f"sent {sender.sendto(b'x', ('127.0.0.1', world.udp))}"


@attack()
def call_by_socket_file(world: World) -> str:
    """Connect to a socket in the file system."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(world.socket)
        return "connected"


@attack()
def call_by_abstract_name(world: World) -> str:
    """Connect to a socket without a file."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect("\0" + world.abstract)
        return "connected"


@attack()
def listen(_world: World) -> str:
    """Wait for connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"port {server.getsockname()[1]}"


@attack()
def talk_to_the_kernel(_world: World) -> str:
    """Open a netlink socket."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0):
        return "opened"


@attack(root=True)
def read_the_wire(_world: World) -> str:
    """Open a socket that sees every packet."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0):
        return "opened"


@attack()
def use_kernel_crypto(_world: World) -> str:
    """Open a socket of the kernel's cryptography, which had many faults."""
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET, 0):
        return "opened"


@attack()
def pair_of_sockets(_world: World) -> str:
    """Make a pair of sockets."""
    left, _right = socket.socketpair()
    return f"descriptor {left.fileno()}"


@attack()
def read_shared_memory(world: World) -> str:
    """Attach the System V memory of another process."""
    return f"at {calls.call('shmat', world.shared_memory, 0, 0o10000):x}"


@attack()
def remove_shared_memory(world: World) -> str:
    """Remove the System V memory of another process."""
    calls.call("shmctl", world.shared_memory, 0, None)
    return "removed"


@attack()
def make_shared_memory(_world: World) -> str:
    """Make System V memory, which no limit counts and which stays."""
    made = calls.call("shmget", 0, 4096, 0o1600)
    calls.call("shmctl", made, 0, None)
    return "made"


@attack()
def read_queue(world: World) -> str:
    """Take a message from another process's System V queue."""
    calls.call("msgrcv", world.queue, ctypes.create_string_buffer(64), 8, 0, 0o4000)
    return "taken"


@attack()
def remove_queue(world: World) -> str:
    """Remove a System V queue."""
    calls.call("msgctl", world.queue, 0, None)
    return "removed"


@attack()
def remove_semaphore(world: World) -> str:
    """Remove a System V semaphore."""
    calls.call("semctl", world.semaphore, 0, 0, None)
    return "removed"


@attack()
def open_named_queue(world: World) -> str:
    """Open a POSIX message queue."""
    return f"descriptor {calls.call('mq_open', world.named_queue.encode(), 0o102, 0o600, None)}"


@attack()
def open_a_ring(_world: World) -> str:
    """Set up io_uring, which passes by system-call filters."""
    return calls.passes("io_uring_setup", 0, None)


@attack()
def load_bpf(_world: World) -> str:
    """Load a program into the kernel."""
    return calls.passes("bpf", 5, None, 0)


@attack()
def measure_the_machine(_world: World) -> str:
    """Open performance counters."""
    return calls.passes("perf_event_open", None, 0, -1, -1, 0)


@attack()
def handle_page_faults(_world: World) -> str:
    """Handle page faults, which makes races in the kernel easy."""
    return calls.passes("userfaultfd", 1)


@attack()
def splice_memory(_world: World) -> str:
    """Give pages to a pipe."""
    _, writer = os.pipe()
    return calls.passes("vmsplice", writer, None, 0, 0)


@attack()
def store_a_key(_world: World) -> str:
    """Store a key in the user's keyring."""
    return calls.passes("add_key", b"user", b"attack", b"x", 1, -2)


@attack()
def read_keys(_world: World) -> str:
    """Ask for the user's keyring."""
    return calls.passes("keyctl", 0, -4, 0, 0, 0)


@attack(root=True)
def mount(world: World) -> str:
    """Mount a file system."""
    calls.call("mount", b"tmpfs", world.folder.encode(), b"tmpfs", 0, None)
    calls.call("umount2", world.folder.encode(), 2)
    return "mounted"


@attack(root=True)
def unmount(_world: World) -> str:
    """Unmount a file system."""
    return calls.passes("umount2", b"/nowhere", 2)


@attack()
def copy_a_mount(_world: World) -> str:
    """Take a copy of a mount by open_tree."""
    return f"descriptor {calls.call('open_tree', _CWD, b'/', 0)}"


@attack(root=True)
def open_a_file_system(_world: World) -> str:
    """Open a file system by fsopen."""
    return f"descriptor {calls.call('fsopen', b'tmpfs', 0)}"


@attack(root=True)
def move_a_mount(_world: World) -> str:
    """Move a mount."""
    return calls.passes("move_mount", -1, b"", -1, b"", 0)


@attack(root=True)
def change_a_mount(_world: World) -> str:
    """Make a read-only mount writable."""
    return calls.passes("mount_setattr", -1, b"", 0, None, 0)


@attack(root=True)
def load_a_module(_world: World) -> str:
    """Load a module into the kernel."""
    return calls.passes("init_module", None, 0, b"")


@attack(root=True)
def load_a_kernel(_world: World) -> str:
    """Load another kernel."""
    return calls.passes("kexec_load", 0, 99, None, 0)


@attack(root=True)
def rename_the_machine(_world: World) -> str:
    """Give the machine a name."""
    name = os.uname().nodename.encode()
    calls.call("sethostname", name, len(name))
    return "named"


@attack(root=True)
def set_the_clock(_world: World) -> str:
    """Set the clock."""
    return calls.passes("settimeofday", None, None)


@attack()
def adjust_the_clock(_world: World) -> str:
    """Ask for, or adjust, the clock's rate."""
    return calls.passes("clock_adjtime", 0, None)


@attack(root=True)
def count_all_programs(_world: World) -> str:
    """Have the kernel write down all programs that end."""
    return calls.passes("acct", b"/nowhere")


@attack(root=True)
def read_kernel_log(_world: World) -> str:
    """Read the kernel's log."""
    return calls.passes("syslog", 10, None, 0)


@attack(root=True)
def swap(_world: World) -> str:
    """Use a file as memory."""
    return calls.passes("swapon", b"/nowhere", 0)


@attack()
def change_personality(_world: World) -> str:
    """Switch off the random placement of memory."""
    return calls.passes("personality", 0x0040000)


@attack(root=True)
def reach_hardware(_world: World) -> str:
    """Open the memory of the machine."""
    with open("/dev/mem", "rb"):
        return "opened"


@attack(gives_up=True)
def call_as_32_bit(_world: World) -> str:
    """Make a call by the door of 32-bit programs, which has other numbers."""
    if platform.machine() != "x86_64":
        return ""
    # mov eax, 20 (getpid); int 0x80; ret
    return f"getpid gave {_machine_code(bytes.fromhex('b814000000cd80c3'))}"


@attack(gives_up=True)
def call_as_x32(_world: World) -> str:
    """Make a call by the numbers of x32."""
    if platform.machine() != "x86_64":
        return ""
    return f"getpid gave {calls.by_number(0x40000000 | 39)}"


def _machine_code(code: bytes) -> int:
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    return int(ctypes.CFUNCTYPE(ctypes.c_int)(address)())


@attack(root=True)
def take_powers(_world: World) -> str:
    """Take all capabilities."""
    header = struct.pack("=Ii", 0x20080522, 0)
    calls.call("capset", header, struct.pack("=6I", *[0xFFFFFFFF, 0xFFFFFFFF, 0, 0x1FF, 0x1FF, 0]))
    return "taken"
