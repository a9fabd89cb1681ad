"""Confine a process to what grading needs: resource limits, Landlock and seccomp.

The base needs neither root nor containers nor a helper program, only Linux 5.13 (Landlock) and
system calls made through ctypes:

- **rlimits** bound memory, CPU time, file size, open files and core dumps;
- **Landlock** (`fastgrade.sandbox.landlock`) lets the process read the Python installation and the
  folders it was given, and write to its own folder alone;
- **seccomp** (`fastgrade.sandbox.seccomp`) refuses the system calls that an answer never needs, and
  has a supervisor count the processes that it starts.

As root the process also becomes an unprivileged user of its own. What bounds and hides all
processes of a submission together stands beside: `fastgrade.sandbox.namespaces` and
`fastgrade.sandbox.cgroups`. `fastgrade.sandbox.protection` says what this machine offers.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable

from fastgrade.sandbox import SandboxError, seccomp
from fastgrade.sandbox.landlock import ReadableTree, landlock_abi, restrict
from fastgrade.sandbox.syscalls import syscall
from fastgrade.settings import Limits
from warmfork import processes

try:
    import resource
except ImportError:  # Windows: `protection.probe` still says what is missing there
    resource = None  # type: ignore[assignment]

__all__ = ["REFUSED", "confine", "prepare", "unprivileged_identity"]

#: What a student is told whose code has been refused something.
REFUSED = (
    "While a notebook is graded, it starts no other programs, reaches no network, and uses no "
    "files but its own."
)
_PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS = 8, 38


def _set_limits(limits: Limits, forks: int) -> None:
    mib = 1 << 20
    with open("/proc/self/statm", encoding="ascii") as file:
        held = int(file.read().split()[0]) * resource.getpagesize()

    def bound(kind: int, value: int, more: int = 0) -> None:
        _, hard = resource.getrlimit(kind)
        most = value + more if hard == resource.RLIM_INFINITY else min(value + more, hard)
        resource.setrlimit(kind, (min(value, most), most))

    bound(resource.RLIMIT_AS, held + limits.memory_mb * mib)
    # Where both are equal the system sends SIGKILL, as somebody outside of the sandbox would.
    bound(resource.RLIMIT_CPU, limits.cpu_seconds, more=2)
    bound(resource.RLIMIT_FSIZE, limits.file_mb * mib)
    bound(resource.RLIMIT_NOFILE, limits.open_files)
    bound(resource.RLIMIT_CORE, 0)
    bound(resource.RLIMIT_MEMLOCK, 8 * mib)
    bound(resource.RLIMIT_SIGPENDING, 1024)
    if forks >= 0:
        bound(resource.RLIMIT_NPROC, _tasks_of_user() + forks)


def _tasks_of_user() -> int:
    mine, total = os.getuid(), 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == mine:
                    total += len(os.listdir(f"/proc/{entry.name}/task"))
            except OSError:
                continue
    return total


def unprivileged_identity(pid: int) -> int:
    """Return the user and group id that a process started by root takes."""
    return 64_000 + pid % 1_000


def _give_up_rights() -> None:
    """Give up the rights over its namespaces that a process was started with."""
    syscall("capset", struct.pack("Ii", 0x20080522, 0), struct.pack("6I", 0, 0, 0, 0, 0, 0))


def _drop_privileges(identity: int, keep_reading: bool) -> None:
    if keep_reading:
        processes.prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(identity, identity, identity)
    os.setresuid(identity, identity, identity)
    if keep_reading:
        # CAP_DAC_READ_SEARCH alone: the installation lies where only root can read, and Landlock
        # says what of it.
        header = struct.pack("Ii", 0x20080522, 0)
        syscall("capset", header, struct.pack("6I", 4, 4, 0, 0, 0, 0))


def prepare(tree: ReadableTree) -> None:
    """Work out once, in a warm process, what `confine` then needs in every fork."""
    tree.is_public()
    landlock_abi()
    for forks in (True, False):
        seccomp.program(seccomp.notifies() and forks, forks)


def confine(
    limits: Limits,
    tree: ReadableTree | None,
    writable: Iterable[str] = (),
    *,
    level: str = "sandbox",
    forks: bool = True,
    identity: int | None = None,
    keep_reading: bool = False,
) -> int | None:
    """Confine this process and all that it starts, for good.

    Parameters
    ----------
    limits : Limits
        Bounds of the resources.
    tree : ReadableTree or None
        What may be read; needed from level ``"sandbox"`` on, and closed.
    writable : iterable of str
        Folders that may be changed.
    level : {"none", "rlimits", "sandbox", "namespaces"}
        How far to go.
    forks : bool
        Whether processes may be started, if the supervisor grants them.
    identity : int, optional
        User and group id to take; only root can.
    keep_reading : bool
        As root, keep the right to read files of any owner that Landlock allows.

    Returns
    -------
    int or None
        A descriptor for `Forks`, to be sent to the supervisor.

    Raises
    ------
    SandboxError
        If a part could not be had.
    """
    if level == "none":
        return None
    try:
        parent = os.getppid()
        counted = seccomp.notifies() or not forks
        _set_limits(limits, -1 if counted else limits.processes + 4)
        if level == "rlimits":
            return None
        if tree is None:
            raise SandboxError("tree must be given from level 'sandbox' on, got None")
        if identity is not None and os.geteuid() == 0:
            _drop_privileges(identity, keep_reading)
        else:
            _give_up_rights()
        processes.end_with_parent(parent)  # forgotten when the identity changed
        processes.prctl(_PR_SET_NO_NEW_PRIVS, 1)
        restrict(tree, writable)
        tree.close()
        return seccomp.install(forks)
    except OSError as error:
        raise SandboxError(f"the sandbox could not be set up: {error}") from error
