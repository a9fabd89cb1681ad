"""What the system knows of processes, and what is asked of it: parents, orphans, groups, memory.

Everything here is by number. A number may have come from a submission, or have passed to another
process meanwhile, so nothing is ended before it has been looked at through a handle.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import random
import signal
import stat
import sys
import time
from collections.abc import Callable, Sequence

__all__ = [
    *("adopt_orphans", "children", "delay", "descendants", "end_session", "end_with_parent"),
    *("fork", "in_group", "in_session", "inner", "kill", "libc", "memory", "memory_of", "numbers"),
    *("prctl", "share", "state", "threads", "unlinked"),
]

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


@functools.cache
def libc() -> ctypes.CDLL:
    """Return the C library; its calls leave `errno` for `ctypes.get_errno`."""
    return ctypes.CDLL(None, use_errno=True)


@functools.cache
def _python_library() -> ctypes.PyDLL:
    """Return the same library for calls that keep the interpreter's lock."""
    return ctypes.PyDLL(None, use_errno=True)


def prctl(option: int, *args: int) -> int:
    """Set something of this process.

    Raises
    ------
    OSError
        If the system refuses.
    AttributeError
        If it has no such call.
    """
    padded = [ctypes.c_ulong(arg) for arg in (*args, 0, 0, 0, 0)[:4]]
    result = libc().prctl(ctypes.c_int(option), *padded)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl {option}: {os.strerror(code)}")
    return result


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent ends, where the system knows that."""
    with contextlib.suppress(OSError, AttributeError):
        prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(parent: int, by: signal.Signals = signal.SIGKILL) -> None:
    """Have the system send a signal to this process when its parent ends.

    Parameters
    ----------
    parent : int
        The process id of the parent, asked for before the fork: it may have ended since. 0 of one
        in another process namespace.
    by : signal.Signals
        What to send.
    """
    with contextlib.suppress(OSError, AttributeError):
        prctl(PR_SET_PDEATHSIG, int(by))
    if os.getppid() != parent:
        os.kill(os.getpid(), by)


def fork() -> int:
    """Fork, and leave the state of Python in the child as it was.

    `os.fork` gives the module `random` a new seed there, and renews locks that no other thread can
    hold where there is none: work on some 250 pages, each of which has to be copied first.

    Raises
    ------
    OSError
        If there is no process to be had.
    """
    if len(sys._current_frames()) == 1:
        pid = _python_library().fork()
        if pid < 0:
            code = ctypes.get_errno()
            raise OSError(code, f"fork: {os.strerror(code)}")
        return pid
    numbers_to_come = random.getstate()
    pid = os.fork()
    if pid == 0:
        random.setstate(numbers_to_come)
    return pid


def numbers() -> list[int]:
    """Return the ids of all processes that can be seen."""
    try:
        return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    except OSError:
        return []


def children(pid: int | None = None) -> list[int]:
    """Return the ids of the children of a process, by default of this one."""
    pid = os.getpid() if pid is None else pid
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    return found


def descendants() -> list[int]:
    """Return the ids of this process's children and of all below them."""
    found = children()
    for pid in found:  # which grows meanwhile
        found += children(pid)
    return found


def state(pid: int) -> list[int]:
    """Return state (as a number), parent, group and session of a process; nothing of a dead one."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            letter, *fields = file.read().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if letter in "ZX" else [ord(letter), *map(int, fields[:3])]


def memory(pid: int | str) -> int:
    """Return the bytes that a process holds and no file backs; 0 of a process that is gone."""
    return _bytes_in(f"/proc/{pid}/status", ("RssAnon:", "RssShmem:", "VmSwap:")) or 0


def share(pid: int | str) -> int | None:
    """Return the same with each page divided among all who have it; None where that is hidden."""
    return _bytes_in(f"/proc/{pid}/smaps_rollup", ("Pss_Anon:", "Pss_Shmem:", "SwapPss:"))


def _bytes_in(path: str, wanted: tuple[str, ...]) -> int | None:
    total = 0
    try:
        with open(path, encoding="latin-1") as file:
            for line in file:
                name, *value = line.split(maxsplit=2)
                if name in wanted:
                    total += int(value[0]) << 10
    except PermissionError:
        return None
    except OSError:
        return 0
    return total


def memory_of(pids: Sequence[int], common: int, enough: int) -> int:
    """Return the bytes that processes hold together beyond what they have from another one.

    Forks share their pages until one of them writes. What each holds is quickly read and counts
    such pages many times, so it is refined where it comes to more than `enough`.

    Parameters
    ----------
    pids : sequence of int
        The processes.
    common : int
        Bytes that the process holds from which all of them were forked.
    enough : int
        Where it begins to matter.
    """
    held = [max(0, memory(pid) - common) for pid in pids]
    if sum(held) <= enough:
        return sum(held)
    shares = [share(pid) for pid in pids]
    hidden = [own for own, part in zip(held, shares, strict=True) if part is None]
    # Of what cannot be told apart the largest is not counted twice.
    refined = sum(part for part in shares if part is not None) - common
    return min(sum(held), max(0, refined) + max(hidden, default=0))


def threads(pid: int) -> int:
    """Return how many threads a process has; 0 of one that is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def delay(pid: int) -> float:
    """Return the seconds that the first thread of a process has waited for a processor."""
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def unlinked(pids: Sequence[int]) -> int:
    """Return the bytes on disk of files that processes have open and that have no name any more."""
    sizes = {}
    for pid in pids:
        try:
            descriptors = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                found = os.stat(f"/proc/{pid}/fd/{descriptor}")
                if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                    sizes[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(sizes.values())


def inner(pid: int) -> int:
    """Return the number of a process in its innermost namespace; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="latin-1") as file:
            return next(int(line.split()[-1]) for line in file if line.startswith("NSpid:"))
    except (OSError, StopIteration):
        return 0


def kill(pid: int, is_meant: Callable[[int], bool]) -> bool:
    """Send SIGKILL to a process that is the one meant; return whether it was."""
    try:
        handle = os.pidfd_open(pid)
    except (OSError, OverflowError, AttributeError):
        return False
    try:
        if not is_meant(pid):
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def in_group(group: int) -> list[int]:
    """Return the ids of all descendants in a process group that have not ended."""
    return [pid for pid in descendants() if state(pid)[2:3] == [group]]


def in_session(session: int) -> list[int]:
    """Return the ids of all processes of a session that have not ended."""
    return [pid for pid in numbers() if state(pid)[3:4] == [session]]


def end_session(session: int) -> None:
    """End all processes of a session: in the sandbox none can leave it."""

    def belongs(pid: int) -> bool:
        return state(pid)[3:4] == [session]

    for _ in range(100):  # what forks meanwhile is found the next time
        if not sum(kill(pid, belongs) for pid in in_session(session)):
            return
        time.sleep(0.005)
