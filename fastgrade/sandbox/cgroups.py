"""Control groups: what a submission uses, all of its processes together, is bounded by the kernel.

Memory counts with what its processes share and with its files on a tmpfs, tasks with threads. Each
submission has a group of its own, and so has its judge: neither can use up what the other, or a
neighbour, needs. They can be made by root where ``/sys/fs/cgroup`` can be written, and by an
ordinary user in a group that was delegated to it (``systemd-run --user --scope -p Delegate=yes``).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastgrade.sandbox import SandboxError

__all__ = ["Bounds", "ControlGroup", "Hierarchy", "hierarchy"]

ROOT = Path("/sys/fs/cgroup")
_CONTROLLERS = ("memory", "pids", "cpu")
_PERIOD = 100_000  # microseconds
#: Where a grader moves who is in the group that it was given.
_ITSELF = "fastgrade-itself"


@dataclass(frozen=True)
class Bounds:
    """What a group may use.

    Parameters
    ----------
    memory : int
        Bytes.
    tasks : int
        Processes and threads.
    processors : int
        As many as it could keep busy.
    """

    memory: int
    tasks: int
    processors: int = 1

    def files(self, version: str) -> list[tuple[str, str, str]]:
        """Return controller, file and content of each bound.

        >>> Bounds(1 << 20, 9).files("v2")[0]
        ('memory', 'memory.max', '1048576')
        """
        memory, tasks, time = str(self.memory), str(self.tasks), str(self.processors * _PERIOD)
        if version == "v2":
            return [
                ("memory", "memory.max", memory),
                ("memory", "memory.swap.max", "0"),
                ("pids", "pids.max", tasks),
                ("cpu", "cpu.max", f"{time} {_PERIOD}"),
            ]
        return [
            ("memory", "memory.limit_in_bytes", memory),
            ("memory", "memory.memsw.limit_in_bytes", memory),
            ("pids", "pids.max", tasks),
            ("cpu", "cpu.cfs_quota_us", time),
        ]


#: Without these the kernel has no such limit, or counts no swap: the others hold.
_OPTIONAL = {"memory.memsw.limit_in_bytes", "memory.swap.max", "cpu.max", "cpu.cfs_quota_us"}


@dataclass(frozen=True)
class Hierarchy:
    """Where groups can be made.

    Parameters
    ----------
    version : {"v2", "v1"}
        Of control groups.
    folders : mapping of str to Path
        The folder of each controller; in version 2 all have the same.
    """

    version: str
    folders: Mapping[str, Path]

    @property
    def entrance(self) -> str:
        """The file of a group that a process of one thread writes itself into.

        Where a thread may enter by itself nobody waits. A process has to be alone in doing so: all
        that fork or end wait for it, and it waits until the kernel has seen them wait, for 5 to
        30 ms. In version 2 a thread alone cannot change groups.
        """
        return "tasks" if self.version == "v1" else "cgroup.procs"


@functools.cache
def hierarchy(root: Path = ROOT) -> Hierarchy | None:
    """Return where this process can make groups with limits; None if it cannot.

    Groups that killed graders have left there are removed.
    """
    found = _find(root)
    for folder in set(found.folders.values()) if found else ():
        _sweep(folder)
    return found


def _find(root: Path) -> Hierarchy | None:
    if (root / "cgroup.controllers").exists():
        own = _own(root, "")
        above = own.parent if own.name == _ITSELF else own  # a grader before has moved us below
        for folder in dict.fromkeys((root, above, own)):
            if os.access(folder / "cgroup.procs", os.W_OK) and _delegate(folder):
                return Hierarchy("v2", dict.fromkeys(_CONTROLLERS, folder))
        return None
    folders = {}
    for name in _CONTROLLERS:
        for folder in (root / name, _own(root / name, name)):
            if os.access(folder / "cgroup.procs", os.W_OK) and os.access(folder, os.W_OK):
                folders[name] = folder
                break
    return Hierarchy("v1", folders) if {"memory", "pids"} <= set(folders) else None


def _own(root: Path, controller: str) -> Path:
    """Return the folder of the group that this process is in."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, names, path = line.split(":", 2)
            if controller in names.split(","):
                return root / path.lstrip("/")
    return root


def _delegate(folder: Path) -> bool:
    """Have a group of version 2 pass its controllers on; return whether it does.

    It may hold no process itself then, so what is in it moves into a group below.
    """
    wanted = {"memory", "pids"}
    control = folder / "cgroup.subtree_control"
    try:
        if wanted <= set(control.read_text().split()):
            return True
        offered = [
            name
            for name in (folder / "cgroup.controllers").read_text().split()
            if name in _CONTROLLERS
        ]
        if not wanted <= set(offered):
            return False
        request = " ".join(f"+{name}" for name in offered)
        try:
            control.write_text(request)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            below = folder / _ITSELF
            below.mkdir(exist_ok=True)
            for pid in (folder / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    (below / "cgroup.procs").write_text(pid)
            control.write_text(request)
        return wanted <= set(control.read_text().split())
    except OSError:
        return False


class ControlGroup:
    """A group, in each hierarchy that it needs.

    Parameters
    ----------
    where : Hierarchy
        Where it is made.
    bounds : Bounds
        What it may use.

    Raises
    ------
    SandboxError
        If the system refuses.
    """

    def __init__(self, where: Hierarchy, bounds: Bounds):
        name = f"{_prefix()}{os.getpid()}-{next(_numbers)}"
        self._memory = where.folders["memory"] / name
        self._tasks = where.folders["pids"] / name
        self._processor = where.folders.get("cpu", where.folders["pids"]) / name
        self._version = where.version
        self.folders: list[Path] = []
        self.descriptors: Sequence[int] = ()
        try:
            for parent in dict.fromkeys(where.folders.values()):
                (parent / name).mkdir()
                self.folders.append(parent / name)
            for controller, file, content in bounds.files(where.version):
                if controller in where.folders:
                    _write(where.folders[controller] / name / file, content)
            self.descriptors = [
                os.open(folder / where.entrance, os.O_WRONLY | os.O_CLOEXEC)
                for folder in self.folders
            ]
        except OSError as error:
            self.close()
            raise SandboxError(f"no control group could be made: {error}") from error

    def memory_kills(self) -> int:
        """Return how many of its processes the kernel has ended for want of memory."""
        file = "memory.events" if self._version == "v2" else "memory.oom_control"
        return _count(self._memory / file, "oom_kill")

    def memory(self) -> tuple[int, int]:
        """Return the bytes that its processes hold alone, and that they share, files included."""
        private, shared = ("anon", "shmem") if self._version == "v2" else ("rss", "shmem")
        file = self._memory / "memory.stat"
        return _count(file, private), _count(file, shared)

    def refused_tasks(self) -> int:
        """Return how often it has asked for more processes or threads than it may have."""
        return _count(self._tasks / "pids.events", "max")

    def throttled(self) -> float:
        """Return the seconds for which it was held back because it asked for too much time."""
        if self._version == "v2":
            return _count(self._memory / "cpu.stat", "throttled_usec") / 1e6
        return _count(self._processor / "cpu.stat", "throttled_time") / 1e9

    def close(self) -> None:
        """Remove the group, which must be empty by now; a busy one is tried a few times."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = ()
        for folder in self.folders:
            for _ in range(100):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)
        self.folders.clear()


_numbers = itertools.count()


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content)
    except OSError:
        if path.name not in _OPTIONAL:
            raise


def _count(path: Path, name: str) -> int:
    with contextlib.suppress(OSError):
        for line in path.read_text().splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0


@functools.cache
def _prefix() -> str:
    """Return how the names of groups begin here: another container has numbers of its own."""
    with contextlib.suppress(OSError):
        return f"fastgrade-{os.stat('/proc/self/ns/pid').st_ino}-"
    return "fastgrade-"


def _sweep(parent: Path) -> None:
    """Remove the groups that killed graders have left; the system refuses where one is in use."""
    for folder in parent.glob(f"{_prefix()}*-*"):
        owner = folder.name.removeprefix(_prefix()).partition("-")[0]
        if owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            with contextlib.suppress(OSError):
                folder.rmdir()
