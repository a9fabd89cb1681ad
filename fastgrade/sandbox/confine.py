"""Confine a process to what grading needs: resource limits, Landlock and seccomp.

The base needs neither root nor containers nor a helper program, only Linux 5.13 (Landlock) and
system calls made through ctypes:

- **rlimits** bound memory, CPU time, file size, open files and core dumps;
- **Landlock** (`fastgrade.sandbox.landlock`) lets the process read the Python installation and the
  folders it was given, and write to its own folder alone;
- **seccomp** (`fastgrade.sandbox.seccomp`) refuses the system calls that an answer never needs, and
  has a supervisor count the processes that it starts.

As root the process also becomes an unprivileged user of its own. Where bubblewrap works, the warm
process, and with it every submission, lives in PID, network, IPC and UTS namespaces of its own.
`probe` says what this machine offers and what would raise it.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import platform
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fastgrade.sandbox import seccomp
from fastgrade.sandbox.landlock import ReadableTree, landlock_abi, restrict
from fastgrade.sandbox.syscalls import syscall
from fastgrade.settings import LEVELS, Limits
from warmfork import processes

try:
    import resource
except ImportError:  # Windows: `probe` still says what is missing there
    resource = None

__all__ = [
    "REFUSED",
    "ControlGroup",
    "Protection",
    "SandboxError",
    "bubblewrap",
    "confine",
    "prepare",
    "probe",
    "unprivileged_identity",
]

#: What a student is told whose code has been refused something.
REFUSED = (
    "While a notebook is graded, it starts no other programs, reaches no network, and uses no "
    "files but its own."
)
_PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS = 8, 38


class SandboxError(RuntimeError):
    """The protection that the course asks for cannot be had here."""


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
        processes.end_with_parent(parent)  # forgotten when the identity changed
        processes.prctl(_PR_SET_NO_NEW_PRIVS, 1)
        restrict(tree, writable)
        tree.close()
        return seccomp.install(forks)
    except OSError as error:
        raise SandboxError(f"the sandbox could not be set up: {error}") from error


class ControlGroup:
    """A control group for a warm process and all that it forks: the last line of defense.

    Limits of single processes do not bound their sum; this one does, whatever they do.

    Parameters
    ----------
    limits : Limits
        What one submission may use.
    together : int
        How many submissions may be under way at once.
    """

    def __init__(self, limits: Limits, together: int = 4):
        memory = str((limits.memory_mb * 2 * together + 1024) << 20)
        tasks = str((limits.processes + 64) * together)
        name = f"{_group_prefix()}{os.getpid()}-{next(_group_numbers)}"
        self.folders: list[Path] = []
        try:
            if _cgroups() == "v2":
                _sweep_groups(_CGROUPS)
                folder = _CGROUPS / name
                folder.mkdir(exist_ok=True)
                self.folders.append(folder)
                for file, value in (("memory.max", memory), ("pids.max", tasks)):
                    (folder / file).write_text(value)
            else:
                for kind, file, value in (
                    ("memory", "memory.limit_in_bytes", memory),
                    ("pids", "pids.max", tasks),
                ):
                    _sweep_groups(_CGROUPS / kind)
                    folder = _CGROUPS / kind / name
                    folder.mkdir(exist_ok=True)
                    self.folders.append(folder)
                    (folder / file).write_text(value)
        except OSError as error:
            self.close()
            raise SandboxError(f"no control group could be made: {error}") from error

    def wrapper(self) -> list[str]:
        """Return the command that starts a program inside of the group."""
        join = 'for group in $0; do echo $$ > "$group/cgroup.procs" || exit 1; done; exec "$@"'
        return ["/bin/sh", "-c", join, " ".join(map(str, self.folders))]

    def close(self) -> None:
        """Remove the group, which must be empty by now; a busy one is tried a few times."""
        for folder in self.folders:
            for _ in range(50):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)
        self.folders.clear()


_CGROUPS = Path("/sys/fs/cgroup")
_group_numbers = itertools.count()


def _group_prefix() -> str:
    """Return how the names of groups begin here: another container has numbers of its own."""
    with contextlib.suppress(OSError):
        return f"fastgrade-{os.stat('/proc/self/ns/pid').st_ino}-"
    return "fastgrade-"


def _sweep_groups(parent: Path) -> None:
    """Remove the groups that killed graders have left; the system refuses where one is in use."""
    prefix = _group_prefix()
    for folder in parent.glob(f"{prefix}*-*"):
        owner = folder.name.removeprefix(prefix).partition("-")[0]
        if owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            with contextlib.suppress(OSError):
                folder.rmdir()


# --------------------------------------------------------------------------- what is there


@dataclass(frozen=True)
class Protection:
    """What protection this machine offers.

    Parameters
    ----------
    level : {"none", "rlimits", "sandbox", "namespaces"}
        The strongest level that works.
    fork : bool
        Whether processes can be forked.
    landlock : int
        Version of Landlock, 0 for none.
    seccomp : bool
        Whether system calls can be filtered.
    notify : bool
        Whether starting processes can be counted exactly.
    bubblewrap : bool
        Whether namespaces can be had through bubblewrap.
    root : bool
        Whether this is root, so that submissions get a user of their own.
    cgroups : str
        ``"v2"``, ``"v1"`` or ``""``: control groups that can be written.
    missing : tuple of str
        What is missing, each with what would bring it.
    """

    level: str
    fork: bool
    landlock: int
    seccomp: bool
    notify: bool
    bubblewrap: bool
    root: bool
    cgroups: str
    missing: tuple[str, ...]

    def reaches(self, level: str) -> bool:
        """Whether this is at least `level`.

        >>> Protection("rlimits", True, 0, False, False, False, False, "", ()).reaches("sandbox")
        False
        """
        return LEVELS.index(self.level) >= LEVELS.index(level)


def bubblewrap() -> list[str]:
    """Return the command that starts a program in namespaces of its own.

    The file system is seen as it is, since Landlock says what of it can be used; processes,
    network, IPC and host name are private.
    """
    command = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    command += ["--unshare-uts", "--unshare-cgroup-try", "--dev-bind", "/", "/", "--proc", "/proc"]
    if os.geteuid() == 0:
        # Root keeps the right to become another user and to hand its folder over to it.
        for capability in ("SETUID", "SETGID", "CHOWN", "DAC_READ_SEARCH", "KILL"):
            command += ["--cap-add", f"CAP_{capability}"]
    return command


@functools.cache
def _bubblewrap_works() -> bool:
    if sys.platform != "linux" or shutil.which("bwrap") is None:
        return False
    try:
        done = subprocess.run([*bubblewrap(), "true"], capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _cgroups(root: Path = _CGROUPS) -> str:
    """Return the version of control groups that can be made here, with their limits."""
    if (root / "cgroup.controllers").exists():
        try:
            given = (root / "cgroup.subtree_control").read_text().split()
        except OSError:
            given = []
        if not {"memory", "pids"} <= set(given):
            return ""  # a group could be made, and would limit nothing
        return "v2" if os.access(root / "cgroup.procs", os.W_OK) else ""
    return "v1" if os.access(root / "memory" / "cgroup.procs", os.W_OK) else ""


@functools.cache
def probe() -> Protection:
    """Return what this machine offers and what would raise it."""
    fork = hasattr(os, "fork") and sys.platform != "win32"
    landlock = landlock_abi() if sys.platform == "linux" else 0
    filters = seccomp.available()
    notify = filters and seccomp.notifies()
    namespaces = _bubblewrap_works()
    groups = _cgroups() if sys.platform == "linux" else ""
    missing = []
    if sys.platform != "linux":
        missing.append(
            f"Landlock and seccomp exist on Linux only, not on {platform.system()}: grade in a "
            "Linux container or virtual machine."
        )
    else:
        if not landlock:
            missing.append(
                "Landlock is not offered: Linux 5.13 or newer with 'landlock' among the active "
                "security modules (kernel parameter lsm=) brings it."
            )
        elif landlock < 6:
            missing.append(
                f"Landlock has version {landlock}; version 6 (Linux 6.12) also keeps signals in."
            )
        if not filters:
            missing.append(
                "System calls cannot be filtered: a kernel with CONFIG_SECCOMP_FILTER on x86_64 "
                "or aarch64, and a container runtime that allows seccomp(2), bring it."
            )
        elif not notify:
            missing.append(
                "New processes are bounded by RLIMIT_NPROC only: Linux 5.5 counts them exactly."
            )
        if not namespaces:
            missing.append(
                "Namespaces are not to be had: install bubblewrap, and allow unprivileged user "
                "namespaces or run as root outside of a container."
            )
        if not groups:
            missing.append(
                "Control groups with limits on memory and processes cannot be made: run as root, "
                "where /sys/fs/cgroup can be written and passes both on."
            )
    if not fork:
        level = "none"
    elif not (landlock and filters):
        level = "rlimits" if sys.platform == "linux" else "none"
    else:
        level = "namespaces" if namespaces else "sandbox"
    return Protection(
        level=level,
        fork=fork,
        landlock=landlock,
        seccomp=filters,
        notify=notify,
        bubblewrap=namespaces,
        root=hasattr(os, "geteuid") and os.geteuid() == 0,
        cgroups=groups,
        missing=tuple(missing),
    )
