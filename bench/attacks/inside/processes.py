"""Attacks on other processes, and on what binds the program to its parent."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import struct

from . import World, attack, calls

_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_THREAD = 0x10000000, 0x40000000, 0x10000
_F_SETSIG, _F_SETOWN_EX = 10, 15
_PDEATHSIG, _SUBREAPER, _SECUREBITS, _BOUNDING = 1, 36, 27, 24
_INFO = struct.pack("=iii", signal.SIGKILL, 0, -1).ljust(128, b"\0")


@attack()
def end_victim(world: World) -> str:
    """End another process of the same user by kill."""
    os.kill(world.victim, signal.SIGKILL)
    return "killed"


@attack()
def signal_run(world: World) -> str:
    """Send a signal to the run."""
    os.kill(world.run, 0)
    return "sent"


@attack()
def signal_parent(_world: World) -> str:
    """Send a signal to the parent process."""
    os.kill(os.getppid(), 0)
    return "sent"


@attack()
def signal_everybody(_world: World) -> str:
    """Send a signal to all processes."""
    os.kill(-1, 0)
    return "sent"


@attack()
def signal_group(world: World) -> str:
    """Send a signal to the group of another process."""
    os.killpg(world.victim, 0)
    return "sent"


@attack()
def end_victim_by_thread(world: World) -> str:
    """End another process by tkill."""
    calls.call("tkill", world.victim, signal.SIGKILL)
    return "killed"


@attack()
def end_victim_by_thread_of_group(world: World) -> str:
    """End another process by tgkill."""
    calls.call("tgkill", world.victim, world.victim, signal.SIGKILL)
    return "killed"


@attack()
def end_victim_by_queue(world: World) -> str:
    """End another process by rt_sigqueueinfo."""
    calls.call("rt_sigqueueinfo", world.victim, signal.SIGKILL, _INFO)
    return "killed"


@attack()
def end_victim_by_queue_of_thread(world: World) -> str:
    """End another process by rt_tgsigqueueinfo."""
    calls.call("rt_tgsigqueueinfo", world.victim, world.victim, signal.SIGKILL, _INFO)
    return "killed"


@attack()
def end_victim_by_descriptor(world: World) -> str:
    """End another process by a descriptor of it."""
    handle = calls.call("pidfd_open", world.victim, 0)
    calls.call("pidfd_send_signal", handle, signal.SIGKILL, None, 0)
    return "killed"


@attack()
def take_descriptor_of_victim(world: World) -> str:
    """Take a descriptor out of another process."""
    handle = calls.call("pidfd_open", world.victim, 0)
    return f"descriptor {calls.call('pidfd_getfd', handle, 0, 0)}"


@attack()
def end_victim_by_owner(world: World) -> str:
    """End another process by a signal about a descriptor that it owns."""
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETOWN, world.victim)
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC)
    os.write(writer, b"x")  # returns when the signal is in the queue of its owner
    return "sent"


@attack()
def end_victim_by_new_owner(world: World) -> str:
    """End another process in the same way, by F_SETOWN_EX and F_SETSIG."""
    reader, writer = os.pipe()
    fcntl.fcntl(reader, _F_SETOWN_EX, struct.pack("=ii", 1, world.victim))
    fcntl.fcntl(reader, _F_SETSIG, signal.SIGTERM)
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC)
    os.write(writer, b"x")  # returns when the signal is in the queue of its owner
    return "sent"


@attack()
def end_victim_by_limit(world: World) -> str:
    """Set the limits of another process."""
    low = struct.pack("=QQ", 17, 17)
    calls.call("prlimit64", world.victim, resource.RLIMIT_NOFILE, low, None)
    return "set"


@attack()
def read_limits_of_victim(world: World) -> str:
    """Read the limits of another process."""
    found = ctypes.create_string_buffer(16)
    calls.call("prlimit64", world.victim, resource.RLIMIT_NOFILE, None, found)
    return "read"


@attack()
def slow_victim(world: World) -> str:
    """Lower the priority of another process."""
    os.setpriority(os.PRIO_PROCESS, world.victim, 19)
    return "lowered"


@attack()
def slow_all(_world: World) -> str:
    """Lower the priority of all processes of the user."""
    return calls.passes("setpriority", 9, 0, 19)


@attack()
def bind_victim(world: World) -> str:
    """Bind another process to one processor."""
    os.sched_setaffinity(world.victim, {min(os.sched_getaffinity(0))})
    return "bound"


@attack()
def idle_victim(world: World) -> str:
    """Schedule another process when nothing else runs."""
    os.sched_setscheduler(world.victim, os.SCHED_IDLE, os.sched_param(0))
    return "set"


@attack()
def idle_victim_by_the_newest_call(world: World) -> str:
    """Schedule another process by sched_setattr."""
    attributes = struct.pack("=IIQiIQQQ", 48, os.SCHED_BATCH, 0, 5, 0, 0, 0, 0)
    calls.call("sched_setattr", world.victim, attributes, 0)
    return "set"


@attack(root=True)
def take_the_processor(_world: World) -> str:
    """Schedule itself before all others."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return "set"


@attack()
def slow_disk_of_victim(world: World) -> str:
    """Let another process wait for the disk."""
    calls.call("ioprio_set", 1, world.victim, 3 << 13)
    return "set"


@attack()
def sacrifice_victim(world: World) -> str:
    """Have another process killed first where memory is short."""
    with open(f"/proc/{world.victim}/oom_score_adj", "w") as file:
        file.write("1000")
    return "set"


@attack()
def trace_victim(world: World) -> str:
    """Trace another process."""
    calls.call("ptrace", 0x4206, world.victim, 0, 0)
    return "traced"


@attack()
def read_memory_of_victim(world: World) -> str:
    """Read the memory of another process."""
    return calls.passes("process_vm_readv", world.victim, None, 0, None, 0, 0)


@attack()
def write_memory_of_victim(world: World) -> str:
    """Write to the memory of another process."""
    return calls.passes("process_vm_writev", world.victim, None, 0, None, 0, 0)


@attack()
def open_memory_of_victim(world: World) -> str:
    """Open the memory of another process as a file."""
    with open(f"/proc/{world.victim}/mem", "rb"):
        return "opened"


@attack()
def read_environment_of_victim(world: World) -> str:
    """Read the environment of another process, where passwords can be."""
    with open(f"/proc/{world.victim}/environ", "rb") as file:
        return f"{len(file.read())} bytes"


@attack()
def read_command_of_victim(world: World) -> str:
    """Read the command line of another process."""
    with open(f"/proc/{world.victim}/cmdline", "rb") as file:
        return file.read().decode()


@attack()
def list_processes(_world: World) -> str:
    """List the processes of the machine."""
    return " ".join(name for name in os.listdir("/proc") if name.isdecimal())


@attack()
def look_at_victim(world: World) -> str:
    """Learn whether a process with a known number lives, and whose it is."""
    return f"owner {os.stat(f'/proc/{world.victim}').st_uid}"


@attack()
def compare_with_victim(world: World) -> str:
    """Compare what another process has open."""
    return calls.passes("kcmp", world.victim, world.victim, 0, 0, 0)


@attack()
def move_memory_of_victim(world: World) -> str:
    """Move the memory of another process."""
    return calls.passes("move_pages", world.victim, 0, None, None, None, 0)


@attack()
def migrate_memory_of_victim(world: World) -> str:
    """Move the memory of another process to another node."""
    return calls.passes("migrate_pages", world.victim, 0, None, None)


@attack()
def advise_memory_of_victim(_world: World) -> str:
    """Have the memory of another process written out."""
    return calls.passes("process_madvise", -1, None, 0, 21, 0)


@attack()
def fork(_world: World) -> str:
    """Start a process."""
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "forked"


@attack()
def clone_by_the_newest_call(_world: World) -> str:
    """Start a process by clone3."""
    words = struct.pack("=11Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, 0)
    child = calls.call("clone3", words, len(words))
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "forked"


@attack(gives_up=True)
def become_a_shell(_world: World) -> str:
    """Become another program."""
    os.execv("/bin/sh", ["sh", "-c", "echo become-a-shell REACHED a shell"])
    return ""


@attack()
def outlive_the_parent(_world: World) -> str:
    """Give up the signal that comes when the parent dies."""
    calls.call("prctl", _PDEATHSIG, 0, 0, 0, 0)
    return "given up"


@attack()
def adopt_orphans(_world: World) -> str:
    """Become the parent of orphans."""
    calls.call("prctl", _SUBREAPER, 1, 0, 0, 0)
    return "set"


@attack()
def leave_the_session(_world: World) -> str:
    """Leave the process group that is killed with the run."""
    try:
        os.setpgid(0, 0)
    except OSError as error:
        return "" if error.errno in calls.REFUSALS else str(error)
    return "left"


@attack()
def new_user_namespace(_world: World) -> str:
    """Become root in a namespace of its own, from where most faults of kernels can be reached."""
    calls.call("unshare", _CLONE_NEWUSER)
    return "root"


@attack()
def new_network(_world: World) -> str:
    """Make a network of its own."""
    calls.call("unshare", _CLONE_NEWUSER | _CLONE_NEWNET)
    return "made"


@attack()
def thread_in_a_namespace(_world: World) -> str:
    """Pass the rule for threads with a flag that makes a namespace."""
    return calls.passes("clone", _CLONE_NEWUSER | _CLONE_THREAD, 0, 0, 0, 0)


@attack()
def enter_namespace_of_victim(world: World) -> str:
    """Enter the namespaces of another process."""
    handle = os.open(f"/proc/{world.victim}/ns/net", os.O_RDONLY)
    calls.call("setns", handle, 0)
    return "entered"


@attack(root=True)
def become_another_user(_world: World) -> str:
    """Become another user."""
    calls.call("setuid", 12345)
    return "changed"


@attack(root=True)
def join_a_group(_world: World) -> str:
    """Join another group."""
    calls.call("setgroups", 1, struct.pack("=I", 12345))
    return "joined"


@attack(root=True)
def lower_the_bounding_set(_world: World) -> str:
    """Change the set of powers that a program can get."""
    calls.call("prctl", _BOUNDING, 0, 0, 0, 0)
    return "changed"


@attack()
def keep_powers(_world: World) -> str:
    """Ask what powers root gets by starting a program."""
    return calls.passes("prctl", _SECUREBITS, 0, 0, 0, 0)


@attack()
def allow_a_tracer(_world: World) -> str:
    """Let any process trace this one."""
    calls.call("prctl", 0x59616D61, -1, 0, 0, 0)
    return "allowed"


@attack()
def raise_own_limit(world: World) -> str:
    """Raise its own limits again."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = (64 << 40) if hard < 0 or world.control else hard + (1 << 30)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, wanted))
    return "raised"


@attack()
def shield_by_a_filter(_world: World) -> str:
    """Load a filter of its own that stops calls for a listener."""
    return calls.passes("seccomp", 1, 8, None)


@attack()
def timer_on_a_thread(_world: World) -> str:
    """Make a timer that sends signals."""
    return calls.passes("timer_create", 0, None, None)
