"""Grade one submission: bytes in, a verdict out.

`Grader` keeps two warm processes, one for students and one for judges, and has a `Session` take
each submission through. `key` says what a verdict depends on.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastgrade import ENGINE
from fastgrade.engine.imports import wanted
from fastgrade.engine.outcomes import DisturbedError, MachineError
from fastgrade.engine.session import Session
from fastgrade.engine.turns import Turns
from fastgrade.notebook.assignment import Plan, plan
from fastgrade.notebook.ipynb import dump_notebook
from fastgrade.notebook.submission import Rebuilt, read, rebuild
from fastgrade.sandbox import SandboxError, workdir
from fastgrade.sandbox.cgroups import hierarchy
from fastgrade.sandbox.namespaces import bubblewrap
from fastgrade.sandbox.protection import Protection, probe
from fastgrade.settings import LEVELS, Settings
from fastgrade.verdict import QuestionVerdict, Submitted, Task, Verdict
from warmfork.folders import PrivateFolder
from warmfork.zygote import Zygote, ZygoteError

__all__ = ["Grader", "MachineError", "fingerprint", "grade", "key", "plan_of"]

#: Bytes and files that a disk must have left for what an answer writes to be its own doing.
_SPARE = (4 << 20, 64)


class Grader:
    """Grades submissions, one call each; calls may come from several threads at once.

    Parameters
    ----------
    settings : Settings
        The course's settings; each task is graded by those that hold for its assignment.
    protection : Protection, optional
        What the machine offers; found out by default.

    Raises
    ------
    ZygoteError
        On entry, if a module that the course preloads cannot be imported.
    """

    def __init__(self, settings: Settings | None = None, protection: Protection | None = None):
        self.settings = settings or Settings()
        self.protection = protection or probe()
        self._zygotes: dict[tuple[str, str], Zygote] = {}
        self._hierarchy = hierarchy() if self.protection.cgroups else None
        self._lock = threading.Lock()
        self._turns = Turns()
        self._folder: PrivateFolder | None = None

    def __enter__(self) -> Grader:
        return self.open()

    def __exit__(self, *exception: object) -> None:
        self.close()

    def open(self) -> Grader:
        """Start the warm processes.

        Raises
        ------
        SandboxError
            If this system cannot fork.
        ZygoteError
            If a module of the course cannot be loaded.
        """
        if not self.protection.fork:
            raise SandboxError("grading needs processes that fork, which this system has not")
        self._folder = PrivateFolder("fastgrade-run-", 0o711, workdir.remove)
        try:
            starting = [
                threading.Thread(target=self._warm, args=(name,)) for name in ("student", "judge")
            ]
            for thread in starting:
                thread.start()
            for thread in starting:
                thread.join()
            for name in ("student", "judge"):
                self.zygote(name, self.settings)
        except BaseException:
            self.close()
            raise
        return self

    def _warm(self, name: str) -> None:
        with contextlib.suppress(ZygoteError):  # raised again by the caller's own attempt
            self.zygote(name, self.settings)

    def close(self) -> None:
        """End the warm processes with all that they have forked."""
        for zygote in dict.fromkeys(self._zygotes.values()):
            zygote.close()
        self._zygotes.clear()
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    @property
    def level(self) -> str:
        """The level of protection that submissions get."""
        level = self.protection.level
        return "sandbox" if level == "namespaces" and not self.settings.namespaces else level

    def zygote(self, name: str, settings: Settings, modules: Sequence[str] = ()) -> Zygote:
        """Return the warm process ``"student"`` or ``"judge"`` that `settings` ask for.

        It has imported some more modules if they can be imported before a fork.
        """
        student = name == "student"
        options = {
            "level": self.level,
            "imports": list(modules),
            "place": str(self._folder.path) if self._folder else "",
            "readable": [os.path.abspath(path) for path in settings.readable],
            "forbidden_modules": list(settings.refused_modules) if student else [],
            "forbidden_paths": [
                os.path.abspath(path) for path in (settings.forbidden_files if student else ())
            ],
        }
        preload = settings.preload if student else settings.judge_preload
        extra = {} if student else dict(settings.judge_environment)
        identity = (name, repr((preload, options, extra)))
        with self._lock:
            if identity in self._zygotes:
                return self._zygotes[identity]
        warm = [f"fastgrade.engine.{name}_process:warm_up"]
        if student:
            warm.insert(0, "fastgrade.engine.student_process:before_imports")
        wrapper = bubblewrap() if self.level == "namespaces" else []
        environment = {**_NOTEBOOK_ENVIRONMENT, **extra}
        try:
            zygote = Zygote(preload, warm, options, environment, wrapper)
        except ZygoteError:
            if not modules:
                raise
            usual = self.zygote(name, settings)
            with self._lock:
                return self._zygotes.setdefault(identity, usual)
        with self._lock:
            if identity in self._zygotes:  # two threads met
                zygote.close()
            return self._zygotes.setdefault(identity, zygote)

    def grade(self, task: Task) -> Verdict:
        """Return the verdict on one submission; never raises for what a student handed in.

        Raises
        ------
        ValueError
            If the instructor's notebook is no notebook.
        SandboxError
            If it holds hidden tests and the machine offers less protection than the course asks.
        ZygoteError
            If a warm process has ended or cannot fork.
        MachineError
            If the tests cannot run as the course means them, whoever has handed in.
        """
        if self._folder is None:
            raise RuntimeError("Grader must be entered with 'with' before it grades")
        start = time.monotonic()
        settings = self.settings.for_assignment(task.assignment)
        instructor = plan_of(task, settings)
        if instructor.has_hidden_tests and _below(self.level, settings.minimum_protection):
            raise SandboxError(
                f"hidden tests of {task.assignment} are refused: the course asks for the level "
                f"{settings.minimum_protection!r}, this machine offers {self.level!r}. "
                + " ".join(self.protection.missing)
            )
        submitted = _submitted(task, settings)
        try:
            with self._turns.together():
                rebuilt, questions = self._run(task, settings, instructor, submitted)
        except DisturbedError:
            with self._turns.alone():
                rebuilt, questions = self._run(task, settings, instructor, submitted, alone=True)
        rebuilt.notebook.setdefault("metadata", {})["language_info"] = dict(_LANGUAGE)
        return Verdict(
            student=task.student,
            assignment=task.assignment,
            notebook=task.notebook,
            questions=tuple(questions),
            flags=tuple(dict.fromkeys(rebuilt.flags)),
            autograded=dump_notebook(rebuilt.notebook),
            seconds=time.monotonic() - start,
        )

    def _run(
        self,
        task: Task,
        settings: Settings,
        instructor: Plan,
        submitted: Submitted,
        alone: bool = False,
    ) -> tuple[Rebuilt, list[QuestionVerdict]]:
        """Run a submission; return its notebook and the verdicts on its questions."""
        assert self._folder is not None
        rebuilt = rebuild(instructor, submitted, extra_cells=settings.extra_cells)
        place = self._folder.path
        _demand_disk(place)
        modules = {
            "student": wanted(
                instructor.students, settings.preload, task.files, settings.refused_modules
            ),
            "judge": wanted(instructor.judges, settings.judge_preload, task.files),
        }

        def zygote(name: str, settings: Settings) -> Zygote:
            return self.zygote(name, settings, modules[name])

        run = Session(task, settings, rebuilt, place, zygote, self.level, self._hierarchy, alone)
        try:
            questions = run.run() if submitted.cells else run.skip()
            if not all(question.passed for question in questions):
                _demand_disk(place)  # else it may have failed for want of it
        finally:
            run.close()
        return rebuilt, questions


_NOTEBOOK_ENVIRONMENT = {
    "TERM": "xterm-color",
    "CLICOLOR": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "NBGRADER_EXECUTION": "autograde",
}


#: What a Python kernel says of itself, and a notebook client writes down.
_LANGUAGE = {
    "name": "python",
    "version": platform.python_version(),
    "mimetype": "text/x-python",
    "codemirror_mode": {"name": "ipython", "version": 3},
    "pygments_lexer": "ipython3",
    "nbconvert_exporter": "python",
    "file_extension": ".py",
}


def grade(task: Task, settings: Settings | None = None) -> Verdict:
    """Return the verdict on one submission; for many, keep a `Grader`."""
    with Grader(settings) as grader:
        return grader.grade(task)


def _below(level: str, other: str) -> bool:
    return LEVELS.index(level) < LEVELS.index(other)


def plan_of(task: Task, settings: Settings) -> Plan:
    """Return what the instructor's notebook says, with the course's own marks in it."""
    solution = settings.solution_begin, settings.solution_end
    return plan(task.source, settings.hidden_begin, solution, settings.refused_modules)


def _submitted(task: Task, settings: Settings) -> Submitted:
    if isinstance(task.submission, Submitted):
        return task.submission
    return read(task.submission, settings.limits.submission_mb)


def _demand_disk(place: Path) -> None:
    """Make sure that an answer can write; a full disk would be counted as its mistake."""
    disk = os.statvfs(place)
    sizes = disk.f_bavail * disk.f_frsize, disk.f_favail
    # Some file systems have no fixed number of files, and say 0 of 0.
    if sizes[0] < _SPARE[0] or (disk.f_files and sizes[1] < _SPARE[1]):
        raise MachineError(
            f"the disk under {place} is full: {sizes[0] >> 20} MB and {sizes[1]} files are left"
        )


# --------------------------------------------------------------------------- keys


def key(task: Task, settings: Settings) -> str:
    """Return the hash of all that the verdict on `task` depends on.

    Submissions with equal keys have equal verdicts, whoever handed them in: sources of the cells
    that are used, files, the instructor's notebook, settings, environment and engine.
    """
    settings = settings.for_assignment(task.assignment)
    submitted = _submitted(task, settings)
    digest = hashlib.sha256()
    parts: list[Any] = [
        ENGINE,
        task.assignment,
        task.notebook,
        hashlib.sha256(task.source).hexdigest(),
        settings.to_json(),
        _environment(tuple(dict.fromkeys((*settings.preload, *settings.judge_preload)))),
        [sorted(cell.items()) for cell in submitted.cells],
        submitted.flags,
        (task.solution, task.beside, task.scoring, task.aliased, task.warned, task.looking),
    ]
    for name, data in sorted(task.files.items()):
        parts.append((name, name in task.instructors, hashlib.sha256(data).hexdigest()))
    digest.update(repr(parts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@functools.lru_cache(maxsize=16)
def _environment(modules: tuple[str, ...]) -> str:
    return fingerprint(modules)


def fingerprint(modules: Sequence[str]) -> str:
    """Return a hash of Python and of the packages that a course preloads, as they are now.

    An installed package counts by its version, one that is worked on by its files, data among them.
    """
    digest = hashlib.sha256(f"{sys.version} {platform.machine()}".encode())
    for name in sorted({name.partition(".")[0] for name in (*modules, "IPython", "numpy")}):
        digest.update(name.encode())
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            spec = None
        folders = list(spec.submodule_search_locations or ()) if spec is not None else []
        if folders and "site-packages" not in folders[0] and "dist-packages" not in folders[0]:
            for path in sorted(Path(folders[0]).rglob("*")):
                if path.is_file() and path.suffix != ".pyc":
                    digest.update(path.as_posix().encode() + path.read_bytes())
        else:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                digest.update(importlib.metadata.version(name).encode())
    return digest.hexdigest()
