"""What a submission uses beyond its limits, where the kernel does not say so by itself."""

from __future__ import annotations

import time
from pathlib import Path

from fastgrade.engine.outcomes import Ending, ProcessEnd
from fastgrade.engine.participants import StudentProcess
from fastgrade.engine.turns import PERIOD
from fastgrade.sandbox import workdir
from fastgrade.settings import Limits
from warmfork.zygote import ZygoteError

__all__ = ["UsageWatch"]

#: The part of the time that may be spent on looking.
_SPENT = 0.1


class UsageWatch:
    """Looks now and then at what a submission uses; its processes' own limits are the kernel's.

    Parameters
    ----------
    limits : Limits
        What it may use.
    folder : Path
        Where it writes.
    """

    def __init__(self, limits: Limits, folder: Path):
        self._limits = limits
        self._folder = folder
        self._next = 0.0

    def excess(self, student: StudentProcess) -> ProcessEnd | None:
        """Return why the processes of a submission have to end; None if they have not.

        Raises
        ------
        ZygoteError
            If the warm process is gone: what the submission has started may live on, and hold its
            channels open until its time is up.
        """
        start = time.monotonic()
        if start < self._next:
            return None
        ending = self._look(student)
        spent = time.monotonic() - start
        self._next = start + max(PERIOD, spent / _SPENT)
        return None if ending is None else ProcessEnd.by_use(ending, self._limits)

    def _look(self, student: StudentProcess) -> Ending | None:
        if student.zygote.has_hung_up():
            raise ZygoteError("the warm process has ended")
        disk, memory = self._limits.disk_mb << 20, self._limits.memory_mb << 20
        if student.group is not None:
            # The kernel has the last word on memory, but counts what lies in the folder as well.
            private, shared = student.group.memory()
            files = disk if student.has_own_folder else 0
            if private > student.most_memory or private + shared > student.most_memory + files:
                return Ending.MEMORY
            if student.has_own_folder:
                return None
        on_disk = 0 if student.has_own_folder else workdir.usage(self._folder, disk)
        use = student.zygote.use(student.pid, memory)
        if not student.has_own_folder and on_disk + use.unlinked > disk:
            return Ending.DISK
        if student.group is not None:
            return None
        if use.threads > student.most_tasks:
            return Ending.THREADS
        # One process alone is held to its limit by the kernel, but for what others of it share.
        return Ending.MEMORY if use.memory > memory else None
