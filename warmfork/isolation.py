"""Processes of their own for a fork: a process namespace, whose first process waits for its end.

The first process of a namespace takes everybody with it when it ends. It must outlive the fork that
it is there for, since that one's own forks may: so it does nothing, and is ended from outside.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator, Sequence

from warmfork import processes

__all__ = ["enter_groups", "is_possible", "mount", "new_process_namespace", "unshare"]

NEW_MOUNTS, NEW_IPC, NEW_PROCESSES = 0x00020000, 0x08000000, 0x20000000


def _check(result: int, name: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` name for new ones.

    Raises
    ------
    OSError
        If the system refuses.
    """
    _check(processes.libc().unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount a file system, as mount(2) does.

    Raises
    ------
    OSError
        If the system refuses.
    """
    texts = [os.fsencode(text) if text else None for text in (source, target, kind)]
    result = processes.libc().mount(
        *texts, ctypes.c_ulong(flags), options.encode() if options else None
    )
    _check(result, f"mount {target}")


def enter_groups(descriptors: Sequence[int]) -> None:
    """Join the control groups whose lists of processes are open, and close them.

    Raises
    ------
    OSError
        If the system refuses.
    """
    for descriptor in descriptors:
        try:
            os.write(descriptor, b"0")
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def new_process_namespace(groups: Sequence[int] = ()) -> Iterator[int]:
    """Have what is forked in this context live in a process namespace of its own.

    Gives the number of the namespace's first process. The context is left in the parent only.

    Parameters
    ----------
    groups : sequence of int
        Control groups of the first process, as `enter_groups` takes them; they stay open here.

    Raises
    ------
    OSError
        If the system refuses.
    """
    ours = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        unshare(NEW_PROCESSES)
        try:
            yield _first_process(groups)
        finally:
            _check(processes.libc().setns(ours, NEW_PROCESSES), "setns")
    finally:
        os.close(ours)


def _first_process(groups: Sequence[int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        processes.end_with_parent(0)  # a parent outside of the namespace has no number in it
        enter_groups([os.dup(group) for group in groups])
        os.closerange(0, 1024)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # orphans come here, and are forgotten
        while True:
            signal.pause()
    finally:
        os._exit(1)


def is_possible() -> bool:
    """Return whether this process may make process, IPC and mount namespaces."""
    pid = os.fork()
    if pid == 0:
        try:
            unshare(NEW_PROCESSES | NEW_MOUNTS | NEW_IPC)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
