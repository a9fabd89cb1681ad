"""The processes of one submission: each is forked into a folder of its own."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from fastgrade.engine.participants import FORK_MB, THREADS, JudgeProcess, StudentProcess
from fastgrade.notebook.ipynb import code_of_tests
from fastgrade.sandbox import SandboxError, workdir
from fastgrade.sandbox.cgroups import Bounds, ControlGroup, Hierarchy
from fastgrade.sandbox.confine import unprivileged_identity
from fastgrade.settings import Settings
from fastgrade.verdict import Task
from warmfork.zygote import Zygote

__all__ = ["Starter"]

#: Megabytes that the kernel counts beside what a submission asks for.
_OVERHEAD_MB = 64

_numbers = itertools.count(os.getpid())


class Starter:
    """Starts the processes of a submission.

    Parameters
    ----------
    task : Task
        What was handed in; its files lie in the folders.
    settings : Settings
        Those that hold for the assignment.
    place : Path
        Where the folders are made.
    zygote : callable
        Returns the warm process ``"student"`` or ``"judge"`` for some settings.
    level : str
        The level of protection.
    groups : Hierarchy, optional
        Where control groups can be made.
    """

    def __init__(
        self,
        task: Task,
        settings: Settings,
        place: Path,
        zygote: Callable[[str, Settings], Zygote],
        level: str,
        groups: Hierarchy | None = None,
    ):
        self._task = task
        self._settings = settings
        self._zygote = zygote
        self._level = level
        self._place = place
        self._hierarchy = groups
        self._groups: dict[str, ControlGroup] = {}
        number = next(_numbers)
        self._identity = unprivileged_identity(number)
        self.student_folder = place / f"student-{number}"
        self._judge_folder = place / f"judge-{number}"

    def student(self, allowance: int) -> StudentProcess:
        """Start a process for the student's cells; its folder is as it was handed in.

        Parameters
        ----------
        allowance : int
            How many processes it may start.
        """
        workdir.remove(self.student_folder)
        owner = self._owner(self._identity)
        workdir.make(self.student_folder, self._task.files, owner)
        arguments = self._arguments(self.student_folder, owner)
        return StudentProcess(
            self._zygote("student", self._settings),
            arguments,
            allowance,
            self._group("student", allowance),
        )

    def judge(self) -> JudgeProcess:
        """Start a process for the tests; it finds what earlier ones have left in its folder.

        Modules beside the notebook can be imported if they are the instructor's: what else was
        handed in must not run in the judge, and is there only if a test asks for it.
        """
        owner = self._owner(self._identity + 1_000)
        work, modules = self._judge_folder / "work", self._judge_folder / "modules"
        trusted, files = _files_for_tests(self._task)
        has_modules = any(name.endswith(".py") for name in trusted)
        if not self._judge_folder.exists():
            workdir.make(self._judge_folder, {}, owner)
            workdir.make(work, files, owner)
            if has_modules:
                workdir.make(modules, trusted, owner)
        arguments = self._arguments(self._judge_folder, owner)
        arguments["modules"] = str(modules) if has_modules else None
        return JudgeProcess(
            self._zygote("judge", self._settings), arguments, self._group("judge", 0)
        )

    def _group(self, name: str, processes: int) -> ControlGroup | None:
        """Return a control group, where one can be had; it serves all processes of that name."""
        if self._hierarchy is None or self._level not in ("sandbox", "namespaces"):
            return None
        if name not in self._groups:
            limits = self._settings.limits
            files = limits.disk_mb if self._level == "namespaces" else 0  # they lie in memory
            megabytes = limits.memory_mb + files + _OVERHEAD_MB + FORK_MB * processes
            bounds = Bounds(megabytes << 20, processes + THREADS + 2)
            with contextlib.suppress(SandboxError):
                self._groups[name] = ControlGroup(self._hierarchy, bounds)
        return self._groups.get(name)

    def _owner(self, identity: int) -> int | None:
        return identity if os.geteuid() == 0 else None

    def _arguments(self, folder: Path, owner: int | None) -> dict[str, Any]:
        return {
            "folder": str(folder),
            "limits": asdict(self._settings.limits),
            "level": self._level,
            "place": str(self._place),
            "identity": owner,
        }

    def close(self) -> None:
        """Remove the folders and groups, once no process is left."""
        for group in self._groups.values():
            group.close()
        for folder in (self.student_folder, self._judge_folder):
            with contextlib.suppress(OSError):
                workdir.remove(folder)


def _files_for_tests(task: Task) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the instructor's files, and these with what was handed in and a test asks for.

    A test asks for a file by its name, or for whatever is there.
    """
    trusted = {name: task.files[name] for name in task.instructors if name in task.files}
    code = code_of_tests(task.source)
    takes_all = any(word in code for word in ("glob", "listdir", "iterdir", "scandir", "os.walk"))
    asked = {
        name: data
        for name, data in task.files.items()
        if name in trusted or takes_all or PurePosixPath(name).name in code
    }
    return trusted, asked
