"""Control groups: the sum of what all submissions of a warm process use is bounded.

They can be made as root, where ``/sys/fs/cgroup`` can be written. What they add is not counted on.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from pathlib import Path

from fastgrade.sandbox import SandboxError
from fastgrade.settings import Limits

__all__ = ["ControlGroup", "version"]

ROOT = Path("/sys/fs/cgroup")


def version(root: Path = ROOT) -> str:
    """Return ``"v2"`` or ``"v1"``, the control groups that can be made here, or ``""``."""
    if (root / "cgroup.controllers").exists():
        try:
            given = (root / "cgroup.subtree_control").read_text().split()
        except OSError:
            given = []
        if not {"memory", "pids"} <= set(given):
            return ""  # a group could be made, and would limit nothing
        return "v2" if os.access(root / "cgroup.procs", os.W_OK) else ""
    return "v1" if os.access(root / "memory" / "cgroup.procs", os.W_OK) else ""


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
        if version() == "v2":
            bounds = [(ROOT, {"memory.max": memory, "pids.max": tasks})]
        else:
            bounds = [
                (ROOT / "memory", {"memory.limit_in_bytes": memory}),
                (ROOT / "pids", {"pids.max": tasks}),
            ]
        name = f"{_prefix()}{os.getpid()}-{next(_numbers)}"
        self.folders: list[Path] = []
        try:
            for parent, files in bounds:
                _sweep(parent)
                folder = parent / name
                folder.mkdir(exist_ok=True)
                self.folders.append(folder)
                for file, value in files.items():
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


_numbers = itertools.count()


def _prefix() -> str:
    """Return how the names of groups begin here: another container has numbers of its own."""
    with contextlib.suppress(OSError):
        return f"fastgrade-{os.stat('/proc/self/ns/pid').st_ino}-"
    return "fastgrade-"


def _sweep(parent: Path) -> None:
    """Remove the groups that killed graders have left; the system refuses where one is in use."""
    prefix = _prefix()
    for folder in parent.glob(f"{prefix}*-*"):
        owner = folder.name.removeprefix(prefix).partition("-")[0]
        if owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            with contextlib.suppress(OSError):
                folder.rmdir()
